//! The table of all operations once more, for those whose relation to the case is over, or to whom there never was one: roles that ended yesterday, a
//! link worker whose assignment has ended, cases that were entered in error, drafts that were deleted, ids of nothing. The cases are made once for each
//! relation and serve all calls, because nothing may come of any of them.

use std::collections::BTreeMap;

use lahete_domain::access::Action;
use lahete_domain::codes::Role;
use lahete_domain::ids::{Id as _, ReferralId};
use lahete_persistence::{Db, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::http::cases::{Built, Origin, Stage, prepare};
use crate::http::matrix::{Documented, EVERYBODY, Guard, Line, Who, call, documented, lines};
use crate::support::database::wait;
use crate::support::{Kind, Reply, TestApp, golden};

/// What has become of the relation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    /// All roles of the programme ended yesterday, and its machine was revoked.
    RoleEnded,
    /// The cases were withdrawn: the link worker's assignments ended with them.
    AssignmentEnded,
    /// The cases should never have existed.
    EnteredInError,
    /// The drafts were deleted.
    DraftDeleted,
    /// The ids are those of nothing.
    Absent,
}

const ALL: [Relation; 5] =
    [Relation::Absent, Relation::DraftDeleted, Relation::AssignmentEnded, Relation::EnteredInError, Relation::RoleEnded];

/// Words of the case that stand in no refusal and no list of somebody who may not see it.
pub const CANARIES: &[&str] =
    &["Aino", "555 0101", "070542", "1942-05-07", "ulkoilemaan", "Juttelimme", "Kerhoon", "joka laulaa", "Sovittu.", "Jääkaappi"];

type Cases = BTreeMap<(Origin, Stage), Built>;

/// What the privacy officer does about others leaves nobody a relation to lose.
fn lines_of_the_client() -> impl Iterator<Item = Line> {
    lines().into_iter().filter(|line| !line.stage.is_strangers())
}

fn cases(app: &TestApp) -> Cases {
    prepare(app);
    let mut cases = Cases::new();
    for line in lines_of_the_client() {
        let key = (line.origin, line.stage);
        if let std::collections::btree_map::Entry::Vacant(place) = cases.entry(key) {
            place.insert(Built::new(app, line.origin, line.stage));
        }
    }
    cases
}

