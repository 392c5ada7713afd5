//! What is true of every answer, whatever the operation.

use std::collections::BTreeSet;
use std::time::Duration;

use lahete_api::http::openapi::{DocumentFormat, served_document, write_document};
use lahete_api::http::problem_catalogue;
use lahete_domain::codes::{Code as _, Language};
use lahete_domain::ids::{Id as _, ReferralId};
use serde_json::{Value, json};

use super::referrals::complete;
use crate::support::app::{Reply, text};
use crate::support::database::wait;
use crate::support::raw::Raw;
use crate::support::{Kind, TestApp, on_both};

const ABSENT: &str = "01900000-0000-7000-8000-00000000dead";

fn send(app: &TestApp) -> String {
    format!("/v1/referrals/{}", text(&app.user(app.world.own.referrer).post("/v1/referrals").json(complete()).send().expect(201), "id"))
}

fn document() -> Value {
    let text = write_document(&served_document(None), DocumentFormat::Json).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A path of the document with something in place of its parameters.
fn concrete(pattern: &str) -> String {
    pattern.split('/').map(|part| if part.starts_with('{') { ABSENT } else { part }).collect::<Vec<_>>().join("/")
}

/// What stands on every answer.
#[track_caller]
fn expect_dressed(reply: &Reply) {
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cross-origin-resource-policy", "same-origin")]
    {
        assert_eq!(reply.header(name), Some(value), "{reply:?}");
    }
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(reply.header("cache-control").is_some(), "{reply:?}");
    assert!(reply.header("x-request-id").is_some(), "{reply:?}");
    for name in ["server", "x-powered-by", "access-control-allow-origin", "access-control-allow-credentials"] {
        assert_eq!(reply.header(name), None, "{reply:?}");
    }
    if reply.status >= 400 {
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
    }
}

#[test]
fn every_path_says_which_methods_it_takes() {
    let app = TestApp::start(Kind::Sqlite);
    let coordinator = app.user(app.world.own.coordinator);
    let document = document();
    for (pattern, item) in document["paths"].as_object().unwrap() {
        let mut known: BTreeSet<String> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if known.contains("GET") {
            known.insert("HEAD".to_owned());
        }
        let allow = known.iter().cloned().collect::<Vec<_>>().join(", ");
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if known.contains(method) {
                continue;
            }
            let reply = coordinator.call(method, &concrete(pattern)).send();
            expect_dressed(&reply);
            assert_eq!(reply.header("allow"), Some(allow.as_str()), "{method} {pattern}");
            if method == "HEAD" {
                assert_eq!(reply.status, 405);
            } else {
                reply.problem(405, "method_not_allowed");
            }
        }
    }
    for page in ["/docs", "/docs/", "/openapi.json", "/openapi.yaml", "/problems", "/problems/not_found"] {
        let reply = coordinator.post(page).json(json!({})).send();
        assert_eq!(reply.header("allow"), Some("GET, HEAD"), "{page}");
        reply.problem(405, "method_not_allowed");
    }
}

on_both! {
    fn an_unknown_path_is_not_found(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let referral = send(&app);
        let bare = referral.replace('-', "");
        for path in [
            "/", "/v1", "/v1/", "/v2/referrals", "/v1/referral", "/v1/referrals/", "//v1/referrals", "/V1/referrals", "/v1/referrals/x",
            "/v1/referrals/%00", "/v1/referrals/..%2f..%2fetc", "/v1/referrals/1%27%20or%201=1", "/v1/clients/00000000-0000-0000-0000-000000000000",
            "/favicon.ico", "/metrics", "/v1/%ff", bare.as_str(), &format!("{referral}/"), &format!("{referral}/nothing"), &format!("/v1/referrals/{ABSENT}"),
        ] {
            let reply = coordinator.get(path).send();
            expect_dressed(&reply);
            let problem = reply.problem(404, "not_found");
            assert_eq!(problem["instance"], path.split('?').next().unwrap());
        }
        coordinator.post(&format!("/v1/referrals/{ABSENT}/review")).if_match(1).json(json!({})).send().problem(404, "not_found");
        coordinator.get(&referral).send().expect(200);
    }
}

