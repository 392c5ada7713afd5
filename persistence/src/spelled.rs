//! A piece of a statement that is spelled out: an aggregate that the query builder has no words for, or a value that the planner must see.
//!
//! The query builder has such a piece of its own, but prepares every statement with one in it anew each time, as it may be another text then. Ours is a
//! constant of the program, so its statement is kept like any other.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Bool;

/// Condition or value of the SQL type `ST`, in words that both databases understand. Columns in it have their table before them.
#[derive(Debug)]
pub(crate) struct Spelled<ST> {
    text: &'static str,
    sql_type: PhantomData<ST>,
}

/// A piece of a statement in the words of `text`.
pub(crate) fn spelled<ST>(text: &'static str) -> Spelled<ST> {
    Spelled { text, sql_type: PhantomData }
}

/// The condition that nothing meets. Said in the statement, so that the database need not look at a row to find none.
pub(crate) fn nothing() -> Spelled<Bool> {
    spelled("(1=0)")
}

impl<ST> Clone for Spelled<ST> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<ST> Copy for Spelled<ST> {}

impl<ST: TypedExpressionType> Expression for Spelled<ST> {
    type SqlType = ST;
}

impl<ST: TypedExpressionType, S> AppearsOnTable<S> for Spelled<ST> {}

impl<ST: TypedExpressionType, S> SelectableExpression<S> for Spelled<ST> {}

impl<ST, G> ValidGrouping<G> for Spelled<ST> {
    type IsAggregate = is_aggregate::Never;
}

/// Two pieces of one type are two statements: they are told apart by their text.
impl<ST> QueryId for Spelled<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, DB: Backend> QueryFragment<DB> for Spelled<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.text);
        Ok(())
    }
}
