//! Tokens that nobody may call with (RFC 8725, and what has gone wrong in libraries since), on the running server: none of them is taken, and each
//! gets the same answer, so that nobody learns how near they came.

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{Issuer, link_machine, link_user, me, now_of};
use crate::support::tokens::{Forge, encoded};
use crate::support::{Kind, TestApp};

const A: &str = "https://a.example";
const B: &str = "https://b.example";
const C: &str = "https://c.example";
const CODE: &str = "070542-902F";

struct Corpus<'a> {
    app: &'a TestApp,
    a: &'a Issuer,
    b: &'a Issuer,
    c: &'a Issuer,
    all: Vec<(String, String)>,
}

fn hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    format!("{message}.{}", encoded(aws_lc_rs::hmac::sign(&key, message.as_bytes())))
}

fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[name] = value;
    changed
}

fn without(base: &Value, name: &str) -> Value {
    let mut changed = base.clone();
    changed.as_object_mut().unwrap().remove(name);
    changed
}

/// The first letter of a base64url text whose last letter says more than there are bits for.
fn not_canonical(text: &str) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let place = LETTERS.find(last).unwrap();
    assert_eq!(place % 4, 0, "64 bytes leave two bits, which are zero");
    format!("{head}{}", &LETTERS[place + 1..place + 2])
}

