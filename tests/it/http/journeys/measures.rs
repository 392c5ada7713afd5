//! Instruments as data: what is asked, how it scores, what has changed; words that a licensee loads; groups.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{about, end, id, in_support, items, sign_in_of, step};
use crate::http::referrals::complete;
use crate::support::app::text;
use crate::support::{TestApp, on_both};

fn record(app: &TestApp, period: &str, body: Value) -> crate::support::Reply {
    app.user(app.world.own.link_worker).post(&format!("{period}/measures")).json(body).send()
}

fn answered(instrument: &str, timepoint: &str, answers: &[u8]) -> Value {
    json!({"instrument": instrument, "timepoint": timepoint, "mode": "interview", "answers": answers})
}

/// Instrument or item, difference and meaning of each change.
fn changes(app: &TestApp, period: &str) -> Vec<(String, Value, String)> {
    let list = items(app.user(app.world.own.coordinator).get(&format!("{period}/measures/changes")).send());
    list.iter()
        .map(|change| {
            let of = change["item"].as_str().or(change["instrument"].as_str()).unwrap();
            (of.to_owned(), change["change"].clone(), text(change, "meaning"))
        })
        .collect()
}

on_both! {
    fn every_instrument_scores_as_its_authors_say(app: TestApp) {
        let (_, period) = in_support(&app, complete());
        let seen = items(app.nobody().get("/v1/measure-instruments").send());
        let names: Vec<_> = seen.iter().map(|instrument| text(instrument, "instrument")).collect();
        assert_eq!(names, ["swemwbs", "recommendation", "ons4", "ucla3", "who5", "esis", "gas"]);
        assert_eq!(seen[0]["scoring"]["table"].as_array().map(Vec::len), Some(29));
        assert_eq!((&seen[0]["reliable_change"], &seen[0]["no_change_below"]), (&json!("2.87"), &json!("1.03")));
        assert!(text(&seen[0], "notice").contains("NHS Health Scotland"));

        // Four questions are four scores, each with its band; anxiety points the other way.
        let ons4 = record(&app, &period, answered("ons4", "start", &[4, 5, 8, 7])).expect(201);
        assert_eq!((&ons4["score"], &ons4["raw_score"]), (&Value::Null, &Value::Null));
        let bands: Vec<_> = ons4["scores"].as_array().unwrap().iter().map(|one| (text(one, "score"), text(one, "band"))).collect();
        let expected = [("4.00", "low"), ("5.00", "medium"), ("8.00", "high"), ("7.00", "high")];
        assert_eq!(bands, expected.map(|(score, band)| (score.to_owned(), band.to_owned())));
        let ucla3 = record(&app, &period, answered("ucla3", "start", &[3, 2, 3])).expect(201);
        assert_eq!((&ucla3["score"], &ucla3["instrument_version"]), (&json!("8.00"), &json!(1)));
        let who5 = record(&app, &period, answered("who5", "start", &[2, 2, 3, 2, 3])).expect(201);
        assert_eq!((&who5["raw_score"], &who5["score"]), (&json!("12"), &json!("48.00")));

        // A gap is kept without a score, or refused, as the instrument says.
        let gap = json!({"instrument": "swemwbs", "timepoint": "end", "mode": "self", "answers": [3, 3, null, 3, 3, 3, 3]});
        let kept = record(&app, &period, gap).expect(201);
        assert_eq!((&kept["answers"][2], &kept["score"]), (&Value::Null, &Value::Null));
        let gap = json!({"instrument": "recommendation", "timepoint": "end", "mode": "self", "answers": [null]});
        assert_eq!(record(&app, &period, gap).problem(422, "invalid")["errors"][0]["code"], "answer_missing");
        for (instrument, answers, code) in [
            ("ucla3", vec![1, 2], "wrong_number_of_answers"),
            ("ucla3", vec![1, 2, 4], "out_of_range"),
            ("gas", vec![1], "wrong_form"),
            ("unheard_of", vec![1], "not_found"),
        ] {
            let reply = record(&app, &period, answered(instrument, "end", &answers));
            assert_eq!(reply.problem(422, "invalid")["errors"][0]["code"], code, "{instrument}");
        }
        record(&app, &period, answered("ucla3", "start", &[1, 1, 1])).problem(409, "measure_already_recorded");
        let list = items(app.user(app.world.own.coordinator).get(&format!("{period}/measures")).send());
        let count = |name: &str| list.iter().filter(|measure| measure["instrument"] == name).count();
        assert_eq!((list.len(), count("swemwbs"), count("ons4")), (5, 2, 1), "what was refused is not there");
        assert_eq!(list.iter().find(|one| one["instrument"] == "ons4").unwrap(), &ons4);
    }
}

