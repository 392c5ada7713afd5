//! The directory of activities: what coordinators keep, what anybody finds.

use std::collections::BTreeSet;

use lahete_domain::ids::Id as _;
use serde_json::{Value, json};

use super::{each, items};
use crate::support::app::text;
use crate::support::{TestApp, on_both};

fn entry(app: &TestApp, name: &str) -> Value {
    json!({
        "programme_id": app.world.own.programme.as_uuid(), "name": name, "price": "free", "municipalities": ["758"], "checked_on": "2026-11-01"
    })
}

fn found(app: &TestApp, query: &str) -> Vec<String> {
    each(app.nobody().get(&format!("/v1/activities?{query}")).send(), "name")
}

on_both! {
    fn an_entry_says_everything_that_one_needs_to_go_there(app: TestApp) {
        let people = app.world.own;
        let coordinator = app.user(people.coordinator);
        let mut body = entry(&app, "Duorastatkearru");
        for (name, value) in json!({
            "text_language": "se", "summary": "Gáfe ja lávlun.", "description": "Torstaisin.\nKaikki ovat tervetulleita.",
            "translations": [{"language": "fi", "name": "Torstaikerho kylässä", "description": "Kahvia."}],
            "provider": {"name": "Sodankylän seurakunta", "business_id": "0737546-2", "kind": "parish"},
            "content_kind": "service", "themes": ["participation", "culture"], "price": "fee", "price_note": "2 € kahvista", "kaikukortti": true, "remote": true,
            "accessibility_note": "Luiska pihalta.", "languages": ["se", "fi"],
            "times": [{"weekday": "thursday", "opens_at": "12:00", "closes_at": "14:00"}], "schedule_note": "Ei kesällä.",
            "places": [{"name": "Seurakuntatalo", "street": "Jäämerentie 1", "postal_code": "99600", "post_office": "Sodankylä", "municipality": "758"}],
            "contact": {"phone": "016 1", "email": "toimisto@seurakunta.example", "web": "https://seurakunta.example"}, "keywords": "kahvi"
        }).as_object().unwrap() {
            body[name] = value.clone();
        }
        let made = coordinator.post("/v1/activities").json(body.clone()).send().expect(201);
        for (name, value) in body.as_object().unwrap().iter().filter(|(name, _)| !["themes", "languages"].contains(&name.as_str())) {
            assert_eq!(&made[name], value, "{name}");
        }
        assert_eq!((&made["source"], &made["status"], &made["checked_days_ago"]), (&json!("own"), &json!("active"), &json!(21)));
        let path = format!("/v1/activities/{}", text(&made, "id"));
        assert_eq!(app.nobody().get(&path).send().expect(200), made);
        app.clock.advance_days(1);
        let older = app.nobody().get(&path).send();
        assert_eq!(older.json()["checked_days_ago"], 22);

        let checked = coordinator.post(&format!("{path}/check")).if_match(older.version()).send().expect(200);
        assert_eq!((&checked["checked_on"], &checked["checked_days_ago"]), (&json!("2026-11-23"), &json!(0)));
        coordinator.post(&format!("{path}/check")).if_match(1).send().problem(412, "stale_version");
        coordinator.post(&format!("{path}/check")).send().problem(428, "precondition_required");
        app.user(people.link_worker).post(&format!("{path}/check")).if_match(2).send().problem(403, "forbidden");
        app.user(app.world.other.coordinator).post(&format!("{path}/check")).if_match(2).send().problem(403, "forbidden");
        assert_eq!(found(&app, "checked_before=2026-11-23"), ["Torstaikerho", "Torstaikerho", "Ulkoiluryhmä", "Ulkoiluryhmä"]);

        assert_eq!(found(&app, "q=kylassa"), ["Duorastatkearru"]);
        let provider = json!({"provider": null, "organisation_id": people.employer.as_uuid(), "translations": [], "times": []});
        let changed = coordinator.patch(&path).if_match(2).json(provider).send().expect(200);
        assert!(changed["provider"]["name"].as_str().is_some_and(|name| !name.is_empty()), "the organisation of the programme is named: {changed}");
        assert_eq!(found(&app, "q=kylassa"), Vec::<String>::new(), "what was taken out is not found any more");
        let over = coordinator.patch(&path).if_match(3).json(json!({"status": "temporarily_closed"})).send().expect(200);
        assert_eq!(over["status"], "temporarily_closed");
        assert!(!found(&app, "").contains(&"Duorastatkearru".to_owned()));
        assert_eq!(found(&app, "status=temporarily_closed"), ["Duorastatkearru"]);
    }
}

