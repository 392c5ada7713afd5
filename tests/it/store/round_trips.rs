//! What is written is what is read, for every kind of thing that the program keeps.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;
use lahete_domain::activity::{Activity, ActivityLink, ActivityLinkState, OpeningTime, Place, Provider, Translation};
use lahete_domain::actor::{Caller, Validity};
use lahete_domain::assignment::{Assignment, AssignmentState};
use lahete_domain::client::{Birth, Client, ClientData, Contact};
use lahete_domain::codes::{
    AbsentParty, ActivityStatus, AnswerMode, AssignmentEndReason, Barrier, Code as _, ConsentMethod, ConsentPurpose, ContactChannel,
    ContactResult, ContentKind, ContractKind, DayOfWeek, DeclineReason, EndReason, EventKind, GoalOutcome, Instrument, Language,
    LinkWorkerStatus, MessageKind, MessageParty, MissingReason, OrganisationKind, Outcome, PauseReason, Priority, ReferralStateCode, Role,
    Route, Sector, SupportKind, Theme, Timepoint, TrainingKind, UnmetNeed, VisitAbsenceReason, VisitMode, VisitPurpose,
};
use lahete_domain::consent::Consent;
use lahete_domain::event::Event;
use lahete_domain::goal::{Goal, GoalStep, Teller, ToldOutcome};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::link_worker::{Contract, LinkWorker, Training};
use lahete_domain::measure::goal_attainment::GoalAnswer;
use lahete_domain::measure::shipped::shipped;
use lahete_domain::measure::{Answer, Answered, Measure};
use lahete_domain::message::{ContactAttempt, Message};
use lahete_domain::money::Cents;
use lahete_domain::programme::{MunicipalityCode, Programme, Terms};
use lahete_domain::referral::Source;
use lahete_domain::referral::state::{BackTo, ClosedBy, Closure, QueuePlace, ReferralState};
use lahete_domain::support_period::{EndProposal, SupportPeriodState};
use lahete_domain::user::{ApiClient, Organisation, RoleAssignment, User};
use lahete_domain::version::Version;
use lahete_domain::visit::{Visit, VisitContent, VisitState, VisitWorker};
use lahete_persistence::{PageRequest, StoreError};

use super::{Stage, client, day, fresh, now, store_test};
use crate::support::Kind;

fn all() -> PageRequest {
    PageRequest::first(100)
}

store_test! {
    fn a_programme_with_its_terms(stage: Stage) {
        let programme = Programme {
            id: fresh(),
            version: Version::FIRST,
            name: "Utsjoen hyvinvointilähete – Ohcejoga".to_owned(),
            controller: "Utsjoen kunta".to_owned(),
            privacy_notice_url: Some("https://hyvinvointilahete.example/tietosuoja".to_owned()),
            municipalities: ["890", "148"].iter().map(|code| MunicipalityCode::parse(code).unwrap()).collect(),
            active: true,
            refresher_months: 4,
        };
        let terms = Terms {
            id: fresh(),
            programme: programme.id,
            valid_from: day("2026-01-01"),
            max_months: 4,
            max_minutes_per_month: 480,
            fee_per_hour: Cents(1450),
        };
        let changed = Programme { name: "Toinen".to_owned(), privacy_notice_url: None, municipalities: BTreeSet::new(), active: false, refresher_months: 12, ..programme.clone() };
        let (id, first, second, agreed) = (programme.id, programme.clone(), changed.clone(), terms.clone());
        stage.put(move |db| {
            db.programme_insert(&first)?;
            db.terms_insert(&agreed)
        });
        assert_eq!(stage.read(move |db| db.programme_get(id)), Some(programme));
        assert_eq!(stage.read(move |db| db.terms_of(id)), std::slice::from_ref(&terms));
        assert_eq!(stage.read(move |db| db.terms_list(id, &all())).items, [terms]);
        stage.put(move |db| db.programme_update(&second, Version::FIRST));
        let stored = stage.read(move |db| db.programme_list(&[id], &all())).items;
        assert_eq!(stored, [Programme { version: Version::FIRST.next(), ..changed }]);
    }
}

