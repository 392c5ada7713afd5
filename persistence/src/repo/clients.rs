//! Clients. Identity code, phone, e-mail and address are stored sealed; the code is found by its blind index alone.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use lahete_domain::client::{Birth, Client, ClientData, Contact};
use lahete_domain::codes::{ClientStanding, Sex};
use lahete_domain::identity_code::IdentityCode;
use lahete_domain::ids::{ClientId, Id, ProgrammeId, ReferralId, UserId};
use lahete_domain::programme::MunicipalityCode;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;

use crate::among::{Among, among};
use crate::cipher::{CipherError, Keys};
use crate::connection::{MultiBackend, on_backend};
use crate::repo::sealed::{self, Resealed};
use crate::schema::{clients, referrals};
use crate::spelled::{Spelled, spelled};
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol};
use crate::{Db, StoreError};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = clients, check_for_backend(MultiBackend), treat_none_as_null = true, primary_key(id), treat_none_as_default_value = false)]
struct ClientRow {
    id: IdCol<ClientId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    user_id: Option<IdCol<UserId>>,
    given_name: String,
    family_name: String,
    phone: Option<String>,
    email: Option<String>,
    address: Option<String>,
    client_will_contact: bool,
    birth_date: Option<NaiveDate>,
    birth_year: Option<i64>,
    identity_code_cipher: Option<Vec<u8>>,
    identity_code_index: Option<Vec<u8>>,
    identity_code_index_2: Option<Vec<u8>>,
    sex: Option<CodeCol<Sex>>,
    municipality: String,
    language: String,
    interpreter_needed: bool,
    non_disclosure: bool,
    lives_at_home: Option<bool>,
    standing: CodeCol<ClientStanding>,
}

/// What lists show of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFace {
    /// Given and family name.
    pub name: String,
    /// Where they live.
    pub municipality: MunicipalityCode,
    /// Whether their places are protected (turvakielto).
    pub non_disclosure: bool,
}

const TABLE: &str = "clients";
const CODE: &str = "identity_code_cipher";
const PHONE: &str = "phone";
const EMAIL: &str = "email";
const ADDRESS: &str = "address";

fn seal_error(error: CipherError, id: ClientId) -> StoreError {
    sealed::error(error, TABLE, CODE, id)
}

impl ClientRow {
    fn of(client: &Client, keys: &Keys) -> Result<Self, StoreError> {
        let data = &client.data;
        let (birth_date, birth_year) = match data.birth {
            Birth::Date(date) => (Some(date), None),
            Birth::Year(year) => (None, Some(i64::from(year))),
        };
        let code = data.identity_code.as_ref().map(|code| code.reveal().as_bytes());
        let identity_code_cipher = code
            .map(|code| keys.encrypt(TABLE, CODE, client.id.as_uuid(), code))
            .transpose()
            .map_err(|error| seal_error(error, client.id))?;
        let indexes = code
            .map(|code| keys.stored_indexes(&indexed(client.programme, code)))
            .transpose()
            .map_err(|error| seal_error(error, client.id))?;
        let (identity_code_index, identity_code_index_2) = indexes.map_or((None, None), |indexes| (Some(indexes.odd), indexes.even));
        let seal = |column, value: &Option<String>| sealed::seal(keys, TABLE, column, client.id, value.as_deref());
        Ok(Self {
            id: client.id.into(),
            version: client.version.into(),
            programme_id: client.programme.into(),
            user_id: client.user.map(IdCol),
            given_name: data.given_name.clone(),
            family_name: data.family_name.clone(),
            phone: seal(PHONE, &data.contact.phone)?,
            email: seal(EMAIL, &data.contact.email)?,
            address: seal(ADDRESS, &data.contact.address)?,
            client_will_contact: data.contact.client_will_contact,
            birth_date,
            birth_year,
            identity_code_cipher,
            identity_code_index,
            identity_code_index_2,
            sex: data.sex.map(CodeCol),
            municipality: data.municipality.as_str().to_owned(),
            language: data.language.clone(),
            interpreter_needed: data.interpreter_needed,
            non_disclosure: data.non_disclosure,
            lives_at_home: data.lives_at_home,
            standing: CodeCol(client.standing),
        })
    }