#[test]
fn head_is_get_without_the_body() {
    let app = TestApp::start(Kind::Sqlite);
    let path = send(&app);
    let token = app.token(&format!("user:{}", app.world.own.coordinator.as_uuid()));
    for (path, status) in [(path.as_str(), "200"), ("/livez", "200"), ("/docs/", "200"), ("/v1/nothing", "404"), ("/openapi.json", "200")] {
        let got = app.user(app.world.own.coordinator).get(path).send();
        let mut raw = Raw::open(&app);
        let host = app.addr;
        raw.send(
            format!(
                "HEAD {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nx-request-id: h\r\nconnection: close\r\n\r\n"
            )
            .as_bytes(),
        );
        let whole = raw.whole();
        let (head, body) = whole.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {head}");
        assert_eq!(body, "", "{path}");
        assert_eq!(got.status.to_string(), status);
        for name in ["etag", "content-type", "content-security-policy", "cache-control"] {
            let line = got.header(name).map(|value| format!("{name}: {value}"));
            assert!(line.is_none_or(|line| head.to_lowercase().contains(&line.to_lowercase())), "{path}: {name}: {head}");
        }
    }
}

#[test]
fn what_the_caller_does_not_accept_is_not_made() {
    let app = TestApp::start(Kind::Sqlite);
    let referrer = app.user(app.world.own.referrer);
    for accept in ["application/xml", "text/html", "application/json;q=0", "image/*"] {
        let reply = referrer.post("/v1/referrals").header("accept", accept).json(complete()).send();
        expect_dressed(&reply);
        reply.problem(406, "not_acceptable");
    }
    assert_eq!(referrer.get("/v1/referrals").send().expect(200)["items"], json!([]));
    for accept in ["*/*", "application/*", "application/json", "text/html, application/json;q=0.1", "APPLICATION/JSON"] {
        referrer.get("/v1/referrals").header("accept", accept).send().expect(200);
    }
    for (pattern, item) in document()["paths"].as_object().unwrap() {
        let answers = &item["get"]["responses"]["200"]["content"];
        if answers["application/json"].is_object() {
            referrer.get(&concrete(pattern)).header("accept", "application/xml").send().problem(406, "not_acceptable");
        }
    }
}

#[test]
fn every_list_checks_its_parameters() {
    let app = TestApp::start(Kind::Sqlite);
    let coordinator = app.user(app.world.own.coordinator);
    let document = document();
    let mut lists = 0;
    for (pattern, item) in document["paths"].as_object().unwrap() {
        let Some(operation) = item.get("get") else { continue };
        let path = concrete(pattern);
        let unknown = coordinator.get(&format!("{path}?quantity=7")).send().problem(400, "unknown_parameter");
        assert!(!unknown["detail"].as_str().unwrap().contains("quantity"), "{unknown}");
        let names: Vec<_> =
            operation["parameters"].as_array().into_iter().flatten().filter_map(|parameter| parameter["name"].as_str()).collect();
        if !names.contains(&"limit") {
            continue;
        }
        lists += 1;
        let hint = coordinator.get(&format!("{path}?limt=7")).send().problem(400, "unknown_parameter");
        assert!(hint["detail"].as_str().unwrap().ends_with("Did you mean limit?"), "{pattern}: {hint}");
        for limit in ["0", "201", "-1", "abc", "", "1.0", "70000", "1%00"] {
            coordinator.get(&format!("{path}?limit={limit}")).send().problem(400, "invalid_parameter");
        }
        coordinator.get(&format!("{path}?limit=1&limit=2")).send().problem(400, "invalid_parameter");
        for cursor in ["", "x", "AAAA", "%00", &"A".repeat(600)] {
            let reply = coordinator.get(&format!("{path}?cursor={cursor}")).send();
            assert_eq!(reply.status, 400, "{path}?cursor={cursor}: {}", reply.text);
        }
    }
    assert!(lists > 15, "{lists} lists");
    for query in [
        "state=open",
        "min_days_in_state=-1",
        "min_days_in_state=x",
        "mine=yes",
        "programme_id=1",
        "order=oldest",
        "municipality=7",
        "municipality=%00%00%00",
    ] {
        coordinator.get(&format!("/v1/referrals?{query}")).send().problem(400, "invalid_parameter");
    }
    let hint = coordinator.get("/v1/referrals?sate=submitted").send().problem(400, "unknown_parameter");
    assert!(hint["detail"].as_str().unwrap().ends_with("Did you mean state?"), "{hint}");
}

