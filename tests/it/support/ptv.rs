//! The open API of the national service directory, version 11, as far as an import asks it: pages of organisations, channels and services in the documented
//! envelope, in between answers 504 and 429, slow ones and nonsense. Everybody and everything in it is made up.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lahete_api::activity_imports::cases::new_import;
use lahete_domain::activity_import::{ActivityImport, ImportOrigin};
use lahete_domain::codes::ActivityImportState;
use lahete_domain::ids::ActivityImportId;
use lahete_domain::time::Clock as _;
use lahete_persistence::{Db, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::TestApp;
use super::database::wait;

/// An import of the own programme that has ended, without a server that it came from.
pub fn finished_import(app: &TestApp) -> ActivityImportId {
    let (programme, coordinator, now) = (app.world.own.programme, app.world.own.coordinator, app.clock.now());
    let made: Result<ActivityImportId, StoreError> = wait(app.store.write(move |db: &mut Db<'_>| {
        let municipalities = Default::default();
        let import = new_import(db.ids().next(), programme, ImportOrigin::Server, municipalities, None, now, Some(coordinator));
        let import = ActivityImport { state: ActivityImportState::Finished, finished_at: Some(now), ..import };
        db.activity_import_insert(&import)?;
        Ok(import.id)
    }));
    made.unwrap()
}

/// The id of a thing of the directory.
pub fn guid(number: u128) -> Uuid {
    Uuid::from_u128(0x0b00_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// What the server has and how it behaves.
#[derive(Default)]
pub struct Directory {
    pub organisations: Vec<Value>,
    pub channels: Vec<Value>,
    pub services: Vec<Value>,
    pub archived: Vec<Uuid>,
    pub withdrawn: Vec<Uuid>,
    /// Items of a page.
    pub page_size: usize,
    /// Answers that come before the next good one to a path that begins so: a status, 0 for a body that is no JSON, 1 for one that breaks off.
    pub bad: Vec<(String, Vec<u16>)>,
    /// How long a path that begins so takes.
    pub slow: Vec<(String, Duration)>,
    /// What was asked for.
    pub asked: Vec<String>,
    /// After so many good answers nothing is answered any more.
    pub dies_after: Option<usize>,
}

/// A running fixture.
pub struct Ptv {
    pub directory: Arc<Mutex<Directory>>,
    addr: SocketAddr,
}

fn envelope(items: &[Value], page: usize, size: usize) -> Value {
    let pages = items.len().div_ceil(size);
    let shown: Vec<Value> = items.iter().skip((page - 1) * size).take(size).cloned().collect();
    json!({"pageNumber": page, "pageSize": size, "pageCount": pages, "itemList": shown})
}

impl Directory {
    fn answer(&mut self, target: &str) -> (u16, String) {
        self.asked.push(target.to_owned());
        for (path, bad) in &mut self.bad {
            if target.starts_with(path.as_str()) && !bad.is_empty() {
                return match bad.remove(0) {
                    0 => (200, "<html>huolto".to_owned()),
                    1 => (1, String::new()),
                    status => (status, json!({"": ["error"]}).to_string()),
                };
            }
        }
        if let Some(left) = &mut self.dies_after {
            if *left == 0 {
                return (503, String::new());
            }
            *left -= 1;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<&str, &str> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let page = query.get("page").map_or(1, |page| page.parse().unwrap());
        let all = |name: &str| match name {
            "Organization" => &self.organisations,
            "ServiceChannel" => &self.channels,
            _ => &self.services,
        };
        let entity = path.trim_start_matches("/api/v11/").split('/').next().unwrap();
        let named = |id: &Uuid| json!({"id": id, "name": "x"});
        let body = if let Some((_, code)) = path.split_once("/list/area/Municipality/code/") {
            let country = query.get("includeWholeCountry") == Some(&"true");
            let of_area = |item: &&Value| match item["areaType"].as_str() {
                None => true,
                Some("LimitedType") => item["areas"].to_string().contains(&format!("\"code\":\"{code}\"")),
                Some(_) => country,
            };
            let items: Vec<Value> = all(entity).iter().filter(of_area).cloned().collect();
            envelope(&items, page, self.page_size)
        } else if path.ends_with("/list") {
            let wanted = query["guids"];
            let items: Vec<Value> =
                all(entity).iter().filter(|item| wanted.contains(item["id"].as_str().unwrap_or("nothing"))).cloned().collect();
            Value::from(items)
        } else {
            let items: Vec<Value> = match query.get("status") {
                Some(&"Archived") => self.archived.iter().map(named).collect(),
                Some(&"Withdrawn") => self.withdrawn.iter().map(named).collect(),
                _ => {
                    let since = query.get("date").copied().unwrap_or_default().to_owned();
                    let changed = |item: &&Value| item["modified"].as_str().unwrap_or_default() >= since.as_str();
                    all(entity).iter().filter(changed).map(|item| json!({"id": item["id"], "name": "x"})).collect()
                }
            };
            envelope(&items, page, self.page_size)
        };
        (200, body.to_string())
    }
}

fn serve(stream: TcpStream, directory: &Mutex<Directory>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line)?;
        }
        let (status, body) = directory.lock().unwrap().answer(&target);
        let slow = directory.lock().unwrap().slow.iter().find(|(path, _)| target.starts_with(path.as_str())).map(|(_, time)| *time);
        if let Some(time) = slow {
            std::thread::sleep(time);
        }
        if status == 1 {
            // An answer that breaks off.
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"pageNumber\": 1")?;
            return stream.shutdown(std::net::Shutdown::Both);
        }
        let wait = if status == 429 { "retry-after: 0\r\n" } else { "" };
        let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{wait}content-length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        stream.flush()?;
    }
}