on_both! {
    fn what_makes_no_sense_is_told_all_at_once_and_changes_nothing(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        let mut body = entry(&app, "Kerho");
        for (name, value) in json!({
            "nationwide": true, "checked_on": "2026-11-23", "times": [{"weekday": "monday", "opens_at": "12:00", "closes_at": "12:00"}],
            "contact": {"email": "maija.meikalainen@kunta.example", "web": "ftp://x"}, "provider": {"name": "X", "business_id": "1234567-8"},
            "translations": [{"language": "fi", "name": "Kerho"}]
        }).as_object().unwrap() {
            body[name] = value.clone();
        }
        let refused = coordinator.post("/v1/activities").json(body).send().problem(422, "invalid");
        let at: BTreeSet<&str> = refused["errors"].as_array().unwrap().iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
        let wanted = [
            "/checked_on", "/contact/email", "/contact/web", "/municipalities", "/provider/business_id", "/times/0/closes_at", "/translations"
        ];
        assert_eq!(at, BTreeSet::from(wanted), "{refused}");
        for (name, value) in [("times", json!([{"weekday": "monday", "opens_at": "25:00", "closes_at": "9:00"}])), ("status", json!("active"))] {
            let mut body = entry(&app, "Kerho");
            body[name] = value;
            coordinator.post("/v1/activities").json(body).send().problem(422, "invalid");
        }
        assert_eq!(found(&app, "q=kerho").len(), 2, "those of the world");
    }
}

/// The directory in which is searched: names, with what is said of them.
const DIRECTORY: &[(&str, &str, &str)] = &[
    ("Kävelyryhmä Kevyt askel", "Rauhallinen lenkki joen rannalla.", "kävely, liikunta"),
    ("Tuolijumppa", "Kevyttä liikettä istuen monitoimihallilla.", "jumppa"),
    ("Ikäihmisten liikuntaryhmät", "Tasapainoa ja voimaa.", "liikunta"),
    ("Kirjaston lukupiiri", "Kirjoja ja keskustelua.", "kirjallisuus"),
    ("Mieskuoro", "Laulua maanantaisin.", "kuorolaulu"),
    ("Kuoro", "Ei koelaulua.", "laulu"),
    ("Eläkeläisten tanssit", "Elävä musiikki.", "tanssi"),
    ("Marttojen ruokakurssi", "Helppoa kotiruokaa pienellä rahalla.", "ruoanlaitto"),
    ("Yhteinen pöytä", "Lounas yhdessä.", "ateria"),
    ("Sámegiel gáfestallan", "Ságastallan davvisámegillii.", "sámegiella"),
    ("Anarâškielâ kerho", "Kielâ já kulttuur.", ""),
    ("Nuõrttsäʹmmlai tuâjj-jååʹđted", "Ǩiõttuâjj da äʹrbbvuõtt.", "käsityö"),
    ("Čáhcegáddi vázzin", "Vázzin čázi gáttis.", ""),
    ("Uimahallin vesijumppa", "Vesiliikuntaa lämpimässä altaassa.", "uinti"),
    ("Digituki kirjastossa", "Apua puhelimen ja tietokoneen käyttöön.", "tietotekniikka"),
    ("Sururyhmä", "Vertaistukea läheisensä menettäneille.", "suru"),
    ("Unikoulu", "Parempaa unta viikossa.", "unettomuus"),
    ("Päihdeneuvonta", "Tukea päihteiden vähentämiseen.", "alkoholi"),
    ("Metsäretki", "Retkeilyä Pyhä-Luoston kansallispuistossa.", "luonto, retkeily"),
    ("Öljyvärimaalaus", "Maalausta omaan tahtiin.", "kuvataide"),
];

/// What people type, and what they find first.
const SEARCHES: &[(&str, Option<&str>)] = &[
    ("kävelyryhmä", Some("Kävelyryhmä Kevyt askel")),
    ("KÄVELYRYHMÄ", Some("Kävelyryhmä Kevyt askel")),
    ("kavelyryhma", Some("Kävelyryhmä Kevyt askel")),
    ("kävely", Some("Kävelyryhmä Kevyt askel")),
    ("kävelyyn", Some("Kävelyryhmä Kevyt askel")),
    ("kävelyrymhä", Some("Kävelyryhmä Kevyt askel")),
    ("kaveliryhma", Some("Kävelyryhmä Kevyt askel")),
    ("kevyt askel", Some("Kävelyryhmä Kevyt askel")),
    ("tuolijumppa", Some("Tuolijumppa")),
    ("tuolijumpa", Some("Tuolijumppa")),
    ("tuoli jumppa", Some("Tuolijumppa")),
    ("tulijumpha", Some("Tuolijumppa")),
    ("liikuntaryhmä", Some("Ikäihmisten liikuntaryhmät")),
    ("ikaihmiset", Some("Ikäihmisten liikuntaryhmät")),
    ("lukupiiri", Some("Kirjaston lukupiiri")),
    ("lukupirii", Some("Kirjaston lukupiiri")),
    ("kuoro", Some("Kuoro")),
    ("kuorolaulu", Some("Mieskuoro")),
    ("mieskuroo", Some("Mieskuoro")),
    ("tanssit", Some("Eläkeläisten tanssit")),
    ("elakelaisten", Some("Eläkeläisten tanssit")),
    ("ruokakurssi", Some("Marttojen ruokakurssi")),
    ("ruokakursi", Some("Marttojen ruokakurssi")),
    ("martat", Some("Marttojen ruokakurssi")),
    ("poyta", Some("Yhteinen pöytä")),
    ("pöytä", Some("Yhteinen pöytä")),
    ("lounas", Some("Yhteinen pöytä")),
    ("sámegiella", Some("Sámegiel gáfestallan")),
    ("samegiella", Some("Sámegiel gáfestallan")),
    ("gafestallan", Some("Sámegiel gáfestallan")),
    ("anaraskiela", Some("Anarâškielâ kerho")),
    ("anarâškielâ", Some("Anarâškielâ kerho")),
    ("nuorttsammlai", Some("Nuõrttsäʹmmlai tuâjj-jååʹđted")),
    ("tuâjj", Some("Nuõrttsäʹmmlai tuâjj-jååʹđted")),
    ("jaadted", Some("Nuõrttsäʹmmlai tuâjj-jååʹđted")),
    ("kiottuajj", Some("Nuõrttsäʹmmlai tuâjj-jååʹđted")),
    ("cahcegaddi", Some("Čáhcegáddi vázzin")),
    ("čáhcegáddi", Some("Čáhcegáddi vázzin")),
    ("vesijumppa", Some("Uimahallin vesijumppa")),
    ("digituki", Some("Digituki kirjastossa")),
    ("digitukki", Some("Digituki kirjastossa")),
    ("suru", Some("Sururyhmä")),
    ("unettomuus", Some("Unikoulu")),
    ("paihdeneuvonta", Some("Päihdeneuvonta")),
    ("päihdenevonta", Some("Päihdeneuvonta")),
    ("retkeily", Some("Metsäretki")),
    ("kansallispuisto", Some("Metsäretki")),
    ("oljyvari", Some("Öljyvärimaalaus")),
    ("\"kuoro\" - *", Some("Kuoro")),
    ("xyzzyq", None),
    ("--", None),
];

