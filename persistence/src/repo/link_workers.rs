//! Link workers with the places that they go to, their contracts and trainings, and the figures by which a coordinator chooses one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lahete_domain::actor::Validity;
use lahete_domain::codes::{AssignmentStateCode, ContractKind, DeclineReason, LinkWorkerStatus, TrainingKind, VisitStateCode};
use lahete_domain::ids::{ClientId, ContractId, Id, LinkWorkerId, OrganisationId, ProgrammeId, TrainingId, UserId};
use lahete_domain::link_worker::{Contract, LinkWorker, Training};
use lahete_domain::money::Cents;
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Month;
use lahete_domain::version::Version;

use crate::among::{among, among_codes};
use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{
    absences, assignments, contracts, link_worker_municipalities, link_workers, referrals, trainings, visit_workers, visits,
};
use crate::spelled::nothing;
use crate::sql_types::{CodeCol, IdCol, VersionCol};

const TABLE: &str = "link_workers";

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = link_workers, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct LinkWorkerRow {
    id: IdCol<LinkWorkerId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    user_id: IdCol<UserId>,
    name: String,
    status: CodeCol<LinkWorkerStatus>,
    languages: String,
    interests: Option<String>,
    max_clients: i64,
    hours_per_month: i64,
}

#[derive(AsChangeset)]
#[diesel(table_name = link_workers, treat_none_as_null = true)]
struct LinkWorkerChange<'a> {
    version: VersionCol,
    name: &'a str,
    status: CodeCol<LinkWorkerStatus>,
    languages: String,
    interests: Option<&'a str>,
    max_clients: i64,
    hours_per_month: i64,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = contracts, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ContractRow {
    id: IdCol<ContractId>,
    link_worker_id: IdCol<LinkWorkerId>,
    kind: CodeCol<ContractKind>,
    employer_id: IdCol<OrganisationId>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    fee_cents_per_hour: Option<i64>,
    insurance_note: Option<String>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = trainings, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct TrainingRow {
    id: IdCol<TrainingId>,
    link_worker_id: IdCol<LinkWorkerId>,
    kind: CodeCol<TrainingKind>,
    provider: String,
    completed_on: NaiveDate,
    credits_tenths: Option<i64>,
}

/// Language tags in one column: sorted, with commas between. A tag never holds a comma.
pub(crate) fn tags_to_text(tags: &BTreeSet<String>) -> String {
    tags.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Reads [`tags_to_text`] back.
pub(crate) fn tags_from_text(text: &str) -> BTreeSet<String> {
    text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

impl From<&LinkWorker> for LinkWorkerRow {
    fn from(worker: &LinkWorker) -> Self {
        Self {
            id: IdCol(worker.id),
            version: VersionCol(worker.version),
            programme_id: IdCol(worker.programme),
            user_id: IdCol(worker.user),
            name: worker.name.clone(),
            status: CodeCol(worker.status),
            languages: tags_to_text(&worker.languages),
            interests: worker.interests.clone(),
            max_clients: i64::from(worker.max_clients),
            hours_per_month: i64::from(worker.hours_per_month),
        }
    }
}

impl LinkWorkerRow {
    fn into_domain(self, municipalities: BTreeSet<MunicipalityCode>) -> Result<LinkWorker, StoreError> {
        let id = self.id.0;
        let corrupt = |column| StoreError::corrupt(TABLE, column, id);
        Ok(LinkWorker {
            id,
            version: self.version.0,
            programme: self.programme_id.0,
            user: self.user_id.0,
            name: self.name,
            status: self.status.0,
            municipalities,
            languages: tags_from_text(&self.languages),
            interests: self.interests,
            max_clients: u32::try_from(self.max_clients).map_err(|_| corrupt("max_clients"))?,
            hours_per_month: u32::try_from(self.hours_per_month).map_err(|_| corrupt("hours_per_month"))?,
        })
    }
}

impl From<ContractRow> for Contract {
    fn from(row: ContractRow) -> Self {
        Self {
            id: row.id.0,
            link_worker: row.link_worker_id.0,
            kind: row.kind.0,
            employer: row.employer_id.0,
            validity: Validity { from: row.valid_from, until: row.valid_until },
            fee_per_hour: row.fee_cents_per_hour.map(Cents),
            insurance_note: row.insurance_note,
        }
    }
}

impl From<&Contract> for ContractRow {
    fn from(contract: &Contract) -> Self {
        Self {
            id: IdCol(contract.id),
            link_worker_id: IdCol(contract.link_worker),
            kind: CodeCol(contract.kind),
            employer_id: IdCol(contract.employer),
            valid_from: contract.validity.from,
            valid_until: contract.validity.until,
            fee_cents_per_hour: contract.fee_per_hour.map(|fee| fee.0),
            insurance_note: contract.insurance_note.clone(),
        }
    }
}

impl TryFrom<TrainingRow> for Training {
    type Error = StoreError;

    fn try_from(row: TrainingRow) -> Result<Self, StoreError> {
        let id = row.id.0;
        let credits = row.credits_tenths.map(u32::try_from).transpose();
        Ok(Self {
            id,
            link_worker: row.link_worker_id.0,
            kind: row.kind.0,
            provider: row.provider,
            completed_on: row.completed_on,
            credits_tenths: credits.map_err(|_| StoreError::corrupt("trainings", "credits_tenths", id))?,
        })
    }
}

impl From<&Training> for TrainingRow {
    fn from(training: &Training) -> Self {
        Self {
            id: IdCol(training.id),
            link_worker_id: IdCol(training.link_worker),
            kind: CodeCol(training.kind),
            provider: training.provider.clone(),
            completed_on: training.completed_on,
            credits_tenths: training.credits_tenths.map(i64::from),
        }
    }
}

/// Which link workers are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkWorkerFilter {
    /// All of these programmes may be seen.
    pub programmes: Vec<ProgrammeId>,
    /// In these programmes only the record of this person may be seen.
    pub own: Option<(UserId, Vec<ProgrammeId>)>,
    /// Only those who go to this municipality.
    pub municipality: Option<MunicipalityCode>,
    /// Only those with this status.
    pub status: Option<LinkWorkerStatus>,
    /// Only those who speak this language, a BCP 47 tag.
    pub language: Option<String>,
    /// Only those who take clients on this day: active, with a contract in force, and not away.
    pub available_on: Option<NaiveDate>,
    /// Only those whose last course or refresher was completed on the day of their programme or before.
    pub trained_until: Option<BTreeMap<ProgrammeId, NaiveDate>>,
}

/// What is known of a link worker besides the record itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Their contracts.
    pub contracts: Vec<Contract>,
    /// Their trainings.
    pub trainings: Vec<Training>,
    /// Clients that they have accepted and still work with.
    pub open_clients: u32,
    /// Minutes of the visits that they held in the month.
    pub minutes_in_month: i64,
}

/// A cursor whose sort key is a date; `None` when the text is no date.
fn date_cursor(cursor: &Cursor) -> Option<NaiveDate> {
    cursor.sort.parse().ok()
}

impl Db<'_> {
    /// Adds a link worker.
    ///
    /// # Errors
    /// Whatever the database says; a rule of the schema when the user is a link worker of the programme already.
    pub fn link_worker_insert(&mut self, worker: &LinkWorker) -> Result<(), StoreError> {
        diesel::insert_into(link_workers::table).values(LinkWorkerRow::from(worker)).execute(self.conn())?;
        self.link_worker_places_insert(worker)
    }

    fn link_worker_places_insert(&mut self, worker: &LinkWorker) -> Result<(), StoreError> {
        for municipality in &worker.municipalities {
            let row = (
                link_worker_municipalities::link_worker_id.eq(IdCol(worker.id)),
                link_worker_municipalities::municipality.eq(municipality.as_str()),
            );
            diesel::insert_into(link_worker_municipalities::table).values(row).execute(self.conn())?;
        }
        Ok(())
    }

    /// One link worker.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn link_worker_get(&mut self, id: LinkWorkerId) -> Result<Option<LinkWorker>, StoreError> {
        let row = link_workers::table.find(IdCol(id)).select(LinkWorkerRow::as_select()).first::<LinkWorkerRow>(self.conn()).optional()?;
        // Asked also for a link worker who is not there: to find nothing takes as long as to find what one may not see.
        let ids = vec![row.as_ref().map_or(IdCol(id), |row| row.id)];
        self.with_places(ids, row.into_iter().collect()).map(|found| found.into_iter().next())
    }

    /// The link worker that somebody is in a programme.
    ///
    /// # Errors
    /// As [`Db::link_worker_get`].
    pub fn link_worker_by_user(&mut self, user: UserId, programme: ProgrammeId) -> Result<Option<LinkWorker>, StoreError> {
        let row = link_workers::table
            .filter(link_workers::programme_id.eq(IdCol(programme)))
            .filter(link_workers::user_id.eq(IdCol(user)))
            .select(LinkWorkerRow::as_select())
            .first::<LinkWorkerRow>(self.conn())
            .optional()?;
        let Some(row) = row else { return Ok(None) };
        self.with_places(vec![row.id], vec![row]).map(|found| found.into_iter().next())
    }

    fn with_places(&mut self, ids: Vec<IdCol<LinkWorkerId>>, rows: Vec<LinkWorkerRow>) -> Result<Vec<LinkWorker>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = link_worker_municipalities::table
            .filter(among(link_worker_municipalities::link_worker_id, ids.iter().map(|id| id.0)))
            .select((link_worker_municipalities::link_worker_id, link_worker_municipalities::municipality))
            .load::<(IdCol<LinkWorkerId>, String)>(self.conn())?;
        let mut places: BTreeMap<LinkWorkerId, BTreeSet<MunicipalityCode>> = BTreeMap::new();
        for (id, text) in found {
            let code = MunicipalityCode::parse(&text);
            let code = code.ok_or_else(|| StoreError::corrupt("link_worker_municipalities", "municipality", id.0))?;
            places.entry(id.0).or_default().insert(code);
        }
        rows.into_iter()
            .map(|row| {
                let id = row.id.0;
                row.into_domain(places.remove(&id).unwrap_or_default())
            })
            .collect()
    }

    /// Changes a link worker, if nobody else has since.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is not the expected one; whatever else the database says.
    pub fn link_worker_update(&mut self, worker: &LinkWorker, expected: Version) -> Result<(), StoreError> {
        let change = LinkWorkerChange {
            version: VersionCol(expected.next()),
            name: &worker.name,
            status: CodeCol(worker.status),
            languages: tags_to_text(&worker.languages),
            interests: worker.interests.as_deref(),
            max_clients: i64::from(worker.max_clients),
            hours_per_month: i64::from(worker.hours_per_month),
        };
        let target = link_workers::table.find(IdCol(worker.id)).filter(link_workers::version.eq(VersionCol(expected)));
        if diesel::update(target).set(change).execute(self.conn())? == 0 {
            return Err(StoreError::Stale);
        }
        let old = link_worker_municipalities::table.filter(link_worker_municipalities::link_worker_id.eq(IdCol(worker.id)));
        diesel::delete(old).execute(self.conn())?;
        self.link_worker_places_insert(worker)
    }

    /// A page of link workers by name.
    ///
    /// # Errors
    /// As [`Db::link_worker_get`].
    pub fn link_worker_list(&mut self, filter: &LinkWorkerFilter, request: &PageRequest) -> Result<Page<LinkWorker>, StoreError> {
        let whole: Vec<_> = filter.programmes.iter().copied().map(IdCol).collect();
        let mut query = link_workers::table.select(LinkWorkerRow::as_select()).into_boxed::<MultiBackend>();
        query = match &filter.own {
            None => of_programmes!(query, link_workers::programme_id, whole),
            Some((user, programmes)) => {
                let own = link_workers::user_id.eq(IdCol(*user)).and(among(link_workers::programme_id, programmes.iter().copied()));
                query.filter(among(link_workers::programme_id, filter.programmes.iter().copied()).or(own))
            }
        };
        if let Some(status) = filter.status {
            query = query.filter(link_workers::status.eq(CodeCol(status)));
        }
        if let Some(municipality) = &filter.municipality {
            let there = link_worker_municipalities::table
                .filter(link_worker_municipalities::municipality.eq(municipality.as_str()))
                .select(link_worker_municipalities::link_worker_id);
            query = query.filter(link_workers::id.eq_any(there));
        }
        if let Some(tag) = &filter.language {
            let [first, middle, last] = tag_patterns(tag);
            let speaks = link_workers::languages.eq(tag).or(link_workers::languages.like(first));
            query = query.filter(speaks.or(link_workers::languages.like(middle)).or(link_workers::languages.like(last)));
        }
        if let Some(day) = filter.available_on {
            let away = absences::table
                .filter(absences::link_worker_id.eq(link_workers::id))
                .filter(absences::from_day.le(day))
                .filter(absences::until_day.is_null().or(absences::until_day.ge(day).assume_not_null()));
            let bound = contracts::table
                .filter(contracts::link_worker_id.eq(link_workers::id))
                .filter(contracts::valid_from.le(day))
                .filter(contracts::valid_until.is_null().or(contracts::valid_until.ge(day).assume_not_null()));
            query =
                query.filter(link_workers::status.eq(CodeCol(LinkWorkerStatus::Active))).filter(not(exists(away))).filter(exists(bound));
        }
        if let Some(last_days) = &filter.trained_until {
            let counting = || {
                trainings::table
                    .filter(trainings::link_worker_id.eq(link_workers::id))
                    .filter(among_codes(trainings::kind, [TrainingKind::BasicCourse, TrainingKind::Refresher]))
            };
            let mut due: Box<dyn BoxableExpression<link_workers::table, MultiBackend, SqlType = Bool>> = Box::new(nothing());
            for (programme, last) in last_days {
                let fresh = counting().filter(trainings::completed_on.gt(*last));
                due = Box::new(due.or(link_workers::programme_id.eq(IdCol(*programme)).and(exists(counting())).and(not(exists(fresh)))));
            }
            query = query.filter(due);
        }
        if let Some(cursor) = &request.after {
            let behind = link_workers::name.gt(&cursor.sort).or(link_workers::id.gt(IdCol(LinkWorkerId::from_uuid(cursor.id))));
            query = query.filter(link_workers::name.ge(&cursor.sort)).filter(behind);
        }
        let rows =
            query.order((link_workers::name.asc(), link_workers::id.asc())).limit(request.fetch()).load::<LinkWorkerRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.name.clone(), id: row.id.0.as_uuid() });
        let ids = page.items.iter().map(|row| row.id).collect();
        Ok(Page { items: self.with_places(ids, page.items)?, next: page.next })
    }

    /// Adds a contract.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn contract_insert(&mut self, contract: &Contract) -> Result<(), StoreError> {
        diesel::insert_into(contracts::table).values(ContractRow::from(contract)).execute(self.conn())?;
        Ok(())
    }

    /// All of somebody's contracts, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn contracts_of(&mut self, of: LinkWorkerId) -> Result<Vec<Contract>, StoreError> {
        let rows = contracts::table
            .filter(contracts::link_worker_id.eq(IdCol(of)))
            .order((contracts::valid_from.desc(), contracts::id.desc()))
            .select(ContractRow::as_select())
            .load::<ContractRow>(self.conn())?;
        Ok(rows.into_iter().map(Contract::from).collect())
    }

    /// A page of somebody's contracts, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn contract_list(&mut self, of: LinkWorkerId, request: &PageRequest) -> Result<Page<Contract>, StoreError> {
        let mut query =
            contracts::table.filter(contracts::link_worker_id.eq(IdCol(of))).select(ContractRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Some(day) = date_cursor(cursor) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = contracts::valid_from.lt(day).or(contracts::id.lt(IdCol(ContractId::from_uuid(cursor.id))));
            query = query.filter(contracts::valid_from.le(day)).filter(behind);
        }
        let rows =
            query.order((contracts::valid_from.desc(), contracts::id.desc())).limit(request.fetch()).load::<ContractRow>(self.conn())?;
        let cursor = |row: &ContractRow| Cursor { sort: row.valid_from.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(|row| Ok(row.into()))
    }

    /// Adds a training.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn training_insert(&mut self, training: &Training) -> Result<(), StoreError> {
        diesel::insert_into(trainings::table).values(TrainingRow::from(training)).execute(self.conn())?;
        Ok(())
    }

    /// A page of somebody's trainings, the newest first.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn training_list(&mut self, of: LinkWorkerId, request: &PageRequest) -> Result<Page<Training>, StoreError> {
        let mut query =
            trainings::table.filter(trainings::link_worker_id.eq(IdCol(of))).select(TrainingRow::as_select()).into_boxed::<MultiBackend>();
        if let Some(cursor) = &request.after {
            let Some(day) = date_cursor(cursor) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind = trainings::completed_on.lt(day).or(trainings::id.lt(IdCol(TrainingId::from_uuid(cursor.id))));
            query = query.filter(trainings::completed_on.le(day)).filter(behind);
        }
        let rows =
            query.order((trainings::completed_on.desc(), trainings::id.desc())).limit(request.fetch()).load::<TrainingRow>(self.conn())?;
        let cursor = |row: &TrainingRow| Cursor { sort: row.completed_on.to_string(), id: row.id.0.as_uuid() };
        Page::from_rows(rows, request, cursor).try_map(Training::try_from)
    }

    /// The databases type a sum of integers differently, so the few rows of one month are added up here.
    fn minutes_by_worker(&mut self, ids: &[LinkWorkerId], month: Month) -> Result<BTreeMap<LinkWorkerId, i64>, StoreError> {
        let rows = visit_workers::table
            .inner_join(visits::table)
            .filter(among(visit_workers::link_worker_id, ids.iter().copied()))
            .filter(visits::state.eq(CodeCol(VisitStateCode::Held)))
            .filter(visits::visit_on.ge(month.first_day()))
            .filter(visits::visit_on.lt(month.next_first_day()))
            .select((visit_workers::link_worker_id, visits::minutes))
            .load::<(IdCol<LinkWorkerId>, i64)>(self.conn())?;
        let mut sums = BTreeMap::new();
        for (id, minutes) in rows {
            *sums.entry(id.0).or_insert(0) += minutes;
        }
        Ok(sums)
    }

    /// Whether a link worker has declined this client before for a conflict of interest.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn link_worker_conflict(&mut self, id: LinkWorkerId, client: ClientId) -> Result<bool, StoreError> {
        let declared = assignments::table
            .inner_join(referrals::table)
            .filter(assignments::link_worker_id.eq(IdCol(id)))
            .filter(assignments::decline_reason.eq(CodeCol(DeclineReason::ConflictOfInterest)))
            .filter(referrals::client_id.eq(IdCol(client)));
        Ok(diesel::select(exists(declared)).get_result(self.conn())?)
    }

    /// Contracts, trainings, clients and hours of some link workers, in the month in which a day lies.
    ///
    /// # Errors
    /// Whatever the database says; [`StoreError::Corrupt`] for a row without meaning.
    pub fn link_worker_standings(&mut self, ids: &[LinkWorkerId], month: Month) -> Result<BTreeMap<LinkWorkerId, Standing>, StoreError> {
        let mut all: BTreeMap<LinkWorkerId, Standing> = ids.iter().map(|id| (*id, Standing::default())).collect();
        let rows = contracts::table
            .filter(among(contracts::link_worker_id, ids.iter().copied()))
            .order((contracts::valid_from.desc(), contracts::id.desc()))
            .select(ContractRow::as_select())
            .load::<ContractRow>(self.conn())?;
        for contract in rows.into_iter().map(Contract::from) {
            all.entry(contract.link_worker).or_default().contracts.push(contract);
        }
        let rows = trainings::table
            .filter(among(trainings::link_worker_id, ids.iter().copied()))
            .order((trainings::completed_on.desc(), trainings::id.desc()))
            .select(TrainingRow::as_select())
            .load::<TrainingRow>(self.conn())?;
        for row in rows {
            let training = Training::try_from(row)?;
            all.entry(training.link_worker).or_default().trainings.push(training);
        }
        let open = assignments::table
            .filter(among(assignments::link_worker_id, ids.iter().copied()))
            .filter(assignments::state.eq(CodeCol(AssignmentStateCode::Accepted)))
            .group_by(assignments::link_worker_id)
            .select((assignments::link_worker_id, count_star()))
            .load::<(IdCol<LinkWorkerId>, i64)>(self.conn())?;
        for (id, count) in open {
            all.entry(id.0).or_default().open_clients = u32::try_from(count).unwrap_or(u32::MAX);
        }
        for (id, minutes) in self.minutes_by_worker(ids, month)? {
            all.entry(id).or_default().minutes_in_month = minutes;
        }
        Ok(all)
    }
}

/// Patterns that find a tag at the beginning, in the middle and at the end of [`tags_to_text`]. A tag holds letters, digits and hyphens
/// alone, so none of it is a wildcard.
pub(crate) fn tag_patterns(tag: &str) -> [String; 3] {
    [format!("{tag},%"), format!("%,{tag},%"), format!("%,{tag}")]
}