impl Corpus<'_> {
    fn add(&mut self, what: impl Into<String>, token: impl Into<String>) {
        self.all.push((what.into(), token.into()));
    }

    fn header(&self) -> Value {
        self.a.header("ES256")
    }

    fn claims(&self) -> Value {
        self.a.claims(self.app, "kaisa")
    }

    fn headers(&mut self) {
        let claims = self.claims();
        let attacker = Forge::es(&self.a.key.kid);
        for (name, bad) in [
            ("typ", json!("JWT")),
            ("typ", json!(null)),
            ("typ", json!("id+jwt")),
            ("typ", json!("dpop+jwt")),
            ("typ", json!("logout+jwt")),
            ("typ", json!("application/at+jwt+x")),
            ("typ", json!(["at+jwt"])),
            ("kid", json!("../../../../../../dev/null")),
            ("kid", json!("/proc/self/environ")),
            ("kid", json!("a1' OR '1'='1")),
            ("kid", json!("a1'; DROP TABLE users; --")),
            ("kid", json!("a1 | sleep 9")),
            ("kid", json!("a1\u{0}")),
            ("kid", json!("A1")),
            ("kid", json!("")),
            ("kid", json!(null)),
            ("kid", json!(1)),
            ("kid", json!(["a1"])),
            ("kid", json!("https://evil.example/jwks.json#a1")),
            ("kid", json!("b1")),
            ("kid", json!("x".repeat(2000))),
            ("alg", json!("none")),
            ("alg", json!("ES384")),
            ("alg", json!("ES512")),
            ("alg", json!("ES256K")),
            ("alg", json!("es256")),
            ("alg", json!("EdDSA")),
            ("alg", json!("RS256")),
            ("alg", json!("PS256")),
            ("alg", json!("")),
            ("alg", json!(null)),
            ("alg", json!(["ES256"])),
            ("jku", json!("https://evil.example/jwks.json")),
            ("x5u", json!("https://evil.example/cert.pem")),
            ("x5c", json!(["MIIB"])),
            ("x5t", json!("abc")),
            ("x5t#S256", json!("abc")),
            ("jwk", attacker.jwk()),
            ("crit", json!(["exp"])),
            ("crit", json!(["b64"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
        ] {
            // Signed with the right key, as nobody but the issuer could: it is the header alone that is wrong.
            let token = self.a.key.token(&with(&self.header(), name, bad.clone()), &claims);
            self.add(format!("header {name} = {bad}"), token);
        }
        for name in ["typ", "alg", "kid"] {
            let token = self.a.key.token(&without(&self.header(), name), &claims);
            self.add(format!("header without {name}"), token);
        }
        self.add("attacker's key brought along", attacker.token(&with(&self.header(), "jwk", attacker.jwk()), &claims));
        self.add("attacker's key at an address", attacker.token(&with(&self.header(), "jku", json!("https://evil.example/k")), &claims));
        self.add("attacker's key under the right name", attacker.token(&self.header(), &claims));
        let doubled = |member: &str| self.header().to_string().replacen('{', &format!("{{{member},"), 1);
        let (alg, kid, typ, other) =
            (doubled("\"alg\":\"none\""), doubled("\"kid\":\"b1\""), doubled("\"typ\":\"JWT\""), doubled("\"x\":1,\"x\":2"));
        for (what, header) in [("alg", alg), ("kid", kid), ("typ", typ), ("an unknown member", other)] {
            let token = self.a.key.sign(&header, &claims.to_string());
            self.add(format!("header with {what} twice"), token);
        }
        for header in ["[]", "null", "\"at+jwt\"", "{", "{}"] {
            let token = self.a.key.sign(header, &claims.to_string());
            self.add(format!("header {header}"), token);
        }
    }

    fn signatures(&mut self) {
        let claims = self.claims();
        for alg in ["none", "NONE", "None", "nOnE"] {
            let header = with(&self.header(), "alg", json!(alg));
            self.add(format!("alg {alg} without a signature"), format!("{}.{}.", encoded(header.to_string()), encoded(claims.to_string())));
        }
        let point = self.a.key.public();
        for (what, secret) in [
            ("the public point", point.clone()),
            ("the x of the public point", point[1..33].to_vec()),
            ("the JWK", self.a.key.jwk().to_string().into_bytes()),
            ("nothing", Vec::new()),
            ("the name of the key", self.a.key.kid.clone().into_bytes()),
            ("zeros", vec![0; 32]),
        ] {
            let token = hmac(&secret, &with(&self.header(), "alg", json!("HS256")), &claims);
            self.add(format!("HS256 with {what} as secret"), token);
        }
        let rsa_claims = self.b.claims(self.app, "kaisa");
        let token = hmac(&self.b.key.public(), &self.b.header("HS256"), &rsa_claims);
        self.add("HS256 with the public RSA key as secret", token);
        self.add("another RSA key", Forge::rsa("b1").token(&self.b.header("RS256"), &rsa_claims));
        let message = format!("{}.{}", encoded(self.b.header("RS256").to_string()), encoded(rsa_claims.to_string()));
        self.add(
            "PSS under a header that says PKCS #1",
            format!("{message}.{}", encoded(self.b.key.signature("PS256", message.as_bytes()))),
        );
        self.add("RSA: zeros", format!("{message}.{}", encoded([0; 256])));
        self.add("RSA: one", format!("{message}.{}", encoded([&[0; 255][..], &[1]].concat())));

        let good = self.a.key.token(&self.header(), &claims);
        let (message, signature) = good.rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let raw = self.a.key.signature("ES256", message.as_bytes());
        // n, the order of P-256.
        let order: Vec<u8> = (0..32)
            .map(|at| {
                u8::from_str_radix(&"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"[at * 2..at * 2 + 2], 16).unwrap()
            })
            .collect();
        let der = [&[0x30, 0x44, 0x02, 0x20][..], &raw[..32], &[0x02, 0x20], &raw[32..]].concat();
        let mut flipped = raw.clone();
        flipped[40] ^= 1;
        for (what, bad) in [
            ("nothing", Vec::new()),
            ("r = s = 0", vec![0; 64]),
            ("r = 0", [&[0; 32][..], &raw[32..]].concat()),
            ("s = 0", [&raw[..32], &[0; 32]].concat()),
            ("r = s = n", [&order[..], &order].concat()),
            ("r = s = 1", [&[0; 31][..], &[1], &[0; 31], &[1]].concat()),
            ("DER", der),
            ("one bit changed", flipped),
            ("one byte short", raw[..63].to_vec()),
            ("one byte long", [&raw[..], &[0]].concat()),
            ("of another message", self.a.key.signature("ES256", b"something else")),
        ] {
            self.add(format!("ES256 signature: {what}"), format!("{message}.{}", encoded(bad)));
        }
        self.add("ES256 signature: not canonical base64", format!("{message}.{}", not_canonical(&signature)));
        self.add("ES256 signature: padded base64", format!("{good}=="));
        self.add("ES256 signature: a dot behind", format!("{good}."));
        self.add("ES256 signature: a part more", format!("{good}.{signature}"));
        self.add("no signature part", message.clone());
        self.add("cut", &good[..good.len() - 10]);
        self.add("letters behind", format!("{good}AAAA"));
        self.add("a line behind", format!("{good}%0a"));
        self.add("the signature of other claims", {
            let other = encoded(with(&claims, "sub", json!("antti")).to_string());
            format!("{}.{other}.{signature}", message.split('.').next().unwrap())
        });
        self.add("five parts, as if encrypted", format!("{message}.{signature}.AAAA.AAAA"));
        self.add("dots", "..");
        self.add("a word", "kaisa");
        self.add("a name and a password", "a2Fpc2E6c2FsYXNhbmE=");
    }

    fn claims_that_lie(&mut self) {
        let now = now_of(self.app);
        let base = self.claims();
        let mut lies: Vec<(String, Value)> = Vec::new();
        for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
            lies.push((format!("without {name}"), without(&base, name)));
            for bad in [json!(""), json!(null), json!({}), json!([]), json!(true)] {
                lies.push((format!("{name} = {bad}"), with(&base, name, bad)));
            }
        }
        for (name, bad) in [
            ("iss", json!("https://A.example")),
            ("iss", json!("https://a.example/")),
            ("iss", json!("http://a.example")),
            ("iss", json!(" https://a.example")),
            ("iss", json!(B)),
            ("iss", json!(C)),
            ("iss", json!("http://lahete.test")),
            ("iss", json!("https://unknown.example")),
            ("iss", json!([A])),
            ("aud", json!("other-api")),
            ("aud", json!("LAHETE-API")),
            ("aud", json!("lahete-api ")),
            ("aud", json!("lahete-api,other")),
            ("aud", json!("lahete")),
            ("aud", json!(["other-api"])),
            ("aud", json!([["lahete-api"]])),
            ("aud", json!({"lahete-api": true})),
            ("aud", json!(["lahete-api", 1])),
            ("sub", json!(1)),
            ("sub", json!("Kaisa")),
            ("sub", json!("kaisa ")),
            ("sub", json!("kaisa\u{0}")),
            ("sub", json!("%6baisa")),
            ("sub", json!("nobody-knows-me")),
            ("sub", json!(CODE)),
            ("sub", json!("x".repeat(300))),
            ("sub", json!("lomake")),
            ("client_id", json!("kaisa")),
            ("exp", json!(now - 5)),
            ("exp", json!(now - 6)),
            ("exp", json!(now - 3600)),
            ("exp", json!((now + 600).to_string())),
            ("exp", json!(1e300)),
            ("exp", json!(-1)),
            ("exp", json!(now + 901)),
            ("exp", json!(i64::MAX)),
            ("iat", json!(now + 6)),
            ("iat", json!(now.to_string())),
            ("iat", json!(now - 3600)),
            ("iat", json!(now + 600)),
            ("nbf", json!(now + 6)),
            ("nbf", json!("0")),
            ("nbf", json!(i64::MAX)),
            ("jti", json!(7)),
        ] {
            lies.push((format!("{name} = {bad}"), with(&base, name, bad)));
        }
        let own = app_user(self.app);
        lies.push(("our own issuer and subject".into(), with(&with(&base, "iss", json!("http://lahete.test")), "sub", json!(own))));
        lies.push(("our own subject from another issuer".into(), with(&base, "sub", json!(own))));
        for (what, claims) in lies {
            let token = self.a.key.token(&self.header(), &claims);
            self.add(format!("claim {what}"), token);
        }
        let doubled = |members: &str| base.to_string().replacen('{', &format!("{{{members},"), 1);
        for (what, claims) in [
            ("sub twice", doubled("\"sub\":\"antti\"")),
            ("iss twice", doubled("\"iss\":\"https://b.example\"")),
            ("exp twice", doubled("\"exp\":1")),
            ("an unread claim twice", doubled("\"acr\":\"1\",\"acr\":\"2\"")),
            ("letters behind the claims", format!("{base}{{}}")),
            ("a list of claims", format!("[{base}]")),
            ("no claims", "null".to_owned()),
            ("eight kilobytes", doubled(&format!("\"filler\":\"{}\"", "x".repeat(8000)))),
            ("deep claims", doubled(&format!("\"deep\":{}{}", "[".repeat(200), "]".repeat(200)))),
        ] {
            let token = self.a.key.sign(&self.header().to_string(), &claims);
            self.add(what, token);
        }
        let utf16: Vec<u8> = base.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let message = format!("{}.{}", encoded(self.header().to_string()), encoded(utf16));
        let signature = self.a.key.signature("ES256", message.as_bytes());
        self.add("claims in UTF-16", format!("{message}.{}", encoded(signature)));
    }

    fn between_issuers(&mut self) {
        let of_a = self.claims();
        let of_b = self.b.claims(self.app, "kaisa");
        self.add("B's key for A", self.b.key.token(&self.b.header("RS256"), &of_a));
        self.add("A's key for B", self.a.key.token(&self.header(), &of_b));
        self.add("A's key under B's name for B", self.a.key.token(&with(&self.header(), "kid", json!("b1")), &of_b));
        self.add("C's key for A", self.c.key.token(&self.c.header("ES256"), &of_a));
        let people = self.c.claims(self.app, "person-1");
        let strong = with(&with(&people, "acr", json!("strong")), "hetu", json!(CODE));
        for (what, claims) in [
            ("without acr", without(&strong, "acr")),
            ("weak acr", with(&strong, "acr", json!("weak"))),
            ("acr as a list", with(&strong, "acr", json!(["strong"]))),
            ("without a code", without(&strong, "hetu")),
            ("a code that is none", with(&strong, "hetu", json!("070542-902X"))),
            ("an empty code", with(&strong, "hetu", json!(""))),
            ("a code as a list", with(&strong, "hetu", json!([CODE]))),
            ("a machine", with(&strong, "client_id", json!("person-1"))),
            ("the code as subject", with(&strong, "sub", json!(CODE))),
        ] {
            let token = self.c.key.token(&self.c.header("ES256"), &claims);
            self.add(format!("a client's issuer: {what}"), token);
        }
        // B's machine is linked at B, where machines may call; at A nobody but people may, whatever is linked.
        let machine = self.a.key.token(&self.header(), &self.a.claims(self.app, "ehr"));
        self.add("a machine from an issuer of people", machine);
    }
}

fn app_user(app: &TestApp) -> String {
    format!("user:{}", app.world.own.admin.as_uuid())
}

fn corpus(kind: Kind) {
    let (a, b, c) = (Issuer::es(A, "a1"), Issuer::rsa(B, "b1"), Issuer::es(C, "c1"));
    let issuers = json!([
        a.table(&["ES256"], json!({"callers": ["users"]})),
        b.table(&["RS256", "PS256"], json!({"callers": ["users", "api_clients"]})),
        c.table(&["ES256"], json!({"callers": ["clients"], "identity_code_claim": "hetu", "acr": ["strong"]})),
    ]);
    let app = TestApp::start_with(kind, &[("issuers", &issuers.to_string())]);
    let people = app.world.own;
    link_user(&app, people.coordinator, A, "kaisa");
    link_user(&app, people.referrer, B, "kaisa");
    link_machine(&app, B, "ehr");
    let second = format!("/v1/api-clients/{}/identities", people.machine);
    app.user(people.admin).post(&second).json(json!({"issuer": A, "subject": "ehr"})).send().expect(201);

    let mut corpus = Corpus { app: &app, a: &a, b: &b, c: &c, all: Vec::new() };
    corpus.headers();
    corpus.signatures();
    corpus.claims_that_lie();
    corpus.between_issuers();
    let all = corpus.all;
    assert!(all.len() >= 200, "{}", all.len());
    let mut taken = Vec::new();
    for (what, token) in &all {
        let reply = me(&app, token);
        let challenge = reply.header("www-authenticate").map(str::to_owned);
        let code = if reply.status == 401 { reply.json()["code"].as_str().unwrap_or_default().to_owned() } else { String::new() };
        // Whoever is vouched for but has no account here is told so; that is no secret of theirs.
        let vouched = [
            "\"Kaisa\"",
            "\"nobody-knows-me\"",
            "\"%6baisa\"",
            "our own subject",
            "client_id = \"kaisa\"",
            "sub = \"lomake\"",
            "a machine from",
        ];
        let right = code == "invalid_token" || (code == "identity_not_linked" && vouched.iter().any(|part| what.contains(part)));
        if !right || !challenge.is_some_and(|challenge| challenge.contains("invalid_token")) {
            taken.push(format!("{what}: {} {}", reply.status, reply.text));
        }
        if reply.text.contains("hetu") || reply.text.contains(CODE) {
            taken.push(format!("{what}: tells too much: {}", reply.text));
        }
    }
    assert!(taken.is_empty(), "{} of {}:\n{}", taken.len(), all.len(), taken.join("\n"));
    println!("{} tokens, 0 taken", all.len());

    // The good ones of which all these were made.
    let good = a.key.token(&a.header("ES256"), &a.claims(&app, "kaisa"));
    assert_eq!(me(&app, &good).expect(200)["roles"][0]["role"], "coordinator");
    for algorithm in ["RS256", "PS256"] {
        let good = b.key.token(&b.header(algorithm), &b.claims(&app, "kaisa"));
        assert_eq!(me(&app, &good).expect(200)["roles"][0]["role"], "referrer", "{algorithm}");
    }
    let mut machine = b.claims(&app, "ehr");
    machine["client_id"] = json!("ehr");
    assert_eq!(me(&app, &b.key.token(&b.header("PS256"), &machine)).expect(200)["kind"], "api_client");
    let mut several = a.claims(&app, "kaisa");
    several["aud"] = json!(["other", "lahete-api"]);
    several["nbf"] = json!(now_of(&app) + 5);
    several["iat"] = json!(now_of(&app) + 5);
    me(&app, &a.key.token(&json!({"typ": "application/AT+JWT", "alg": "ES256", "kid": "a1"}), &several)).expect(200);
    let mut late = a.claims(&app, "kaisa");
    (late["iat"], late["exp"]) = (json!(now_of(&app) - 600), json!(now_of(&app) - 4));
    me(&app, &a.key.token(&a.header("ES256"), &late)).expect(200);
    let mut strong = c.claims(&app, "person-1");
    (strong["acr"], strong["hetu"]) = (json!("strong"), json!(CODE));
    assert_eq!(me(&app, &c.key.token(&c.header("ES256"), &strong)).expect(200)["kind"], "user");
}

#[test]
fn none_of_the_bad_tokens_is_taken_sqlite() {
    corpus(Kind::Sqlite);
}

#[test]
fn none_of_the_bad_tokens_is_taken_postgresql() {
    corpus(Kind::Postgresql);
}