on_both! {
    fn goals_come_to_a_t_score(app: TestApp) {
        let (_, period) = in_support(&app, complete());
        let (_, other) = in_support(&app, about("Toinen"));
        let worker = app.user(app.world.own.link_worker);
        let goal = |period: &str, words: &str| text(&worker.post(&format!("{period}/goals")).json(json!({"words": words})).send().expect(201), "id");
        let (first, second, foreign) = (goal(&period, "Kerhoon."), goal(&period, "Kauppaan."), goal(&other, "Uimaan."));
        let gas = |timepoint: &str, goals: &[(&str, i8, u8)]| {
            let goals: Vec<_> = goals.iter().map(|(goal, attained, weight)| json!({"goal_id": goal, "attained": attained, "weight": weight})).collect();
            json!({"instrument": "gas", "timepoint": timepoint, "mode": "helped", "goals": goals})
        };
        let scored = record(&app, &period, gas("start", &[(&first, -2, 1)])).expect(201);
        assert_eq!((&scored["score"], &scored["goals"][0]["goal_id"], &scored["answers"]), (&json!("30.00"), &json!(first), &Value::Null));
        let scored = record(&app, &period, gas("end", &[(&first, 2, 3), (&second, -1, 1)])).expect(201);
        assert_eq!((&scored["score"], &scored["raw_score"]), (&json!("64.56"), &json!("5")));
        assert_eq!(changes(&app, &period), [("gas".to_owned(), json!("34.56"), "not_defined".to_owned())]);
        let problem = record(&app, &other, gas("end", &[(&first, 0, 1)])).problem(422, "invalid");
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/goals/0/goal_id"), &json!("not_found")));
        let twice = record(&app, &other, gas("end", &[(&foreign, 0, 1), (&foreign, 1, 1)])).problem(422, "invalid");
        assert_eq!(twice["errors"][0]["code"], "wrong_goals");
        for bad in [gas("end", &[(&foreign, 3, 1)]), gas("end", &[(&foreign, 0, 0)]), gas("end", &[])] {
            record(&app, &other, bad).problem(422, "invalid");
        }
        let three: Vec<_> = ["a", "b"].iter().map(|words| goal(&other, words)).chain([foreign]).collect();
        let all = |attained| three.iter().map(|goal| (goal.as_str(), attained, 1)).collect::<Vec<_>>();
        assert_eq!(record(&app, &other, gas("start", &all(0))).expect(201)["score"], "50.00");
        assert_eq!(record(&app, &other, gas("end", &all(1))).expect(201)["score"], "63.69");
    }
}