store_test! {
    fn an_organisation_a_user_a_role_and_a_machine(stage: Stage) {
        let people = stage.own;
        let organisation = Organisation {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            name: "Äijänkylän marttayhdistys".to_owned(),
            kind: OrganisationKind::Association,
            sector: Some(Sector::Association),
            municipality: None,
            active: true,
        };
        let user = User {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            login: "märta".to_owned(),
            name: "Märta Öhman".to_owned(),
            active: true,
        };
        let role = RoleAssignment {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            user: user.id,
            role: Role::Coordinator,
            organisation: Some(organisation.id),
            validity: Validity { from: day("2026-02-28"), until: Some(day("2027-02-28")) },
            given_by: Some(people.admin),
            given_at: now(),
        };
        let machine = ApiClient {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            name: "Potilastietojärjestelmä".to_owned(),
            source_system: "ehr-x".to_owned(),
            secret_expires_at: Some(now().plus_days(90)),
            old_secret_until: None,
            secret_used_at: None,
            active: true,
            created_at: now(),
            organisations: BTreeSet::from([organisation.id, people.organisation]),
        };
        let written = (organisation.clone(), user.clone(), role.clone(), machine.clone());
        stage.put(move |db| {
            db.organisation_insert(&written.0)?;
            db.user_insert(&written.1, Some("$argon2id$made-up"))?;
            db.role_assignment_insert(&written.2)?;
            db.api_client_insert(&written.3, &[7; 32])
        });
        let (id, user_id, role_id, machine_id) = (organisation.id, user.id, role.id, machine.id);
        assert_eq!(stage.read(move |db| db.organisation_get(id)), Some(organisation.clone()));
        assert_eq!(stage.read(move |db| db.user_get(user_id)), Some(user.clone()));
        assert_eq!(stage.read(move |db| db.role_assignment_get(role_id)), Some(role.clone()));
        assert_eq!(stage.read(move |db| db.role_assignments_of_user(user_id)), std::slice::from_ref(&role));
        assert_eq!(stage.read(move |db| db.api_client_get(machine_id)), Some(machine.clone()));
        let login = stage.read(|db| db.user_by_login("märta")).unwrap();
        assert_eq!((login.id, login.password_hash.as_deref(), login.active), (user.id, Some("$argon2id$made-up"), true));
        let secret = stage.read(move |db| db.api_client_secret(machine_id)).unwrap();
        assert_eq!((secret.secret_sha256, secret.expires_at, secret.active), (vec![7; 32], Some(now().plus_days(90)), true));

        let (organisation, user) = (Organisation { active: false, sector: None, ..organisation }, User { active: false, ..user });
        let role = RoleAssignment { validity: Validity { until: Some(day("2026-12-31")), ..role.validity }, ..role };
        let machine = ApiClient { organisations: BTreeSet::from([organisation.id]), active: false, secret_expires_at: None, ..machine };
        let written = (organisation.clone(), user.clone(), role.clone(), machine.clone());
        stage.put(move |db| {
            db.organisation_update(&written.0, Version::FIRST)?;
            db.user_update(&written.1, Version::FIRST)?;
            db.role_assignment_update(&written.2, Version::FIRST)?;
            db.api_client_update(&written.3, Version::FIRST, Some(&[8; 32]))
        });
        let version = Version::FIRST.next();
        assert_eq!(stage.read(move |db| db.organisation_get(id)), Some(Organisation { version, ..organisation }));
        assert_eq!(stage.read(move |db| db.user_get(user_id)), Some(User { version, ..user }));
        assert_eq!(stage.read(move |db| db.role_assignment_get(role_id)), Some(RoleAssignment { version, ..role }));
        assert_eq!(stage.read(move |db| db.api_client_get(machine_id)), Some(ApiClient { version, ..machine }));
        assert_eq!(stage.read(move |db| db.api_client_secret(machine_id)).unwrap().secret_sha256, vec![8; 32]);
        assert_eq!(stage.read(move |db| db.user_by_login("märta")).unwrap().password_hash.as_deref(), Some("$argon2id$made-up"));
    }
}

