//! What client, referrer and link worker say about a referral.

use diesel::prelude::*;
use lahete_domain::codes::{Code as _, FeedbackParty, FeedbackStage, FeedbackStatement, Role};
use lahete_domain::feedback::{Feedback, Rating};
use lahete_domain::ids::{ClientId, FeedbackId, Id as _, ProgrammeId, ReferralId, UserId};
use lahete_domain::version::Version;
use serde_json::{Value, json};

use crate::among::{among, among_codes};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::feedback;
use crate::spelled::nothing;
use crate::sql_types::{CodeCol, IdCol, InstantCol, JsonCol, VersionCol, parse_instant};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = feedback, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct FeedbackRow {
    id: IdCol<FeedbackId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    stage: CodeCol<FeedbackStage>,
    party: CodeCol<FeedbackParty>,
    author_id: IdCol<UserId>,
    author_role: CodeCol<Role>,
    ratings: JsonCol,
    words: Option<String>,
    given_at: InstantCol,
    changed_at: Option<InstantCol>,
}

impl FeedbackRow {
    fn of(said: &Feedback, version: Version) -> Self {
        let ratings: Vec<_> = said.ratings.iter().map(|rating| json!([rating.statement.as_str(), rating.rating])).collect();
        Self {
            id: IdCol(said.id),
            version: VersionCol(version),
            programme_id: IdCol(said.programme),
            referral_id: IdCol(said.referral),
            client_id: IdCol(said.client),
            stage: CodeCol(said.stage),
            party: CodeCol(said.party),
            author_id: IdCol(said.author),
            author_role: CodeCol(said.author_role),
            ratings: JsonCol(Value::from(ratings)),
            words: said.words.clone(),
            given_at: InstantCol(said.given_at),
            changed_at: said.changed_at.map(InstantCol),
        }
    }
}

impl TryFrom<FeedbackRow> for Feedback {
    type Error = StoreError;

    fn try_from(row: FeedbackRow) -> Result<Self, StoreError> {
        let corrupt = || StoreError::corrupt("feedback", "ratings", row.id.0);
        let ratings: Vec<(String, u8)> = serde_json::from_value(row.ratings.0).map_err(|_| corrupt())?;
        let rating = |(statement, rating): (String, u8)| {
            FeedbackStatement::parse(&statement).map(|statement| Rating { statement, rating }).ok_or_else(corrupt)
        };
        Ok(Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            client: row.client_id.0,
            stage: row.stage.0,
            party: row.party.0,
            author: row.author_id.0,
            author_role: row.author_role.0,
            ratings: ratings.into_iter().map(rating).collect::<Result<_, _>>()?,
            words: row.words,
            given_at: row.given_at.0,
            changed_at: row.changed_at.map(|at| at.0),
        })
    }
}

/// Whose feedback a list is to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FeedbackFilter {
    /// What stands about a referral, of these parties; and what this person wrote.
    Referral {
        /// The referral.
        referral: ReferralId,
        /// Whose words.
        parties: Vec<FeedbackParty>,
        /// Whose own, of any party.
        author: Option<UserId>,
    },
    /// The words of these clients.
    Clients(Vec<ClientId>),
}

impl Db<'_> {
    /// Keeps new feedback.
    ///
    /// # Errors
    /// [`crate::Constraint::FeedbackTaken`] when this party has given it at this stage; whatever else the database says.
    pub fn feedback_insert(&mut self, said: &Feedback) -> Result<(), StoreError> {
        diesel::insert_into(feedback::table).values(FeedbackRow::of(said, said.version)).execute(self.conn())?;
        Ok(())
    }

    /// One feedback.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn feedback_get(&mut self, id: FeedbackId) -> Result<Option<Feedback>, StoreError> {
        let row = feedback::table.find(IdCol(id)).select(FeedbackRow::as_select()).first(self.conn()).optional()?;
        row.map(Feedback::try_from).transpose()
    }

    /// Writes changed feedback over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn feedback_update(&mut self, said: &Feedback, expected: Version) -> Result<(), StoreError> {
        let stored = feedback::table.find(IdCol(said.id)).filter(feedback::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(FeedbackRow::of(said, expected.next())).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// A page of feedback, in the order in which it was given.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn feedback_list(&mut self, filter: &FeedbackFilter, request: &PageRequest) -> Result<Page<Feedback>, StoreError> {
        let mut query = feedback::table.select(FeedbackRow::as_select()).into_boxed::<MultiBackend>();
        match filter {
            FeedbackFilter::Referral { referral, parties, author } => {
                query = query.filter(feedback::referral_id.eq(IdCol(*referral)));
                if parties.len() < FeedbackParty::ALL.len() {
                    let theirs = among_codes(feedback::party, parties.iter().copied());
                    query = match author {
                        Some(author) => query.filter(theirs.or(feedback::author_id.eq(IdCol(*author)))),
                        None => query.filter(theirs),
                    };
                }
            }
            FeedbackFilter::Clients(clients) => {
                query = query.filter(feedback::party.eq(CodeCol(FeedbackParty::Client)));
                query = match clients.as_slice() {
                    [] => query.filter(nothing()),
                    [one] => query.filter(feedback::client_id.eq(IdCol(*one))),
                    _ => query.filter(among(feedback::client_id, clients.iter().copied())),
                };
            }
        }
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = feedback::given_at.gt(InstantCol(at)).or(feedback::id.gt(IdCol(FeedbackId::from_uuid(cursor.id))));
            query = query.filter(feedback::given_at.ge(InstantCol(at))).filter(behind);
        }
        let rows = query.order((feedback::given_at.asc(), feedback::id.asc())).limit(request.fetch()).load::<FeedbackRow>(self.conn())?;
        let cursor = |row: &FeedbackRow| Cursor { sort: row.given_at.0.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(Feedback::try_from)
    }
}
