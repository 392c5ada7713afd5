//! One support period of six months, from the nurse's referral to the last payment, each step by whoever takes it: two link workers, a pause, an absence,
//! kilometres over the change of a year, an activity that stops and one that goes on, measures at both ends, a concern, hour sheets, feedback. Every total
//! is reckoned here by hand and must be right to the cent and the minute.

use lahete_domain::ids::{Id as _, UserId};
use serde_json::{Value, json};

use super::{each, id, items, propose, send, sign_in_of, step, version};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{TestApp, on_both};

/// What a path answers to somebody.
#[track_caller]
fn seen(app: &TestApp, who: UserId, path: &str) -> Value {
    app.user(who).get(path).send().expect(200)
}

#[track_caller]
fn made(app: &TestApp, who: UserId, path: &str, body: Value) -> Value {
    app.user(who).post(path).json(body).send().expect(201)
}

/// A held visit of so many minutes, with so many kilometres and passengers.
fn held(on: &str, minutes: u32, km: u32, passengers: u32) -> Value {
    let mut body = json!({
        "state": "held", "on": on, "minutes": minutes, "mode": "home_visit", "support_kinds": ["emotional"], "travel_metres": km * 1000, "travel_minutes": 25
    });
    if passengers > 0 {
        body["travel_passengers"] = json!(passengers);
    }
    body
}

/// Used and left minutes of a month, and whether they warn.
fn hours(visit: &Value) -> (Value, Value, Value) {
    let month = &visit["month_hours"];
    (month["used_minutes"].clone(), month["left_minutes"].clone(), month["warning"].clone())
}

/// Minutes, fee, metres, mileage and total of a link worker's sheet of a month.
#[track_caller]
fn sheet(app: &TestApp, who: UserId, month: &str) -> (String, [Value; 5]) {
    let found = items(app.user(who).get(&format!("/v1/hour-sheets?month={month}")).send());
    assert_eq!(found.len(), 1, "{month}: {found:?}");
    let of = |name: &str| found[0][name].clone();
    (format!("/v1/hour-sheets/{}", text(&found[0], "id")), [of("minutes"), of("fee"), of("metres"), of("mileage"), of("total")])
}

/// The link worker hands a sheet in, the coordinator approves it and marks it paid.
#[track_caller]
fn paid(app: &TestApp, who: UserId, month: &str, on: &str) -> [Value; 5] {
    let kaisa = app.world.own.coordinator;
    let (path, _) = sheet(app, who, month);
    step(app, who, &path, "submit", json!({})).expect(200);
    step(app, kaisa, &path, "approve", Value::Null).expect(200);
    let done = step(app, kaisa, &path, "mark-paid", json!({"paid_on": on})).expect(200);
    assert_eq!(done["state"], "paid");
    sheet(app, who, month).1
}

fn sums(minutes: i64, fee: &str, metres: i64, mileage: &str, total: &str) -> [Value; 5] {
    [json!(minutes), json!(fee), json!(metres), json!(mileage), json!(total)]
}

