//! Meetings of link workers with their mentors.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::MentoringKind;
use lahete_domain::ids::{Id, LinkWorkerId, MentoringSessionId, UserId};
use lahete_domain::link_worker::MentoringSession;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::mentoring_sessions;
use crate::sql_types::{CodeCol, IdCol, InstantCol};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = mentoring_sessions, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct SessionRow {
    id: IdCol<MentoringSessionId>,
    link_worker_id: IdCol<LinkWorkerId>,
    held_on: NaiveDate,
    minutes: i64,
    mentor: String,
    kind: CodeCol<MentoringKind>,
    recorded_by: IdCol<UserId>,
    recorded_at: InstantCol,
}

impl TryFrom<SessionRow> for MentoringSession {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        Ok(Self {
            id,
            link_worker: row.link_worker_id.0,
            on: row.held_on,
            minutes: u32::try_from(row.minutes).map_err(|_| StoreError::corrupt("mentoring_sessions", "minutes", id))?,
            mentor: row.mentor,
            kind: row.kind.0,
            recorded_by: row.recorded_by.0,
            recorded_at: row.recorded_at.0,
        })
    }
}

impl Db<'_> {
    /// Records a session.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn mentoring_session_insert(&mut self, session: &MentoringSession) -> Result<(), StoreError> {
        let row = SessionRow {
            id: IdCol(session.id),
            link_worker_id: IdCol(session.link_worker),
            held_on: session.on,
            minutes: i64::from(session.minutes),
            mentor: session.mentor.clone(),
            kind: CodeCol(session.kind),
            recorded_by: IdCol(session.recorded_by),
            recorded_at: InstantCol(session.recorded_at),
        };
        diesel::insert_into(mentoring_sessions::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// A page of somebody's sessions, the newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn mentoring_session_list(&mut self, of: LinkWorkerId, request: &PageRequest) -> Result<Page<MentoringSession>, StoreError> {
        let mut query = mentoring_sessions::table
            .filter(mentoring_sessions::link_worker_id.eq(IdCol(of)))
            .select(SessionRow::as_select())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Ok(day) = cursor.sort.parse::<NaiveDate>() else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = mentoring_sessions::held_on.lt(day).or(mentoring_sessions::id.lt(IdCol(MentoringSessionId::from_uuid(cursor.id))));
            query = query.filter(mentoring_sessions::held_on.le(day)).filter(behind);
        }
        let rows = query
            .order((mentoring_sessions::held_on.desc(), mentoring_sessions::id.desc()))
            .limit(request.fetch())
            .load::<SessionRow>(self.conn())?;
        let cursor = |row: &SessionRow| Cursor { sort: row.held_on.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(MentoringSession::try_from)
    }
}