on_both! {
    fn a_list_is_walked_without_gap_or_double_while_it_grows(app: TestApp) {
        let mut there: BTreeSet<String> = (0..120).map(|number| {
            if number % 3 == 0 {
                app.clock.advance_minutes(1);
            }
            send(&app).rsplit('/').next().unwrap().to_owned()
        }).collect();
        let coordinator = app.user(app.world.own.coordinator);
        for order in ["newest", "longest_in_state"] {
            let mut next = Some(format!("/v1/referrals?limit=7&state=submitted&order={order}"));
            let (mut seen, mut pages, mut added) = (Vec::new(), 0, BTreeSet::new());
            while let Some(path) = next {
                let reply = coordinator.get(&path).send();
                let link = reply.header("link").map(str::to_owned);
                let page = reply.expect(200);
                let items = page["items"].as_array().unwrap();
                next = page["page"]["next"].as_str().map(str::to_owned);
                assert_eq!(link, next.as_ref().map(|next| format!("<{next}>; rel=\"next\"")));
                assert!(items.len() == 7 || next.is_none(), "a short page in the middle");
                seen.extend(items.iter().map(|item| text(item, "id")));
                pages += 1;
                if pages % 5 == 0 && added.len() < 6 {
                    app.clock.advance_minutes(1);
                    added.insert(send(&app).rsplit('/').next().unwrap().to_owned());
                }
            }
            let unique: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(unique.len(), seen.len(), "{order}: something came twice");
            assert!(there.is_subset(&unique), "{order}: something is missing");
            assert!(!added.is_empty() && unique.is_subset(&there.union(&added).cloned().collect()), "{order}");
            there.extend(added);
        }
        // A cursor belongs to its list, its filters and its order, and cannot be made up.
        let first = coordinator.get("/v1/referrals?limit=7").send().expect(200);
        let next = first["page"]["next"].as_str().unwrap().to_owned();
        let cursor = next.split_once("cursor=").unwrap().1;
        coordinator.get(&next).send().expect(200);
        coordinator.get(&format!("/v1/referrals?cursor={cursor}")).send().expect(200);
        for path in ["/v1/referrals?state=submitted&", "/v1/referrals?order=longest_in_state&", "/v1/visits?", "/v1/support-periods?", "/v1/me/referrals?"] {
            coordinator.get(&format!("{path}cursor={cursor}")).send().problem(400, "invalid_cursor");
        }
        for place in 0..cursor.len() - 1 {
            let mut forged = cursor.as_bytes().to_vec();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            coordinator.get(&format!("/v1/referrals?cursor={forged}")).send().problem(400, "invalid_cursor");
        }
        coordinator.get(&format!("/v1/referrals?cursor={}", &cursor[..cursor.len() - 4])).send().problem(400, "invalid_cursor");
    }
}

on_both! {
    fn what_is_known_is_not_sent_again(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let path = send(&app);
        let reply = coordinator.get(&path).send();
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let etag = reply.header("etag").unwrap().to_owned();
        for known in [etag.clone(), format!("\"x\", {etag}"), format!("W/{etag}"), "*".to_owned()] {
            let reply = coordinator.get(&path).header("if-none-match", &known).send();
            expect_dressed(&reply);
            assert_eq!((reply.status, reply.text.as_str(), reply.header("etag")), (304, "", Some(etag.as_str())), "{known}");
        }
        coordinator.get(&path).header("if-none-match", "\"0\"").send().expect(200);
        let version = reply.version();
        coordinator.post(&format!("{path}/review")).if_match(version).json(json!({})).send().expect(200);
        coordinator.get(&path).header("if-none-match", &etag).send().expect(200);
        app.user(app.world.other.coordinator).get(&path).header("if-none-match", "*").send().problem(404, "not_found");
    }
}