impl Relation {
    /// Makes it so.
    fn come_about(self, app: &TestApp, cases: &mut Cases) {
        let people = app.world.own;
        match self {
            Self::Absent => {
                let things: Vec<String> = documented().values().flat_map(|operation| names(&operation.path)).collect();
                for built in cases.values_mut() {
                    for name in things.iter().filter(|name| *name != "name") {
                        built.set(name, &Uuid::now_v7().to_string());
                    }
                }
            }
            Self::DraftDeleted => {
                for ((_, stage), built) in cases.iter() {
                    if *stage == Stage::Draft {
                        let id = ReferralId::from_uuid(built.id("referral_id").parse().unwrap());
                        let deleted: Result<(), StoreError> = wait(app.store.write(move |db: &mut Db<'_>| db.referral_delete_draft(id)));
                        deleted.unwrap();
                    }
                }
            }
            Self::AssignmentEnded => cases.values().for_each(|built| built.finish(app)),
            Self::EnteredInError => {
                for ((_, stage), built) in cases.iter() {
                    if !matches!(stage, Stage::Settings | Stage::Draft) {
                        let path = format!("/v1/referrals/{}", built.id("referral_id"));
                        let version = app.user(people.coordinator).get(&path).send().version();
                        let admin = app.user(people.admin).post(&format!("{path}/mark-as-error")).if_match(version);
                        admin.json(json!({"reason": "Väärä henkilö."})).send().expect(200);
                    }
                }
            }
            Self::RoleEnded => {
                let admin = app.user(people.admin);
                let machine = format!("/v1/api-clients/{}", people.machine);
                let version = admin.get(&machine).send().version();
                admin.post(&format!("{machine}/revoke")).if_match(version).send();
                wait(app.store.write(|db: &mut Db<'_>| db.schema_end_all_roles("2026-11-21"))).unwrap();
            }
        }
    }

    /// The answer that must come: `None` where the relation takes nothing away from this caller.
    fn refusal(self, who: &Who, line: &Line, operation: &Documented) -> Option<&'static [u16]> {
        const GONE: Option<&[u16]> = Some(&[404]);
        if who.role.is_none() {
            return if matches!(line.guard, Guard::Public) { None } else { Some(&[401]) };
        }
        let usual = who.expected(line);
        // Whoever recorded a concern keeps it, whatever becomes of the case: it is they who must or may report it.
        let keeps = matches!(line.guard, Guard::Case(Action::ConcernView | Action::ConcernUpdate | Action::ConcernRelease));
        if keeps && who.role == Some(Role::LinkWorker) && matches!(self, Self::AssignmentEnded | Self::EnteredInError) {
            return None;
        }
        match self {
            Self::Absent => {
                let named = names(&operation.path).iter().any(|name| name != "name");
                named.then_some(&[404][..])
            }
            Self::DraftDeleted => {
                if line.stage == Stage::Draft {
                    GONE
                } else {
                    None
                }
            }
            Self::AssignmentEnded | Self::EnteredInError => {
                let case = matches!(line.guard, Guard::Case(_));
                let untouched = matches!(line.stage, Stage::Settings | Stage::Draft);
                if case && !untouched && who.role == Some(Role::LinkWorker) {
                    return GONE;
                }
                // Whoever was refused before is refused as before; what the others still may is another test's.
                if case && !untouched {
                    match usual {
                        403 => Some(&[403]),
                        404 => GONE,
                        _ => None,
                    }
                } else {
                    None
                }
            }
            Self::RoleEnded => {
                if !who.own_programme {
                    return None;
                }
                if who.role == Some(Role::Integration) {
                    return if matches!(line.guard, Guard::Public) { None } else { Some(&[401]) };
                }
                match line.guard {
                    Guard::Case(_) | Guard::Programme(_) | Guard::Worker(_) => GONE,
                    Guard::Visible(_) | Guard::Create | Guard::NewProgramme | Guard::Anywhere(_) => Some(&[403]),
                    Guard::List(_) | Guard::Mine | Guard::Token => Some(&[200]),
                    Guard::Public => None,
                }
            }
        }
    }
}

fn names(path: &str) -> Vec<String> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name.to_owned()).collect()
}

fn leaks(reply: &Reply, built: &Built) -> Vec<String> {
    let ids = [
        "referral_id",
        "client_id",
        "support_period_id",
        "visit_id",
        "time_entry_id",
        "goal_id",
        "measure_id",
        "assignment_id",
        "activity_link_id",
        "consent_id",
        "concern_id",
    ];
    let known: Vec<String> = built.ids().filter(|(name, _)| ids.contains(name)).map(|(_, id)| id.to_owned()).collect();
    // A problem names the path that was asked for, which the caller knows.
    let told = if reply.status >= 400 { Vec::new() } else { known };
    CANARIES.iter().map(|word| (*word).to_owned()).chain(told).filter(|word| reply.text.contains(word.as_str())).collect()
}

fn everybody_is_refused(kind: Kind) {
    let documented = documented();
    let mut summary = String::from("# relation: calls made, and how they were answered\n\n");
    for relation in ALL {
        let app = TestApp::start(kind);
        let mut cases = cases(&app);
        relation.come_about(&app, &mut cases);
        let (mut faults, mut calls) = (Vec::new(), BTreeMap::<u16, usize>::new());
        for line in lines_of_the_client() {
            // A machine's secret is not a relation to a case.
            if line.operation == "token_issue" {
                continue;
            }
            let operation = &documented[line.operation];
            let built = &cases[&(line.origin, line.stage)];
            for who in EVERYBODY {
                let Some(wanted) = relation.refusal(who, &line, operation) else { continue };
                let reply = call(&who.caller(&app), operation, &line, built).send();
                *calls.entry(reply.status).or_default() += 1;
                let at = || format!("{relation:?}: {} [{} {}] {}", line.operation, line.origin.name(), line.stage.name(), who.name);
                if !wanted.contains(&reply.status) {
                    faults.push(format!("{}: {} instead of {wanted:?}: {}", at(), reply.status, reply.text));
                }
                let leaks = leaks(&reply, built);
                if !leaks.is_empty() {
                    faults.push(format!("{}: {leaks:?} in {}", at(), reply.text));
                }
            }
        }
        assert!(faults.is_empty(), "{} wrong:\n{}", faults.len(), faults.join("\n"));
        let by_status: Vec<String> = calls.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        summary += &format!("{relation:?}: {} calls; {}\n", calls.values().sum::<usize>(), by_status.join(", "));
    }
    golden::expect("http_relations.txt", &summary);
}

#[test]
fn whose_relation_is_over_gets_nothing_sqlite() {
    everybody_is_refused(Kind::Sqlite);
}

#[test]
fn whose_relation_is_over_gets_nothing_postgresql() {
    everybody_is_refused(Kind::Postgresql);
}
