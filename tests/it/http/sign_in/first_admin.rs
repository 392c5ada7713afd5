//! From an empty database to the first administrator who is signed in, by the program alone.

use std::time::Duration;

use lahete_api::clock::SystemClock;
use lahete_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::support::Kind;
use crate::support::database::TestDatabase;
use crate::support::process::{Server, lahete, lay_data_key};
use crate::support::tokens::{Forge, KeyFile};
use crate::support::wire::Wire;

const A: &str = "https://a.example";

#[test]
fn the_first_administrator_comes_from_the_command_line() {
    for kind in [Kind::Sqlite, Kind::Postgresql] {
        let database = TestDatabase::empty(kind);
        lay_data_key(&database.folder);
        let key = Forge::es("a1");
        let file = KeyFile::of("first-admin", &[&key]);
        let issuers = json!([{"issuer": A, "jwks_file": file.path(), "algorithms": ["ES256"]}]).to_string();
        // The signing key of a real installation is there before.
        let _ = lahete_api::auth::keys::SigningKey::load(&database.folder.join("signing-key.pem"), true).unwrap();
        let create = |more: &[&str]| {
            let mut command = lahete(&database.folder, &[("issuers", issuers.as_str()), ("database", database.url.as_str())]);
            command.args(["admin", "create", "--login", "anna", "--name", "Anna Ylläpito", "--subject", "anna-1"]).args(more);
            let output = command.output().unwrap();
            let of = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            (output.status.success(), of(&output.stdout), of(&output.stderr))
        };
        let new = ["--programme", "Inarin hyvinvointilähete", "--controller", "Inarin kunta", "--municipality", "148,890"];
        let refused = create(&[&["--issuer", "https://unknown.example"], &new[..]].concat());
        assert!(!refused.0 && refused.2.contains("the settings name no issuer"), "{refused:?}");
        for bad in [
            &["--issuer", A][..],
            &["--issuer", A, "--programme", "X"],
            &["--issuer", A, "--programme", "X", "--controller", "Y", "--municipality", "999"],
            &["--issuer", A, "--programme-id", "01900000-0000-7000-8000-0000000000ff"],
        ] {
            let refused = create(bad);
            assert!(!refused.0, "{bad:?}: {refused:?}");
        }
        let made = create(&[&["--issuer", A], &new[..]].concat());
        assert!(made.0, "{made:?}");
        let programme = made.1.lines().find_map(|line| line.strip_prefix("programme ")).unwrap().to_owned();
        let again = create(&["--issuer", A, "--programme-id", &programme]);
        assert!(!again.0 && again.2.contains("--login"), "{again:?}");

        let server = Server::start_plain(&database.folder, &database.url, &[("issuers", issuers.as_str())]);
        server.until_ready();
        let now = SystemClock.now().utc().timestamp();
        let claims = json!({
            "iss": A, "sub": "anna-1", "aud": "lahete-api", "client_id": "lomake", "iat": now, "exp": now + 300, "jti": "1"
        });
        let token = key.token(&json!({"typ": "at+jwt", "alg": "ES256", "kid": "a1"}), &claims);
        let bearer = format!("Bearer {token}");
        let mut wire = Wire::open(server.addr, Duration::from_secs(20)).unwrap();
        let me = wire.call("GET", "/v1/me", &[("authorization", bearer.as_str())], None).unwrap();
        assert_eq!(me.status, 200, "{me:?}");
        let me = me.json();
        assert_eq!(
            (&me["name"], &me["roles"][0]["role"], &me["roles"][0]["programme_id"]),
            (&json!("Anna Ylläpito"), &json!("admin"), &json!(programme))
        );
        let body = json!({"programme_id": programme, "login": "kaisa", "name": "Kaisa Koordinaattori"}).to_string();
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let user = wire.call("POST", "/v1/users", &headers, Some(&body)).unwrap();
        assert_eq!(user.status, 201, "{user:?}");
        let refused: Value = wire.call("GET", "/v1/me", &[("authorization", "Bearer x")], None).unwrap().json();
        assert_eq!(refused["code"], "invalid_token");
        assert!(server.stop().success());
    }
}
