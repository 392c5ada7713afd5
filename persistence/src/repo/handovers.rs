//! What is to be handed over: the open cases of a coordinator or a link worker.

use diesel::prelude::*;
use lahete_domain::codes::{AssignmentStateCode, Code as _, ReferralStateCode};
use lahete_domain::ids::{AssignmentId, LinkWorkerId, ProgrammeId, ReferralId, UserId};

use crate::db::Db;
use crate::error::StoreError;
use crate::schema::{assignments, referrals};
use crate::sql_types::{CodeCol, IdCol, InstantCol};

impl Db<'_> {
    /// The open referrals of a coordinator in a programme, the oldest first; at most so many.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn referrals_coordinated(&mut self, programme: ProgrammeId, by: UserId, limit: i64) -> Result<Vec<ReferralId>, StoreError> {
        let mut found: Vec<(IdCol<ReferralId>, InstantCol)> = Vec::new();
        // Each state is a range of the index.
        for state in ReferralStateCode::ALL.iter().copied().filter(|state| state.is_open()) {
            found.extend(
                referrals::table
                    .filter(referrals::coordinator_id.eq(IdCol(by)))
                    .filter(referrals::state.eq(CodeCol(state)))
                    .filter(referrals::programme_id.eq(IdCol(programme)))
                    .order((referrals::created_at.asc(), referrals::id.asc()))
                    .limit(limit)
                    .select((referrals::id, referrals::created_at))
                    .load::<(IdCol<ReferralId>, InstantCol)>(self.conn())?,
            );
        }
        found.sort_unstable_by_key(|(id, at)| (*at, *id));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(|(id, _)| id.0).collect())
    }

    /// The proposals of a programme that a coordinator has made and nobody has answered.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn proposals_made(&mut self, programme: ProgrammeId, by: UserId) -> Result<Vec<(AssignmentId, ReferralId)>, StoreError> {
        let rows = assignments::table
            .filter(assignments::programme_id.eq(IdCol(programme)))
            .filter(assignments::state.eq(CodeCol(AssignmentStateCode::Proposed)))
            .filter(assignments::proposed_by.eq(IdCol(by)))
            .order((assignments::proposed_at.asc(), assignments::id.asc()))
            .select((assignments::id, assignments::referral_id))
            .load::<(IdCol<AssignmentId>, IdCol<ReferralId>)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, referral)| (id.0, referral.0)).collect())
    }

    /// Says whose a proposal is from now on. Its version stays: the link worker can answer it as they have read it.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn assignment_set_proposer(&mut self, id: AssignmentId, by: UserId) -> Result<(), StoreError> {
        diesel::update(assignments::table.find(IdCol(id))).set(assignments::proposed_by.eq(IdCol(by))).execute(self.conn())?;
        Ok(())
    }

    /// What a link worker works on or was asked about, the oldest first; at most so many of each.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn assignments_of_worker(&mut self, worker: LinkWorkerId, limit: i64) -> Result<Vec<(AssignmentId, ReferralId)>, StoreError> {
        let mut all = Vec::new();
        for state in [AssignmentStateCode::Accepted, AssignmentStateCode::Proposed] {
            let rows = assignments::table
                .filter(assignments::link_worker_id.eq(IdCol(worker)))
                .filter(assignments::state.eq(CodeCol(state)))
                .order((assignments::proposed_at.asc(), assignments::id.asc()))
                .limit(limit)
                .select((assignments::id, assignments::referral_id))
                .load::<(IdCol<AssignmentId>, IdCol<ReferralId>)>(self.conn())?;
            all.extend(rows.into_iter().map(|(id, referral)| (id.0, referral.0)));
        }
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }
}