impl Ptv {
    /// Starts a server with nothing in it.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let directory = Arc::new(Mutex::new(Directory { page_size: 3, ..Directory::default() }));
        let shared = Arc::clone(&directory);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { directory, addr }
    }

    /// Its address, as the settings want it.
    pub fn url(&self) -> String {
        format!("http://{}/api/v11/", self.addr)
    }

    /// Changes what it has.
    pub fn with(&self, change: impl FnOnce(&mut Directory)) {
        change(&mut self.directory.lock().unwrap());
    }
}

fn texts(kind: &str, all: &[(&str, &str)]) -> Vec<Value> {
    all.iter().map(|(language, value)| json!({"language": language, "type": kind, "value": value})).collect()
}

/// An organisation as the API tells it.
pub fn organisation(number: u128, name: &str, business_id: &str, kind: &str) -> Value {
    json!({
        "id": guid(number), "oid": null, "businessCode": business_id, "organizationType": kind,
        "organizationNames": texts("Name", &[("fi", name)]), "displayNameType": [{"type": "Name", "language": "fi"}],
        "municipality": {"code": "758"}, "parentOrganizationId": null, "publishingStatus": "Published", "modified": "2026-10-01T08:00:00.000Z",
        "emails": [{"value": "maija.meikalainen@kunta.example", "language": "fi"}], "subOrganizations": []
    })
}

/// A place as the API tells it.
pub fn location(number: u128, name: &str, services: &[u128]) -> Value {
    json!({
        "id": guid(number), "serviceChannelType": "ServiceLocation", "organizationId": guid(1),
        "serviceChannelNames": texts("Name", &[("fi", name)]), "serviceChannelDescriptions": texts("Summary", &[("fi", "Talo")]),
        "areaType": null, "languages": ["fi"],
        "phoneNumbers": [
            {"prefixNumber": "+358", "number": "40 555 0199", "additionalInformation": "Maija Meikäläinen", "language": "fi"},
            {"prefixNumber": "+358", "number": "16 618 100", "additionalInformation": "Vaihde", "language": "fi"}
        ],
        "emails": [{"value": "maija.meikalainen@kunta.example", "language": "fi"}, {"value": "liikunta@kunta.example", "language": "fi"}],
        "webPages": [{"url": "https://kunta.example/liikunta", "value": "Sivut", "language": "fi"}],
        "addresses": [{
            "type": "Location", "subType": "Single", "country": "FI",
            "streetAddress": {
                "street": [{"language": "fi", "value": "Jäämerentie"}], "streetNumber": "1", "postalCode": "99600",
                "postOffice": [{"language": "fi", "value": "Sodankylä"}], "municipality": {"code": "758", "name": []},
                "latitude": "7478456.123", "longitude": "484234.567", "coordinateState": "Ok"
            }
        }],
        "serviceHours": [{
            "serviceHourType": "DaysOfTheWeek", "isClosed": false, "validForNow": true,
            "openingHour": [{"dayFrom": "Monday", "dayTo": "Friday", "from": "08:00:00", "to": "16:00:00"}]
        }],
        "publishingStatus": "Published", "modified": "2026-10-01T08:00:00.000Z",
        "services": services.iter().map(|service| json!({"service": {"id": guid(*service)}})).collect::<Vec<_>>()
    })
}

/// A service as the API tells it.
pub fn service(number: u128, name: &str, class: &str) -> Value {
    json!({
        "id": guid(number), "versionId": guid(number + 0x1000_0000), "type": "Service", "fundingType": "PubliclyFunded",
        "serviceNames": texts("Name", &[("fi", name)]),
        "serviceDescriptions": [
            {"language": "fi", "type": "Summary", "value": format!("{name} kaikille.")},
            {"language": "fi", "type": "Description", "value": "Tervetuloa. Kysy lisää: matti.meikalainen@kunta.example"}
        ],
        "serviceChargeType": "FreeOfCharge", "areaType": "LimitedType",
        "areas": [{"type": "Municipality", "code": null, "municipalities": [{"code": "758", "name": [{"language": "fi", "value": "Sodankylä"}]}]}],
        "languages": ["fi", "se"], "keywords": [], "requirements": [],
        "serviceClasses": [{"code": class, "uri": format!("http://uri.suomi.fi/codelist/ptv/ptvserclass2/code/{class}"), "name": []}],
        "ontologyTerms": [{"uri": "http://www.yso.fi/onto/koko/p10416", "name": [{"language": "fi", "value": "asiakkaat"}]}],
        "targetGroups": [], "lifeEvents": [], "industrialClasses": [],
        "serviceChannels": [{"serviceChannel": {"id": guid(11), "name": "Talo"}}],
        "organizations": [{"roleType": "Responsible", "organization": {"id": guid(1), "name": "x"}}],
        "generalDescriptionId": null, "publishingStatus": "Published", "modified": "2026-10-05T08:00:00.000Z", "availableLanguages": ["fi"]
    })
}