store_test! {
    fn a_client_whose_identity_code_is_sealed(stage: Stage) {
        const CODE: &str = "010100A9226";
        let people = stage.own;
        let code = IdentityCode::parse(CODE, now().helsinki_date()).unwrap();
        let known = Client {
            user: Some(people.client),
            data: ClientData {
                birth: Birth::Date(code.birth_date()),
                identity_code: Some(code.clone()),
                contact: Contact {
                    phone: None,
                    email: Some("aino@example.org".to_owned()),
                    address: Some("Jäämerentie 1\n99600 Sodankylä".to_owned()),
                    client_will_contact: true,
                },
                sex: None,
                lives_at_home: None,
                interpreter_needed: true,
                non_disclosure: true,
                ..client(&people).data
            },
            ..client(&people)
        };
        let born_in_a_year = Client { data: ClientData { birth: Birth::Year(1942), ..client(&people).data }, ..client(&people) };
        let written = (known.clone(), born_in_a_year.clone());
        stage.put(move |db| {
            db.client_insert(&written.0, false, now())?;
            db.client_insert(&written.1, true, now())
        });
        let (id, other) = (known.id, born_in_a_year.id);
        assert_eq!(stage.read(move |db| db.client_get(id)), Some(known.clone()));
        assert_eq!(stage.read(move |db| db.client_get(other)), Some(born_in_a_year.clone()));
        assert_eq!(stage.read(move |db| db.clients_get(&[id, other])).len(), 2);
        let (wanted, programme) = (code.clone(), people.programme);
        assert_eq!(stage.read(move |db| db.client_by_identity_code(programme, &wanted)), Some(known.clone()), "found by the blind index");
        let (wanted, programme) = (code.clone(), stage.other.programme);
        assert_eq!(stage.read(move |db| db.client_by_identity_code(programme, &wanted)), None, "unknown in another programme");
        let user = people.client;
        assert_eq!(stage.read(move |db| db.clients_of_user(user)), std::slice::from_ref(&known));
        assert!(stage.read(move |db| db.client_is_provisional(other)));
        let written = Client { data: ClientData { identity_code: None, ..known.data.clone() }, ..known.clone() };
        stage.put(move |db| {
            db.client_confirm(other)?;
            db.client_update(&written, Version::FIRST)
        });
        let again = stage.read(move |db| db.client_get(id)).unwrap();
        assert_eq!((again.version, again.data.identity_code), (Version::FIRST.next(), None));

        // Written once more, so that it lies in the files when they are searched.
        let written = Client { version: Version::FIRST.next(), ..known.clone() };
        stage.put(move |db| db.client_update(&written, Version::FIRST.next()));
        for text in [CODE, "010100a9226"] {
            assert!(!lies_open(stage, text), "the identity code stands in the database as it is");
        }
        assert!(lies_open(stage, "Esimerkki"), "this search finds what is not sealed");
    }
}

/// Whether a text can be read in the database without its key.
fn lies_open(stage: &Stage, text: &str) -> bool {
    let found = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    match stage.database.kind {
        Kind::Sqlite => {
            std::fs::read_dir(&stage.database.folder).unwrap().any(|entry| found(&std::fs::read(entry.unwrap().path()).unwrap()))
        }
        Kind::Postgresql => {
            let dump = stage.database.dump();
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            found(dump.as_bytes()) || dump.contains(&hex)
        }
    }
}

/// One of each state, with all that a state can carry.
fn states(stage: &Stage) -> Vec<ReferralState> {
    let closure = |outcome, end_reason, route, user| {
        ReferralState::Closed(Closure { outcome, end_reason, route, at: now(), by: ClosedBy { user, role: Role::Coordinator } })
    };
    vec![
        ReferralState::Draft,
        ReferralState::Submitted,
        ReferralState::InReview,
        ReferralState::AwaitingInformation { asked: MessageParty::Referrer },
        ReferralState::AwaitingInformation { asked: MessageParty::Client },
        ReferralState::Waitlisted,
        ReferralState::Deferred { resume_on: day("2027-01-07"), back_to: BackTo::InReview },
        ReferralState::Deferred { resume_on: day("2027-01-07"), back_to: BackTo::Waitlisted },
        ReferralState::Assigned { assignment: fresh() },
        ReferralState::InSupport { support_period: fresh(), assignment: Some(fresh()) },
        ReferralState::InSupport { support_period: fresh(), assignment: None },
        ReferralState::DirectlyGuided { follow_up_on: day("2027-02-01") },
        closure(Outcome::CompletedAsPlanned, EndReason::GoalsReached, Some(Route::LinkWorker), Some(stage.own.coordinator)),
        closure(Outcome::Withdrawn, EndReason::ClientWithdrew, None, None),
        ReferralState::EnteredInError,
    ]
}