on_both! {
    fn a_change_is_told_with_what_it_means(app: TestApp) {
        let (referral, period) = in_support(&app, complete());
        assert!(changes(&app, &period).is_empty(), "one end is no change");
        // 17.98 at the start, as every support of these tests.
        record(&app, &period, answered("swemwbs", "end", &[4, 4, 3, 3, 3, 3, 3])).expect(201);
        for (timepoint, ons4, ucla3, who5) in [("start", [4, 5, 8, 7], [3, 2, 3], [2, 2, 3, 2, 3]), ("end", [6, 5, 8, 3], [2, 2, 2], [3, 2, 3, 3, 4])] {
            record(&app, &period, answered("ons4", timepoint, &ons4)).expect(201);
            record(&app, &period, answered("ucla3", timepoint, &ucla3)).expect(201);
            record(&app, &period, answered("who5", timepoint, &who5)).expect(201);
        }
        let told = |of: &str, change: &str, meaning: &str| (of.to_owned(), json!(change), meaning.to_owned());
        let mut seen = changes(&app, &period);
        seen.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(seen, [
            told("anxious_yesterday", "-4.00", "not_defined"),
            told("happy_yesterday", "0.00", "not_defined"),
            told("satisfaction", "2.00", "not_defined"),
            told("swemwbs", "2.75", "uncertain"),
            told("ucla3", "-2.00", "not_defined"),
            told("who5", "12.00", "reliable_improvement"),
            told("worthwhile", "0.00", "not_defined"),
        ]);

        // Nothing is said about what was not answered at both ends.
        let (_, other) = in_support(&app, about("Toinen"));
        let missing = json!({"instrument": "swemwbs", "timepoint": "end", "missing_reason": "declined"});
        record(&app, &other, missing).expect(201);
        assert!(changes(&app, &other).is_empty());
        record(&app, &other, answered("swemwbs", "follow_up", &[4, 4, 4, 4, 4, 3, 3])).expect(201);
        assert_eq!(changes(&app, &other), [told("swemwbs", "5.23", "reliable_improvement")]);

        // Who reads it: whoever works on the case, and the client.
        sign_in_of(&app, &referral, app.world.own.client);
        let path = format!("{period}/measures/changes");
        assert_eq!(items(app.user(app.world.own.client).get(&path).send()).len(), 7);
        for stranger in [app.world.own.referrer, app.world.own.other_link_worker, app.world.other.coordinator, app.world.own.report_reader] {
            app.user(stranger).get(&path).send().problem(404, "not_found");
        }
        let worker = app.user(app.world.own.link_worker);
        worker.get(&path).send().expect(200);
        record(&app, &period, answered("recommendation", "end", &[9])).expect(201);
        let mut ending = end("2026-11-22");
        ending.as_object_mut().unwrap().retain(|name, _| !name.starts_with("end_m") && !name.starts_with("end_reco"));
        step(&app, app.world.own.coordinator, &period, "end", ending).expect(200);
        worker.get(&path).send().problem(404, "not_found");
        record(&app, &period, answered("ucla3", "follow_up", &[1, 1, 1])).problem(404, "not_found");
        app.user(app.world.own.coordinator).post(&format!("{period}/measures")).json(answered("ucla3", "follow_up", &[1, 1, 1])).send().expect(201);
    }
}

on_both! {
    fn a_client_answers_for_themself(app: TestApp) {
        let people = app.world.own;
        let (referral, period) = in_support(&app, complete());
        sign_in_of(&app, &referral, people.client);
        let path = format!("{period}/measures");
        let give = |body: Value| app.user(people.client).post(&path).json(body).send();
        let own = json!({"instrument": "ucla3", "timepoint": "start", "mode": "self", "answers": [1, 2, 2]});
        let mut helped = own.clone();
        helped["mode"] = json!("interview");
        assert_eq!(give(helped).problem(422, "invalid")["errors"][0]["code"], "own_answers_only");
        assert_eq!(give(own.clone()).expect(201)["score"], "5.00");
        let not_asked = json!({"instrument": "who5", "timepoint": "start", "missing_reason": "not_asked"});
        assert_eq!(give(not_asked).problem(422, "invalid")["errors"][0]["pointer"], "/missing_reason");
        give(json!({"instrument": "who5", "timepoint": "start", "missing_reason": "declined"})).expect(201);
        app.user(people.other_client).post(&path).json(own).send().problem(404, "not_found");
        let line = items(app.user(people.client).get(&format!("{referral}/timeline")).send()).pop().unwrap();
        assert_eq!((&line["kind"], &line["role"]), (&json!("measure_recorded"), &json!("client")));
    }
}

