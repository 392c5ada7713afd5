//! What a run of the retention has done, as it is stored while the run goes on and shown when it is through.

use std::collections::BTreeMap;

use lahete_domain::codes::{Code as _, RecordClass, RetentionStart};
use lahete_domain::ids::ProgrammeId;
use lahete_domain::retention::{Policy, action, start};
use lahete_persistence::repo::records::Counts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::wire::{RecordClassCode, RetentionActionCode, RetentionStartCode};

/// What was done with the records of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "record_class": "visit", "action": "pseudonymise", "counted_from": "referral_end", "keep_months": 120, "done": 14, "held": 2, "kept": 3120
}))]
pub struct ClassReport {
    /// The class.
    pub record_class: RecordClassCode,
    /// How its records go.
    pub action: RetentionActionCode,
    /// From when their time is counted.
    pub counted_from: RetentionStartCode,
    /// For how many months they are kept; without end when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_months: Option<u32>,
    /// Rows whose time was over: pseudonymised or deleted, or what would be in a dry run.
    pub done: i64,
    /// Rows whose time was over and that something holds: a legal hold, a restriction, a data request that is not decided.
    pub held: i64,
    /// Rows whose time is not over.
    pub kept: i64,
}

/// Classes that are looked through together, because their time is counted alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// From when.
    pub start: RetentionStartCode,
    /// For how long.
    pub months: u32,
    /// Which classes.
    pub classes: Vec<RecordClassCode>,
}

/// A report, with the place at which a run that was broken off goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// By class.
    pub classes: Vec<ClassReport>,
    /// What is looked through, one after the other.
    pub groups: Vec<Group>,
    /// The group that is looked through now.
    pub group: usize,
    /// Behind which referral or client of it.
    pub after: Option<(String, Uuid)>,
}

impl Report {
    /// The report of a run that begins, by the policies of its day.
    #[must_use]
    pub fn begin(policies: &[Policy]) -> Self {
        let mut groups: BTreeMap<(RetentionStart, u32), Vec<RecordClassCode>> = BTreeMap::new();
        for policy in policies {
            // The trail of accesses is looked after apart.
            if let Some(months) = policy.keep_months
                && policy.class != RecordClass::AccessLog
            {
                let classes = groups.entry((start(policy.class), months)).or_default();
                classes.push(policy.class.into());
                if policy.class == RecordClass::Client {
                    classes.push(RecordClass::SignIn.into());
                }
            }
        }
        let keep = |class| policies.iter().find(|policy| policy.class == class).and_then(|policy| policy.keep_months);
        let classes = RecordClass::ALL
            .iter()
            .filter(|class| **class == RecordClass::SignIn || policies.iter().any(|policy| policy.class == **class))
            .map(|class| ClassReport {
                record_class: (*class).into(),
                action: action(*class).into(),
                counted_from: start(*class).into(),
                keep_months: keep(if *class == RecordClass::SignIn { RecordClass::Client } else { *class }),
                done: 0,
                held: 0,
                kept: 0,
            })
            .collect();
        let groups = groups.into_iter().map(|((start, months), classes)| Group { start: start.into(), months, classes }).collect();
        Self { classes, groups, group: 0, after: None }
    }

    /// Adds counts.
    pub fn add(&mut self, counts: &Counts, to: impl Fn(&mut ClassReport) -> &mut i64) {
        for report in &mut self.classes {
            if let Some(rows) = counts.get(&report.record_class.0) {
                *to(report) += rows;
            }
        }
    }

    /// The report of one class.
    pub fn class(&mut self, class: RecordClass) -> Option<&mut ClassReport> {
        self.classes.iter_mut().find(|report| report.record_class.0 == class)
    }

    /// How many rows something was done with, in all classes.
    #[must_use]
    pub fn done(&self) -> i64 {
        self.classes.iter().map(|class| class.done).sum()
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self, programme: ProgrammeId) -> String {
        let mut text =
            format!("programme {programme}\n{:<18}{:<14}{:>8}{:>10}{:>10}{:>10}\n", "class", "action", "months", "done", "held", "kept");
        for class in &self.classes {
            let months = class.keep_months.map_or_else(|| "–".to_owned(), |months| months.to_string());
            text.push_str(&format!(
                "{:<18}{:<14}{months:>8}{:>10}{:>10}{:>10}\n",
                class.record_class.0.as_str(),
                class.action.0.as_str(),
                class.done,
                class.held,
                class.kept
            ));
        }
        text
    }
}
