//! A coordinator asks, and the one who was asked answers.

use serde_json::{Value, json};

use super::{each, sign_in_of, step, taken, version};
use crate::http::referrals::complete;
use crate::support::on_both;

fn ask(recipient: &str) -> Value {
    json!({"recipient": recipient, "question": "Puhuuko Aino mieluummin suomea vai pohjoissaamea?"})
}

on_both! {
    fn the_referrer_answers_what_the_referrer_was_asked(app: TestApp) {
        let people = app.world.own;
        let path = taken(&app, complete());
        sign_in_of(&app, &path, people.client);
        let fault = step(&app, people.coordinator, &path, "request-information", ask("coordinator")).problem(422, "invalid");
        assert_eq!(fault["errors"][0]["pointer"], "/recipient");
        let asked = step(&app, people.coordinator, &path, "request-information", ask("referrer")).expect(200);
        assert_eq!((&asked["state"], &asked["asked"]), (&json!("awaiting_information"), &json!("referrer")));
        assert_eq!(app.user(people.referrer).get(&path).send().expect(200)["asked"], "referrer");

        let answer = json!({"answer": "Suomea."});
        step(&app, people.client, &path, "answer", answer.clone()).problem(409, "no_open_question");
        step(&app, people.other_referrer, &path, "answer", answer.clone()).problem(404, "not_found");
        step(&app, people.link_worker, &path, "answer", answer.clone()).problem(404, "not_found");
        step(&app, app.world.other.coordinator, &path, "answer", answer.clone()).problem(404, "not_found");
        let answered = step(&app, people.referrer, &path, "answer", answer.clone()).expect(200);
        assert_eq!(answered["state"], "in_review");
        let twice = step(&app, people.referrer, &path, "answer", answer).problem(409, "wrong_state");
        assert_eq!(twice["params"]["state"], "in_review");

        let messages = format!("{path}/messages");
        assert_eq!(each(app.user(people.referrer).get(&messages).send(), "kind"), ["question", "answer"]);
        assert_eq!(each(app.user(people.coordinator).get(&messages).send(), "sender"), ["coordinator", "referrer"]);
        assert!(each(app.user(people.client).get(&messages).send(), "kind").is_empty(), "what the referrer was asked is between the two");
        app.user(people.other_referrer).get(&messages).send().problem(404, "not_found");
    }
}

on_both! {
    fn the_client_answers_and_a_coordinator_writes_down_what_was_said_on_the_telephone(app: TestApp) {
        let people = app.world.own;
        let path = taken(&app, complete());
        sign_in_of(&app, &path, people.client);
        step(&app, people.coordinator, &path, "request-information", ask("client")).expect(200);
        step(&app, people.referrer, &path, "answer", json!({"answer": "Arvelen että suomea."})).problem(409, "no_open_question");
        let answered = step(&app, people.client, &path, "answer", json!({"answer": "Davvisámegiella."})).expect(200);
        assert_eq!(answered["state"], "in_review");

        step(&app, people.coordinator, &path, "request-information", ask("client")).expect(200);
        let noted = step(&app, people.coordinator, &path, "answer", json!({"answer": "Molemmat käyvät."})).expect(200);
        assert_eq!(noted["state"], "in_review");
        let messages = format!("{path}/messages");
        assert_eq!(each(app.user(people.client).get(&messages).send(), "sender"), ["coordinator", "client", "coordinator", "client"]);
        assert!(each(app.user(people.referrer).get(&messages).send(), "sender").is_empty(), "what the client was asked is between the two");

        step(&app, people.coordinator, &path, "request-information", ask("client")).expect(200);
        let closed = json!({"outcome": "declined", "end_reason": "insufficient_information"});
        assert_eq!(step(&app, people.coordinator, &path, "close", closed).expect(200)["state"], "closed");
        assert_eq!(version(&app, &path), app.user(people.client).get(&path).send().version());
    }
}
