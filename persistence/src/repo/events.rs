//! The timeline of a referral.

use diesel::prelude::*;
use lahete_domain::actor::Caller;
use lahete_domain::codes::{EventKind, ReferralStateCode, Role};
use lahete_domain::event::Event;
use lahete_domain::ids::{ApiClientId, EventId, ReferralId, UserId};

use crate::connection::{MultiBackend, on_backend};
use crate::schema::events;
use crate::sql_types::{CodeCol, IdCol, InstantCol};
use crate::{Db, StoreError};

#[derive(Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(MultiBackend))]
struct EventRow {
    id: IdCol<EventId>,
    kind: CodeCol<EventKind>,
    at: InstantCol,
    caller_kind: String,
    user_id: Option<IdCol<UserId>>,
    api_client_id: Option<IdCol<ApiClientId>>,
    role: Option<CodeCol<Role>>,
    from_state: Option<CodeCol<ReferralStateCode>>,
    to_state: Option<CodeCol<ReferralStateCode>>,
    reason: Option<String>,
    comment: Option<String>,
}

/// A line of the timeline as it was stored. The reason is a code of the list that its kind belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: lahete_domain::time::Instant,
    /// Who did it.
    pub caller: Caller,
    /// In which role.
    pub role: Option<Role>,
    /// State before.
    pub from: Option<ReferralStateCode>,
    /// State after.
    pub to: Option<ReferralStateCode>,
    /// The coded reason.
    pub reason: Option<String>,
    /// The reason in words.
    pub comment: Option<String>,
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let caller = match (row.caller_kind.as_str(), row.user_id, row.api_client_id) {
            ("user", Some(user), None) => Caller::User(user.0),
            ("api_client", None, Some(client)) => Caller::ApiClient(client.0),
            ("anonymous", None, None) => Caller::Anonymous,
            ("clock", None, None) => Caller::Clock,
            _ => return Err(StoreError::corrupt("events", "caller_kind", row.id.0)),
        };
        Ok(Self {
            id: row.id.0,
            kind: row.kind.0,
            at: row.at.0,
            caller,
            role: row.role.map(|role| role.0),
            from: row.from_state.map(|state| state.0),
            to: row.to_state.map(|state| state.0),
            reason: row.reason,
            comment: row.comment,
        })
    }
}

impl Db<'_> {
    /// Stores a line of the timeline.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn event_insert(&mut self, event: &Event) -> Result<(), StoreError> {
        let (kind, user, api_client) = match event.caller {
            Caller::User(id) => ("user", Some(IdCol(id)), None),
            Caller::ApiClient(id) => ("api_client", None, Some(IdCol(id))),
            Caller::Anonymous => ("anonymous", None, None),
            Caller::Clock => ("clock", None, None),
        };
        let row = (
            events::id.eq(IdCol(event.id)),
            events::referral_id.eq(IdCol(event.referral)),
            events::programme_id.eq(IdCol(event.programme)),
            events::kind.eq(CodeCol(event.kind)),
            events::at.eq(InstantCol(event.at)),
            events::caller_kind.eq(kind),
            events::user_id.eq(user),
            events::api_client_id.eq(api_client),
            events::role.eq(event.role.map(CodeCol)),
            events::from_state.eq(event.from.map(CodeCol)),
            events::to_state.eq(event.to.map(CodeCol)),
            events::reason.eq(event.reason),
            events::comment.eq(event.comment.as_deref()),
        );
        on_backend!(self.conn(), |c| diesel::insert_into(events::table).values(row).execute(c))?;
        Ok(())
    }

    /// The timeline of a referral, the oldest line first.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn events_of(&mut self, referral: ReferralId) -> Result<Vec<StoredEvent>, StoreError> {
        let rows: Vec<EventRow> = events::table
            .filter(events::referral_id.eq(IdCol(referral)))
            .order((events::at, events::id))
            .select(EventRow::as_select())
            .load(self.conn())?;
        rows.into_iter().map(StoredEvent::try_from).collect()
    }
}
