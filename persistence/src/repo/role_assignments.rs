//! The roles that people are given. All rights come from here.

use chrono::NaiveDate;
use diesel::prelude::*;
use lahete_domain::actor::Validity;
use lahete_domain::codes::Role;
use lahete_domain::ids::{Id, OrganisationId, ProgrammeId, RoleAssignmentId, UserId};
use lahete_domain::user::RoleAssignment;
use lahete_domain::version::Version;

use crate::connection::MultiBackend;
use crate::db::Db;
use crate::error::StoreError;
use crate::page::{Cursor, Page, PageRequest};
use crate::schema::{role_assignments, users};
use crate::sql_types::{CodeCol, IdCol, InstantCol, VersionCol, parse_instant};

/// Which role assignments are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoleAssignmentFilter {
    /// In these programmes.
    pub programmes: Vec<ProgrammeId>,
    /// Of this user.
    pub user: Option<UserId>,
    /// Of this role.
    pub role: Option<Role>,
    /// In force on this day.
    pub on: Option<NaiveDate>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = role_assignments, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct RoleAssignmentRow {
    id: IdCol<RoleAssignmentId>,
    version: VersionCol,
    programme_id: IdCol<ProgrammeId>,
    user_id: IdCol<UserId>,
    role: CodeCol<Role>,
    organisation_id: Option<IdCol<OrganisationId>>,
    valid_from: NaiveDate,
    valid_until: Option<NaiveDate>,
    given_by: Option<IdCol<UserId>>,
    given_at: InstantCol,
}

impl From<&RoleAssignment> for RoleAssignmentRow {
    fn from(assignment: &RoleAssignment) -> Self {
        Self {
            id: IdCol(assignment.id),
            version: VersionCol(assignment.version),
            programme_id: IdCol(assignment.programme),
            user_id: IdCol(assignment.user),
            role: CodeCol(assignment.role),
            organisation_id: assignment.organisation.map(IdCol),
            valid_from: assignment.validity.from,
            valid_until: assignment.validity.until,
            given_by: assignment.given_by.map(IdCol),
            given_at: InstantCol(assignment.given_at),
        }
    }
}

impl From<RoleAssignmentRow> for RoleAssignment {
    fn from(row: RoleAssignmentRow) -> Self {
        Self {
            id: row.id.0,
            version: row.version.0,
            programme: row.programme_id.0,
            user: row.user_id.0,
            role: row.role.0,
            organisation: row.organisation_id.map(|id| id.0),
            validity: Validity { from: row.valid_from, until: row.valid_until },
            given_by: row.given_by.map(|id| id.0),
            given_at: row.given_at.0,
        }
    }
}

impl Db<'_> {
    /// Gives a role.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn role_assignment_insert(&mut self, assignment: &RoleAssignment) -> Result<(), StoreError> {
        diesel::insert_into(role_assignments::table).values(RoleAssignmentRow::from(assignment)).execute(self.conn())?;
        Ok(())
    }

    /// One role assignment.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn role_assignment_get(&mut self, id: RoleAssignmentId) -> Result<Option<RoleAssignment>, StoreError> {
        let row = role_assignments::table
            .find(IdCol(id))
            .select(RoleAssignmentRow::as_select())
            .first::<RoleAssignmentRow>(self.conn())
            .optional()?;
        Ok(row.map(RoleAssignment::from))
    }

    /// Sets the last day of a role assignment: nothing else of it ever changes.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the stored version is another one; whatever else the database says.
    pub fn role_assignment_update(&mut self, assignment: &RoleAssignment, expected: Version) -> Result<(), StoreError> {
        let present = role_assignments::table
            .filter(role_assignments::id.eq(IdCol(assignment.id)))
            .filter(role_assignments::version.eq(VersionCol(expected)));
        let changed = diesel::update(present)
            .set((role_assignments::version.eq(VersionCol(expected.next())), role_assignments::valid_until.eq(assignment.validity.until)))
            .execute(self.conn())?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Stale) }
    }

    /// All role assignments of a user, past ones too.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn role_assignments_of_user(&mut self, user: UserId) -> Result<Vec<RoleAssignment>, StoreError> {
        let rows = role_assignments::table
            .filter(role_assignments::user_id.eq(IdCol(user)))
            .order((role_assignments::valid_from.asc(), role_assignments::id.asc()))
            .select(RoleAssignmentRow::as_select())
            .load::<RoleAssignmentRow>(self.conn())?;
        Ok(rows.into_iter().map(RoleAssignment::from).collect())
    }

    /// The administrators of a programme on a day whose accounts are open, each with the assignment that makes them so.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn admins_on(&mut self, programme: ProgrammeId, day: NaiveDate) -> Result<Vec<(RoleAssignmentId, UserId)>, StoreError> {
        let rows = role_assignments::table
            .inner_join(users::table.on(users::id.eq(role_assignments::user_id)))
            .filter(role_assignments::programme_id.eq(IdCol(programme)))
            .filter(role_assignments::role.eq(CodeCol(Role::Admin)))
            .filter(role_assignments::valid_from.le(day))
            .filter(role_assignments::valid_until.is_null().or(role_assignments::valid_until.ge(day)))
            .filter(users::active.eq(true))
            .select((role_assignments::id, role_assignments::user_id))
            .load::<(IdCol<RoleAssignmentId>, IdCol<UserId>)>(self.conn())?;
        Ok(rows.into_iter().map(|(id, user)| (id.0, user.0)).collect())
    }

    /// A page of role assignments, the newest first.
    ///
    /// # Errors
    /// Whatever the database says.
    pub fn role_assignment_list(
        &mut self,
        filter: &RoleAssignmentFilter,
        request: &PageRequest,
    ) -> Result<Page<RoleAssignment>, StoreError> {
        let programmes: Vec<_> = filter.programmes.iter().copied().map(IdCol).collect();
        let mut query = of_programmes!(
            role_assignments::table.select(RoleAssignmentRow::as_select()).into_boxed::<MultiBackend>(),
            role_assignments::programme_id,
            programmes
        );
        if let Some(user) = filter.user {
            query = query.filter(role_assignments::user_id.eq(IdCol(user)));
        }
        if let Some(role) = filter.role {
            query = query.filter(role_assignments::role.eq(CodeCol(role)));
        }
        if let Some(day) = filter.on {
            query = query
                .filter(role_assignments::valid_from.le(day))
                .filter(role_assignments::valid_until.is_null().or(role_assignments::valid_until.ge(day)));
        }
        if let Some(cursor) = &request.after {
            // A cursor that no list gave out ends the list: there is nothing behind it.
            let Some(at) = parse_instant(&cursor.sort) else { return Ok(Page { items: Vec::new(), next: None }) };
            let behind =
                role_assignments::given_at.lt(InstantCol(at)).or(role_assignments::id.lt(IdCol(RoleAssignmentId::from_uuid(cursor.id))));
            query = query.filter(role_assignments::given_at.le(InstantCol(at))).filter(behind);
        }
        let rows = query
            .order((role_assignments::given_at.desc(), role_assignments::id.desc()))
            .limit(request.fetch())
            .load::<RoleAssignmentRow>(self.conn())?;
        let page = Page::from_rows(rows, request, |row| Cursor { sort: row.given_at.0.to_string(), id: row.id.0.as_uuid() });
        page.try_map(|row| Ok(RoleAssignment::from(row)))
    }
}