    fn into_client(self, keys: &Keys) -> Result<Client, StoreError> {
        let id = self.id.0;
        let corrupt = |column| StoreError::corrupt(TABLE, column, id);
        let birth = match (self.birth_date, self.birth_year) {
            (Some(date), None) => Birth::Date(date),
            (None, Some(year)) => Birth::Year(i32::try_from(year).map_err(|_| corrupt("birth_year"))?),
            _ => return Err(corrupt("birth_date")),
        };
        let identity_code = match self.identity_code_cipher {
            None => None,
            Some(sealed) => {
                let plain = keys.decrypt(TABLE, CODE, id.as_uuid(), &sealed).map_err(|error| seal_error(error, id))?;
                let text = String::from_utf8(plain).map_err(|_| corrupt(CODE))?;
                // It was in the past when it was stored; the calendar has only moved on since.
                Some(IdentityCode::parse(&text, NaiveDate::MAX).map_err(|_| corrupt(CODE))?)
            }
        };
        let open = |column, value: Option<String>| sealed::open(keys, TABLE, column, id, value);
        Ok(Client {
            id,
            version: self.version.into(),
            programme: self.programme_id.0,
            user: self.user_id.map(|user| user.0),
            standing: self.standing.0,
            data: ClientData {
                given_name: self.given_name,
                family_name: self.family_name,
                contact: Contact {
                    phone: open(PHONE, self.phone)?,
                    email: open(EMAIL, self.email)?,
                    address: open(ADDRESS, self.address)?,
                    client_will_contact: self.client_will_contact,
                },
                birth,
                identity_code,
                sex: self.sex.map(|sex| sex.0),
                municipality: MunicipalityCode::parse(&self.municipality).ok_or_else(|| corrupt("municipality"))?,
                language: self.language,
                interpreter_needed: self.interpreter_needed,
                non_disclosure: self.non_disclosure,
                lives_at_home: self.lives_at_home,
            },
        })
    }
}

/// What the index is made of. The same person is another index in another programme, so that no two controllers can match their clients.
fn indexed(programme: ProgrammeId, code: &[u8]) -> Vec<u8> {
    let mut value = programme.as_uuid().as_bytes().to_vec();
    value.extend_from_slice(code);
    value
}

/// What is sealed of a client.
#[derive(Queryable, Selectable, AsChangeset, Clone, PartialEq, Eq)]
#[diesel(table_name = clients, check_for_backend(MultiBackend), treat_none_as_null = true, primary_key(id))]
struct SealedColumns {
    id: IdCol<ClientId>,
    programme_id: IdCol<ProgrammeId>,
    phone: Option<String>,
    email: Option<String>,
    address: Option<String>,
    identity_code_cipher: Option<Vec<u8>>,
    identity_code_index: Option<Vec<u8>>,
    identity_code_index_2: Option<Vec<u8>>,
}

impl SealedColumns {
    /// The same under the key in use; `None` when it is so already.
    fn resealed(&self, keys: &Keys) -> Result<Option<Self>, CipherError> {
        let row = self.id.0.as_uuid();
        let mut new = self.clone();
        for (column, value) in [(PHONE, &mut new.phone), (EMAIL, &mut new.email), (ADDRESS, &mut new.address)] {
            sealed::reseal(keys, TABLE, column, row, value)?;
        }
        if let Some(cipher) = &mut new.identity_code_cipher {
            let code = keys.decrypt(TABLE, CODE, row, cipher)?;
            if cipher.first() != Some(&keys.current_id()) {
                *cipher = keys.encrypt(TABLE, CODE, row, &code)?;
            }
            let indexes = keys.stored_indexes(&indexed(self.programme_id.0, &code))?;
            (new.identity_code_index, new.identity_code_index_2) = (Some(indexes.odd), indexes.even);
        }
        Ok((new != *self).then_some(new))
    }
}

