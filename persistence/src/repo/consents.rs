//! Consents of a referral.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::codes::{ConsentMethod, ConsentPurpose, Language};
use lahete_domain::consent::Consent;
use lahete_domain::ids::{ConsentId, ReferralId, UserId};

use crate::connection::{MultiBackend, on_backend};
use crate::schema::consents;
use crate::sql_types::{CodeCol, CodeSetCol, IdCol, InstantCol};
use crate::{Db, StoreError};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = consents, check_for_backend(MultiBackend), treat_none_as_null = true, treat_none_as_default_value = false)]
struct ConsentRow {
    id: IdCol<ConsentId>,
    referral_id: IdCol<ReferralId>,
    purposes: CodeSetCol<ConsentPurpose>,
    withdrawn_purposes: CodeSetCol<ConsentPurpose>,
    text_version: String,
    language: CodeCol<Language>,
    method: CodeCol<ConsentMethod>,
    given_with: Option<String>,
    given_at: InstantCol,
    valid_until: Option<NaiveDate>,
    recorded_by: Option<IdCol<UserId>>,
    verified_at: Option<InstantCol>,
    verified_by: Option<IdCol<UserId>>,
    withdrawn_at: Option<InstantCol>,
}

fn set(purposes: &BTreeSet<ConsentPurpose>) -> CodeSetCol<ConsentPurpose> {
    purposes.iter().copied().collect::<Vec<_>>().into()
}

impl From<&Consent> for ConsentRow {
    fn from(consent: &Consent) -> Self {
        Self {
            id: consent.id.into(),
            referral_id: consent.referral.into(),
            purposes: set(&consent.purposes),
            withdrawn_purposes: set(&consent.withdrawn_purposes),
            text_version: consent.text_version.clone(),
            language: consent.language.into(),
            method: consent.method.into(),
            given_with: consent.given_with.clone(),
            given_at: consent.given_at.into(),
            valid_until: consent.valid_until,
            recorded_by: consent.recorded_by.map(IdCol),
            verified_at: consent.verified.map(|(at, _)| InstantCol(at)),
            verified_by: consent.verified.map(|(_, by)| IdCol(by)),
            withdrawn_at: consent.withdrawn_at.map(InstantCol),
        }
    }
}

impl TryFrom<ConsentRow> for Consent {
    type Error = StoreError;

    fn try_from(row: ConsentRow) -> Result<Self, StoreError> {
        let verified = match (row.verified_at, row.verified_by) {
            (Some(at), Some(by)) => Some((at.0, by.0)),
            (None, None) => None,
            _ => return Err(StoreError::corrupt("consents", "verified_by", row.id.0)),
        };
        Ok(Self {
            id: row.id.0,
            referral: row.referral_id.0,
            purposes: Vec::from(row.purposes).into_iter().collect(),
            withdrawn_purposes: Vec::from(row.withdrawn_purposes).into_iter().collect(),
            text_version: row.text_version,
            language: row.language.0,
            method: row.method.0,
            given_with: row.given_with,
            given_at: row.given_at.0,
            valid_until: row.valid_until,
            recorded_by: row.recorded_by.map(|by| by.0),
            verified,
            withdrawn_at: row.withdrawn_at.map(|at| at.0),
        })
    }
}

impl Db<'_> {
    /// Stores a consent.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn consent_insert(&mut self, consent: &Consent) -> Result<(), StoreError> {
        let row = ConsentRow::from(consent);
        on_backend!(self.conn(), |c| diesel::insert_into(consents::table).values(row).execute(c))?;
        Ok(())
    }

    /// Stores a verified or withdrawn consent. The referral's version guards it.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn consent_update(&mut self, consent: &Consent) -> Result<(), StoreError> {
        diesel::update(consents::table.find(IdCol(consent.id))).set(ConsentRow::from(consent)).execute(self.conn())?;
        Ok(())
    }

    /// The consents of a referral, the oldest first.
    ///
    /// # Errors
    /// When a row is corrupt or the database fails.
    pub fn consents_of(&mut self, referral: ReferralId) -> Result<Vec<Consent>, StoreError> {
        let of_referral = consents::table.filter(consents::referral_id.eq(IdCol(referral))).order((consents::given_at, consents::id));
        let rows: Vec<ConsentRow> = on_backend!(self.conn(), |c| of_referral.select(ConsentRow::as_select()).load(c))?;
        rows.into_iter().map(Consent::try_from).collect()
    }

    /// One consent.
    ///
    /// # Errors
    /// When the row is corrupt or the database fails.
    pub fn consent_get(&mut self, id: ConsentId) -> Result<Option<Consent>, StoreError> {
        let row = consents::table.find(IdCol(id)).select(ConsentRow::as_select()).first(self.conn()).optional()?;
        row.map(Consent::try_from).transpose()
    }
}