store_test! {
    fn a_referral_in_each_state(stage: Stage) {
        let seen: BTreeSet<_> = states(stage).iter().map(ReferralState::code).collect();
        assert_eq!(seen.len(), ReferralStateCode::ALL.len(), "one of each state is tried");
        for state in states(stage) {
            let case = stage.referral(state);
            let id = case.referral.id;
            assert_eq!(stage.read(move |db| db.referral_case(id)), Some(case));
        }
        // One that goes through all of them keeps nothing of the state before.
        let mut case = stage.referral(ReferralState::Submitted);
        case.link_worker_user = Some(stage.own.link_worker);
        case.referral.queue = Some(QueuePlace { accepted_at: now(), priority: Priority::Urgent });
        case.referral.coordinator = Some(stage.own.coordinator);
        for state in states(stage).into_iter().filter(|state| *state != ReferralState::Draft) {
            case.referral.state = state;
            let (changed, expected, id) = (case.clone(), case.referral.version, case.referral.id);
            stage.put(move |db| db.referral_update(&changed, expected));
            case.referral.version = expected.next();
            assert_eq!(stage.read(move |db| db.referral_case(id)), Some(case.clone()));
            case.referral.queue = None;
            case.link_worker_user = None;
            case.shared_until = Some(day("2026-12-31"));
        }
    }
}

store_test! {
    fn what_a_referral_says_and_where_it_came_from(stage: Stage) {
        let earlier = stage.referral(ReferralState::Submitted);
        let mut case = stage.referral(ReferralState::Draft);
        case.referral.content.reasons = BTreeSet::new();
        case.referral.content.wish = None;
        case.referral.content.background = Some("Rivi\nja toinen: “€” ’ä’ 👵".to_owned());
        case.referral.content.joint_meeting_wished = true;
        case.referral.content.source = Some(Source { system: "ehr-own".to_owned(), id: "REF-1".to_owned() });
        case.referral.content.previous = Some(earlier.referral.id);
        let (changed, id) = (case.clone(), case.referral.id);
        stage.put(move |db| {
            db.referral_update(&changed, Version::FIRST)?;
            db.referral_update_content(&changed.referral)?;
            db.referral_tracking_code_store(id, &[9; 32])
        });
        case.referral.version = Version::FIRST.next();
        let source = case.referral.content.source.clone().unwrap();
        let since = case.referral.state_since;
        assert_eq!(stage.read(move |db| db.referral_case(id)), Some(case));
        assert_eq!(stage.read(move |db| db.referral_by_source(&source)), Some(id));
        assert_eq!(stage.read(|db| db.referral_state_by_tracking_code(&[9; 32])), Some((ReferralStateCode::Draft, since)));
        assert_eq!(stage.read(|db| db.referral_drafts_before(now(), 10)), [id]);
        stage.put(move |db| db.referral_delete_draft(id));
        assert_eq!(stage.read(move |db| db.referral_case(id)), None);
        let sent = earlier.referral.id;
        stage.put(move |db| db.referral_delete_draft(sent));
        assert!(stage.read(move |db| db.referral_case(sent)).is_some(), "what was sent is never deleted as a draft");
    }
}

