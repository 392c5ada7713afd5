//! An OpenID provider that nobody here wrote (`oidc-provider` from npm, its version pinned by a lock file), started for a test.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const REDIRECT: &str = "https://lomake.example/kirjautunut";

/// After that it will not answer any more: a test that fails says more than one that stands still.
const PATIENCE: Duration = Duration::from_secs(60);

/// The provider, running.
pub struct RealIssuer {
    pub issuer: String,
    /// Where its clock stands, in seconds.
    pub now: i64,
    control: String,
    child: Child,
    agent: ureq::Agent,
    folder: Option<PathBuf>,
}

/// How often it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    pub discovery: u64,
    pub keys: u64,
}

/// Two tokens of one sign-in.
pub struct SignedIn {
    pub access: String,
    pub id: String,
}

fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = root.join("target/oidc");
        let output = Command::new(root.join("tests/oidc/install.sh")).arg(&folder).output().expect("tests/oidc/install.sh");
        assert!(output.status.success(), "the provider cannot be installed: {}", String::from_utf8_lossy(&output.stderr));
        folder
    })
}

/// What the provider says when it stands.
fn first_line(output: ChildStdout) -> String {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = BufReader::new(output).read_line(&mut line);
        let _ = send.send(line);
    });
    receive.recv_timeout(PATIENCE).expect("the provider starts")
}

impl RealIssuer {
    pub fn start() -> Self {
        Self::start_in(None)
    }

    /// Starts it with a certificate that was made for it.
    pub fn start_with_tls() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let folder = std::env::temp_dir().join(format!("lahete-oidc-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::SeqCst)));
        std::fs::create_dir_all(&folder).unwrap();
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
            ])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .output()
            .expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::start_in(Some(folder))
    }

    /// The file with the certificate.
    pub fn certificate(&self) -> String {
        self.folder.as_ref().unwrap().join("cert.pem").to_str().unwrap().to_owned()
    }

    fn start_in(folder: Option<PathBuf>) -> Self {
        let mut child = Command::new("node")
            .arg("issuer.mjs")
            .args(&folder)
            .current_dir(installed())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node");
        let line = first_line(child.stdout.take().unwrap());
        let addresses: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the provider did not start: {error}: {line}"));
        let of = |name: &str| addresses[name].as_str().unwrap().to_owned();
        // The test itself need not find out whom it talks to.
        let tls = ureq::tls::TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .disable_verification(true)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .tls_config(tls)
            .build()
            .new_agent();
        Self { issuer: of("issuer"), now: addresses["now"].as_i64().unwrap(), control: of("control"), child, agent, folder }
    }

    /// Does something to the provider: `rotate`, `replace`, `cache/max-age=60`, `down`, `up`.
    pub fn control(&self, word: &str) -> Counts {
        let mut reply = self.agent.get(format!("{}/{word}", self.control)).call().unwrap();
        let counts: Value = serde_json::from_str(&reply.body_mut().read_to_string().unwrap()).unwrap();
        Counts { discovery: counts["discovery"].as_u64().unwrap(), keys: counts["keys"].as_u64().unwrap() }
    }

    pub fn counts(&self) -> Counts {
        self.control("counts")
    }

    fn token(&self, client: &str, secret: &str, form: &str) -> Value {
        let basic = STANDARD.encode(format!("{client}:{secret}"));
        let mut reply = self
            .agent
            .post(format!("{}/token", self.issuer))
            .header("authorization", format!("Basic {basic}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)
            .unwrap();
        let text = reply.body_mut().read_to_string().unwrap();
        assert_eq!(reply.status().as_u16(), 200, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The clinic's system signs in with its secret there.
    pub fn machine(&self) -> String {
        let answer = self.token("klinikka", "klinikan-salaisuus", "grant_type=client_credentials&scope=api");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// Somebody signs in through the whole dance of redirects. `hint` is their name, with a slash and an identity code behind it for a client.
    pub fn person(&self, hint: &str) -> SignedIn {
        let hint = hint.replace('/', "%2F");
        let mut url = format!(
            "{}/auth?client_id=lomake&response_type=code&scope=openid%20api&resource=urn:lahete&redirect_uri={REDIRECT}&login_hint={hint}",
            self.issuer
        );
        let mut cookies: Vec<(String, String)> = Vec::new();
        for _ in 0..6 {
            let header = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            let mut reply = self.agent.get(&url).header("cookie", header).call().unwrap();
            for cookie in reply.headers().get_all("set-cookie") {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                cookies.retain(|(other, _)| other != name);
                cookies.push((name.to_owned(), rest.split(';').next().unwrap().to_owned()));
            }
            let Some(location) = reply.headers().get("location").map(|value| value.to_str().unwrap().to_owned()) else {
                panic!("{url}: {} {}", reply.status(), reply.body_mut().read_to_string().unwrap());
            };
            if let Some((_, query)) = location.split_once(&format!("{REDIRECT}?")) {
                let code = query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_else(|| panic!("{location}"));
                let form = format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&resource=urn:lahete");
                let answer = self.token("lomake", "lomakkeen-salaisuus", &form);
                let of = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned();
                return SignedIn { access: of("access_token"), id: of("id_token") };
            }
            url = if location.starts_with('/') { format!("{}{location}", self.issuer) } else { location };
        }
        panic!("too many redirects");
    }
}

impl Drop for RealIssuer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
