//! What a newcomer does on the first day, done by a test: the tour of the README is pasted into a shell word for word, and every operation is tried out
//! on a fresh demo with the example that is already filled in.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::contract::operations;

/// A demo server of our own program, in a folder of its own.
struct Demo {
    server: Child,
    address: String,
    folder: PathBuf,
    agent: ureq::Agent,
    tokens: BTreeMap<&'static str, String>,
}

impl Demo {
    fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("lahete-tour-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self::start_in(folder)
    }

    /// Starts where a demo has been before.
    fn start_in(folder: PathBuf) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_lahete"))
            .args(["serve", "--demo", "--bind", "127.0.0.1:0"])
            .current_dir(&folder)
            .env_clear()
            .env("LAHETE_LOG", "off")
            .env("LAHETE_WORKERS", "1")
            .env("LAHETE_POOL_SIZE", "2")
            .env("LAHETE_DRAIN_SECONDS", "0")
            .env("LAHETE_TOKEN_REQUESTS_PER_MINUTE", "1000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
        let place = lines.find_map(|line| Some(line.split_once("http://")?.1.split('/').next()?.to_owned()));
        let address = place.expect("the server says where it listens");
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Self { server, address, folder, agent, tokens: BTreeMap::new() }
    }

    /// Stops as an operator does, so that the database file is whole.
    fn stop(mut self) -> PathBuf {
        let _ = Command::new("kill").arg(self.server.id().to_string()).status();
        let _ = self.server.wait();
        std::mem::take(&mut self.folder)
    }

    fn token(&mut self, login: &'static str) -> String {
        if let Some(token) = self.tokens.get(login) {
            return token.clone();
        }
        let form = [("grant_type", "password"), ("username", login), ("password", "hyvinvointilahete-demo")];
        let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (status, text) =
            self.call("POST", "/oauth/token", None, &[("content-type", "application/x-www-form-urlencoded")], Some(body.join("&")));
        assert_eq!(status, 200, "{login}: {text}");
        let token = serde_json::from_str::<Value>(&text).unwrap()["access_token"].as_str().unwrap().to_owned();
        self.tokens.insert(login, token.clone());
        token
    }

    fn call(&self, method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: Option<String>) -> (u16, String) {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut response = response.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap_or_default())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        if !self.folder.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

fn readme() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap()
}