store_test! {
    fn a_consent_a_message_an_attempt_and_an_event(stage: Stage) {
        let referral = stage.referral(ReferralState::Submitted).referral.id;
        let asserted = Consent {
            id: fresh(),
            referral,
            purposes: BTreeSet::from([ConsentPurpose::ProcessReferral, ConsentPurpose::ShareWithLinkWorker]),
            withdrawn_purposes: BTreeSet::new(),
            text_version: "2026-1".to_owned(),
            language: Language::InariSami,
            method: ConsentMethod::AssertedBySender,
            given_with: Some("Riikka Lähettäjä".to_owned()),
            given_at: now(),
            valid_until: Some(day("2027-11-22")),
            recorded_by: None,
            verified: None,
            withdrawn_at: None,
        };
        let written = asserted.clone();
        stage.put(move |db| db.consent_insert(&written));
        assert_eq!(stage.read(move |db| db.consents_of(referral)), std::slice::from_ref(&asserted));
        let withdrawn = asserted
            .verify(stage.own.coordinator, now().plus_days(1))
            .withdraw(&BTreeSet::from([ConsentPurpose::ShareWithLinkWorker]), now().plus_days(2))
            .unwrap();
        let (written, id) = (withdrawn.clone(), withdrawn.id);
        stage.put(move |db| db.consent_update(&written));
        assert_eq!(stage.read(move |db| db.consent_get(id)), Some(withdrawn));

        let question = Message {
            id: fresh(),
            referral,
            kind: MessageKind::Question,
            sender: MessageParty::Coordinator,
            recipient: MessageParty::Referrer,
            user: Some(stage.own.coordinator),
            words: "Mistä puhelinnumerosta hänet tavoittaa?".to_owned(),
            sent_at: now(),
        };
        let answer = Message { id: fresh(), kind: MessageKind::Answer, sender: MessageParty::Referrer, recipient: MessageParty::Coordinator, user: None, sent_at: now().plus_minutes(1), ..question.clone() };
        let attempt = ContactAttempt {
            id: fresh(),
            referral,
            channel: ContactChannel::Letter,
            result: ContactResult::LeftMessage,
            attempted_at: now(),
            recorded_by: stage.own.coordinator,
            note: None,
        };
        let written = (question.clone(), answer.clone(), attempt.clone());
        stage.put(move |db| {
            db.message_insert(&written.1)?;
            db.message_insert(&written.0)?;
            db.contact_attempt_insert(&written.2)
        });
        assert_eq!(stage.read(move |db| db.messages_of(referral)), [question, answer], "in the order in which they were sent");
        assert_eq!(stage.read(move |db| db.contact_attempts_of(referral)), [attempt]);

        let callers = [
            Caller::User(stage.own.coordinator),
            Caller::ApiClient(fresh()),
            Caller::Anonymous,
            Caller::Clock,
        ];
        for (minutes, caller) in (0..).zip(callers) {
            let event = Event {
                id: fresh(),
                referral,
                programme: stage.own.programme,
                kind: EventKind::Waitlisted,
                at: now().plus_minutes(minutes),
                caller,
                role: Some(Role::Coordinator),
                from: Some(ReferralStateCode::InReview),
                to: Some(ReferralStateCode::Waitlisted),
                reason: Some("urgent"),
                comment: Some("odottaa kevättä".to_owned()),
            };
            let (id, at) = (event.id, event.at);
            stage.put(move |db| db.event_insert(&event));
            let stored = stage.read(move |db| db.events_of(referral)).pop().unwrap();
            assert_eq!((stored.id, stored.at, stored.caller, stored.kind), (id, at, caller, EventKind::Waitlisted));
            assert_eq!((stored.from, stored.to), (Some(ReferralStateCode::InReview), Some(ReferralStateCode::Waitlisted)));
            assert_eq!((stored.reason.as_deref(), stored.comment.as_deref()), (Some("urgent"), Some("odottaa kevättä")));
        }
    }
}

store_test! {
    fn a_link_worker_with_contract_and_training(stage: Stage) {
        let people = stage.own;
        let worker = LinkWorker {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            user: people.coordinator,
            name: "Niillas Ovttasbargi".to_owned(),
            status: LinkWorkerStatus::Paused,
            municipalities: ["758", "148"].iter().map(|code| MunicipalityCode::parse(code).unwrap()).collect(),
            languages: BTreeSet::from(["se".to_owned(), "fi".to_owned()]),
            interests: Some("kalastus, käsityöt".to_owned()),
            max_clients: 0,
            hours_per_month: 160,
        };
        let contract = Contract {
            id: fresh(),
            link_worker: worker.id,
            kind: ContractKind::Hourly,
            employer: people.employer,
            validity: Validity { from: day("2026-01-01"), until: Some(day("2026-12-31")) },
            fee_per_hour: Some(Cents(1525)),
            insurance_note: Some("vapaaehtoisten vakuutus".to_owned()),
        };
        let training = Training {
            id: fresh(),
            link_worker: worker.id,
            kind: TrainingKind::Refresher,
            provider: "Lapin kesäyliopisto".to_owned(),
            completed_on: day("2026-03-31"),
            credits_tenths: None,
        };
        let written = (worker.clone(), contract.clone(), training.clone());
        stage.put(move |db| {
            db.link_worker_insert(&written.0)?;
            db.contract_insert(&written.1)?;
            db.training_insert(&written.2)
        });
        let (id, user, programme) = (worker.id, worker.user, people.programme);
        assert_eq!(stage.read(move |db| db.link_worker_get(id)), Some(worker.clone()));
        assert_eq!(stage.read(move |db| db.link_worker_by_user(user, programme)), Some(worker.clone()));
        assert_eq!(stage.read(move |db| db.contract_list(id, &all())).items, [contract]);
        assert_eq!(stage.read(move |db| db.training_list(id, &all())).items, [training]);
        let changed = LinkWorker {
            status: LinkWorkerStatus::Ended,
            municipalities: BTreeSet::from([MunicipalityCode::parse("758").unwrap()]),
            languages: BTreeSet::new(),
            interests: None,
            ..worker
        };
        let written = changed.clone();
        stage.put(move |db| db.link_worker_update(&written, Version::FIRST));
        assert_eq!(stage.read(move |db| db.link_worker_get(id)), Some(LinkWorker { version: Version::FIRST.next(), ..changed }));
    }
}

