//! Writing, sending and deciding, as the people do it.

use serde_json::json;

use crate::support::app::text;
use crate::support::on_both;

/// A referral that a nurse writes and sends in one call.
pub fn complete() -> serde_json::Value {
    json!({
        "client": {
            "given_name": "Aino", "family_name": "Esimerkki", "birth_date": "1942-05-07", "municipality": "758", "phone": "+358 40 555 0101",
            "sex": "female", "lives_at_home": true
        },
        "referrer": {"name": "Riikka Lähettäjä", "feedback_wanted": true},
        "reasons": ["loneliness", "outdoors"],
        "wish": "Haluaisin taas ulkoilemaan jonkun kanssa.",
        "written_together": true,
        "not_a_service_acknowledged": true,
        "consent": {
            "purposes": ["process_referral", "share_with_link_worker", "feedback_to_referrer", "evaluation"],
            "text_version": "2026-1", "language": "fi", "method": "written", "given_with": "Riikka Lähettäjä"
        },
        "submit": true
    })
}

on_both! {
    fn a_nurse_sends_a_referral_and_a_coordinator_takes_it(app: TestApp) {
        let people = app.world.own;
        let reply = app.user(people.referrer).post("/v1/referrals").json(complete()).send();
        let version = reply.version();
        let sent = reply.expect(201);
        assert_eq!(sent["state"], "submitted");
        let path = format!("/v1/referrals/{}", text(&sent, "id"));
        let list = app.user(people.coordinator).get("/v1/referrals?state=submitted").send().expect(200);
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!(list["items"][0]["client_name"], "Aino Esimerkki");
        let taken = app.user(people.coordinator).post(&format!("{path}/review")).if_match(version).json(json!({})).send().expect(200);
        assert_eq!(taken["state"], "in_review");
        assert_eq!(taken["client"]["contact"]["phone"], "+358 40 555 0101");
        let seen = app.user(people.referrer).get(&path).send().expect(200);
        assert_eq!(seen["client"]["contact"], serde_json::Value::Null, "the referrer does not see contact data after sending");
        let timeline = app.user(people.referrer).get(&format!("{path}/timeline")).send().expect(200);
        assert_eq!(timeline["items"].as_array().unwrap().len(), 3, "{timeline}");
        app.user(app.world.other.coordinator).get(&path).send().problem(404, "not_found");
        app.nobody().get(&path).send().problem(401, "unauthenticated");
    }
}
