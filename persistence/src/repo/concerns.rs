//! Concerns. Everything that somebody has written in one is sealed; a list opens nothing of it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;
use lahete_domain::access::{Subject, is_past};
use lahete_domain::codes::{ClientStanding, ConcernKind, ConcernStateCode, ReferralStateCode, Role};
use lahete_domain::concern::{Concern, ConcernReport, Release, state_of};
use lahete_domain::ids::{ClientId, ConcernId, Id, ProgrammeId, ReferralId, UserId};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;

use crate::among::among;
use crate::cipher::Keys;
use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest, merged};
use crate::repo::sealed::{self, Resealed};
use crate::schema::{clients, concerns, referrals};
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol, parse_instant};

const TABLE: &str = "concerns";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = concerns, check_for_backend(MultiBackend), treat_none_as_default_value = false, treat_none_as_null = true)]
struct ConcernRow {
    id: IdCol<ConcernId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    kind: CodeCol<ConcernKind>,
    facts: String,
    person_informed: bool,
    not_informed_reason: Option<String>,
    consulted: Option<String>,
    reported_place: Option<String>,
    reported_at: Option<InstantCol>,
    follow_up: Option<String>,
    reporter_id: IdCol<UserId>,
    reporter_role: CodeCol<Role>,
    recorded_at: InstantCol,
    closed_at: Option<InstantCol>,
    released_at: Option<InstantCol>,
    released_by: Option<IdCol<UserId>>,
    release_words: Option<String>,
}

impl ConcernRow {
    fn of(concern: &Concern, version: Version, keys: &Keys) -> Result<Self, StoreError> {
        let id = concern.id;
        let seal = |column, plain: Option<&String>| sealed::seal(keys, TABLE, column, id, plain.map(String::as_str));
        let released = concern.released.as_ref();
        let facts = seal("facts", Some(&concern.facts))?.unwrap_or_default();
        Ok(Self {
            id: IdCol(id),
            version: VersionCol(version),
            programme_id: IdCol(concern.programme),
            referral_id: IdCol(concern.referral),
            client_id: IdCol(concern.client),
            kind: CodeCol(concern.kind),
            facts,
            person_informed: concern.person_informed,
            not_informed_reason: seal("not_informed_reason", concern.not_informed_reason.as_ref())?,
            consulted: seal("consulted", concern.consulted.as_ref())?,
            reported_place: seal("reported_place", concern.reported.as_ref().map(|report| &report.place))?,
            reported_at: concern.reported.as_ref().map(|report| InstantCol(report.at)),
            follow_up: seal("follow_up", concern.follow_up.as_ref())?,
            reporter_id: IdCol(concern.reporter),
            reporter_role: CodeCol(concern.reporter_role),
            recorded_at: InstantCol(concern.recorded_at),
            closed_at: concern.closed_at.map(InstantCol),
            released_at: released.map(|release| InstantCol(release.at)),
            released_by: released.map(|release| IdCol(release.by)),
            release_words: seal("release_words", released.and_then(|release| release.words.as_ref()))?,
        })
    }

    fn into_concern(self, keys: &Keys) -> Result<Concern, StoreError> {
        let id = self.id.0;
        let open = |column, stored| sealed::open(keys, TABLE, column, id, stored);
        let reported = match (open("reported_place", self.reported_place)?, self.reported_at) {
            (Some(place), Some(at)) => Some(ConcernReport { place, at: at.0 }),
            (None, None) => None,
            _ => return Err(StoreError::corrupt(TABLE, "reported_at", id)),
        };
        let words = open("release_words", self.release_words)?;
        Ok(Concern {
            id,
            version: self.version.0,
            programme: self.programme_id.0,
            referral: self.referral_id.0,
            client: self.client_id.0,
            kind: self.kind.0,
            facts: open("facts", Some(self.facts))?.unwrap_or_default(),
            person_informed: self.person_informed,
            not_informed_reason: open("not_informed_reason", self.not_informed_reason)?,
            consulted: open("consulted", self.consulted)?,
            reported,
            follow_up: open("follow_up", self.follow_up)?,
            reporter: self.reporter_id.0,
            reporter_role: self.reporter_role.0,
            recorded_at: self.recorded_at.0,
            closed_at: self.closed_at.map(|at| at.0),
            released: self.released_at.zip(self.released_by).map(|(at, by)| Release { at: at.0, by: by.0, words }),
        })
    }
}