#[test]
fn every_answer_is_dressed() {
    let app = TestApp::start(Kind::Sqlite);
    let path = send(&app);
    let people = app.world.own;
    let coordinator = app.user(people.coordinator);
    for call in [
        coordinator.get(&path),
        coordinator.get("/v1/referrals"),
        coordinator.get("/v1/me"),
        coordinator.post(&format!("{path}/review")).if_match(1).json(json!({})),
        coordinator.post(&format!("{path}/review")).json(json!({})),
        app.nobody().get(&path),
        app.nobody().get("/v1/municipalities"),
        app.nobody().get("/livez"),
        app.nobody().get("/problems"),
        app.nobody().get("/nowhere"),
        app.nobody().get("/.well-known/jwks.json"),
        app.user(people.report_reader).get(&path),
        coordinator.get("/v1/referrals").header("origin", "https://example.org"),
        coordinator.call("OPTIONS", "/v1/referrals").header("origin", "https://example.org").header("access-control-request-method", "GET"),
    ] {
        expect_dressed(&call.send());
    }
    let document = document();
    let personal = |pattern: &str| {
        ["/referrals", "/clients", "/me/", "/visits", "/support-periods", "/assignments", "/audit-events"]
            .iter()
            .any(|name| pattern.contains(name))
    };
    for (pattern, item) in document["paths"].as_object().unwrap() {
        if item.get("get").is_some() && personal(pattern) {
            let reply = coordinator.get(&concrete(pattern)).send();
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{pattern}");
        }
    }
    let unauthenticated = app.nobody().get(&path).send();
    assert!(unauthenticated.header("www-authenticate").is_some_and(|how| how.starts_with("Bearer ")));
    assert_eq!(coordinator.get(&path).send().header("strict-transport-security"), None, "not over plain HTTP");
    let secure = TestApp::start_with(Kind::Sqlite, &[("base_url", "https://lahete.example")]);
    let reply = secure.nobody().get("/livez").send();
    assert!(reply.header("strict-transport-security").is_some_and(|value| value.contains("max-age=31536000")));
}

#[test]
fn origins_are_let_in_by_list_alone() {
    let app = TestApp::start_with(Kind::Sqlite, &[("cors_origins", "https://ui.example")]);
    let preflight = |origin: &str| {
        let call = app.nobody().call("OPTIONS", "/v1/referrals").header("origin", origin);
        call.header("access-control-request-method", "POST").header("access-control-request-headers", "content-type,authorization").send()
    };
    let listed = preflight("https://ui.example");
    assert_eq!((listed.status, listed.header("access-control-allow-origin")), (200, Some("https://ui.example")), "{listed:?}");
    assert_eq!(listed.header("access-control-allow-credentials"), None);
    assert_eq!(listed.header("x-content-type-options"), Some("nosniff"));
    for other in ["https://ui.example.org", "http://ui.example", "null"] {
        let reply = preflight(other);
        assert_eq!(reply.header("access-control-allow-origin"), None, "{other}: {reply:?}");
        assert_eq!(app.nobody().get("/livez").header("origin", other).send().header("access-control-allow-origin"), None, "{other}");
    }
    let reply = app.nobody().get("/v1/referrals").header("origin", "https://ui.example").send();
    assert_eq!(reply.header("access-control-allow-origin"), Some("https://ui.example"), "problems can be read too");
    assert!(reply.header("access-control-expose-headers").is_some_and(|names| names.to_lowercase().contains("etag")));
}

#[test]
fn a_request_id_goes_through_or_is_made() {
    let app = TestApp::start(Kind::Sqlite);
    let ask = |id: &str| app.nobody().get("/v1/referrals").header("x-request-id", id).send();
    for good in ["a", "Call-1_2.3", &"x".repeat(64)] {
        let reply = ask(good);
        assert_eq!(reply.header("x-request-id"), Some(good));
        assert_eq!(reply.problem(401, "unauthenticated")["request_id"], good);
    }
    let mut made = BTreeSet::new();
    for bad in ["", "a b", "a\"b", "<script>", "ä", &"x".repeat(65)] {
        let reply = ask(bad);
        let id = reply.header("x-request-id").unwrap().to_owned();
        assert!(uuid::Uuid::try_parse(&id).is_ok(), "{bad}: {id}");
        reply.problem(401, "unauthenticated");
        assert!(made.insert(id), "each has its own");
    }
}

