//! What stood in a client's way and what was missing when a referral ended. Apart from the row of the referral, which every call reads.

use diesel::prelude::*;
use lahete_domain::codes::{Barrier, UnmetNeed};
use lahete_domain::ids::ReferralId;
use lahete_domain::referral::command::ClosingNeeds;

use crate::connection::{MultiBackend, on_backend};
use crate::db::Db;
use crate::error::StoreError;
use crate::schema::referral_closings;
use crate::sql_types::{CodeSetCol, IdCol};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = referral_closings, check_for_backend(MultiBackend))]
struct ClosingRow {
    referral_id: IdCol<ReferralId>,
    barriers: CodeSetCol<Barrier>,
    unmet_needs: CodeSetCol<UnmetNeed>,
}

impl Db<'_> {
    /// Writes what is known at the end of a referral, in place of what was known at an earlier one.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn referral_closing_put(&mut self, referral: ReferralId, needs: &ClosingNeeds) -> Result<(), StoreError> {
        diesel::delete(referral_closings::table.find(IdCol(referral))).execute(self.conn())?;
        if needs.is_empty() {
            return Ok(());
        }
        let row = ClosingRow {
            referral_id: IdCol(referral),
            barriers: needs.barriers.iter().copied().collect::<Vec<_>>().into(),
            unmet_needs: needs.unmet_needs.iter().copied().collect::<Vec<_>>().into(),
        };
        diesel::insert_into(referral_closings::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// What was known at the end of a referral.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn referral_closing(&mut self, referral: ReferralId) -> Result<ClosingNeeds, StoreError> {
        let found = referral_closings::table.find(IdCol(referral));
        let row = on_backend!(self.conn(), |c| found.select(ClosingRow::as_select()).first(c)).optional()?;
        Ok(row.map_or_else(ClosingNeeds::default, |row: ClosingRow| ClosingNeeds {
            barriers: Vec::from(row.barriers).into_iter().collect(),
            unmet_needs: Vec::from(row.unmet_needs).into_iter().collect(),
        }))
    }
}
