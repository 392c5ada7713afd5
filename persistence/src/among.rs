//! `column IN (…)` in one shape for any number of values.
//!
//! SQLite gets a list with a place for each value from the query builder, which is another statement for each length and is prepared anew each time.
//! Here it gets the values as one JSON array. PostgreSQL gets an array, as it does from the query builder.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Text};
use diesel::sqlite::Sqlite;
use lahete_domain::codes::Code;
use lahete_domain::ids::Id;

use crate::connection::MultiBackend;
use crate::sql_types::{DbUuid, UuidCol};

/// The condition that a column of ids or codes holds one of some.
#[derive(Clone, Debug)]
pub(crate) struct Among<C> {
    column: C,
    values: Values,
    json: String,
}

/// What PostgreSQL is given. A column has values of one kind, so that a statement with a condition on it is always the same.
#[derive(Clone, Debug)]
enum Values {
    Ids(Vec<UuidCol>),
    Codes(Vec<&'static str>),
}

/// `column` holds one of `ids`.
pub(crate) fn among<C, I: Id>(column: C, ids: impl IntoIterator<Item = I>) -> Among<C> {
    let ids: Vec<UuidCol> = ids.into_iter().map(|id| UuidCol(id.as_uuid())).collect();
    let json = serde_json::Value::from(ids.iter().map(|id| id.0.hyphenated().to_string()).collect::<Vec<_>>()).to_string();
    Among { column, values: Values::Ids(ids), json }
}

/// `column` holds one of `codes`.
pub(crate) fn among_codes<C, K: Code>(column: C, codes: impl IntoIterator<Item = K>) -> Among<C> {
    let codes: Vec<&'static str> = codes.into_iter().map(Code::as_str).collect();
    let json = serde_json::Value::from(codes.clone()).to_string();
    Among { column, values: Values::Codes(codes), json }
}

impl<C> Expression for Among<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<S>, S> AppearsOnTable<S> for Among<C> {}

impl<C: SelectableExpression<S>, S> SelectableExpression<S> for Among<C> {}

impl<C, G> ValidGrouping<G> for Among<C> {
    type IsAggregate = is_aggregate::No;
}

impl<C: QueryId> QueryId for Among<C> {
    type QueryId = Among<C::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = C::HAS_STATIC_QUERY_ID;
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Among<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.json)?;
        out.push_sql("))");
        Ok(())
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for Among<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        match &self.values {
            Values::Ids(ids) => out.push_bind_param::<Array<DbUuid>, _>(ids)?,
            Values::Codes(codes) => out.push_bind_param::<Array<Text>, _>(codes)?,
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryFragment<Pg> + QueryFragment<Sqlite>> QueryFragment<MultiBackend> for Among<C> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        MultiBackend::walk_variant_ast(self, pass)
    }
}
