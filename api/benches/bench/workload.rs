//! What is asked of the server.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;

use super::Outcome;
use super::dataset::{Dataset, MUNICIPALITY, PROGRAMME, REPORT_YEAR, STATE, scatter};
use super::driver::{Connection, Requests, request};

/// A kind of work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Create and send a referral.
    Write,
    /// Read one referral.
    Read,
    /// Read one page of a list.
    List,
    /// 70 reads, 20 first pages and 10 writes of a hundred calls.
    Mixed,
    /// The outcomes report of a year.
    Report,
}

impl Work {
    /// Which kind the call with this number is.
    pub fn at(self, number: u64) -> Self {
        match self {
            Self::Mixed => match scatter(number ^ 0xa5a5) % 10 {
                0..7 => Self::Read,
                7..9 => Self::List,
                _ => Self::Write,
            },
            other => other,
        }
    }
}

/// A page of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Page {
    /// The newest.
    First,
    /// Behind a referral.
    After {
        /// When it was created.
        at: String,
        /// Its id.
        id: String,
    },
}

/// The referral that is written.
pub const BODY: &str = r#"{"client":{"given_name":"Aino","family_name":"Esimerkki","birth_date":"1942-05-07","municipality":"758","phone":"+358 40 555 0101","language":"fi","sex":"female","lives_at_home":true},"referrer":{"name":"Riikka Lähettäjä","contact":"riikka@example.org","feedback_wanted":true},"reasons":["loneliness","outdoors"],"wish":"Haluaisin taas ulkoilemaan jonkun kanssa.","written_together":true,"not_a_service_acknowledged":true,"consent":{"purposes":["process_referral","share_with_link_worker","feedback_to_referrer","evaluation"],"text_version":"2026-1","language":"fi","method":"written","given_with":"Riikka Lähettäjä"},"submit":true}"#;

/// A telephone number as long as one that is sealed.
pub const SEALED_PHONE: &str = "s01AbCdEfGhIjAbCdEfGhIjAbCdEfGhIjAbCdEfGhIjAbCdEfGhIjAbCdEfGhI";

/// An answer as long as the one that is kept under the idempotency key.
pub const ANSWER: &str = r#"{"id":"01a204ed-7b40-76a0-b605-1fc47d2f863f","version":2,"programme_id":"01900000-0000-7000-8000-000000000001","state":"submitted","state_since":"2026-11-22T20:23:22.169806Z","days_in_state":0,"created_at":"2026-11-22T20:23:22.169806Z","submitted_at":"2026-11-22T20:23:22.169806Z","client":{"id":"01a204ed-7b3b-700b-8755-79e473ac64ab","given_name":"Aino","family_name":"Esimerkki","municipality":"758","language":"fi","interpreter_needed":false,"non_disclosure":false},"referrer":{"channel":"signed_in","sector":"elderly","organisation_id":"01900000-0000-7000-8000-000000000011","user_id":"01900000-0000-7000-8000-000000000020","name":"Riikka Lähettäjä","contact":"riikka@example.org","feedback_wanted":true},"reasons":["loneliness","outdoors"],"wish":"Haluaisin taas ulkoilemaan jonkun kanssa.","written_together":true,"joint_meeting_wished":false,"not_a_service_acknowledged":true,"possible":["withdraw","mark_as_error"]}"#;

/// A server with tokens for it.
#[derive(Clone)]
pub struct Target {
    /// Where it listens.
    pub addr: SocketAddr,
    data: Dataset,
    referrer: Arc<str>,
    coordinator: Arc<str>,
}

fn token(addr: SocketAddr, login: &str) -> Outcome<Arc<str>> {
    let form = [("grant_type", "password"), ("username", login), ("password", "hyvinvointilahete-demo"), ("client_id", "demo")];
    let body = ureq::post(format!("http://{addr}/oauth/token")).send_form(form)?.body_mut().read_to_string()?;
    let body: Value = serde_json::from_str(&body)?;
    Ok(body.get("access_token").and_then(Value::as_str).ok_or("no token")?.into())
}

fn list_path() -> String {
    format!("/v1/referrals?municipality={MUNICIPALITY}&state={STATE}&limit=20")
}

fn report_path() -> String {
    format!("/v1/reports/outcomes?programme_id={PROGRAMME}&from={REPORT_YEAR}-01-01&until={REPORT_YEAR}-12-31")
}

impl Target {
    /// Signs in.
    pub fn new(addr: SocketAddr, data: Dataset) -> Outcome<Self> {
        Ok(Self { addr, data, referrer: token(addr, "riikka")?, coordinator: token(addr, "kaisa")? })
    }

    /// Turns pages as a person would; gives the path of the page after so many, and what it begins behind.
    pub fn turn(&self, pages: usize) -> Outcome<(String, Page)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut line = Connection::open(self.addr).await?;
            let mut wire = Vec::new();
            let (mut path, mut page) = (list_path(), Page::First);
            for _ in 1..pages {
                request(&mut wire, &path, &self.coordinator, None);
                let status = line.exchange(&wire).await?;
                let answer = String::from_utf8_lossy(line.answer());
                let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").ok_or("no body")?.1)?;
                let next = body.pointer("/page/next").and_then(Value::as_str).ok_or_else(|| format!("{status}: no next page"))?;
                let last = body.pointer("/items").and_then(Value::as_array).and_then(|items| items.last()).ok_or("an empty page")?;
                let text = |name: &str| last.get(name).and_then(Value::as_str).map(str::to_owned).ok_or("a member is missing");
                page = Page::After { at: text("created_at")?, id: text("id")? };
                path = next.to_owned();
            }
            Ok((path, page))
        })
    }

    /// The requests of a kind of work; `page` is the path of the list page.
    pub fn requests(&self, work: Work, page: &str, salt: u64) -> Requests {
        let (target, page) = (self.clone(), page.to_owned());
        Arc::new(move |number, wire| match work.at(number.wrapping_add(salt)) {
            Work::Read => {
                let id = target.data.referral(scatter(number.wrapping_add(salt)) % target.data.total);
                request(wire, &format!("/v1/referrals/{id}"), &target.coordinator, None);
            }
            Work::List => request(wire, &page, &target.coordinator, None),
            Work::Report => request(wire, &report_path(), &target.coordinator, None),
            Work::Write | Work::Mixed => {
                request(wire, "/v1/referrals", &target.referrer, Some((&format!("{salt:x}-{number:x}"), BODY)));
            }
        })
    }

    /// The path of the first page.
    pub fn first_page(&self) -> String {
        list_path()
    }

    /// One answer to a kind of work, without its head.
    pub fn sample(&self, work: Work, salt: u64) -> Outcome<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut line = Connection::open(self.addr).await?;
            let mut wire = Vec::new();
            self.requests(work, &list_path(), salt)(0, &mut wire);
            let status = line.exchange(&wire).await?;
            let answer = line.answer();
            let body = answer.windows(4).position(|four| four == b"\r\n\r\n").and_then(|at| answer.get(at + 4..)).ok_or("no body")?;
            if status >= 400 {
                return Err(format!("{work:?}: {status}: {}", String::from_utf8_lossy(body)).into());
            }
            Ok(body.to_vec())
        })
    }
}
