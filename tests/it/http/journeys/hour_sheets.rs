//! Hour sheets: two link workers over a change of the year, from the first visit to the payment; who sees what; rates; the CSV.

use lahete_domain::ids::{Id as _, UserId};
use serde_json::{Value, json};

use super::{assigned, each, id, in_support, items, step, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{TestApp, on_both};

fn held(on: &str, minutes: u32, metres: u32) -> Value {
    json!({"state": "held", "on": on, "minutes": minutes, "mode": "home_visit", "travel_metres": metres, "travel_minutes": 20})
}

fn write(app: &TestApp, period: &str, body: Value) -> Value {
    app.user(app.world.own.link_worker).post(&format!("{period}/visits")).json(body).send().expect(201)
}

/// A support period that began on a day, with a first visit of an hour; gives referral, assignment and support period.
fn began(app: &TestApp, on: &str, end: &str) -> (String, String, String) {
    let (referral, assignment) = assigned(app, complete());
    let body = json!({
        "starts_on": on, "planned_end_on": end, "first_visit": {"on": on, "minutes": 60, "mode": "home_visit", "travel_passengers": 1},
        "start_measure": {"missing_reason": "not_asked"}
    });
    let started = step(app, app.world.own.link_worker, &referral, "support-period", body).expect(201);
    assert_eq!(started["hour_sheet"]["total"], "13.00");
    (referral, assignment, format!("/v1/support-periods/{}", text(&started, "id")))
}

fn sheets(app: &TestApp, who: UserId, query: &str) -> Vec<Value> {
    items(app.user(who).get(&format!("/v1/hour-sheets{query}")).send())
}

fn sheet(app: &TestApp, who: UserId, month: &str) -> String {
    let found = sheets(app, who, &format!("?month={month}"));
    assert_eq!(found.len(), 1, "{found:?}");
    format!("/v1/hour-sheets/{}", text(&found[0], "id"))
}

fn seen(app: &TestApp, path: &str) -> Value {
    app.user(app.world.own.coordinator).get(path).send().expect(200)
}

/// Minutes, fee, metres, mileage and the total.
fn sums(sheet: &Value) -> (i64, String, i64, String, String) {
    let number = |name: &str| sheet[name].as_i64().unwrap();
    (number("minutes"), text(sheet, "fee"), number("metres"), text(sheet, "mileage"), text(sheet, "total"))
}

fn expected(minutes: i64, fee: &str, metres: i64, mileage: &str, total: &str) -> (i64, String, i64, String, String) {
    (minutes, fee.to_owned(), metres, mileage.to_owned(), total.to_owned())
}

on_both! {
    fn two_link_workers_over_the_change_of_the_year(app: TestApp) {
        let people = app.world.own;
        let (liisa, lauri, kaisa) = (people.link_worker, people.other_link_worker, people.coordinator);
        app.clock.set_day("2025-12-29");
        let (_, _, period) = began(&app, "2025-12-29", "2026-04-29");
        assert_eq!(sums(&sheets(&app, liisa, "")[0]), expected(60, "13.00", 0, "0.00", "13.00"), "the sheet is there as soon as a visit is held");

        app.clock.set_day("2026-01-03");
        let mut last_day = held("2025-12-31", 90, 10_000);
        last_day["travel_passengers"] = json!(1);
        let last_day = write(&app, &period, last_day);
        assert_eq!(last_day["hour_sheet"]["month"], "2025-12");
        assert_eq!(sums(&last_day["hour_sheet"]), expected(150, "32.50", 10_000, "6.30", "38.80"));
        let first_day = write(&app, &period, held("2026-01-01", 60, 10_000));
        assert_eq!(first_day["hour_sheet"]["month"], "2026-01");
        assert_eq!(sums(&first_day["hour_sheet"]), expected(60, "13.00", 10_000, "5.50", "18.50"));
        let mut call = held("2026-01-02", 15, 0);
        call["mode"] = json!("phone");
        let call = write(&app, &period, call);
        assert_eq!((&call["hour_sheet"]["minutes"], &call["hour_sheet"]["phone_minutes"]), (&json!(60), &json!(15)), "a call is not paid");
        let mut both = held("2026-01-02", 120, 20_000);
        both["workers"] = json!([people.worker.as_uuid(), people.other_worker.as_uuid()]);
        both["driver_id"] = json!(people.other_worker.as_uuid());
        let both = write(&app, &period, both);
        assert_eq!(sums(&both["hour_sheet"]), expected(180, "39.00", 10_000, "5.50", "44.50"), "the metres are the driver's");
        assert_eq!(sums(&sheets(&app, lauri, "")[0]), expected(120, "26.00", 20_000, "11.00", "37.00"));

        assert_eq!(each(app.user(liisa).get("/v1/hour-sheets").send(), "month"), ["2026-01", "2025-12"]);
        assert_eq!(sheets(&app, kaisa, "").len(), 3);
        assert_eq!(sheets(&app, kaisa, &format!("?link_worker_id={}&state=open", people.other_worker.as_uuid())).len(), 1);
        assert_eq!(sheets(&app, kaisa, "?month=2026-01&state=paid"), [] as [Value; 0]);
        app.user(kaisa).get("/v1/hour-sheets?month=2026-13").send().problem(400, "invalid_parameter");

        // January is not over; December is.
        let (december, january) = (sheet(&app, liisa, "2025-12"), sheet(&app, liisa, "2026-01"));
        let early = step(&app, liisa, &january, "submit", json!({})).problem(409, "hour_sheet_month_not_over");
        assert_eq!(early["params"]["month"], "2026-01");
        app.user(lauri).post(&format!("{december}/submit")).if_match(1).json(json!({})).send().problem(404, "not_found");
        app.user(liisa).post(&format!("{december}/submit")).json(json!({})).send().problem(428, "precondition_required");
        app.user(liisa).post(&format!("{december}/submit")).if_match(1).json(json!({})).send().problem(412, "stale_version");
        let handed_in = step(&app, liisa, &december, "submit", json!({})).expect(200);
        assert_eq!((&handed_in["state"], &handed_in["lines"].as_array().unwrap().len()), (&json!("submitted"), &2));
        step(&app, liisa, &december, "return", json!({"reason": "Oma."})).problem(403, "forbidden");
        let back = step(&app, kaisa, &december, "return", json!({"reason": "Tarkista minuutit."})).expect(200);
        assert_eq!((&back["state"], &back["return_reason"]), (&json!("open"), &json!("Tarkista minuutit.")));

        // An open sheet follows the visit.
        let visit = format!("/v1/visits/{}", text(&last_day, "id"));
        let longer = app.user(liisa).patch(&visit).if_match(version(&app, &visit)).json(json!({"minutes": 100})).send().expect(200);
        assert_eq!(sums(&longer["hour_sheet"]), expected(160, "34.67", 10_000, "6.30", "40.97"));
        step(&app, liisa, &december, "submit", json!({})).expect(200);
        step(&app, liisa, &december, "submit", json!({})).problem(409, "hour_sheet_wrong_state");
        step(&app, liisa, &december, "approve", Value::Null).problem(403, "forbidden");
        let approved = step(&app, kaisa, &december, "approve", Value::Null).expect(200);
        assert_eq!(approved["state"], "approved");
        let returned = step(&app, kaisa, &december, "return", json!({"reason": "Vielä."})).problem(409, "hour_sheet_wrong_state");
        assert_eq!(returned["params"], json!({"state": "approved", "allowed": ["mark-paid"]}));

        // What is approved stands; the difference is a line of the next open sheet.
        let before = seen(&app, &december);
        let shorter = app.user(liisa).patch(&visit).if_match(version(&app, &visit)).json(json!({"minutes": 80, "travel_metres": 12_000})).send();
        let shorter = shorter.expect(200);
        assert_eq!(shorter["hour_sheet"]["month"], "2026-01");
        // 180 − 20 minutes; 10 km at 0.55, and 2 km with a passenger at the rates of 2025.
        assert_eq!(sums(&shorter["hour_sheet"]), expected(160, "34.67", 12_000, "6.76", "41.43"));
        let corrected = seen(&app, &january);
        let line = &corrected["lines"][0];
        assert_eq!((&line["kind"], &line["on"], &line["minutes"], &line["metres"]), (&json!("correction"), &json!("2025-12-31"), &json!(-20), &json!(2_000)));
        assert_eq!((&line["fee"], &line["mileage"], &line["rate"]["per_km"]), (&json!("-4.33"), &json!("1.26"), &json!("0.59")));
        assert_eq!(line["corrects"]["hour_sheet_id"], id(&december));
        assert_eq!(line["corrects"]["line_id"], before["lines"][1]["id"]);
        assert_eq!(line["visit"]["visit_id"], last_day["id"]);
        assert_eq!(seen(&app, &december), before, "nothing of it is changed");
        // A note changes nothing on any sheet.
        let versions = || (version(&app, &december), version(&app, &january));
        let unchanged = versions();
        app.user(liisa).patch(&visit).if_match(version(&app, &visit)).json(json!({"note": "Kahvit."})).send().expect(200);
        assert_eq!(versions(), unchanged);
        // Written down late: it comes with its own day.
        write(&app, &period, held("2025-12-30", 30, 0));
        let late = &seen(&app, &january)["lines"][0];
        assert_eq!((&late["kind"], &late["on"], &late["minutes"]), (&json!("visit"), &json!("2025-12-30"), &json!(30)));

        step(&app, kaisa, &december, "mark-paid", json!({"paid_on": "2026-01-02"})).problem(422, "invalid");
        step(&app, kaisa, &december, "mark-paid", json!({"paid_on": "2026-01-04"})).problem(422, "invalid");
        app.clock.set_day("2026-02-01");
        let paid = step(&app, kaisa, &december, "mark-paid", json!({"paid_on": "2026-01-15"})).expect(200);
        assert_eq!((&paid["state"], &paid["paid_on"]), (&json!("paid"), &json!("2026-01-15")));
        assert_eq!(sums(&paid), expected(160, "34.67", 10_000, "6.30", "40.97"));
        step(&app, liisa, &january, "submit", json!({})).expect(200);
        step(&app, kaisa, &january, "approve", Value::Null).expect(200);
        let paid = step(&app, kaisa, &january, "mark-paid", json!({"paid_on": "2026-02-01"})).expect(200);
        // 60 + 120 − 20 + 30 minutes; to the cent.
        assert_eq!(sums(&paid), expected(190, "41.17", 12_000, "6.76", "47.93"));
        let lines = paid["lines"].as_array().unwrap();
        let cents = |name: &str| lines.iter().map(|line| line[name].as_str().unwrap().replace('.', "").parse::<i64>().unwrap()).sum::<i64>();
        assert_eq!((cents("fee"), cents("mileage"), cents("total")), (4_117, 676, 4_793), "the lines add up");

        // A coordinator corrects what was paid long ago: who was there, and when.
        let first = format!("/v1/visits/{}", text(&first_day, "id"));
        let moved = app.user(kaisa).patch(&first).if_match(version(&app, &first)).json(json!({"on": "2025-12-30"})).send().expect(200);
        assert_eq!(moved["hour_sheet"]["month"], "2026-02", "every sheet before is paid");
        assert_eq!(sums(&moved["hour_sheet"]), expected(0, "0.00", 0, "0.40", "0.40"), "ten kilometres at 0.59 in place of 0.55");
    }
}

on_both! {
    fn a_sheet_that_is_given_back_takes_its_corrections_home(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let (_, period) = in_support(&app, complete());
        let november = sheet(&app, liisa, "2026-11");
        step(&app, liisa, &november, "submit", json!({"nothing_more_this_month": true})).expect(200);
        let visits = items(app.user(liisa).get(&format!("{period}/visits")).send());
        let visit = format!("/v1/visits/{}", text(&visits[0], "id"));
        let shorter = app.user(liisa).patch(&visit).if_match(1).json(json!({"minutes": 50})).send().expect(200);
        assert_eq!((&shorter["hour_sheet"]["month"], &shorter["hour_sheet"]["minutes"]), (&json!("2026-12"), &json!(-10)));
        assert_eq!(shorter["hour_sheet"]["fee"], "-2.17");
        let december = sheet(&app, liisa, "2026-12");
        let back = step(&app, kaisa, &november, "return", json!({"reason": "Minuutit."})).expect(200);
        assert_eq!((&back["minutes"], &back["lines"].as_array().unwrap().len()), (&json!(50), &1));
        assert_eq!(back["lines"][0]["kind"], "visit");
        let rest = seen(&app, &december);
        assert_eq!((&rest["minutes"], &rest["lines"]), (&json!(0), &json!([])));
        step(&app, liisa, &december, "submit", json!({"nothing_more_this_month": true})).problem(409, "hour_sheet_empty");
        // A repeated call does nothing twice.
        let submit = || {
            let call = app.user(liisa).post(&format!("{november}/submit")).key("submit-1").if_match(version(&app, &november));
            call.json(json!({"nothing_more_this_month": true})).send()
        };
        let (first, again) = (submit(), submit());
        assert_eq!((first.status, again.status, again.header("idempotent-replayed")), (200, 200, Some("true")));
        assert_eq!(first.text, again.text);
    }
}

on_both! {
    fn own_sheets_stay_and_tell_nothing_of_the_client_when_the_work_has_ended(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let (referral, _) = in_support(&app, complete());
        let november = sheet(&app, liisa, "2026-11");
        let during = app.user(liisa).get(&november).send().expect(200);
        assert_eq!(during["lines"][0]["visit"]["client_name"], "Aino Esimerkki");
        for stranger in [people.other_link_worker, people.report_reader, people.privacy_officer, people.admin, people.referrer, people.client, app.world.other.coordinator] {
            app.user(stranger).get(&november).send().problem(404, "not_found");
            app.user(stranger).get(&format!("{november}/csv")).send().problem(404, "not_found");
        }
        step(&app, kaisa, &referral, "withdraw", json!({})).expect(200);
        let after = app.user(liisa).get(&november).send();
        for word in ["Aino", "client", "visit_id", id(&referral)] {
            assert!(!after.text.contains(word), "{word}: {}", after.text);
        }
        let after = after.expect(200);
        assert_eq!((&after["minutes"], &after["fee"], &after["lines"][0]["on"]), (&json!(60), &json!("13.00"), &json!("2026-11-22")));
        assert_eq!(seen(&app, &november)["lines"][0]["visit"]["client_name"], "Aino Esimerkki");
        // After that the coordinator says why, too.
        app.clock.advance_days(60);
        assert_eq!(seen(&app, &november)["lines"][0].get("visit"), None);
        let told = app.user(kaisa).get(&november).header("x-access-reason", "Palkanmaksun selvitys").send().expect(200);
        assert_eq!(told["lines"][0]["visit"]["client_name"], "Aino Esimerkki");
        let client = text(&told["lines"][0]["visit"], "client_id");
        let trail = app.user(people.privacy_officer).get(&format!("/v1/audit-events?client_id={client}&limit=200")).send();
        let reads = items(trail).into_iter().filter(|event| event["operation"] == "hour_sheet_view" && event["outcome"] == "allowed").count();
        assert_eq!(reads, 3, "one for each look that told of the client");
        // The work is over, the pay is not: it goes its way.
        step(&app, liisa, &november, "submit", json!({})).expect(200);
        step(&app, kaisa, &november, "approve", Value::Null).expect(200);
    }
}

on_both! {
    fn rates_are_dated_and_change_nothing_that_stands(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let shipped = items(app.user(liisa).get("/v1/rates").send());
        let short: Vec<_> = shipped.iter().map(|rate| (text(rate, "valid_from"), text(rate, "per_km"), text(rate, "per_passenger_km"))).collect();
        let row = |year: &str, km: &str, passenger: &str| (format!("{year}-01-01"), km.to_owned(), passenger.to_owned());
        assert_eq!(short, [row("2026", "0.55", "0.04"), row("2025", "0.59", "0.04"), row("2024", "0.57", "0.04"), row("2023", "0.53", "0.04"), row("2022", "0.46", "0.03")]);
        assert_eq!(items(app.user(people.referrer).get("/v1/rates").send()).len(), 0);

        let (_, period) = in_support(&app, complete());
        write(&app, &period, held("2026-11-22", 60, 100_000));
        let november = sheet(&app, liisa, "2026-11");
        assert_eq!(seen(&app, &november)["mileage"], "55.00");
        let rate = |from: &str, per_km: &str| json!({
            "programme_id": people.programme.to_string(), "vehicle": "car", "agreement": "KVTES", "valid_from": from, "per_km": per_km,
            "tier": {"metres": 60_000, "per_km_above": "0.40"}, "source": "KVTES, liite 16"
        });
        app.user(liisa).post("/v1/rates").json(rate("2026-01-01", "0.50")).send().problem(403, "forbidden");
        app.user(people.referrer).post("/v1/rates").json(rate("2026-01-01", "0.50")).send().problem(404, "not_found");
        app.user(app.world.other.coordinator).post("/v1/rates").json(rate("2026-01-01", "0.50")).send().problem(404, "not_found");
        let mut wrong = rate("2026-01-01", "0.50");
        wrong["valid_to"] = json!("2025-12-31");
        app.user(kaisa).post("/v1/rates").json(wrong).send().problem(422, "invalid");
        app.user(kaisa).post("/v1/rates").json(rate("2026-01-01", "-0.50")).send().problem(422, "invalid");
        app.user(kaisa).post("/v1/rates").json(rate("2026-01-01", "0.50")).send().expect(201);
        // 60 km at 0.50 and 40 km at 0.40, at once.
        let open = seen(&app, &november);
        assert_eq!((&open["mileage"], &open["lines"][1]["metres_above_limit"], &open["lines"][1]["rate"]["per_km_above"]), (&json!("46.00"), &json!(40_000), &json!("0.40")));
        step(&app, liisa, &november, "submit", json!({"nothing_more_this_month": true})).expect(200);
        app.user(people.admin).post("/v1/rates").json(rate("2026-06-01", "0.90")).send().expect(201);
        assert_eq!(seen(&app, &november)["mileage"], "46.00", "what is handed in stands");

        // Nobody has decided the rate of 2027 yet; a new programme's own rate has an end.
        let mut until = rate("2026-12-01", "0.50");
        until["valid_to"] = json!("2026-12-31");
        app.user(kaisa).post("/v1/rates").json(until).send().expect(201);
        assert_eq!(each(app.user(kaisa).get("/v1/rates?on=2026-12-05&vehicle=car").send(), "valid_from"), ["2026-12-01", "2026-06-01", "2026-01-01", "2026-01-01"]);
    }
}

on_both! {
    fn kilometres_without_a_rate_wait_for_one(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let (_, period) = in_support(&app, complete());
        app.clock.set_day("2027-01-05");
        let visit = write(&app, &period, held("2027-01-05", 60, 10_000));
        assert_eq!((&visit["hour_sheet"]["month"], &visit["hour_sheet"]["mileage"]), (&json!("2027-01"), &json!("0.00")));
        let january = sheet(&app, liisa, "2027-01");
        assert_eq!(seen(&app, &january)["rate_missing"], true);
        app.clock.set_day("2027-02-01");
        let refused = step(&app, liisa, &january, "submit", json!({})).problem(409, "mileage_rate_missing");
        assert_eq!(refused["params"]["days"], json!(["2027-01-05"]));
        let rate = json!({
            "programme_id": people.programme.to_string(), "vehicle": "car", "agreement": "Verohallinto", "valid_from": "2027-01-01", "per_km": "0.56",
            "source": "vero.fi"
        });
        app.user(kaisa).post("/v1/rates").json(rate).send().expect(201);
        let priced = seen(&app, &january);
        assert_eq!((&priced["rate_missing"], &priced["mileage"]), (&json!(false), &json!("5.60")));
        step(&app, liisa, &january, "submit", json!({})).expect(200);
    }
}

on_both! {
    fn a_volunteer_is_paid_kilometres_alone_and_warned_above_what_is_free_of_tax(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let body = json!({"programme_id": people.programme.to_string(), "name": "Eläkeliiton yhdistys", "kind": "association"});
        let association = text(&app.user(people.admin).post("/v1/organisations").json(body).send().expect(201), "id");
        let body = json!({"kind": "volunteer", "employer_id": association, "valid_from": "2026-11-01"});
        app.user(kaisa).post(&format!("/v1/link-workers/{}/contracts", people.worker)).json(body).send().expect(201);
        let (_, period) = in_support(&app, complete());
        let november = sheet(&app, liisa, "2026-11");
        for _ in 0..2 {
            write(&app, &period, held("2026-11-22", 30, 2_000_000));
        }
        let quiet = seen(&app, &november);
        assert_eq!((sums(&quiet), quiet.get("volunteer_cap_warning")), (expected(120, "0.00", 4_000_000, "2200.00", "2200.00"), None));
        write(&app, &period, held("2026-11-22", 30, 1_454_546));
        let warned = seen(&app, &november);
        assert_eq!(warned.get("volunteer_cap_warning"), None, "to the cent");
        write(&app, &period, held("2026-11-22", 30, 8_000));
        let warned = seen(&app, &november);
        assert_eq!(warned["volunteer_cap_warning"], json!({"year": 2026, "mileage": "3004.40", "limit": "3000.00"}));
        assert_eq!(warned["lines"][0]["contract"], "volunteer");
        step(&app, liisa, &november, "submit", json!({"nothing_more_this_month": true})).expect(200);
    }
}

on_both! {
    fn the_payroll_gets_a_csv_that_runs_nothing(app: TestApp) {
        let people = app.world.own;
        let (liisa, kaisa) = (people.link_worker, people.coordinator);
        let (_, period) = in_support(&app, complete());
        write(&app, &period, held("2026-11-22", 20, 8_200));
        let worker = format!("/v1/link-workers/{}", people.worker);
        let name = "=HYPERLINK(\"http://example.org\",\"Liisa\")";
        app.user(kaisa).patch(&worker).if_match(version(&app, &worker)).json(json!({"name": name})).send().expect(200);
        let november = sheet(&app, liisa, "2026-11");
        step(&app, liisa, &november, "submit", json!({"nothing_more_this_month": true})).expect(200);
        let visits = items(app.user(liisa).get(&format!("{period}/visits")).send());
        for visit in &visits {
            let path = format!("/v1/visits/{}", text(visit, "id"));
            app.user(liisa).patch(&path).if_match(version(&app, &path)).json(json!({"minutes": 10})).send().expect(200);
        }
        let december = sheet(&app, liisa, "2026-12");
        for who in [liisa, kaisa] {
            let reply = app.user(who).get(&format!("{december}/csv")).send();
            assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
            assert!(reply.text.contains("\r\n") && !reply.text.contains("Aino"), "{}", reply.text);
            let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
            let headers = reader.headers().unwrap().clone();
            let rows: Vec<Vec<(String, String)>> = reader
                .records()
                .map(|row| headers.iter().zip(row.unwrap().iter()).map(|(name, cell)| (name.to_owned(), cell.to_owned())).collect())
                .collect();
            let cell = |row: usize, name: &str| rows[row].iter().find(|(other, _)| other == name).unwrap().1.clone();
            assert_eq!(rows.len(), 2);
            assert_eq!(cell(0, "link_worker"), format!("'{name}"));
            let mut minutes = [cell(0, "minutes"), cell(1, "minutes")];
            minutes.sort();
            assert_eq!(minutes, ["-10", "-50"]);
            let fees: i64 = (0..2).map(|row| cell(row, "fee").replace('.', "").parse::<i64>().unwrap()).sum();
            assert_eq!((fees, cell(0, "kind").as_str(), cell(1, "agreement").as_str()), (-1300, "correction", ""));
            assert_eq!(cell(0, "corrects_hour_sheet_id"), id(&november));
        }
        let query = format!("/v1/hour-sheets/export?programme_id={}&month=2026-11", people.programme);
        let month = app.user(kaisa).get(&query).send();
        let lines: Vec<&str> = month.text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("\"'=HYPERLINK(\"\"http://example.org\"\",\"\"Liisa\"\")\"") && lines[1].contains(",2026-11,submitted,80,0,20,8200,17.33,4.51,21.84,"), "{}", lines[1]);
        assert_eq!(app.user(kaisa).get(&format!("{query}&state=paid")).send().text.lines().count(), 1);
        app.user(liisa).get(&query).send().problem(404, "not_found");
        app.user(people.admin).get(&query).send().problem(404, "not_found");
        app.user(app.world.other.coordinator).get(&query).send().problem(404, "not_found");
    }
}