#[test]
fn titles_come_in_the_language_of_the_caller() {
    let app = TestApp::start(Kind::Sqlite);
    let titles = |language: &str| match language {
        "fi" => "Ei löydy",
        "sv" => "Hittades inte",
        "en" => "Not found",
        "se" => "Ii gávdno",
        "smn" => "Ij kavnum",
        "sms" => "Ij kaunnum",
        other => panic!("{other}"),
    };
    for (header, language) in [
        ("fi", "fi"),
        ("sv", "sv"),
        ("en", "en"),
        ("se", "se"),
        ("smn", "smn"),
        ("sms", "sms"),
        ("sme", "se"),
        ("SV-fi", "sv"),
        ("en-GB, sv;q=0.9", "en"),
        ("smn-FI", "smn"),
        ("se-FI;q=0.9, sv;q=0.5", "se"),
        ("sv;q=0.5, se-FI;q=0.9", "se"),
        ("sv; q=0.5 , en; q=0.7", "en"),
        ("de, sv;q=0.1", "sv"),
        ("de", "fi"),
        ("fi;q=0, en;q=0.1", "en"),
        ("*", "fi"),
        ("*;q=0.5, sv;q=0.6", "sv"),
        ("", "fi"),
        (";;;,,,=q", "fi"),
        ("sv;q=x, en;q=0.1", "en"),
        ("svenska", "fi"),
        ("\u{e4}", "fi"),
    ] {
        let reply = app.nobody().get("/v1/nothing").header("accept-language", header).send();
        assert_eq!(reply.header("content-language"), Some(language), "{header}");
        assert!(reply.header("vary").is_some_and(|vary| vary.to_lowercase().contains("accept-language")), "{header}: {reply:?}");
        let problem = reply.problem(404, "not_found");
        assert_eq!(problem["title"], titles(language), "{header}");
    }
    let many = format!("{}sv", "xx,".repeat(2000));
    app.nobody().get("/v1/nothing").header("accept-language", many).send().problem(404, "not_found");
    let mut raw = Raw::open(&app);
    raw.send(format!("GET /v1/nothing HTTP/1.1\r\nhost: {}\r\naccept-language: de\r\naccept-language: smn\r\n\r\n", app.addr).as_bytes());
    assert_eq!(raw.reply().problem(404, "not_found")["title"], titles("smn"), "the lines of a header are one list");
}

on_both! {
    fn probes_tell_how_it_stands(app: TestApp) {
        for probe in ["/livez", "/readyz", "/startupz"] {
            assert_eq!(app.nobody().get(probe).send().expect(200), json!({"status": "ok"}), "{probe}");
        }
        wait(app.store.close());
        app.nobody().get("/livez").send().expect(200);
        for path in ["/readyz", "/startupz"] {
            let reply = app.nobody().get(path).send();
            assert!(reply.header("retry-after").is_some(), "{path}: {reply:?}");
            reply.problem(503, "unavailable");
        }
        let reply = app.user(app.world.own.coordinator).get("/v1/referrals").send();
        assert!(reply.header("retry-after").is_some(), "{reply:?}");
        reply.problem(503, "unavailable");
    }
}

#[test]
fn every_kind_of_problem_has_a_page() {
    let app = TestApp::start(Kind::Sqlite);
    let list = app.nobody().get("/problems").send();
    assert_eq!(list.header("content-type"), Some("text/html; charset=utf-8"));
    let mut count = 0;
    for kind in problem_catalogue::all() {
        count += 1;
        let link = format!("/problems/{}", kind.code);
        assert!(list.text.contains(&format!("\"{link}\"")), "{link}");
        let page = app.nobody().get(&link).header("accept", "text/html").header("accept-language", "sv").send();
        assert_eq!((page.status, page.header("content-language")), (200, Some("sv")), "{link}");
        expect_dressed(&page);
        assert!(page.text.contains(&kind.status.to_string()), "{link}");
        for language in Language::ALL {
            let title = kind.title(*language);
            assert!(
                !title.is_empty() && page.text.contains(&title.replace('&', "&amp;").replace('"', "&quot;")),
                "{link} in {}",
                language.as_str()
            );
        }
    }
    assert!(count > 50, "{count}");
    app.nobody().get("/problems/no_such_problem").send().problem(404, "not_found");
    let script = app.nobody().get("/problems/%3Cscript%3E").send();
    assert!(!script.text.contains("<script>"), "{}", script.text);
    script.problem(404, "not_found");
}

