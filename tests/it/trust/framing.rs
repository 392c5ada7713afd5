//! Requests whose end two parsers would see in two places: none may be answered as if it were one request, and none may hide a second.

use crate::support::raw::Raw;
use crate::support::{Kind, TestApp};

/// What an attacker hopes is read as a request of its own.
const HIDDEN: &str = "GET /v1/hidden HTTP/1.1\r\nHost: lahete.test\r\n\r\n";

fn framings() -> Vec<(&'static str, String)> {
    let post = |headers: &str, body: &str| {
        format!("POST /v1/public/referrals/status HTTP/1.1\r\nHost: lahete.test\r\nContent-Type: application/json\r\n{headers}\r\n{body}")
    };
    let hidden = format!("0\r\n\r\n{HIDDEN}");
    let length = hidden.len();
    vec![
        ("both lengths", post(&format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), &hidden)),
        ("both lengths, the other way round", post(&format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"), &hidden)),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 60\r\n", &format!("{{}}{HIDDEN}"))),
        ("a list of lengths", post("Content-Length: 2, 60\r\n", &format!("{{}}{HIDDEN}"))),
        ("a signed length", post("Content-Length: +2\r\n", &format!("{{}}{HIDDEN}"))),
        ("a negative length", post("Content-Length: -2\r\n", &format!("{{}}{HIDDEN}"))),
        ("a length in hexadecimal", post("Content-Length: 0x2\r\n", &format!("{{}}{HIDDEN}"))),
        ("a length beyond numbers", post("Content-Length: 99999999999999999999\r\n", "{}")),
        ("a blank before the colon", post(&format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n"), &hidden)),
        ("an unknown coding", post(&format!("Transfer-Encoding: xchunked\r\nContent-Length: {length}\r\n"), &hidden)),
        ("identity and chunked", post("Transfer-Encoding: identity, chunked\r\n", &hidden)),
        ("chunked twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", &hidden)),
        ("chunked and more", post("Transfer-Encoding: chunked, gzip\r\n", &hidden)),
        ("a chunk size that is none", post("Transfer-Encoding: chunked\r\n", &format!("zz\r\n{HIDDEN}"))),
        ("a chunk size beyond numbers", post("Transfer-Encoding: chunked\r\n", &format!("fffffffffffffffff\r\n{HIDDEN}"))),
        ("a folded header", post(&format!("Transfer-Encoding:\r\n chunked\r\nContent-Length: {length}\r\n"), &hidden)),
        ("a NUL in a header", post("X-Odd: a\0b\r\nContent-Length: 2\r\n", "{}")),
        ("a bare return in a header", post("X-Odd: a\rTransfer-Encoding: chunked\r\nContent-Length: 2\r\n", "{}")),
        ("no host", "GET /livez HTTP/1.1\r\n\r\n".to_owned()),
        ("two versions", format!("GET /livez HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n{HIDDEN}")),
        ("an unknown version", "GET /livez HTTP/9.9\r\nHost: a\r\n\r\n".to_owned()),
        ("a header without a name", "GET /livez HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n".to_owned()),
        ("too many headers", format!("GET /livez HTTP/1.1\r\nHost: a\r\n{}\r\n", "X-A: 1\r\n".repeat(200))),
        ("a head without end", format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-A: {}\r\n\r\n", "a".repeat(200_000))),
    ]
}

#[test]
fn a_request_with_two_ends_is_no_request() {
    let app = TestApp::start(Kind::Sqlite);
    for (what, bytes) in framings() {
        let mut raw = Raw::open(&app);
        raw.send(bytes.as_bytes());
        raw.end();
        let answers = raw.all();
        let statuses: Vec<&str> = answers.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.split(' ').next()).collect();
        // Not one answer of success, and never two answers to what was sent as one.
        let quiet = matches!(what, "no host");
        assert!(statuses.len() <= 1, "{what}: {answers}");
        assert!(quiet || statuses.iter().all(|status| status.starts_with('4') || status.starts_with('5')), "{what}: {answers}");
        assert!(!answers.contains("/v1/hidden"), "{what}: {answers}");
    }
    // Nothing of it has harmed the server.
    assert_eq!(app.nobody().get("/livez").send().status, 200);
}

#[test]
fn methods_outside_the_document_are_refused_by_name() {
    let app = TestApp::start(Kind::Sqlite);
    let coordinator = app.user(app.world.own.coordinator);
    for method in ["TRACE", "TRACK", "PROPFIND", "LINK", "PURGE", "DELETE", "PUT", "get"] {
        let reply = coordinator.call(method, "/v1/referrals").send();
        assert!(reply.header("allow").is_some_and(|allow| allow.contains("GET") && !allow.contains("TRACE")), "{method}: {reply:?}");
        reply.problem(405, "method_not_allowed");
    }
    // A method named in a header is not one.
    let reply = coordinator.get("/v1/referrals").header("x-http-method-override", "DELETE").send();
    assert_eq!(reply.status, 200);
}