on_both! {
    fn what_a_person_types_finds_what_they_mean(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        for (name, description, keywords) in DIRECTORY {
            let mut body = entry(&app, name);
            body["description"] = json!(description);
            if !keywords.is_empty() {
                body["keywords"] = json!(keywords);
            }
            coordinator.post("/v1/activities").json(body).send().expect(201);
        }
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let mut wrong = Vec::new();
        for (typed, wanted) in SEARCHES {
            let all = found(&app, &format!("q={}", encoded(typed)));
            if all.first().map(String::as_str) != *wanted {
                wrong.push(format!("{typed}: {wanted:?}, found {all:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SEARCHES.len(), wrong.join("\n"));

        assert_eq!(found(&app, &format!("q={}&remote=true", encoded("kuoro"))), Vec::<String>::new());
        assert_eq!(found(&app, &format!("q={}&municipality=261", encoded("kuoro"))), Vec::<String>::new());
        // Page by page the same as at once.
        let all = found(&app, "q=kuoro");
        assert!(all.len() >= 2, "{all:?}");
        let mut paged = Vec::new();
        let mut next = Some("/v1/activities?q=kuoro&limit=1".to_owned());
        while let Some(path) = next {
            let page = app.nobody().get(&path).send().expect(200);
            paged.extend(page["items"].as_array().unwrap().iter().map(|item| text(item, "name")));
            next = page["page"]["next"].as_str().map(|next| next[next.find("/v1/").unwrap()..].to_owned());
        }
        assert_eq!(paged, all);
    }
}

on_both! {
    fn filters_go_together(app: TestApp) {
        let coordinator = app.user(app.world.own.coordinator);
        for (name, change) in [
            ("Etäkahvit", json!({"municipalities": [], "nationwide": true, "remote": true, "languages": ["fi", "en"], "themes": ["participation"]})),
            ("Kittilän kuoro", json!({"municipalities": ["261"], "price": "fee", "kaikukortti": true, "languages": ["fi"], "themes": ["culture"]})),
            ("Uniopas", json!({"municipalities": ["758", "261"], "content_kind": "information", "themes": ["sleep", "mental_wellbeing"], "languages": ["se"]})),
        ] {
            let mut body = entry(&app, name);
            for (member, value) in change.as_object().unwrap() {
                body[member] = value.clone();
            }
            coordinator.post("/v1/activities").json(body).send().expect(201);
        }
        let own = format!("programme_id={}", app.world.own.programme.as_uuid());
        for (query, names) in [
            ("municipality=261", vec!["Etäkahvit", "Kittilän kuoro", "Uniopas"]),
            ("theme=sleep", vec!["Uniopas"]),
            ("theme=culture&municipality=758", vec![]),
            ("language=en", vec!["Etäkahvit"]),
            ("language=se&municipality=758", vec!["Uniopas"]),
            ("remote=true", vec!["Etäkahvit"]),
            ("kaikukortti=true&price=fee", vec!["Kittilän kuoro"]),
            ("content_kind=information", vec!["Uniopas"]),
            ("source=ptv", vec![]),
            ("checked_before=2022-01-01", vec![]),
        ] {
            assert_eq!(found(&app, &format!("{own}&{query}")), names, "{query}");
        }
        assert_eq!(items(app.nobody().get(&format!("/v1/activities?{own}&limit=2")).send()).len(), 2);
        app.nobody().get("/v1/activities?active=true").send().problem(400, "unknown_parameter");
    }
}
