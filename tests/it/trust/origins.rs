//! Browser programs of other origins: let in by an exact list, and by nothing that only looks like it.

use crate::support::{Kind, TestApp};

const LISTED: &str = "https://ui.example";

/// Twenty that are not on the list, though some would pass a careless comparison.
const OTHERS: [&str; 20] = [
    "null",
    "https://ui.example.org",
    "https://ui.example.attacker.test",
    "https://uiXexample",
    "https://evil-ui.example",
    "https://a.ui.example",
    "https://ui.example:443",
    "https://ui.example:8443",
    "http://ui.example",
    "https://UI.EXAMPLE.attacker.test",
    "https://ui.example@attacker.test",
    "https://attacker.test/https://ui.example",
    "https://attacker.test#https://ui.example",
    "https://ui.example/",
    "https://ui.example/path",
    "ui.example",
    "//ui.example",
    "file://",
    "chrome-extension://abcdefghijklmnop",
    "https://ui.example, https://attacker.test",
];

#[test]
fn only_the_listed_origin_may_read() {
    let app = TestApp::start_with(Kind::Sqlite, &[("cors_origins", LISTED)]);
    let preflight = |origin: &str, header: &str| {
        let call = app.nobody().call("OPTIONS", "/v1/referrals").header("origin", origin);
        call.header("access-control-request-method", "POST").header("access-control-request-headers", header).send()
    };
    let good = preflight(LISTED, "authorization,content-type");
    assert_eq!(good.header("access-control-allow-origin"), Some(LISTED));
    assert_eq!(good.header("access-control-max-age"), Some("3600"));
    assert!(good.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{good:?}");
    for other in OTHERS {
        let before = preflight(other, "authorization");
        let read = app.nobody().get("/v1/municipalities").header("origin", other).send();
        let refused = app.nobody().get("/v1/referrals").header("origin", other).send();
        for reply in [&before, &read, &refused] {
            assert_eq!(reply.header("access-control-allow-origin"), None, "{other}: {reply:?}");
            assert_eq!(reply.header("access-control-allow-credentials"), None, "{other}: {reply:?}");
        }
        assert!(before.status >= 400, "{other}: {before:?}");
        assert!(read.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")), "{other}: {read:?}");
    }
    let odd = preflight(LISTED, "x-not-listed");
    assert!(odd.status >= 400, "{odd:?}");
    // Nothing here lives on cookies, so none is set and none is asked for.
    assert_eq!(app.nobody().get("/v1/referrals").header("origin", LISTED).send().header("set-cookie"), None);
}

#[test]
fn the_list_is_empty_by_default() {
    let app = TestApp::start(Kind::Sqlite);
    for origin in OTHERS.iter().chain(&[LISTED, "http://127.0.0.1:8080"]) {
        let reply = app.nobody().get("/v1/municipalities").header("origin", *origin).send();
        assert_eq!(reply.header("access-control-allow-origin"), None, "{origin}");
    }
}