on_both! {
    fn esis_is_for_groups_until_a_programme_decides_otherwise(app: TestApp) {
        let people = app.world.own;
        let (admin, coordinator, programme) = (app.user(people.admin), app.user(people.coordinator), people.programme.to_string());
        let (_, period) = in_support(&app, complete());
        let esis = |timepoint: &str| answered("esis", timepoint, &[4, 4, 4, 4, 4, 4, 4, 3, 3, 3]);
        record(&app, &period, esis("start")).problem(409, "instrument_for_groups");
        record(&app, &period, json!({"instrument": "esis", "timepoint": "start", "missing_reason": "not_asked"})).expect(201);
        let switch = "/v1/measure-instruments/esis/individual-use";
        let reason = json!({"programme_id": programme, "reason": "Tutkimuslupa 12/2026."});
        coordinator.post(switch).json(reason.clone()).send().problem(403, "forbidden");
        app.user(app.world.other.admin).post(switch).json(reason.clone()).send().problem(404, "not_found");
        admin.post(switch).json(json!({"programme_id": programme})).send().problem(422, "invalid");
        admin.post("/v1/measure-instruments/who5/individual-use").json(reason.clone()).send().problem(409, "individual_use_free");
        admin.post(&format!("{switch}/end")).json(reason.clone()).send().problem(409, "individual_use_not_begun");
        let begun = admin.post(switch).json(reason.clone()).send().expect(201);
        assert_eq!((&begun["begun_by"], &begun["begun_at"]), (&json!(people.admin.to_string()), &json!("2026-11-22T10:00:00.000000Z")));
        admin.post(switch).json(reason.clone()).send().problem(409, "individual_use_begun");
        let seen = coordinator.get(&format!("/v1/measure-instruments/esis?programme_id={programme}")).send().expect(200);
        assert_eq!((&seen["single_persons"], &seen["individual_use"]["reason"]), (&json!(true), &json!("Tutkimuslupa 12/2026.")));
        assert_eq!(record(&app, &period, esis("end")).expect(201)["score"], "67.50");
        let elsewhere = app.world.other.programme;
        let other = app.user(app.world.other.coordinator).get(&format!("/v1/measure-instruments/esis?programme_id={elsewhere}")).send();
        assert_eq!(other.expect(200)["single_persons"], false, "one programme decides for itself alone");
        let ended = admin.post(&format!("{switch}/end")).json(json!({"programme_id": programme, "reason": "Tutkimus päättyi."})).send().expect(200);
        assert_eq!(ended["end_reason"], "Tutkimus päättyi.");
        record(&app, &period, esis("follow_up")).problem(409, "instrument_for_groups");
        admin.post(switch).json(reason).send().expect(201);
    }
}

on_both! {
    fn a_group_answers_without_names(app: TestApp) {
        let people = app.world.own;
        let (coordinator, programme) = (app.user(people.coordinator), people.programme.to_string());
        let path = "/v1/measure-instruments/esis/group-answers";
        let group = |points: &[u8], on: &str| {
            let answers: Vec<_> = points.iter().map(|point| vec![*point; 10]).collect();
            json!({"programme_id": programme, "held_on": on, "answers": answers})
        };
        let made = coordinator.post(path).json(group(&[5, 1, 3, 1, 4], "2026-11-20")).send().expect(201);
        // 0, 0, 50, 75 and 100.
        assert_eq!((&made["people"], &made["mean_score"]), (&json!(5), &json!("45.00")));
        assert_eq!(made["answers"][4][0], 5, "sorted: who handed in first is not to be seen");
        coordinator.post(path).json(group(&[5, 1, 3, 1], "2026-11-20")).send().problem(422, "invalid");
        let tomorrow = coordinator.post(path).json(group(&[5, 1, 3, 1, 4], "2026-11-23")).send();
        assert_eq!(tomorrow.problem(422, "invalid")["errors"][0]["pointer"], "/held_on");
        let off = coordinator.post(path).json(group(&[5, 1, 9, 1, 4], "2026-11-20")).send().problem(422, "invalid");
        assert_eq!((&off["errors"][0]["pointer"], &off["errors"][0]["code"]), (&json!("/answers/2"), &json!("out_of_range")));
        coordinator.post(path).json(group(&[2; 6], "2026-11-22")).send().expect(201);
        let list = |who| app.user(who).get(&format!("{path}?programme_id={programme}")).send();
        assert_eq!(items(list(people.coordinator)).iter().map(|one| text(one, "held_on")).collect::<Vec<_>>(), ["2026-11-22", "2026-11-20"]);
        list(people.link_worker).problem(403, "forbidden");
        list(app.world.other.coordinator).problem(404, "not_found");
        let first = coordinator.get(&format!("{path}?programme_id={programme}&limit=1")).send().expect(200);
        let next = coordinator.get(first["page"]["next"].as_str().unwrap()).send();
        assert_eq!(items(next)[0]["held_on"], "2026-11-20");
    }
}