/// A concern without anything that was written in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConcernFace {
    /// Its id.
    pub id: ConcernId,
    /// Its version.
    pub version: Version,
    /// The programme.
    pub programme: ProgrammeId,
    /// The case.
    pub referral: ReferralId,
    /// About whom.
    pub client: ClientId,
    /// What it is about.
    pub kind: ConcernKind,
    /// Where it stands.
    pub state: ConcernStateCode,
    /// Whether the client knows of it.
    pub person_informed: bool,
    /// Who recorded it.
    pub reporter: UserId,
    /// In which role.
    pub reporter_role: Role,
    /// When.
    pub recorded_at: Instant,
    /// When it was reported.
    pub reported_at: Option<Instant>,
    /// When the client could see it.
    pub released_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = concerns, check_for_backend(MultiBackend))]
struct FaceRow {
    id: IdCol<ConcernId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    referral_id: IdCol<ReferralId>,
    client_id: IdCol<ClientId>,
    kind: CodeCol<ConcernKind>,
    person_informed: bool,
    reporter_id: IdCol<UserId>,
    reporter_role: CodeCol<Role>,
    recorded_at: InstantCol,
    reported_at: Option<InstantCol>,
    closed_at: Option<InstantCol>,
    released_at: Option<InstantCol>,
}

impl From<FaceRow> for ConcernFace {
    fn from(row: FaceRow) -> Self {
        let state = state_of(row.closed_at.map(|at| at.0), row.reported_at.map(|at| at.0));
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            referral: row.referral_id.0,
            client: row.client_id.0,
            kind: row.kind.0,
            state,
            person_informed: row.person_informed,
            reporter: row.reporter_id.0,
            reporter_role: row.reporter_role.0,
            recorded_at: row.recorded_at.0,
            reported_at: row.reported_at.map(|at| at.0),
            released_at: row.released_at.map(|at| at.0),
        }
    }
}

/// How the case stands in which a concern came up, as far as it decides who may see the concern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConcernCase {
    /// Where the referral stands.
    pub state: ReferralStateCode,
    /// Since when.
    pub since: Instant,
    /// Whether the client's data may be used.
    pub standing: ClientStanding,
}

impl ConcernCase {
    /// A concern as the access policy sees it on a day.
    #[must_use]
    pub fn subject(&self, programme: ProgrammeId, reporter: UserId, today: NaiveDate) -> Subject {
        Subject {
            reporter: Some(reporter),
            standing: self.standing,
            past: is_past(self.state, self.since, today),
            ..Subject::of_programme(programme)
        }
    }
}

/// Which concerns may be seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConcernSight {
    /// All of these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Of these programmes those that this person has recorded.
    pub own: Option<(UserId, Vec<ProgrammeId>)>,
}

/// Which of them are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ConcernFilter {
    /// In this state.
    pub state: Option<ConcernStateCode>,
    /// Of this kind.
    pub kind: Option<ConcernKind>,
    /// Released to the client's view, or not.
    pub released: Option<bool>,
}

/// One relation that opens concerns.
#[derive(Clone, Copy, Debug)]
enum Branch {
    Programme(ProgrammeId),
    Own(UserId, ProgrammeId),
}

type Cases = BTreeMap<ReferralId, ConcernCase>;