/// The shell blocks below the heading of the tour.
fn tour_blocks(readme: &str) -> Vec<String> {
    let begin = readme.find("## Five-minute tour").expect("a tour");
    let end = readme[begin + 3..].find("\n## ").map_or(readme.len(), |end| begin + 3 + end);
    readme[begin..end].split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Whether a line is what the README shows, where `…` stands for anything.
fn shows(line: &str, shown: &str) -> bool {
    let pieces: Vec<&str> = shown.split('…').collect();
    let mut rest = line;
    for (place, piece) in pieces.iter().enumerate() {
        match rest.find(piece) {
            Some(at) if at == 0 || place > 0 => rest = &rest[at + piece.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || pieces.last().is_some_and(|last| last.is_empty())
}

#[test]
fn the_tour_of_the_readme_works_word_for_word() {
    let demo = Demo::start("tour");
    let blocks = tour_blocks(&readme());
    assert!(blocks.len() > 8, "the tour has lost its blocks");
    let script = blocks.iter().enumerate().map(|(index, block)| format!("echo '== {index}'\n{block}")).collect::<String>();
    let script = script.replace("127.0.0.1:8080", &demo.address);
    let done = Command::new("sh").args(["-eu", "-c", &script]).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "the tour broke off: {err}\n{out}");
    for (index, block) in blocks.iter().enumerate() {
        let begin = format!("== {index}\n");
        let rest = &out[out.find(&begin).unwrap() + begin.len()..];
        let printed: Vec<&str> = rest.split("== ").next().unwrap().lines().collect();
        let mut from = 0;
        for shown in block.lines().filter_map(|line| line.strip_prefix("# → ")) {
            let found = printed[from..].iter().position(|line| shows(line, shown));
            from += 1 + found.unwrap_or_else(|| panic!("block {index} of the tour does not show `{shown}`, but\n{}", printed.join("\n")));
        }
    }
}

#[test]
fn the_table_of_settings_in_the_readme_is_the_real_one() {
    let readme = readme();
    let table = readme.split("<!-- settings: begin -->\n").nth(1).and_then(|rest| rest.split("<!-- settings: end -->").next());
    assert_eq!(
        table.expect("the markers of the table"),
        lahete_api::config::settings_table(),
        "put the output of `lahete config --table` between the markers"
    );
}

/// Who tries an operation out. `None`: nobody needs to sign in.
fn person(operation: &str) -> Option<&'static str> {
    match operation {
        "key_set_view"
        | "discovery_view"
        | "health_live"
        | "health_ready"
        | "health_started"
        | "token_issue"
        | "public_referral_create"
        | "public_referral_status" => None,
        "referral_create" | "referral_update" | "referral_submit" | "referral_answer" => Some("riikka"),
        "referral_milestones" | "milestone_list" | "milestone_acknowledge" => Some("riikka"),
        "measure_instrument_create" | "measure_text_create" | "measure_text_remove" | "individual_use_begin" | "individual_use_end" => {
            Some("antti")
        }
        "assignment_accept" | "assignment_decline" => Some("lauri"),
        "audit_event_list" | "audit_checkpoint_list" | "client_access_log" => Some("tiina"),
        "client_restriction_create" | "client_restriction_release" => Some("tiina"),
        _ if ["data_request_", "legal_hold_", "retention_"].iter().any(|room| operation.starts_with(room)) => Some("tiina"),
        _ if operation.starts_with("me_") && operation != "me_view" => Some("aino"),
        _ if ["api_client_", "consent_text_", "organisation_", "programme_", "role_assignment_", "user_"]
            .iter()
            .any(|room| operation.starts_with(room)) =>
        {
            Some("antti")
        }
        _ => Some("kaisa"),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Calls an operation with what the document fills in.
fn try_out(demo: &mut Demo, method: &str, path: &str, operation: &Value) -> Result<(), String> {
    let id = operation["operationId"].as_str().unwrap();
    let (mut path, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let Some(example) = parameter.get("example").map(text_of) else { continue };
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
            Some("query") => query.push(format!("{name}={example}")),
            _ => headers.push((name, example)),
        }
    }
    if path.contains('{') {
        return Err(format!("{id}: a path parameter has no example"));
    }
    if !query.is_empty() {
        path = format!("{path}?{}", query.join("&"));
    }
    let mut body = None;
    if let Some((media_type, content)) = operation["requestBody"]["content"].as_object().and_then(|contents| contents.iter().next()) {
        headers.push(("content-type", media_type.clone()));
        body = Some(if media_type == "application/x-www-form-urlencoded" {
            let pairs = content["example"].as_object().unwrap();
            pairs.iter().map(|(name, value)| format!("{name}={}", text_of(value))).collect::<Vec<_>>().join("&")
        } else {
            content["example"].to_string()
        });
    }
    let token = person(id).map(|login| demo.token(login));
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (status, text) = demo.call(method, &path, token.as_deref(), &headers, body);
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("{id}: {method} {path}: {status} {text}")) }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn every_operation_works_on_a_fresh_demo_with_the_example_that_is_filled_in() {
    let mut demo = Demo::start("examples");
    let (status, text) = demo.call("GET", "/openapi.json", None, &[], None);
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut faults = Vec::new();
    let (reads, changes): (Vec<_>, Vec<_>) = operations(&document).into_iter().partition(|(method, ..)| method == "GET");
    for (method, path, operation) in reads {
        faults.extend(try_out(&mut demo, &method, path, operation).err());
    }
    let tokens = std::mem::take(&mut demo.tokens);
    let fresh = demo.stop();
    // Each change on a copy of the fresh demo: what one of them does must not stand in the way of another.
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(&mut faults);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some((method, path, operation)) = changes.get(index) else { return };
                    let folder = fresh.with_file_name(format!("lahete-tour-{}-change-{index}", std::process::id()));
                    copy_folder(&fresh, &folder);
                    let mut demo = Demo::start_in(folder);
                    demo.tokens.clone_from(&tokens);
                    if let Err(fault) = try_out(&mut demo, method, path, operation) {
                        found.lock().unwrap().push(fault);
                    }
                }
            });
        }
    });
    let _ = std::fs::remove_dir_all(&fresh);
    faults.sort();
    assert!(faults.is_empty(), "{} operations:\n{}", faults.len(), faults.join("\n"));
}