on_both! {
    fn words_belong_to_whoever_holds_the_licence(app: TestApp) {
        let people = app.world.own;
        let (admin, programme) = (app.user(people.admin), people.programme.to_string());
        let path = "/v1/measure-instruments/ucla3";
        let keys = ["companionship", "left_out", "isolated"];
        let items_of = |keys: &[&str]| keys.iter().map(|key| json!({"key": key, "text": format!("(paikka: {key})")})).collect::<Vec<_>>();
        let words = |language: &str| {
            let labels = [json!({"answer": 1, "text": "harvoin"}), json!({"answer": 3, "text": "usein"})];
            json!({
                "programme_id": programme, "language": language, "items": items_of(&keys), "answer_labels": labels,
                "licence_ref": "Lupa 1", "text_source": "Lomake 1"
            })
        };
        let loaded = admin.post(&format!("{path}/texts")).json(words("sms")).send().expect(201);
        assert_eq!((&loaded["instrument_version"], &loaded["items"][1]["key"]), (&json!(1), &json!("left_out")));
        admin.post(&format!("{path}/texts")).json(words("sms")).send().problem(409, "measure_text_exists");
        admin.post(&format!("{path}/texts")).json(words("rmn-kalo")).send().expect(201);
        app.user(people.coordinator).post(&format!("{path}/texts")).json(words("fi")).send().problem(403, "forbidden");
        app.user(app.world.other.admin).post(&format!("{path}/texts")).json(words("fi")).send().problem(404, "not_found");
        let mut other_order = words("fi");
        other_order["items"] = json!(items_of(&["left_out", "companionship", "isolated"]));
        assert_eq!(admin.post(&format!("{path}/texts")).json(other_order).send().problem(422, "invalid")["errors"][0]["pointer"], "/items");
        let mut off_scale = words("fi");
        off_scale["answer_labels"][0]["answer"] = json!(0);
        let problem = admin.post(&format!("{path}/texts")).json(off_scale).send().problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/answer_labels");

        let view = format!("{path}?programme_id={programme}&language=sms");
        for reader in [people.client, people.link_worker, people.coordinator, people.referrer] {
            let seen = app.user(reader).get(&view).send().expect(200);
            assert_eq!(seen["texts"]["items"][0]["text"], "(paikka: companionship)");
        }
        let without = app.user(people.coordinator).get(&format!("{path}?programme_id={programme}&language=fi")).send().expect(200);
        assert_eq!(without["texts"], Value::Null);
        for stranger in [app.world.other.coordinator, app.world.other.client, app.world.other.admin] {
            app.user(stranger).get(&view).send().problem(404, "not_found");
        }
        app.nobody().get(&view).send().problem(401, "unauthenticated");
        assert!(!app.nobody().get(&format!("/v1/measure-instruments?programme_id={programme}")).send().text.contains("paikka"));
        assert_eq!(items(admin.get(&format!("{path}/texts?programme_id={programme}")).send()).len(), 2);

        let removal = format!("/v1/measure-texts/{}/remove", text(&loaded, "id"));
        app.user(people.coordinator).post(&removal).send().problem(403, "forbidden");
        app.user(app.world.other.admin).post(&removal).send().problem(404, "not_found");
        admin.post(&removal).send().expect(200);
        admin.post(&removal).send().problem(404, "not_found");
        assert_eq!(admin.get(&view).send().expect(200)["texts"], Value::Null);
        admin.post(&format!("/v1/measure-texts/{}/remove", Uuid::now_v7())).send().problem(404, "not_found");
    }
}

