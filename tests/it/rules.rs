//! The rules as tables that a reviewer reads: who may do what, and which transition leads where for whom.

use std::fmt::Write as _;

use lahete_domain::access::{Action, Decision, Scope, Subject, decide, scope};
use lahete_domain::actor::{Actor, Caller, Grant};
use lahete_domain::codes::{Code, ReferralStateCode, Role};
use lahete_domain::ids::{ApiClientId, Id, OrganisationId, ProgrammeId, UserId};
use lahete_domain::referral::command::Transition;
use uuid::Uuid;

use crate::support::golden;

#[test]
fn the_access_matrix_is_the_one_that_was_reviewed() {
    let mut table = String::from("# role × action; P = whole programme, o = own cases, . = not at all\n\n");
    let names: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
    writeln!(table, "{:34}{}", "", names.join("  ")).unwrap();
    for action in Action::ALL {
        let row: Vec<String> = Role::ALL
            .iter()
            .map(|role| {
                let mark = match scope(*role, *action) {
                    Scope::None => ".",
                    Scope::Own => "o",
                    Scope::Programme => "P",
                };
                format!("{mark:<width$}", width = role.as_str().len())
            })
            .collect();
        writeln!(table, "{:34}{}", action.as_str(), row.join("  ").trim_end()).unwrap();
    }
    golden::expect("access_matrix.txt", &table);
}

#[test]
fn the_transitions_are_the_ones_that_were_reviewed() {
    let mut table = String::from("# transition: from states; roles that may (P = programme, o = own)\n\n");
    for transition in Transition::ALL {
        let from: Vec<&str> = transition.from_states().iter().map(|state| state.as_str()).collect();
        let roles: Vec<String> = Role::ALL
            .iter()
            .filter_map(|role| match scope(*role, transition.action()) {
                Scope::None => None,
                Scope::Own => Some(format!("{role}(o)")),
                Scope::Programme => Some(format!("{role}(P)")),
            })
            .collect();
        writeln!(table, "{}\n    from  {}\n    by    {}", transition.as_str(), from.join(" "), roles.join(" ")).unwrap();
    }
    golden::expect("transitions.txt", &table);
}

#[test]
fn every_state_but_the_last_can_be_left() {
    for state in ReferralStateCode::ALL {
        let ways = Transition::allowed_from(*state).count();
        assert_eq!(ways == 0, *state == ReferralStateCode::EnteredInError, "{state}");
    }
}

/// Whose the case is, seen from the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Own,
    SameProgramme,
    OtherProgramme,
}

/// A caller with one role, and a case in a state that stands in a relation to them, as it can stand in that state: a link worker is assigned from
/// `assigned` on, and proposed before.
fn meeting(role: Role, state: ReferralStateCode, relation: Relation) -> (Actor, Subject) {
    let id = |number: u128| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number);
    let (home, elsewhere, organisation) = (ProgrammeId::from_uuid(id(1)), ProgrammeId::from_uuid(id(2)), OrganisationId::from_uuid(id(3)));
    let (me, machine) = (UserId::from_uuid(id(4)), ApiClientId::from_uuid(id(5)));
    let caller = if role == Role::Integration { Caller::ApiClient(machine) } else { Caller::User(me) };
    let grant = Grant { programme: home, role, organisation: Some(organisation), sector: None };
    let own = relation == Relation::Own;
    let mine = |wanted: Role| (own && role == wanted).then_some(me);
    let works = matches!(state, ReferralStateCode::Assigned | ReferralStateCode::InSupport);
    let proposed = matches!(state, ReferralStateCode::InReview | ReferralStateCode::Waitlisted);
    let pushed = own && role == Role::Integration;
    let subject = Subject {
        referrer: mine(Role::Referrer),
        api_client: pushed.then_some(machine),
        organisation: pushed.then_some(organisation),
        link_worker: mine(Role::LinkWorker).filter(|_| works),
        proposed_to: mine(Role::LinkWorker).filter(|_| proposed),
        client: mine(Role::Client),
        shared_with_link_worker: true,
        draft: state == ReferralStateCode::Draft,
        ..Subject::of_programme(if relation == Relation::OtherProgramme { elsewhere } else { home })
    };
    (Actor { caller, grants: vec![grant] }, subject)
}

#[test]
fn who_may_do_which_transition_from_where_is_the_one_that_was_reviewed() {
    let mut table = String::from(
        "# transition × state × role; three marks: a case of one's own, of the same programme, of another programme\n\
         # + may, if the guards of the transition agree; x 409, not from this state; f 403, sees it but may not; . 404, does not see it\n\n",
    );
    let (mut tried, mut may) = (0, 0);
    for transition in Transition::ALL {
        writeln!(table, "{}", transition.as_str()).unwrap();
        for state in ReferralStateCode::ALL {
            let mut row = Vec::new();
            for role in Role::ALL {
                let mut marks = String::new();
                for relation in [Relation::Own, Relation::SameProgramme, Relation::OtherProgramme] {
                    let (actor, subject) = meeting(*role, *state, relation);
                    let mark = match decide(&actor, transition.action(), &subject) {
                        Decision::Allowed(grant) => {
                            assert_eq!(grant.role, *role);
                            if transition.from_states().contains(state) { '+' } else { 'x' }
                        }
                        Decision::Forbidden => 'f',
                        Decision::Hidden => '.',
                        Decision::Closed(standing) => panic!("nothing here is {standing}"),
                    };
                    tried += 1;
                    may += i32::from(mark == '+');
                    assert!(
                        relation != Relation::OtherProgramme || mark == '.',
                        "{role} {} {state} of another programme",
                        transition.as_str()
                    );
                    assert!(*state != ReferralStateCode::Draft || mark == '.' || relation == Relation::Own, "{role} sees another's draft");
                    marks.push(mark);

                    let nobody = Actor { grants: Vec::new(), ..actor };
                    assert_eq!(decide(&nobody, transition.action(), &subject), Decision::Hidden, "{role} without the role");
                }
                row.push(format!("{role} {marks}"));
            }
            writeln!(table, "    {:22}{}", state.as_str(), row.join("  ")).unwrap();
        }
    }
    writeln!(table, "\n# {tried} tried, {may} may").unwrap();
    golden::expect("transitions_by_role.txt", &table);
}