store_test! {
    fn an_assignment_in_each_state(stage: Stage) {
        let people = stage.own;
        let at = now().plus_days(1);
        for state in [
            AssignmentState::Proposed,
            AssignmentState::Accepted { at },
            AssignmentState::Declined { at, reason: DeclineReason::Distance },
            AssignmentState::Expired { at },
            AssignmentState::Ended { accepted_at: None, at, reason: AssignmentEndReason::ProposalWithdrawn },
            AssignmentState::Ended { accepted_at: Some(at), at: at.plus_days(30), reason: AssignmentEndReason::SupportEnded },
        ] {
            let referral = stage.referral(ReferralState::Waitlisted).referral.id;
            let proposed = Assignment {
                id: fresh(),
                version: Version::FIRST,
                programme: people.programme,
                referral,
                link_worker: people.worker,
                link_worker_user: people.link_worker,
                proposed_by: people.coordinator,
                proposed_at: now(),
                expires_at: now().plus_days(7),
                message: Some("Sopisiko?".to_owned()),
                state: AssignmentState::Proposed,
            };
            let changed = Assignment { state, ..proposed.clone() };
            let (id, written, first) = (changed.id, changed.clone(), proposed);
            stage.put(move |db| {
                db.assignment_insert(&first)?;
                db.assignment_update(&written, Version::FIRST)
            });
            let expected = Assignment { version: Version::FIRST.next(), ..changed };
            assert_eq!(stage.read(move |db| db.assignment_get(id)), Some(expected.clone()));
            let open = expected.is_open().then_some(expected);
            assert_eq!(stage.read(move |db| db.assignment_open_of(referral)), open);
        }
    }
}

store_test! {
    fn a_support_period_in_each_state(stage: Stage) {
        for (state, proposal) in [
            (SupportPeriodState::Active, None),
            (
                SupportPeriodState::Paused { since: now(), reason: PauseReason::ClientIll },
                Some(EndProposal { by: stage.own.link_worker, at: now(), reason: "tavoitteet täynnä".to_owned() }),
            ),
            (SupportPeriodState::Ended { on: day("2026-11-20") }, None),
        ] {
            let (_, period) = stage.supported();
            let changed = lahete_domain::support_period::SupportPeriod { state, end_proposal: proposal, planned_end_on: day("2027-02-01"), ..period };
            let (id, referral, written) = (changed.id, changed.referral, changed.clone());
            stage.put(move |db| db.support_period_update(&written, Version::FIRST));
            let expected = lahete_domain::support_period::SupportPeriod { version: Version::FIRST.next(), ..changed };
            assert_eq!(stage.read(move |db| db.support_period_get(id)), Some(expected.clone()));
            assert_eq!(stage.read(move |db| db.support_period_of_referral(referral)), Some(expected));
        }
    }
}

store_test! {
    fn a_goal_and_a_measure_given_or_missing(stage: Stage) {
        let (_, period) = stage.supported();
        let goal = Goal {
            id: fresh(),
            version: Version::FIRST,
            support_period: period.id,
            words: "Kerhoon ilman pelkoa".to_owned(),
            steps: vec![
                GoalStep { words: "Soita".to_owned(), done: true },
                GoalStep { words: "Mene, \"yhdessä\"".to_owned(), done: false },
            ],
            outcome: None,
            recorded_at: now(),
        };
        let by = Some(Teller { user: Some(stage.own.client), role: Role::Client, at: now() });
        let reached = Goal { outcome: Some(ToldOutcome { outcome: GoalOutcome::Partly, by }), steps: Vec::new(), ..goal.clone() };
        let (id, period_id, first, second) = (goal.id, period.id, goal.clone(), reached.clone());
        stage.put(move |db| db.goal_insert(&first));
        assert_eq!(stage.read(move |db| db.goals_of(period_id, &all())).items, std::slice::from_ref(&goal));
        stage.put(move |db| db.goal_update(&second, Version::FIRST));
        assert_eq!(stage.read(move |db| db.goal_get(id)), Some(Goal { version: Version::FIRST.next(), ..reached }));

        let measure = |instrument: Instrument, timepoint, answer| Measure {
            id: fresh(),
            support_period: period_id,
            instrument: instrument.into(),
            version: 1,
            timepoint,
            answer,
            recorded_at: now(),
        };
        let swemwbs = Answer::given(&shipped(Instrument::Swemwbs), AnswerMode::Interview, vec![1, 2, 3, 4, 5, 4, 3].into()).unwrap();
        let recommendation = Answer::given(&shipped(Instrument::Recommendation), AnswerMode::Remote, vec![0].into()).unwrap();
        let gap = Answered::Items(vec![Some(1), None, Some(3), Some(4), Some(5), Some(4), Some(3)]);
        let without_score = Answer::given(&shipped(Instrument::Swemwbs), AnswerMode::Helped, gap).unwrap();
        let reached = Answered::Goals(vec![GoalAnswer { goal: goal.id, weight: 3, attained: -1 }]);
        let attained = Answer::given(&shipped(Instrument::Gas), AnswerMode::Helped, reached).unwrap();
        let measures = [
            measure(Instrument::Swemwbs, Timepoint::Start, swemwbs),
            measure(Instrument::Swemwbs, Timepoint::End, Answer::Missing(MissingReason::NotAble)),
            measure(Instrument::Recommendation, Timepoint::End, recommendation),
            measure(Instrument::Recommendation, Timepoint::FollowUp, Answer::Missing(MissingReason::Declined)),
            measure(Instrument::Swemwbs, Timepoint::FollowUp, without_score),
            measure(Instrument::Gas, Timepoint::End, attained),
        ];
        for measure in measures.clone() {
            let (id, written) = (measure.id, measure.clone());
            stage.put(move |db| db.measure_insert(&written));
            assert_eq!(stage.read(move |db| db.measure_get(id)), Some(measure));
        }
        assert_eq!(stage.read(move |db| db.measures_of(period_id)).len(), measures.len());
    }
}