impl Db<'_> {
    /// Takes a concern on record.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concern_insert(&mut self, concern: &Concern) -> Result<(), StoreError> {
        let row = ConcernRow::of(concern, concern.version, self.keys())?;
        diesel::insert_into(concerns::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// One concern, and how its case stands.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn concern_get(&mut self, id: ConcernId) -> Result<Option<(Concern, ConcernCase)>, StoreError> {
        let row = concerns::table.find(IdCol(id)).select(ConcernRow::as_select()).first::<ConcernRow>(self.conn()).optional()?;
        // Asked also for a concern that is not there: to find nothing takes as long as to find what one may not see.
        let referral = row.as_ref().map_or_else(ReferralId::nil, |row| row.referral_id.0);
        let mut cases = self.concern_cases([referral])?;
        let Some(row) = row else { return Ok(None) };
        let case = cases.remove(&referral).ok_or_else(|| StoreError::corrupt(TABLE, "referral_id", id))?;
        Ok(Some((row.into_concern(self.keys())?, case)))
    }

    /// How some cases stand.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concern_cases(&mut self, ids: impl IntoIterator<Item = ReferralId>) -> Result<Cases, StoreError> {
        let wanted = referrals::table.inner_join(clients::table).filter(among(referrals::id, ids)).select((
            referrals::id,
            referrals::state,
            referrals::state_since,
            clients::standing,
        ));
        let rows =
            on_backend!(self.conn(), |c| wanted
                .load::<(IdCol<ReferralId>, CodeCol<ReferralStateCode>, InstantCol, CodeCol<ClientStanding>)>(c))?;
        let case = |(id, state, since, standing): (IdCol<ReferralId>, CodeCol<ReferralStateCode>, InstantCol, CodeCol<ClientStanding>)| {
            (id.0, ConcernCase { state: state.0, since: since.0, standing: standing.0 })
        };
        Ok(rows.into_iter().map(case).collect())
    }

    /// Writes a changed concern over the version that it was made from.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when another version is stored; whatever else the database says.
    pub fn concern_update(&mut self, concern: &Concern, expected: Version) -> Result<(), StoreError> {
        let row = ConcernRow::of(concern, expected.next(), self.keys())?;
        let stored = concerns::table.find(IdCol(concern.id)).filter(concerns::version.eq(VersionCol(expected)));
        match diesel::update(stored).set(row).execute(self.conn())? {
            0 => Err(StoreError::Stale),
            _ => Ok(()),
        }
    }

    /// A page of concerns, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concern_list(
        &mut self,
        sight: &ConcernSight,
        filter: ConcernFilter,
        request: &PageRequest,
    ) -> Result<Page<ConcernFace>, StoreError> {
        let own = sight.own.iter().flat_map(|(user, programmes)| programmes.iter().map(|programme| Branch::Own(*user, *programme)));
        let branches = sight.programmes.iter().copied().map(Branch::Programme).chain(own);
        let order = |one: &FaceRow, other: &FaceRow| (other.recorded_at, other.id).cmp(&(one.recorded_at, one.id));
        let rows = merged(branches, request, |branch| self.concern_rows(branch, filter, request), order)?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.recorded_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }

    fn concern_rows(&mut self, branch: Branch, filter: ConcernFilter, request: &PageRequest) -> Result<Vec<FaceRow>, StoreError> {
        let mut query = concerns::table.select(FaceRow::as_select()).into_boxed::<MultiBackend>();
        query = match branch {
            Branch::Programme(programme) => query.filter(concerns::programme_id.eq(IdCol(programme))),
            Branch::Own(user, programme) => {
                query.filter(concerns::reporter_id.eq(IdCol(user))).filter(concerns::programme_id.eq(IdCol(programme)))
            }
        };
        query = match filter.state {
            None => query,
            Some(ConcernStateCode::Open) => query.filter(concerns::closed_at.is_null()).filter(concerns::reported_at.is_null()),
            Some(ConcernStateCode::Reported) => query.filter(concerns::closed_at.is_null()).filter(concerns::reported_at.is_not_null()),
            Some(ConcernStateCode::Closed) => query.filter(concerns::closed_at.is_not_null()),
        };
        if let Some(kind) = filter.kind {
            query = query.filter(concerns::kind.eq(CodeCol(kind)));
        }
        query = match filter.released {
            None => query,
            Some(true) => query.filter(concerns::released_at.is_not_null()),
            Some(false) => query.filter(concerns::released_at.is_null()),
        };
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Vec::new()) };
            let behind = concerns::recorded_at.lt(InstantCol(at)).or(concerns::id.lt(IdCol(ConcernId::from_uuid(cursor.id))));
            query = query.filter(concerns::recorded_at.le(InstantCol(at))).filter(behind);
        }
        Ok(query.order((concerns::recorded_at.desc(), concerns::id.desc())).limit(request.fetch()).load(self.conn())?)
    }

    /// A page of the concerns of a case, the newest first; only those that somebody has recorded, if so wanted.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn concerns_of_referral(
        &mut self,
        referral: ReferralId,
        reporter: Option<UserId>,
        request: &PageRequest,
    ) -> Result<Page<ConcernFace>, StoreError> {
        let mut query =
            concerns::table.select(FaceRow::as_select()).filter(concerns::referral_id.eq(IdCol(referral))).into_boxed::<MultiBackend>();
        if let Some(reporter) = reporter {
            query = query.filter(concerns::reporter_id.eq(IdCol(reporter)));
        }
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = concerns::recorded_at.lt(InstantCol(at)).or(concerns::id.lt(IdCol(ConcernId::from_uuid(cursor.id))));
            query = query.filter(concerns::recorded_at.le(InstantCol(at))).filter(behind);
        }
        let rows = query.order((concerns::recorded_at.desc(), concerns::id.desc())).limit(request.fetch()).load::<FaceRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.recorded_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(row.into()))
    }

    /// A page of the concerns about somebody that were released to them, the newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn concerns_released(&mut self, client: ClientId, request: &PageRequest) -> Result<Page<Concern>, StoreError> {
        let mut query = concerns::table
            .select(ConcernRow::as_select())
            .filter(concerns::client_id.eq(IdCol(client)))
            .filter(concerns::released_at.is_not_null())
            .into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = concerns::recorded_at.lt(InstantCol(at)).or(concerns::id.lt(IdCol(ConcernId::from_uuid(cursor.id))));
            query = query.filter(concerns::recorded_at.le(InstantCol(at))).filter(behind);
        }
        let rows =
            query.order((concerns::recorded_at.desc(), concerns::id.desc())).limit(request.fetch()).load::<ConcernRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.recorded_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| row.into_concern(self.keys()))
    }

    /// Whether there is a concern about somebody that they may not know of yet.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn has_unreleased_concern(&mut self, client: ClientId) -> Result<bool, StoreError> {
        let hidden = concerns::table.filter(concerns::client_id.eq(IdCol(client))).filter(concerns::released_at.is_null());
        Ok(diesel::select(exists(hidden)).get_result(self.conn())?)
    }

    /// Seals with the key in use what of some concerns is sealed with another one; a part of a walk over all of them.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn concerns_reseal(&mut self, after: Option<&str>, limit: i64) -> Result<Resealed, StoreError> {
        let columns = (
            concerns::id,
            concerns::facts,
            concerns::not_informed_reason,
            concerns::consulted,
            concerns::reported_place,
            concerns::follow_up,
            concerns::release_words,
        );
        type Texts = (IdCol<ConcernId>, String, Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);
        let mut query = concerns::table.select(columns).order(concerns::id.asc()).limit(limit).into_boxed::<MultiBackend>();
        if let Some(after) = after.and_then(|id| uuid::Uuid::parse_str(id).ok()) {
            query = query.filter(concerns::id.gt(IdCol(ConcernId::from_uuid(after))));
        }
        let rows: Vec<Texts> = query.load(self.conn())?;
        let mut done = Resealed::of(rows.len(), limit, rows.last().map(|row| row.0.0.to_string()));
        for (id, facts, reason, consulted, place, follow_up, words) in rows {
            let old = [
                ("facts", Some(facts)),
                ("not_informed_reason", reason),
                ("consulted", consulted),
                ("reported_place", place),
                ("follow_up", follow_up),
                ("release_words", words),
            ];
            let mut new = old.clone();
            let resealed = new.iter_mut().try_for_each(|(column, text)| sealed::reseal(self.keys(), TABLE, column, id.0.as_uuid(), text));
            match resealed {
                Ok(()) if new == old => {}
                Ok(()) => {
                    done.resealed += 1;
                    let [facts, reason, consulted, place, follow_up, words] = new.map(|(_, text)| text);
                    diesel::update(concerns::table.find(id))
                        .set((
                            concerns::facts.eq(facts.unwrap_or_default()),
                            concerns::not_informed_reason.eq(reason),
                            concerns::consulted.eq(consulted),
                            concerns::reported_place.eq(place),
                            concerns::follow_up.eq(follow_up),
                            concerns::release_words.eq(words),
                        ))
                        .execute(self.conn())?;
                }
                Err(_) => done.refused.push(id.0.to_string()),
            }
        }
        Ok(done)
    }
}
