//! Sign-in from outside: other issuers, their keys, whom their subjects belong to, and tokens that end before their time.

mod attacks;
mod clients;
mod first_admin;
mod linking;
mod machines;
mod real_issuer;
mod revocation;

use lahete_domain::ids::UserId;
use serde_json::{Value, json};

use crate::support::app::Call;
use crate::support::tokens::{Forge, KeyFile};
use crate::support::{Reply, TestApp};

/// An issuer of a test, with a key-set file.
struct Issuer {
    name: &'static str,
    key: Forge,
    file: KeyFile,
}

impl Issuer {
    fn es(name: &'static str, kid: &str) -> Self {
        let key = Forge::es(kid);
        let file = KeyFile::of("es", &[&key]);
        Self { name, key, file }
    }

    fn rsa(name: &'static str, kid: &str) -> Self {
        let key = Forge::rsa(kid);
        let file = KeyFile::of("rsa", &[&key]);
        Self { name, key, file }
    }

    /// Its table in the settings.
    fn table(&self, algorithms: &[&str], more: Value) -> Value {
        let mut table = json!({"issuer": self.name, "jwks_file": self.file.path(), "algorithms": algorithms});
        for (name, value) in more.as_object().unwrap() {
            table[name] = value.clone();
        }
        table
    }

    fn header(&self, algorithm: &str) -> Value {
        json!({"typ": "at+jwt", "alg": algorithm, "kid": self.key.kid})
    }

    fn claims(&self, app: &TestApp, subject: &str) -> Value {
        let now = now_of(app);
        json!({
            "iss": self.name, "sub": subject, "aud": "lahete-api", "client_id": "lomake", "iat": now, "exp": now + 600,
            "jti": uuid::Uuid::now_v7().to_string()
        })
    }
}

fn now_of(app: &TestApp) -> i64 {
    use lahete_domain::time::Clock as _;
    app.clock.now().utc().timestamp()
}

fn as_bearer<'a>(app: &'a TestApp, token: &str, path: &str) -> Call<'a> {
    app.nobody().get(path).header("authorization", format!("Bearer {token}"))
}

fn me(app: &TestApp, token: &str) -> Reply {
    as_bearer(app, token, "/v1/me").send()
}

/// An administrator links a user with a name at an issuer; gives the path of the link.
fn link_user(app: &TestApp, user: UserId, issuer: &str, subject: &str) -> String {
    let path = format!("/v1/users/{user}/identities");
    let body = json!({"issuer": issuer, "subject": subject});
    let made = app.user(app.world.own.admin).post(&path).json(body).send().expect(201);
    format!("{path}/{}", made["id"].as_str().unwrap())
}

fn link_machine(app: &TestApp, issuer: &str, subject: &str) -> String {
    let path = format!("/v1/api-clients/{}/identities", app.world.own.machine);
    let body = json!({"issuer": issuer, "subject": subject});
    let made = app.user(app.world.own.admin).post(&path).json(body).send().expect(201);
    format!("{path}/{}", made["id"].as_str().unwrap())
}