store_test! {
    fn a_visit_in_each_state(stage: Stage) {
        let people = stage.own;
        let (_, period) = stage.supported();
        let planned = Visit {
            id: fresh(),
            version: Version::FIRST,
            programme: people.programme,
            referral: period.referral,
            client: period.client,
            support_period: period.id,
            workers: vec![
                VisitWorker { link_worker: people.worker, fee_per_hour: Cents(1300), drives: false },
                VisitWorker { link_worker: people.other_worker, fee_per_hour: Cents(0), drives: true },
            ],
            content: VisitContent {
                on: day("2026-11-20"),
                minutes: 1440,
                mode: VisitMode::RemoteVideo,
                purpose: VisitPurpose::GoingAlong,
                support_kinds: SupportKind::ALL.iter().copied().collect(),
                travel_metres: 2_000_000,
                travel_minutes: 0,
                travel_passengers: 8,
                note: None,
                barriers: Barrier::ALL.iter().copied().collect(),
                unmet_needs: UnmetNeed::ALL.iter().copied().collect(),
            },
            state: VisitState::Planned,
        };
        for state in [
            VisitState::Planned,
            VisitState::Held { recorded_at: now(), over_limit_reason: Some("hautajaiset".to_owned()) },
            VisitState::Held { recorded_at: now(), over_limit_reason: None },
            VisitState::Cancelled { by: AbsentParty::Logistics, reason: None },
            VisitState::Cancelled { by: AbsentParty::Client, reason: Some(VisitAbsenceReason::ChangedMind) },
            VisitState::NotAttended { by: AbsentParty::Client, reason: VisitAbsenceReason::Forgot },
        ] {
            let visit = Visit { id: fresh(), state, ..planned.clone() };
            let (id, written) = (visit.id, visit.clone());
            stage.put(move |db| db.visit_insert(&written));
            assert_eq!(stage.read(move |db| db.visit_get(id)), Some(visit.clone()));
            let content = VisitContent {
                note: Some("kävely".to_owned()),
                support_kinds: BTreeSet::new(),
                barriers: BTreeSet::new(),
                unmet_needs: BTreeSet::from([UnmetNeed::Other]),
                ..visit.content.clone()
            };
            let changed = Visit { content, workers: vec![visit.workers[0]], ..visit };
            let written = changed.clone();
            stage.put(move |db| db.visit_update(&written, Version::FIRST));
            assert_eq!(stage.read(move |db| db.visit_get(id)), Some(Visit { version: Version::FIRST.next(), ..changed }));
        }
    }
}