on_both! {
    fn six_months_of_support_from_the_referral_to_the_last_payment(app: TestApp) {
        let people = app.world.own;
        let (riikka, kaisa, liisa, lauri, aino) = (people.referrer, people.coordinator, people.link_worker, people.other_link_worker, people.client);

        // September: the nurse writes, the coordinator takes it and finds a link worker.
        app.clock.set_day("2025-09-22");
        let referral = send(&app, complete());
        app.clock.set_day("2025-09-24");
        step(&app, kaisa, &referral, "review", json!({})).expect(200);
        sign_in_of(&app, &referral, aino);
        let time = format!("{referral}/time-entries");
        made(&app, kaisa, &time, json!({"on": "2025-09-24", "minutes": 35, "kind": "contact", "note": "Puhelu Ainolle."}));
        step(&app, kaisa, &referral, "waitlist", json!({"priority": "normal"})).expect(200);
        app.clock.set_day("2025-09-29");
        let assignment = propose(&app, &referral, people.worker);
        made(&app, kaisa, &time, json!({"on": "2025-09-29", "minutes": 25, "kind": "matching"}));
        app.user(liisa).get(&referral).send().problem(404, "not_found");
        step(&app, liisa, &assignment, "accept", Value::Null).expect(200);

        // October: the first visit, the measures of the start, the client's own goals.
        app.clock.set_day("2025-10-01");
        let begin = json!({
            "starts_on": "2025-10-01", "planned_end_on": "2026-04-01",
            "first_visit": {"on": "2025-10-01", "minutes": 75, "mode": "home_visit", "travel_metres": 12_000, "travel_minutes": 25},
            "start_measure": {"mode": "interview", "answers": [2, 3, 3, 2, 3, 2, 3]}
        });
        let started = step(&app, liisa, &referral, "support-period", begin).expect(201);
        let period = format!("/v1/support-periods/{}", text(&started, "id"));
        let measure = |who: UserId, body: Value| made(&app, who, &format!("{period}/measures"), body);
        measure(liisa, json!({"instrument": "ucla3", "timepoint": "start", "mode": "interview", "answers": [3, 2, 3]}));
        measure(liisa, json!({"instrument": "ons4", "timepoint": "start", "mode": "interview", "answers": [4, 5, 4, 7]}));
        let goal = |words: &str, steps: Value| {
            let goal = made(&app, liisa, &format!("{period}/goals"), json!({"words": words, "steps": steps}));
            format!("/v1/goals/{}", text(&goal, "id"))
        };
        let club = goal("Uskallan mennä kerhoon yksin.", json!([{"words": "Mennään yhdessä"}, {"words": "Menen itse"}]));
        let walks = goal("Kävelen joka viikko.", json!([]));
        let linked = |activity: Value| {
            let link = made(&app, liisa, &format!("{referral}/activity-links"), json!({"activity_id": activity}));
            format!("/v1/activity-links/{}", text(&link, "id"))
        };
        let (thursdays, outdoors) = (linked(json!(people.activity.as_uuid())), linked(json!(people.other_activity.as_uuid())));
        let change = |who: UserId, path: &str, body: Value| app.user(who).patch(path).if_match(version(&app, path)).json(body).send();
        for link in [&thursdays, &outdoors] {
            app.user(liisa).patch(link).if_match(1).json(json!({"state": "started"})).send().expect(200);
        }
        let visit = |who: UserId, body: Value| made(&app, who, &format!("{period}/visits"), body);
        app.clock.set_day("2025-10-08");
        visit(liisa, held("2025-10-08", 120, 12, 0));
        app.clock.set_day("2025-10-22");
        let mut together = held("2025-10-16", 150, 24, 1);
        together["mode"] = json!("activity_together");
        let seen_now = visit(liisa, together);
        assert_eq!(hours(&seen_now), (json!(345), json!(255), json!(false)));
        let mut call = held("2025-10-22", 20, 0, 0);
        call["mode"] = json!("phone");
        call["travel_minutes"] = json!(0);
        assert_eq!(hours(&visit(liisa, call)), (json!(345), json!(255), json!(false)), "a call is counted apart");
        step(&app, aino, &club, "mark-step", json!({"step": 1, "done": true})).expect(200);

        // November: nobody opens the door, Liisa is worried and says so; Aino is ill, and the support pauses.
        app.clock.set_day("2025-11-04");
        // 75 + 120 + 150 minutes; (12 + 12 + 24) km at 0.59, of which 24 with a passenger at 0.04.
        assert_eq!(paid(&app, liisa, "2025-10", "2025-11-04"), sums(345, "74.75", 48_000, "29.28", "104.03"));
        let planned = json!({"state": "planned", "on": "2025-11-05", "minutes": 90, "mode": "home_visit"});
        let planned = format!("/v1/visits/{}", text(&visit(liisa, planned), "id"));
        app.clock.set_day("2025-11-05");
        let missed = step(&app, liisa, &planned, "mark-not-attended", json!({"by": "client", "reason": "ill"})).expect(200);
        assert_eq!((&missed["state"], &missed["absence_reason"]), (&json!("not_attended"), &json!("ill")));
        let worry = json!({
            "kind": "older_person", "facts": "Ovi ei auennut, ja naapuri kertoi, ettei ruoka kulu.", "person_informed": false,
            "not_informed_reason": "Ei tavoitettu.", "consulted": "Koordinaattori"
        });
        let concern = format!("/v1/concerns/{}", text(&made(&app, liisa, &format!("{referral}/concerns"), worry), "id"));
        for who in [aino, riikka, lauri, people.admin, people.report_reader] {
            app.user(who).get(&concern).send().problem(404, "not_found");
        }
        let report = json!({"reported_to": {"where": "Ikäihmisten asiakasohjaus", "at": "2025-11-05T09:30:00Z"}});
        let reported = change(kaisa, &concern, report).expect(200);
        assert_eq!(reported["state"], "reported");
        step(&app, liisa, &period, "pause", json!({"reason": "client_ill"})).expect(200);
        app.clock.set_day("2025-11-19");
        let resumed = step(&app, liisa, &period, "resume", Value::Null).expect(200);
        assert_eq!(resumed["planned_end_on"], "2026-04-01", "a pause does not move the end");
        visit(liisa, held("2025-11-19", 61, 12, 0));

        // December: Liisa will be away, and introduces Lauri; then he takes over.
        app.clock.set_day("2025-12-04");
        assert_eq!(paid(&app, liisa, "2025-11", "2025-12-04"), sums(61, "13.22", 12_000, "7.08", "20.30"));
        let away = json!({"from": "2025-12-08", "until": "2026-01-18", "reason": "illness"});
        made(&app, liisa, &format!("/v1/link-workers/{}/absences", people.worker.as_uuid()), away);
        let mut introduced = held("2025-12-04", 90, 12, 0);
        introduced["workers"] = json!([people.worker.as_uuid(), people.other_worker.as_uuid()]);
        introduced["driver_id"] = json!(people.worker.as_uuid());
        assert_eq!(hours(&visit(liisa, introduced)), (json!(90), json!(510), json!(false)), "the client's minutes count once");
        let other = json!({"link_worker_id": people.other_worker.as_uuid(), "reason": "link_worker_unavailable"});
        step(&app, kaisa, &period, "change-link-worker", other).expect(200);
        made(&app, kaisa, &time, json!({"on": "2025-12-04", "minutes": 40, "kind": "matching"}));
        let proposals = items(app.user(lauri).get("/v1/assignments?state=proposed").send());
        step(&app, lauri, &format!("/v1/assignments/{}", text(&proposals[0], "id")), "accept", Value::Null).expect(200);
        app.user(liisa).get(&period).send().problem(404, "not_found");
        app.clock.set_day("2026-01-02");
        visit(lauri, held("2025-12-31", 120, 20, 1));
        visit(lauri, held("2026-01-01", 120, 20, 1));
        // Nobody has decided what is not over: the sheet of December may be handed in, the one of January not yet.
        assert_eq!(sheet(&app, liisa, "2025-12").1, sums(90, "19.50", 12_000, "7.08", "26.58"), "own sheets stay");
        let (december, totals) = sheet(&app, lauri, "2025-12");
        // 90 minutes without driving, then 120 with 20 km at 0.59 + 0.04.
        assert_eq!(totals, sums(210, "45.50", 20_000, "12.60", "58.10"));
        step(&app, lauri, &december, "submit", json!({})).expect(200);
        step(&app, kaisa, &december, "approve", Value::Null).expect(200);
        assert_eq!(sheet(&app, lauri, "2026-01").1, sums(120, "26.00", 20_000, "11.80", "37.80"), "0.55 + 0.04 from the first of January");

        // January: one activity stops, the other goes on; the month's hours run out.
        app.clock.set_day("2026-01-28");
        let stop = json!({"state": "stopped", "barrier": "transport", "unmet_needs": ["transport"]});
        app.user(lauri).patch(&outdoors).if_match(2).json(stop).send().expect(200);
        assert_eq!(hours(&visit(lauri, held("2026-01-14", 180, 20, 0))), (json!(300), json!(300), json!(false)));
        assert_eq!(hours(&visit(lauri, held("2026-01-21", 180, 20, 0))), (json!(480), json!(120), json!(true)), "four fifths are used");
        let long = held("2026-01-28", 121, 20, 0);
        let refused = app.user(lauri).post(&format!("{period}/visits")).json(long.clone()).send().problem(409, "monthly_hours_exceeded");
        assert_eq!(refused["params"]["minutes_left"], 120);
        let mut allowed = long;
        allowed["over_limit_reason"] = json!("Muuttoapua yllättäen.");
        allowed["workers"] = json!([people.other_worker.as_uuid()]);
        assert_eq!(hours(&visit(kaisa, allowed)), (json!(601), json!(0), json!(true)));

        // February: what was written down of December was too much; December's sheet stands, and the difference comes with January's.
        app.clock.set_day("2026-02-03");
        let visits = items(app.user(lauri).get(&format!("{period}/visits?limit=50")).send());
        let eve = visits.iter().find(|visit| visit["on"] == "2025-12-31").unwrap();
        change(lauri, &format!("/v1/visits/{}", text(eve, "id")), json!({"minutes": 105})).expect(200);
        let (path, _) = sheet(&app, lauri, "2025-12");
        assert_eq!(sheet(&app, lauri, "2025-12").1, sums(210, "45.50", 20_000, "12.60", "58.10"));
        step(&app, kaisa, &path, "mark-paid", json!({"paid_on": "2026-02-03"})).expect(200);
        assert_eq!(paid(&app, liisa, "2025-12", "2026-02-03"), sums(90, "19.50", 12_000, "7.08", "26.58"));
        // 120 + 180 + 180 + 121 − 15 minutes; 20 km with a passenger at 0.59 (0.55 + 0.04) and 60 km at 0.55.
        assert_eq!(paid(&app, lauri, "2026-01", "2026-02-03"), sums(586, "126.97", 80_000, "44.80", "171.77"));
        visit(lauri, held("2026-02-03", 60, 20, 0));

        // March: the last visits, the measures of the end, the client's word on the goals, and the end.
        app.clock.set_day("2026-03-03");
        assert_eq!(paid(&app, lauri, "2026-02", "2026-03-03"), sums(60, "13.00", 20_000, "11.00", "24.00"));
        app.clock.set_day("2026-03-30");
        visit(lauri, held("2026-03-18", 60, 20, 0));
        let last = visit(lauri, held("2026-03-30", 47, 20, 0));
        assert_eq!(last["hour_sheet"]["fee"], "23.18", "107 minutes at 13 €");
        measure(lauri, json!({"instrument": "ucla3", "timepoint": "end", "mode": "interview", "answers": [2, 1, 2]}));
        measure(lauri, json!({"instrument": "ons4", "timepoint": "end", "mode": "interview", "answers": [6, 7, 6, 4]}));
        change(aino, &club, json!({"outcome": "achieved"})).expect(200);
        change(lauri, &walks, json!({"outcome": "partly"})).expect(200);
        let said = |stage: &str, statement: &str, words: &str| json!({"stage": stage, "ratings": [{"statement": statement, "rating": 5}], "words": words});
        let feedback = format!("{referral}/feedback");
        made(&app, lauri, &feedback, said("end", "worker_matched", "Hyvä pari."));
        step(&app, lauri, &period, "propose-end", json!({"reason": "Aino käy kerhossa jo itse."})).expect(200);
        app.clock.set_day("2026-03-31");
        let ending = json!({
            "outcome": "completed_as_planned", "end_reason": "goals_reached", "ended_on": "2026-03-31",
            "end_measure": {"mode": "interview", "answers": [4, 3, 3, 4, 3, 3, 3]}, "end_recommendation": {"mode": "self", "answers": [9]},
            "activity_links": [{"activity_link_id": id(&thursdays), "state": "attending", "continues": true}],
            "barriers": ["transport"], "unmet_needs": ["transport"]
        });
        let ended = step(&app, kaisa, &period, "end", ending).expect(200);
        assert_eq!((&ended["state"], &ended["unanswered_activity_links"]), (&json!("ended"), &json!(0)));
        made(&app, kaisa, &time, json!({"on": "2026-03-31", "minutes": 20, "kind": "documentation"}));
        app.clock.set_day("2026-04-01");
        // 60 + 47 minutes, 40 km at 0.55: to be handed in although the work is over.
        assert_eq!(paid(&app, lauri, "2026-03", "2026-04-01"), sums(107, "23.18", 40_000, "22.00", "45.18"));

        // What it has come to.
        let changes = items(app.user(kaisa).get(&format!("{period}/measures/changes")).send());
        let change_of = |name: &str| {
            let found = changes.iter().find(|one| one["instrument"] == name && one["item"].is_null()).unwrap();
            (found["change"].clone(), found["meaning"].clone())
        };
        assert_eq!(change_of("swemwbs"), (json!("3.30"), json!("reliable_improvement")));
        assert_eq!(change_of("ucla3").0, json!("-3.00"));
        let entries = seen(&app, kaisa, &time);
        assert_eq!(entries["total_minutes"], 120, "two hours of the coordinator");
        let sheets = items(app.user(kaisa).get("/v1/hour-sheets").send());
        let sum = |name: &str| sheets.iter().map(|one| one[name].as_i64().unwrap()).sum::<i64>();
        let cents = |name: &str| sheets.iter().map(|one| text(one, name).replace('.', "").parse::<i64>().unwrap()).sum::<i64>();
        assert_eq!(sheets.len(), 7);
        assert!(sheets.iter().all(|one| one["state"] == "paid"));
        // The client had 1 369 minutes of visits (one of them with two link workers, 15 taken back), the link workers are paid for 90 more.
        assert_eq!((sum("minutes"), sum("metres")), (345 + 61 + 90 + 210 + 586 + 60 + 107, 232_000));
        assert_eq!((cents("fee"), cents("mileage"), cents("total")), (31_612, 13_384, 44_996));

        // Feedback, and what each may see of it all.
        made(&app, aino, &feedback, said("end", "client_was_heard", "Uskallan taas lähteä yksin ulos."));
        made(&app, riikka, &feedback, said("end", "referrer_easy_to_refer", "Kuulin, miten kävi."));
        assert_eq!(items(app.user(kaisa).get(&feedback).send()).len(), 3);
        let told = each(app.user(riikka).get(&format!("{referral}/milestones")).send(), "milestone");
        assert_eq!(told.first().map(String::as_str), Some("in_review"));
        assert!(told.iter().any(|one| one == "support_started") && told.len() >= 4, "{told:?}");
        let links: Vec<_> = items(app.user(kaisa).get(&format!("{referral}/activity-links")).send())
            .iter()
            .map(|link| (text(link, "state"), link["continues"].clone(), link["barrier"].clone()))
            .collect();
        assert!(links.contains(&("attending".to_owned(), json!(true), Value::Null)), "{links:?}");
        assert!(links.contains(&("stopped".to_owned(), Value::Null, json!("transport"))), "{links:?}");
        assert!(items(app.user(aino).get("/v1/me/concerns").send()).is_empty());
        step(&app, kaisa, &concern, "release", json!({"words": "Puhuimme asiasta 20.11."})).expect(200);
        assert_eq!(items(app.user(aino).get("/v1/me/concerns").send()).len(), 1);
        let mine = items(app.user(aino).get("/v1/me/support-periods").send());
        assert_eq!((mine.len(), &mine[0]["state"]), (1, &json!("ended")));
        let closed = seen(&app, kaisa, &referral);
        assert_eq!((&closed["state"], &closed["closure"]["outcome"], &closed["closure"]["route"]), (&json!("closed"), &json!("completed_as_planned"), &json!("link_worker")));
        assert_eq!(seen(&app, riikka, &referral)["closure"]["outcome"], "completed_as_planned");
        app.user(lauri).get(&period).send().problem(404, "not_found");
        assert_eq!(items(app.user(lauri).get("/v1/hour-sheets").send()).len(), 4, "own sheets stay");
    }
}