#[test]
fn the_document_is_served_and_shown() {
    let app = TestApp::start(Kind::Sqlite);
    for (path, format, kind) in
        [("/openapi.json", DocumentFormat::Json, "application/json"), ("/openapi.yaml", DocumentFormat::Yaml, "application/yaml")]
    {
        let reply = app.nobody().get(path).send();
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(kind)));
        expect_dressed(&reply);
        assert!(reply.text == write_document(&served_document(None), format).unwrap(), "{path} is another document");
    }
    let moved = app.nobody().get("/docs").send();
    assert_eq!((moved.status, moved.header("location")), (308, Some("/docs/")));
    let page = app.nobody().get("/docs/").send();
    expect_dressed(&page);
    assert!(page.header("content-security-policy").unwrap().contains("script-src 'self';"), "{page:?}");
    let mut files = 0;
    for file in page.text.split(['"', '\'']).filter_map(|part| part.strip_prefix("./")) {
        files += 1;
        let path = format!("/docs/{file}");
        let plain = app.nobody().get(&path).send();
        assert_eq!((plain.status, plain.header("content-encoding"), plain.header("vary")), (200, None, Some("Accept-Encoding")), "{file}");
        // A picture is no text.
        assert_eq!(plain.text.is_empty(), file.ends_with(".png"), "{file} is packed");
        for (accepted, encoding) in [("gzip, deflate, br", Some("gzip")), ("gzip;q=0, br", None)] {
            let reply = app.nobody().get(&path).header("accept-encoding", accepted).send();
            let made_here = matches!(file, "swagger-initializer.js" | "sign-in.js");
            assert_eq!((reply.status, reply.header("content-encoding")), (200, encoding.filter(|_| !made_here)), "{file} to {accepted}");
        }
    }
    assert!(files >= 3, "{}", page.text);
    assert!(
        !page.text.contains("<script>") && !page.text.contains("http://") && !page.text.contains("https://"),
        "nothing inline, nothing from elsewhere"
    );
    app.nobody().get("/docs/nothing.js").send().problem(404, "not_found");
    app.nobody().get("/docs/..%2f..%2fCargo.toml").send().problem(404, "not_found");
    let without = TestApp::start_with(Kind::Sqlite, &[("docs", "false")]);
    for path in ["/docs", "/docs/", "/openapi.json", "/openapi.yaml"] {
        without.nobody().get(path).send().problem(404, "not_found");
        without.nobody().post(path).json(json!({})).send().problem(404, "not_found");
    }
}

on_both! {
    fn a_panic_is_a_problem_and_nothing_else_dies(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let path = send(&app);
        // More often than there are workers, threads of the store or connections.
        for _ in 0..20 {
            app.clock.set_broken(true);
            let call = app.nobody().post("/v1/public/referrals/status").json(json!({"tracking_code": "0123456789abcdefghijkl"}));
            let status = call.send();
            app.clock.set_broken(false);
            expect_dressed(&status);
            if status.status != 422 {
                status.problem(500, "internal");
            }
            let token = app.token(&format!("user:{}", app.world.own.coordinator.as_uuid()));
            app.clock.set_broken(true);
            let reply = app.nobody().get(&path).header("authorization", format!("Bearer {token}")).send();
            app.clock.set_broken(false);
            expect_dressed(&reply);
            let problem = reply.problem(500, "internal");
            assert!(!problem.to_string().contains("clock"), "{problem}");
            let write = wait(app.store.write(|_| -> Result<(), lahete_persistence::StoreError> { panic!("in a closure") }));
            assert!(matches!(write, Err(lahete_persistence::StoreError::Panicked)), "{write:?}");
            let read = wait(app.store.read(|_| -> Result<(), lahete_persistence::StoreError> { panic!("in a closure") }));
            assert!(matches!(read, Err(lahete_persistence::StoreError::Panicked)), "{read:?}");
        }
        coordinator.get(&path).send().expect(200);
        send(&app);
    }
}

#[test]
fn requests_under_way_are_finished_before_the_end() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let mut app = TestApp::start(kind);
        let token = app.token(&format!("user:{}", app.world.own.referrer.as_uuid()));
        let body = complete().to_string();
        let (first, rest) = body.split_at(body.len() / 2);
        let mut under_way: Vec<_> = (0..8)
            .map(|_| {
                let mut raw = Raw::open(&app);
                let head = format!(
                    "POST /v1/referrals HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n",
                    app.addr
                );
                raw.send(format!("{head}expect: 100-continue\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes());
                assert_eq!(raw.reply().status, 100, "the server reads it");
                raw.send(first.as_bytes());
                raw
            })
            .collect();
        let stopped = app.stop_gracefully();
        std::thread::sleep(Duration::from_millis(300));
        assert!(!app.has_stopped(), "it does not wait");
        assert!(std::net::TcpStream::connect(app.addr).is_err(), "it still takes connections");
        for raw in &mut under_way {
            assert!(raw.send(rest.as_bytes()), "{:?}", raw.reply());
        }
        for raw in &mut under_way {
            let reply = raw.reply();
            assert_eq!(reply.status, 201, "{kind:?}: {}", reply.head);
            let made: Value = serde_json::from_slice(&reply.body).unwrap();
            let id = ReferralId::from_uuid(text(&made, "id").parse().unwrap());
            let case = wait(app.store.read(move |db| db.referral_case(id))).unwrap();
            assert!(case.is_some(), "{id} was acknowledged");
        }
        drop(under_way);
        stopped.join().unwrap();
    }
}
