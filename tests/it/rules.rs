//! The rules as tables that a reviewer reads: who may do what, and which transition leads where for whom.

use std::fmt::Write as _;

use lahete_domain::access::{Action, Scope, scope};
use lahete_domain::codes::{Code, ReferralStateCode, Role};
use lahete_domain::referral::command::Transition;

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