store_test! {
    fn an_activity_and_the_links_to_it(stage: Stage) {
        let people = stage.own;
        let activity = Activity {
            provider: Some(Provider {
                name: "Sodankylän seurakunta".to_owned(),
                business_id: Some("0737546-2".to_owned()),
                kind: Some(OrganisationKind::Parish),
            }),
            text_language: "smn".to_owned(),
            summary: Some("Yhdessä.".to_owned()),
            description: Some("Tiistaisin klo 10.".to_owned()),
            translations: BTreeMap::from([(
                "sms".to_owned(),
                Translation { name: "Ǩiõtt-tuâjj".to_owned(), summary: None, description: Some("Äʹrbb".to_owned()) },
            )]),
            keywords: "käsityö, kudonta".to_owned(),
            content_kind: ContentKind::SelfCareProgramme,
            themes: BTreeSet::from([Theme::Culture, Theme::Sleep]),
            municipalities: ["758", "047"].into_iter().filter_map(MunicipalityCode::parse).collect(),
            price_note: Some("5 €".to_owned()),
            kaikukortti: true,
            remote: true,
            accessibility_note: Some("Hissi.".to_owned()),
            languages: BTreeSet::from(["sv".to_owned(), "smn".to_owned()]),
            times: vec![OpeningTime {
                weekday: DayOfWeek::Tuesday,
                opens_at: NaiveTime::from_hms_opt(10, 0, 0).unwrap(),
                closes_at: NaiveTime::from_hms_opt(23, 59, 0).unwrap(),
            }],
            schedule_note: Some("Ei kesällä.".to_owned()),
            places: vec![Place { name: Some("Talo".to_owned()), municipality: MunicipalityCode::parse("758"), ..Place::default() }],
            contact: lahete_domain::activity::Contact { phone: Some("016 1".to_owned()), email: None, web: Some("https://x.example".to_owned()) },
            ..Activity::new(fresh(), people.programme, "Äänimaljat ja Öljyvärit", day("2026-11-01"))
        };
        let changed = Activity {
            themes: BTreeSet::from([Theme::Moving]),
            organisation: Some(people.employer),
            provider: None,
            status: ActivityStatus::TemporarilyClosed,
            municipalities: BTreeSet::new(),
            nationwide: true,
            ..activity.clone()
        };
        let (id, first, second) = (activity.id, activity.clone(), changed.clone());
        stage.put(move |db| db.activity_insert(&first));
        assert_eq!(stage.read(move |db| db.activity_get(id)), Some(activity));
        stage.put(move |db| db.activity_update(&second, Version::FIRST));
        assert_eq!(stage.read(move |db| db.activity_get(id)), Some(Activity { version: Version::FIRST.next(), ..changed.clone() }));
        for state in [
            ActivityLinkState::Proposed,
            ActivityLinkState::Started,
            ActivityLinkState::Attending { continues: Some(true) },
            ActivityLinkState::Attending { continues: Some(false) },
            ActivityLinkState::Attending { continues: None },
            ActivityLinkState::Stopped { barrier: Barrier::Money },
        ] {
            let referral = stage.referral(ReferralState::InReview).referral.id;
            let link = ActivityLink { id: fresh(), version: Version::FIRST, referral, activity: id, state: ActivityLinkState::Proposed, unmet_needs: BTreeSet::new(), proposed_at: now() };
            let moved = ActivityLink { state, unmet_needs: BTreeSet::from([UnmetNeed::NearbyGroup]), ..link.clone() };
            let (link_id, written) = (link.id, moved.clone());
            stage.put(move |db| {
                db.activity_link_insert(&link)?;
                db.activity_link_update(&written, Version::FIRST)
            });
            let expected = ActivityLink { version: Version::FIRST.next(), ..moved };
            let named = stage.read(move |db| db.activity_link_get(link_id)).unwrap();
            assert_eq!((named.link, named.activity_name), (expected.clone(), changed.name.clone()));
            assert_eq!(stage.read(move |db| db.activity_link_between(referral, id)), Some(expected));
        }
    }
}

store_test! {
    fn what_is_not_there_is_not_found(stage: Stage) {
        stage.read(|db| -> Result<(), StoreError> {
            assert!(db.programme_get(fresh())?.is_none() && db.organisation_get(fresh())?.is_none() && db.user_get(fresh())?.is_none());
            assert!(db.role_assignment_get(fresh())?.is_none() && db.api_client_get(fresh())?.is_none() && db.client_get(fresh())?.is_none());
            assert!(db.referral_case(fresh())?.is_none() && db.consent_get(fresh())?.is_none() && db.link_worker_get(fresh())?.is_none());
            assert!(db.assignment_get(fresh())?.is_none() && db.support_period_get(fresh())?.is_none() && db.goal_get(fresh())?.is_none());
            assert!(db.activity_get(fresh())?.is_none() && db.activity_link_get(fresh())?.is_none() && db.visit_get(fresh())?.is_none());
            assert!(db.measure_get(fresh())?.is_none() && db.user_by_login("nobody")?.is_none());
            Ok(())
        });
    }
}
