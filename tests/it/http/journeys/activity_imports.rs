//! Importing activities from the national service directory: over HTTP from a server that speaks its pages, and at the command line from files.

use std::process::Output;
use std::time::{Duration, Instant};

use lahete_api::id_source::UuidV7;
use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{each, items, step, taken};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::database::{open, wait};
use crate::support::process::{lahete, lay_data_key};
use crate::support::ptv::{Directory, Ptv, guid, location, organisation, service};
use crate::support::{Kind, TestApp};

/// How long an import of a few pages may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(kind: Kind, ptv: &Ptv) -> TestApp {
    TestApp::start_with(kind, &[("ptv_url", &ptv.url()), ("ptv_retry_ms", "1,1,1,1")])
}

/// Asks for an import and waits for its end.
#[track_caller]
fn import(app: &TestApp, more: Value) -> Value {
    let coordinator = app.user(app.world.own.coordinator);
    let mut body = json!({"programme_id": app.world.own.programme.as_uuid(), "source": "ptv", "municipalities": ["758"]});
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let made = coordinator.post("/v1/activity-imports").json(body).send().expect(201);
    assert_eq!(made["state"], "queued");
    let path = format!("/v1/activity-imports/{}", text(&made, "id"));
    let began = Instant::now();
    loop {
        let now = coordinator.get(&path).send().expect(200);
        if ["finished", "failed"].contains(&now["state"].as_str().unwrap()) {
            return now;
        }
        assert!(began.elapsed() < PATIENCE, "{now}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn counts(import: &Value) -> [i64; 5] {
    ["added", "changed", "unchanged", "tombstoned", "skipped"].map(|name| import[name].as_i64().unwrap())
}

fn fill(directory: &mut Directory) {
    directory.organisations = vec![
        organisation(1, "Sodankylän kunta", "9800001-6", "Municipality"),
        organisation(2, "Sodankylän seurakunta", "0737546-2", "Organization"),
        organisation(3, "Seurakunta (kahdesti)", "0737546-2", "Organization"),
        json!({"id": guid(4), "organizationNames": [], "publishingStatus": "Published"}),
    ];
    directory.channels = vec![location(11, "Monitoimihalli", &[21, 22])];
    directory.services = (21..=27).map(|number| service(number, &format!("Liikuntaryhmä {number}"), "P27.1")).collect();
    directory.services[3]["organizations"][0]["organization"]["id"] = json!(guid(3));
    directory.services[4]["serviceNames"] = json!("ei lista");
    directory.services[5] = json!(["nonsense"]);
    directory.services[6]["type"] = json!("PermitOrObligation");
}

fn imported(app: &TestApp, query: &str) -> Vec<Value> {
    items(app.nobody().get(&format!("/v1/activities?source=ptv&{query}")).send())
}

fn an_import_brings_what_one_can_join(kind: Kind) {
    let ptv = Ptv::start();
    ptv.with(fill);
    ptv.with(|directory| {
        directory.bad = vec![
            ("/api/v11/Organization".to_owned(), vec![504, 429]),
            ("/api/v11/Service/list/area/Municipality/code/758?page=2".to_owned(), vec![504, 0, 1]),
        ];
        directory.slow = vec![("/api/v11/ServiceChannel".to_owned(), Duration::from_millis(150))];
    });
    let app = start(kind, &ptv);
    let first = import(&app, json!({}));
    assert_eq!((&first["state"], counts(&first)), (&json!("finished"), [4, 0, 0, 0, 4]), "{first}");
    let mut reasons: Vec<(String, bool)> =
        first["faults"].as_array().unwrap().iter().map(|fault| (text(fault, "reason"), fault["source_id"].is_string())).collect();
    reasons.sort();
    let wanted =
        [("duplicate_business_id", true), ("no_name", true), ("not_an_activity", true), ("wrong_shape", false), ("wrong_shape", true)];
    assert_eq!(reasons, wanted.map(|(reason, has)| (reason.to_owned(), has)), "{first}");

    let all = imported(&app, "");
    assert_eq!(all.len(), 4);
    let one = &all[0];
    assert_eq!((&one["name"], &one["price"], &one["themes"]), (&json!("Liikuntaryhmä 21"), &json!("free"), &json!(["moving"])));
    assert_eq!(one["provider"], json!({"name": "Sodankylän kunta", "business_id": "9800001-6", "kind": "municipality"}));
    assert_eq!(one["places"][0]["street"], "Jäämerentie 1");
    assert_eq!(one["times"].as_array().unwrap().len(), 5);
    assert_eq!((&one["contact"]["phone"], &one["contact"]["email"]), (&json!("+358 16 618 100"), &json!("liikunta@kunta.example")));
    assert_eq!((&one["checked_on"], &one["source_id"]), (&json!("2026-10-05"), &json!(guid(21))));
    assert!(one["licence"].as_str().unwrap().contains("CC BY 4.0"));
    let twice = all.iter().find(|entry| entry["name"] == "Liikuntaryhmä 24").unwrap();
    assert_eq!(twice["provider"]["name"], "Sodankylän seurakunta", "two organisations of one business id are one");
    let told = serde_json::to_string(&all).unwrap();
    for person in ["meikalainen", "Meikäläinen", "0199"] {
        assert!(!told.contains(person), "{person} in {told}");
    }
    assert_eq!(imported(&app, "q=liikuntaryhma%2024")[0]["name"], "Liikuntaryhmä 24");

    let again = import(&app, json!({}));
    assert_eq!(counts(&again), [0, 0, 4, 0, 4], "{again}");
    let versions: Vec<Value> = imported(&app, "");
    assert_eq!(versions, all);

    // A page that changes, a channel that changes alone, one that ends, and one that comes back.
    ptv.with(|directory| {
        directory.services[0]["serviceNames"][0]["value"] = json!("Tuolijumppa");
        directory.channels[0]["addresses"][0]["streetAddress"]["streetNumber"] = json!("7");
        directory.archived = vec![guid(22), guid(99)];
        directory.services.remove(1);
    });
    let third = import(&app, json!({}));
    assert_eq!(third["state"], "finished", "{third}");
    assert_eq!(third["tombstoned"], 1, "{third}");
    assert_eq!(imported(&app, "q=tuolijumppa")[0]["places"][0]["street"], "Jäämerentie 7");
    assert_eq!(each(app.nobody().get("/v1/activities?source=ptv&status=withdrawn").send(), "name"), ["Liikuntaryhmä 22"]);
    ptv.with(|directory| {
        directory.archived.clear();
        directory.services.push(service(22, "Liikuntaryhmä 22", "P25"));
    });
    let fourth = import(&app, json!({}));
    assert_eq!(counts(&fourth)[..4], [0, 1, 3, 0], "{fourth}");
    assert_eq!(imported(&app, "theme=culture")[0]["name"], "Liikuntaryhmä 22");

    // Only what has changed; and only for the people whom the programme serves.
    ptv.with(|directory| {
        directory.asked.clear();
        directory.services[0]["serviceDescriptions"][0]["value"] = json!("Uusi.");
        directory.services[0]["modified"] = json!("2026-11-21T08:00:00.000Z");
        let mut elsewhere = service(40, "Helsingin kuoro", "P25");
        elsewhere["areas"][0]["municipalities"][0]["code"] = json!("091");
        elsewhere["modified"] = json!("2026-11-21T08:00:00.000Z");
        let mut everywhere = service(41, "Omahoito-ohjelma", "P5");
        everywhere["areaType"] = json!("Nationwide");
        everywhere["modified"] = json!("2026-11-21T08:00:00.000Z");
        directory.services.extend([elsewhere, everywhere]);
    });
    let fifth = import(&app, json!({"since": "2026-11-20T00:00:00Z"}));
    assert_eq!((counts(&fifth), &fifth["seen"]), ([1, 1, 0, 0, 0], &json!(3)), "{fifth}");
    ptv.with(|directory| assert!(directory.asked.iter().any(|path| path.contains("date=2026-11-19T23:00:00")), "{:?}", directory.asked));
    assert_eq!(imported(&app, "q=omahoito")[0]["nationwide"], true);
}

#[test]
fn an_import_brings_what_one_can_join_sqlite() {
    an_import_brings_what_one_can_join(Kind::Sqlite);
}

#[test]
fn an_import_brings_what_one_can_join_postgresql() {
    an_import_brings_what_one_can_join(Kind::Postgresql);
}

fn what_coordinators_say_and_clients_do_survives(kind: Kind) {
    let ptv = Ptv::start();
    ptv.with(fill);
    let app = start(kind, &ptv);
    let people = app.world.own;
    let coordinator = app.user(people.coordinator);
    import(&app, json!({}));
    let entry = imported(&app, "q=liikuntaryhma%2021")[0].clone();
    let path = format!("/v1/activities/{}", text(&entry, "id"));
    coordinator.patch(&path).if_match(1).json(json!({"name": "Oma nimi"})).send().problem(409, "activity_kept_elsewhere");
    coordinator.patch(&path).if_match(1).json(json!({"status": "withdrawn"})).send().problem(409, "activity_kept_elsewhere");
    coordinator.patch(&path).if_match(1).json(json!({"kaikukortti": true, "remote": true})).send().expect(200);
    coordinator.post(&format!("{path}/check")).if_match(2).send().expect(200);

    let referral = taken(&app, complete());
    let link = json!({"activity_id": entry["id"]});
    coordinator.post(&format!("{referral}/activity-links")).json(link.clone()).send().expect(201);
    ptv.with(|directory| directory.services[0]["serviceNames"][0]["value"] = json!("Liikuntaryhmä Iloinen"));
    import(&app, json!({}));
    let changed = app.nobody().get(&path).send().expect(200);
    assert_eq!(
        (&changed["name"], &changed["kaikukortti"], &changed["remote"], &changed["checked_on"]),
        (&json!("Liikuntaryhmä Iloinen"), &json!(true), &json!(true), &json!("2026-11-22"))
    );
    ptv.with(|directory| {
        directory.services.remove(0);
        directory.withdrawn = vec![guid(21)];
    });
    let ended = import(&app, json!({}));
    assert_eq!(ended["tombstoned"], 1, "{ended}");
    assert_eq!(import(&app, json!({}))["tombstoned"], 0, "once");
    let links = items(coordinator.get(&format!("{referral}/activity-links")).send());
    assert_eq!(
        (&links[0]["activity_name"], &links[0]["activity_status"], &links[0]["state"]),
        (&json!("Liikuntaryhmä Iloinen"), &json!("withdrawn"), &json!("proposed"))
    );
    let version = app.nobody().get(&path).send().version();
    coordinator.patch(&path).if_match(version).json(json!({"kaikukortti": false})).send().problem(409, "activity_ended");
    coordinator.post(&format!("{path}/check")).if_match(version).send().problem(409, "activity_ended");
    let other = taken(&app, super::about("Toinen"));
    coordinator.post(&format!("{other}/activity-links")).json(link).send().problem(409, "activity_not_active");
    let guide = json!({"activity_ids": [entry["id"]], "follow_up_on": "2026-12-22"});
    step(&app, people.coordinator, &other, "guide", guide).problem(422, "invalid");
}

#[test]
fn what_coordinators_say_and_clients_do_survives_sqlite() {
    what_coordinators_say_and_clients_do_survives(Kind::Sqlite);
}

#[test]
fn what_coordinators_say_and_clients_do_survives_postgresql() {
    what_coordinators_say_and_clients_do_survives(Kind::Postgresql);
}

fn themes_follow_the_mapping(kind: Kind) {
    let ptv = Ptv::start();
    ptv.with(fill);
    let app = start(kind, &ptv);
    let people = app.world.own;
    let (coordinator, admin) = (app.user(people.coordinator), app.user(people.admin));
    import(&app, json!({}));
    let path = format!("/v1/theme-mappings/{}", people.programme.as_uuid());
    let shipped = coordinator.get(&path).send().expect(200);
    assert_eq!((&shipped["shipped"], &shipped["version"], &shipped["applying"]), (&json!(true), &json!(1), &json!(false)));
    assert!(shipped["entries"].as_array().unwrap().len() > 40);
    let put = |caller: &crate::support::app::Caller<'_>, version: i64, entries: Value| {
        caller.call("PUT", &path).if_match(version).json(json!({"entries": entries})).send()
    };
    let refused = put(
        &admin,
        1,
        json!([{"term": "kaksi sanaa", "themes": ["sleep"]}, {"term": "P27", "themes": []}, {"term": "P27", "themes": ["sleep"]}]),
    );
    assert_eq!(refused.problem(422, "invalid")["errors"].as_array().unwrap().len(), 2);
    let given = put(&admin, 1, json!([{"term": "P27", "themes": ["nature", "sleep"]}])).expect(200);
    assert_eq!((&given["version"], &given["shipped"]), (&json!(2), &json!(false)));
    put(&coordinator, 1, json!([])).problem(412, "stale_version");
    let began = Instant::now();
    while coordinator.get(&path).send().expect(200)["applying"] == true {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(imported(&app, "theme=sleep").len(), 4);
    assert!(imported(&app, "theme=moving").is_empty());
    let again = import(&app, json!({}));
    assert_eq!(counts(&again)[..3], [0, 0, 4], "another mapping is no change of what is imported: {again}");
    app.user(people.referrer).get(&path).send().problem(404, "not_found");
    app.user(app.world.other.coordinator).get(&path).send().problem(404, "not_found");
}

#[test]
fn themes_follow_the_mapping_sqlite() {
    themes_follow_the_mapping(Kind::Sqlite);
}

#[test]
fn themes_follow_the_mapping_postgresql() {
    themes_follow_the_mapping(Kind::Postgresql);
}

fn a_directory_that_does_not_answer_fails_the_import_alone(kind: Kind) {
    let ptv = Ptv::start();
    ptv.with(fill);
    ptv.with(|directory| directory.bad = vec![("/api/v11/Service/list".to_owned(), vec![504; 100])]);
    let app = start(kind, &ptv);
    let coordinator = app.user(app.world.own.coordinator);
    let failed = import(&app, json!({}));
    assert_eq!((&failed["state"], &failed["problem"]), (&json!("failed"), &json!("status 504")), "{failed}");
    ptv.with(|directory| directory.bad.clear());
    assert_eq!(import(&app, json!({}))["added"], 4);
    // A page that is never JSON is left out; the others are taken over.
    ptv.with(|directory| {
        directory.bad = vec![("/api/v11/Organization/list".to_owned(), vec![0; 5])];
        directory.services.push(service(50, "Uusi ryhmä", "P27.1"));
    });
    let odd = import(&app, json!({}));
    assert_eq!((&odd["state"], &odd["added"]), (&json!("finished"), &json!(1)), "{odd}");
    assert!(odd["faults"].to_string().contains("wrong_shape"), "{odd}");

    ptv.with(|directory| directory.slow = vec![("/api/v11/".to_owned(), Duration::from_millis(400))]);
    let body = json!({"programme_id": app.world.own.programme.as_uuid(), "source": "ptv"});
    let first = coordinator.post("/v1/activity-imports").key("import-1").json(body.clone()).send().expect(201);
    let same = coordinator.post("/v1/activity-imports").key("import-1").json(body.clone()).send().expect(201);
    assert_eq!(first["id"], same["id"], "one import for one key");
    assert!(!first["municipalities"].as_array().unwrap().is_empty(), "those of the programme: {first}");
    coordinator.post("/v1/activity-imports").json(body.clone()).send().problem(409, "activity_import_under_way");
    let mut wrong = body.clone();
    wrong["since"] = json!("2030-01-01T00:00:00Z");
    coordinator.post("/v1/activity-imports").json(wrong).send().problem(422, "invalid");
    let mut other = body;
    other["url"] = json!("http://169.254.169.254/");
    coordinator.post("/v1/activity-imports").json(other).send().problem(422, "invalid");
}

#[test]
fn a_directory_that_does_not_answer_fails_the_import_alone_sqlite() {
    a_directory_that_does_not_answer_fails_the_import_alone(Kind::Sqlite);
}

#[test]
fn a_directory_that_does_not_answer_fails_the_import_alone_postgresql() {
    a_directory_that_does_not_answer_fails_the_import_alone(Kind::Postgresql);
}

/// A database with the demo in it, without a server.
fn demo(kind: Kind) -> crate::support::database::TestDatabase {
    use lahete_domain::time::Clock as _;
    let database = crate::support::database::TestDatabase::new(kind);
    let store = open(&database.url);
    let now = lahete_api::clock::SystemClock.now();
    assert!(wait(lahete_api::demo::seed(&store, std::sync::Arc::new(UuidV7), now)).unwrap());
    wait(store.close());
    lay_data_key(&database.folder);
    lahete_api::auth::keys::SigningKey::load(&database.folder.join("signing-key.pem"), true).unwrap();
    database
}

fn command(database: &crate::support::database::TestDatabase, options: &[&str]) -> Output {
    lahete(&database.folder, &[("ptv_retry_ms", "1,1"), ("log", "warn")])
        .args(["import", "ptv", "--database", &database.url])
        .args(options)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn a_broken_off_import_goes_on_where_it_stood(kind: Kind) {
    let ptv = Ptv::start();
    ptv.with(|directory| {
        directory.page_size = 5;
        directory.organisations = vec![organisation(1, "Sodankylän kunta", "", "Municipality")];
        directory.channels = vec![location(11, "Halli", &[])];
        directory.services = (100..140).map(|number| service(number, &format!("Ryhmä {number}"), "P27.1")).collect();
        // Organisations, channels and three of eight pages of services.
        directory.dies_after = Some(5);
    });
    let database = demo(kind);
    let url = ptv.url();
    let broken = command(&database, &["--url", &url, "--municipality", "758"]);
    assert!(!broken.status.success() && said(&broken).contains("--resume"), "{}", said(&broken));
    ptv.with(|directory| {
        directory.dies_after = None;
        directory.asked.clear();
    });
    let refused = command(&database, &["--url", &url, "--municipality", "758"]);
    assert!(!refused.status.success() && said(&refused).contains("broken off"), "{}", said(&refused));
    let resumed = command(&database, &["--url", &url, "--resume"]);
    assert!(resumed.status.success() && said(&resumed).contains("40 added"), "{}", said(&resumed));
    ptv.with(|directory| {
        let pages: Vec<&String> = directory.asked.iter().filter(|path| path.contains("Service/list/area")).collect();
        assert_eq!(pages.len(), 5, "pages 4 to 8 and no other: {pages:?}");
        assert!(!directory.asked.iter().any(|path| path.contains("Organization")), "{:?}", directory.asked);
    });
    let again = command(&database, &["--url", &url, "--municipality", "758"]);
    assert!(said(&again).contains("0 added, 0 changed, 40 unchanged"), "{}", said(&again));
    let nothing = command(&database, &["--url", &url, "--resume"]);
    assert!(!nothing.status.success() && said(&nothing).contains("no import was broken off"), "{}", said(&nothing));
}

#[test]
fn a_broken_off_import_goes_on_where_it_stood_sqlite() {
    a_broken_off_import_goes_on_where_it_stood(Kind::Sqlite);
}

#[test]
fn a_broken_off_import_goes_on_where_it_stood_postgresql() {
    a_broken_off_import_goes_on_where_it_stood(Kind::Postgresql);
}

#[test]
fn a_folder_of_pages_is_imported_and_a_killed_import_resumed() {
    let database = demo(Kind::Sqlite);
    let folder = database.folder.join("pages");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, items: &[Value]| {
        let page = json!({"pageNumber": 1, "pageSize": 100, "pageCount": 1, "itemList": items});
        std::fs::write(folder.join(name), page.to_string()).unwrap();
    };
    write("organizations-1.json", &[organisation(1, "Sodankylän kunta", "", "Municipality")]);
    write("channels-1.json", &[location(11, "Halli", &[])]);
    for page in 0..12_u128 {
        let services: Vec<Value> =
            (0..250).map(|number| service(1000 + page * 250 + number, &format!("Ryhmä {page} {number}"), "P27.1")).collect();
        write(&format!("services-{page:02}.json"), &services);
    }
    std::fs::write(folder.join("services-99.json"), "{").unwrap();
    let path = folder.to_str().unwrap().to_owned();
    // Killed in the middle: what was committed stays, and the place with it.
    let mut child = lahete(&database.folder, &[("log", "warn")])
        .args(["import", "ptv", "--database", &database.url, "--file", &path])
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let count = || {
        let store = open(&database.url);
        let known: Result<usize, lahete_persistence::StoreError> = wait(store.read(|db: &mut lahete_persistence::Db<'_>| {
            let programme = lahete_domain::ids::ProgrammeId::from_uuid(uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
            Ok(db.activities_known(programme, &(1000..4000).map(guid).collect::<Vec<_>>())?.len())
        }));
        wait(store.close());
        known.unwrap()
    };
    let began = Instant::now();
    while count() < 300 && began.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(30));
    }
    let _ = child.kill();
    let _ = child.wait();
    let there = count();
    assert!(there >= 300 && there % 50 == 0, "{there} are there");
    if there < 3000 {
        let resumed = command(&database, &["--file", &path, "--resume"]);
        assert!(resumed.status.success() && said(&resumed).contains("3000 added"), "{}", said(&resumed));
        assert!(said(&resumed).contains("wrong_shape"), "a file that is no JSON is left out: {}", said(&resumed));
    }
    assert_eq!(count(), 3000);
    let again = command(&database, &["--file", &path]);
    assert!(said(&again).contains("0 added, 0 changed, 3000 unchanged"), "{}", said(&again));
    let unknown = folder.join("muuta.txt");
    std::fs::write(&unknown, "{}").unwrap();
    let refused = command(&database, &["--file", unknown.to_str().unwrap()]);
    assert!(!refused.status.success() && said(&refused).contains("tells what it holds"), "{}", said(&refused));
}
