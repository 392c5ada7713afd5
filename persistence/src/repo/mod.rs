//! Rows and queries, one room each. All of them are methods of [`crate::Db`].

/// Narrows a boxed query down to some programmes. One of them, as nearly everybody has, is asked for by equality: only then does an index that goes on
/// with the order of the list give its rows in that order, so that a page costs a page.
macro_rules! of_programmes {
    ($query:expr, $column:expr, $programmes:expr) => {{
        let programmes: Vec<_> = $programmes;
        match programmes.as_slice() {
            [] => $query.filter($crate::spelled::nothing()),
            [one] => $query.filter($column.eq(*one)),
            _ => $query.filter($crate::among::among($column, programmes.iter().map(|id| id.0))),
        }
    }};
}

pub mod absences;
pub mod activities;
pub mod activity_imports;
pub mod activity_links;
pub mod api_client_keys;
pub mod api_clients;
pub mod assignments;
pub mod audit;
pub mod client_changes;
pub mod clients;
pub mod concern_guidance;
pub mod concerns;
pub mod consent_texts;
pub mod consents;
pub mod data_keys;
pub mod data_requests;
pub mod events;
pub mod feedback;
pub mod goals;
pub mod handovers;
pub mod hour_sheets;
pub mod idempotency;
pub mod identities;
pub mod legal_holds;
pub mod link_workers;
pub mod measure_instruments;
pub mod measures;
pub mod mentoring_sessions;
pub mod messages;
pub mod milestones;
pub mod organisations;
pub mod programme_breaks;
pub mod programmes;
pub mod rates;
pub mod records;
pub mod referral_closings;
pub mod referrals;
pub mod reports;
pub mod restrictions;
pub mod retention;
pub mod revocations;
pub mod role_assignments;
pub mod sealed;
pub mod support_periods;
pub mod theme_mappings;
pub mod time_entries;
pub mod trail;
pub mod users;
pub mod visits;

#[cfg(test)]
mod support_work_tests;