on_both! {
    fn a_new_version_changes_no_old_answer(app: TestApp) {
        let people = app.world.own;
        let (admin, programme) = (app.user(people.admin), people.programme.to_string());
        let own = |factor: &str| json!({
            "programme_id": programme, "instrument": "everyday2", "title": "Arki", "items": [{"key": "up"}, {"key": "worried", "reversed": true}],
            "answer_min": 0, "answer_max": 4, "direction": "higher_is_better",
            "scoring": {"method": "linear", "minus": 0, "factor": factor}, "missing_rule": "refused", "reliable_change": "2", "no_change_below": "0.5",
            "bands": [{"from": "0", "until": "3", "band": "low"}, {"from": "3.01", "until": "20", "band": "high"}]
        });
        let (_, period) = in_support(&app, complete());
        assert_eq!(record(&app, &period, answered("everyday2", "start", &[1, 3])).problem(422, "invalid")["errors"][0]["pointer"], "/instrument");
        let path = "/v1/measure-instruments";
        app.user(people.coordinator).post(path).json(own("1")).send().problem(403, "forbidden");
        app.user(app.world.other.admin).post(path).json(own("1")).send().problem(404, "not_found");
        assert_eq!(admin.post(path).json(own("1")).send().expect(201)["version"], 1);
        let mut broken = own("1");
        broken["scoring"] = json!({"method": "sum_table", "table": ["0", "1"]});
        assert_eq!(admin.post(path).json(broken).send().problem(422, "invalid")["errors"][0]["pointer"], "/scoring");
        let mut broken = own("1");
        broken["bands"][1]["from"] = json!("3");
        assert_eq!(admin.post(path).json(broken).send().problem(422, "invalid")["errors"][0]["pointer"], "/bands");
        let mut known = own("1");
        known["scoring"] = json!({"method": "goal_attainment"});
        admin.post(path).json(known).send().problem(422, "invalid");

        // The second item points the other way: 1 and 4 − 3.
        let first = record(&app, &period, answered("everyday2", "start", &[1, 3])).expect(201);
        assert_eq!((&first["score"], &first["band"], &first["instrument_version"]), (&json!("2.00"), &json!("low"), &json!(1)));
        let (_, other) = in_support(&app, about("Toinen"));
        record(&app, &other, answered("everyday2", "start", &[1, 3])).expect(201);
        record(&app, &other, answered("everyday2", "end", &[1, 1])).expect(201);
        assert_eq!(changes(&app, &other), [("everyday2".to_owned(), json!("2.00"), "reliable_improvement".to_owned())]);

        assert_eq!(admin.post(path).json(own("2.5")).send().expect(201)["version"], 2);
        let second = record(&app, &period, answered("everyday2", "end", &[2, 2])).expect(201);
        assert_eq!((&second["score"], &second["instrument_version"]), (&json!("10.00"), &json!(2)));
        let measure = format!("/v1/measures/{}", text(&first, "id"));
        assert_eq!(app.user(people.coordinator).get(&measure).send().expect(200), first);
        assert_eq!(changes(&app, &period), [("everyday2".to_owned(), Value::Null, "not_comparable".to_owned())]);

        let listed = |programme: &str| items(app.nobody().get(&format!("{path}?programme_id={programme}")).send());
        let version = |list: &[Value]| list.iter().find(|one| one["instrument"] == "everyday2").map(|one| one["version"].clone());
        assert_eq!(version(&listed(&programme)), Some(json!(2)));
        assert_eq!(version(&listed(&app.world.other.programme.to_string())), None, "a programme has its own");
        let old = app.user(people.coordinator).get(&format!("{path}/everyday2?programme_id={programme}&instrument_version=1")).send().expect(200);
        assert_eq!(old["definition"]["scoring"]["factor"], "1.00");
        let none = format!("{path}/everyday2?programme_id={programme}&instrument_version=3");
        app.user(people.coordinator).get(&none).send().problem(404, "not_found");

        // Also a shipped one can be corrected; what begins and ends the support goes on with it.
        let mut corrected = own("1");
        corrected["instrument"] = json!("recommendation");
        corrected["items"] = json!([{"key": "willingness_to_recommend"}]);
        corrected["scoring"] = json!({"method": "single"});
        corrected["answer_max"] = json!(10);
        corrected["bands"] = json!([]);
        assert_eq!(admin.post(path).json(corrected).send().expect(201)["version"], 2);
        step(&app, people.coordinator, &other, "end", end("2026-11-22")).expect(200);
        let list = items(app.user(people.coordinator).get(&format!("{other}/measures")).send());
        let recommended = list.iter().find(|one| one["instrument"] == "recommendation").unwrap();
        assert_eq!((&recommended["instrument_version"], &recommended["score"]), (&json!(2), &json!("9.00")));
        assert_eq!(id(&other), text(recommended, "support_period_id"));
    }
}