type Wanted = diesel::dsl::Filter<clients::table, Among<clients::programme_id>>;

/// The query of [`restricted_clients`].
pub(super) type RestrictedClients = diesel::dsl::Select<diesel::dsl::Filter<Wanted, Spelled<Bool>>, clients::id>;

/// The clients of some programmes whose data are restricted: never many, and in an index of their own.
pub(super) fn restricted_clients(programmes: Vec<ProgrammeId>) -> RestrictedClients {
    clients::table
        .filter(among(clients::programme_id, programmes))
        // Spelled out, and not bound: only so can the database see that its index holds them all.
        .filter(spelled::<Bool>("clients.standing = 'restricted'"))
        .select(clients::id)
}

impl Db<'_> {
    /// Stores a client. As long as the referral is a draft the client is provisional: not yet matched with one who is known.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn client_insert(&mut self, client: &Client, provisional: bool, now: Instant) -> Result<(), StoreError> {
        let row = ClientRow::of(client, self.keys())?;
        let values = (row, clients::provisional.eq(provisional), clients::created_at.eq(InstantCol(now)));
        on_backend!(self.conn(), |c| diesel::insert_into(clients::table).values(values).execute(c))?;
        Ok(())
    }

    /// One client.
    ///
    /// # Errors
    /// When the row is corrupt or the database fails.
    pub fn client_get(&mut self, id: ClientId) -> Result<Option<Client>, StoreError> {
        let row: Option<ClientRow> =
            on_backend!(self.conn(), |c| clients::table.find(IdCol(id)).select(ClientRow::as_select()).first(c)).optional()?;
        row.map(|row| row.into_client(self.keys())).transpose()
    }

    /// Several clients, in no order.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn clients_get(&mut self, ids: &[ClientId]) -> Result<Vec<Client>, StoreError> {
        let wanted = among(clients::id, ids.iter().copied());
        let rows: Vec<ClientRow> = on_backend!(self.conn(), |c| clients::table.filter(wanted).select(ClientRow::as_select()).load(c))?;
        rows.into_iter().map(|row| row.into_client(self.keys())).collect()
    }

    /// What lists show of several clients, in no order. Nothing that is sealed is opened for it: that takes longer than reading a page.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn client_faces(&mut self, ids: &[ClientId]) -> Result<Vec<(ClientId, ClientFace)>, StoreError> {
        type Row = (IdCol<ClientId>, String, String, String, bool);
        let columns = (clients::id, clients::given_name, clients::family_name, clients::municipality, clients::non_disclosure);
        let wanted = clients::table.filter(among(clients::id, ids.iter().copied()));
        let rows: Vec<Row> = on_backend!(self.conn(), |c| wanted.select(columns).load(c))?;
        let face = |(id, given, family, municipality, non_disclosure): Row| {
            let municipality = MunicipalityCode::parse(&municipality).ok_or_else(|| StoreError::corrupt(TABLE, "municipality", id.0))?;
            Ok((id.0, ClientFace { name: format!("{given} {family}"), municipality, non_disclosure }))
        };
        rows.into_iter().map(face).collect()
    }

    /// The client of a programme with an identity code, among those who are not provisional. While keys are changed, a client is looked for under each
    /// of them.
    ///
    /// # Errors
    /// When the row is corrupt or the database fails.
    pub fn client_by_identity_code(&mut self, programme: ProgrammeId, code: &IdentityCode) -> Result<Option<Client>, StoreError> {
        let indexes = self.keys().blind_indexes(&indexed(programme, code.reveal().as_bytes()));
        for (key, wanted) in indexes.map_err(|error| sealed::error(error, TABLE, CODE, programme))? {
            // In the words of the index over those who are known: a bound value would not be seen to be the same.
            let known = clients::table.filter(clients::programme_id.eq(IdCol(programme))).filter(diesel::dsl::not(clients::provisional));
            let row: Option<ClientRow> = if key % 2 == 1 {
                let found = known.filter(clients::identity_code_index.eq(wanted));
                on_backend!(self.conn(), |c| found.select(ClientRow::as_select()).first(c)).optional()?
            } else {
                let found = known.filter(clients::identity_code_index_2.eq(wanted));
                on_backend!(self.conn(), |c| found.select(ClientRow::as_select()).first(c)).optional()?
            };
            if let Some(row) = row {
                return row.into_client(self.keys()).map(Some);
            }
        }
        Ok(None)
    }

    /// Seals with the key in use what of some clients is sealed with another one or not at all; a part of a walk over all clients.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn clients_reseal(&mut self, after: Option<&str>, limit: i64) -> Result<Resealed, StoreError> {
        let mut query =
            clients::table.select(SealedColumns::as_select()).order(clients::id.asc()).limit(limit).into_boxed::<MultiBackend>();
        if let Some(after) = after.and_then(|id| uuid::Uuid::parse_str(id).ok()) {
            query = query.filter(clients::id.gt(IdCol(ClientId::from_uuid(after))));
        }
        let rows: Vec<SealedColumns> = query.load(self.conn())?;
        let mut done = Resealed::of(rows.len(), limit, rows.last().map(|row| row.id.0.to_string()));
        for old in rows {
            let id = old.id.0;
            match old.resealed(self.keys()) {
                Ok(None) => {}
                Ok(Some(new)) => {
                    done.resealed += 1;
                    // Nobody else's change is overwritten: PostgreSQL refuses it in this kind of transaction, and SQLite has one writer.
                    diesel::update(clients::table.find(IdCol(id))).set(&new).execute(self.conn())?;
                }
                Err(_) => done.refused.push(id.to_string()),
            }
        }
        Ok(done)
    }

    /// The clients of several programmes with an identity code, among those who are not provisional.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn clients_by_identity_code(&mut self, programmes: &[ProgrammeId], code: &IdentityCode) -> Result<Vec<Client>, StoreError> {
        let mut found = Vec::new();
        for programme in programmes {
            found.extend(self.client_by_identity_code(*programme, code)?);
        }
        Ok(found)
    }

    /// Links a client with a person's own sign-in, or takes the link away. Nobody reads it with the client, so the version stays.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn client_set_user(&mut self, id: ClientId, user: Option<UserId>) -> Result<(), StoreError> {
        diesel::update(clients::table.find(IdCol(id))).set(clients::user_id.eq(user.map(IdCol))).execute(self.conn())?;
        Ok(())
    }

    /// The clients that are one signed-in person, one for each programme.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn clients_of_user(&mut self, user: UserId) -> Result<Vec<Client>, StoreError> {
        let rows: Vec<ClientRow> = clients::table
            .filter(clients::user_id.eq(IdCol(user)))
            .filter(clients::provisional.eq(false))
            .select(ClientRow::as_select())
            .load(self.conn())?;
        rows.into_iter().map(|row| row.into_client(self.keys())).collect()
    }

    /// Stores a change of a client.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the version is another one.
    pub fn client_update(&mut self, client: &Client, expected: Version) -> Result<(), StoreError> {
        let mut row = ClientRow::of(client, self.keys())?;
        row.version = expected.next().into();
        let updated = diesel::update(clients::table.filter(clients::id.eq(row.id)).filter(clients::version.eq(VersionCol(expected))))
            .set(&row)
            .execute(self.conn())?;
        if updated == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// The referrals of a client, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn referrals_of_client(&mut self, id: ClientId) -> Result<Vec<ReferralId>, StoreError> {
        let ids: Vec<IdCol<ReferralId>> = referrals::table
            .filter(referrals::client_id.eq(IdCol(id)))
            .order((referrals::created_at.asc(), referrals::id.asc()))
            .select(referrals::id)
            .load(self.conn())?;
        Ok(ids.into_iter().map(|id| id.0).collect())
    }

    /// Drafts about a person who is a client already: their own ones, and those with their identity code.
    ///
    /// # Errors
    /// When the database fails.
    pub fn drafts_about(&mut self, client: &Client) -> Result<Vec<ReferralId>, StoreError> {
        let of_programme = || {
            clients::table
                .inner_join(referrals::table)
                .filter(clients::programme_id.eq(IdCol(client.programme)))
                .filter(clients::provisional.eq(true))
                .select(referrals::id)
                .into_boxed::<MultiBackend>()
        };
        let mut ids: BTreeSet<IdCol<ReferralId>> = BTreeSet::new();
        if let Some(user) = client.user {
            ids.extend(of_programme().filter(clients::user_id.eq(IdCol(user))).load::<IdCol<ReferralId>>(self.conn())?);
        }
        if let Some(code) = &client.data.identity_code {
            let indexes = self.keys().blind_indexes(&indexed(client.programme, code.reveal().as_bytes()));
            for (key, wanted) in indexes.map_err(|error| sealed::error(error, TABLE, CODE, client.id))? {
                let drafts = of_programme();
                let drafts = if key % 2 == 1 {
                    drafts.filter(clients::identity_code_index.eq(wanted))
                } else {
                    drafts.filter(clients::identity_code_index_2.eq(wanted))
                };
                ids.extend(drafts.load::<IdCol<ReferralId>>(self.conn())?);
            }
        }
        Ok(ids.into_iter().map(|id| id.0).collect())
    }

    /// Whether a client is only that of a draft.
    ///
    /// # Errors
    /// When the database fails.
    pub fn client_is_provisional(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let provisional = clients::table.find(IdCol(id)).select(clients::provisional).first(self.conn()).optional()?;
        Ok(provisional.unwrap_or(true))
    }

    /// Whether a link worker works with a client today, under a consent that shares it with them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn client_shared_with(&mut self, id: ClientId, link_worker: UserId, today: NaiveDate) -> Result<bool, StoreError> {
        let shared: Option<IdCol<ReferralId>> = referrals::table
            .filter(referrals::client_id.eq(IdCol(id)))
            .filter(referrals::link_worker_user_id.eq(IdCol(link_worker)))
            .filter(referrals::shared_until.ge(today))
            .select(referrals::id)
            .first(self.conn())
            .optional()?;
        Ok(shared.is_some())
    }

    /// The client has moved: lists of referrals find them in the new municipality. What was counted stays where it was counted.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn referral_move_client(&mut self, id: ClientId, municipality: &MunicipalityCode) -> Result<(), StoreError> {
        diesel::update(referrals::table.filter(referrals::client_id.eq(IdCol(id))))
            .set(referrals::municipality.eq(municipality.as_str()))
            .execute(self.conn())?;
        Ok(())
    }

    /// The draft is sent: its client counts as known from now on.
    ///
    /// # Errors
    /// When the database refuses, as it does when another client has the identity code already.
    pub fn client_confirm(&mut self, id: ClientId) -> Result<(), StoreError> {
        on_backend!(self.conn(), |c| diesel::update(clients::table.find(IdCol(id))).set(clients::provisional.eq(false)).execute(c))?;
        Ok(())
    }

    /// Removes a provisional client whose draft is gone or was matched with a known client.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn client_delete_provisional(&mut self, id: ClientId) -> Result<(), StoreError> {
        diesel::delete(clients::table.filter(clients::id.eq(IdCol(id))).filter(clients::provisional.eq(true))).execute(self.conn())?;
        Ok(())
    }
}
