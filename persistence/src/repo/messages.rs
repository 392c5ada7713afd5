//! Questions, answers, and attempts to reach the client.

use diesel::prelude::*;
use lahete_domain::codes::{ContactChannel, ContactResult, MessageKind, MessageParty};
use lahete_domain::ids::{ContactAttemptId, MessageId, ReferralId, UserId};
use lahete_domain::message::{ContactAttempt, Message};

use crate::connection::MultiBackend;
use crate::schema::{contact_attempts, messages};
use crate::sql_types::{CodeCol, IdCol, InstantCol};
use crate::{Db, StoreError};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = messages, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct MessageRow {
    id: IdCol<MessageId>,
    referral_id: IdCol<ReferralId>,
    kind: CodeCol<MessageKind>,
    sender: CodeCol<MessageParty>,
    recipient: CodeCol<MessageParty>,
    user_id: Option<IdCol<UserId>>,
    words: String,
    sent_at: InstantCol,
}

impl From<MessageRow> for Message {
    fn from(row: MessageRow) -> Self {
        Self {
            id: row.id.0,
            referral: row.referral_id.0,
            kind: row.kind.0,
            sender: row.sender.0,
            recipient: row.recipient.0,
            user: row.user_id.map(|user| user.0),
            words: row.words,
            sent_at: row.sent_at.0,
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = contact_attempts, check_for_backend(MultiBackend), treat_none_as_default_value = false)]
struct ContactAttemptRow {
    id: IdCol<ContactAttemptId>,
    referral_id: IdCol<ReferralId>,
    channel: CodeCol<ContactChannel>,
    result: CodeCol<ContactResult>,
    attempted_at: InstantCol,
    recorded_by: IdCol<UserId>,
    note: Option<String>,
}

impl From<ContactAttemptRow> for ContactAttempt {
    fn from(row: ContactAttemptRow) -> Self {
        Self {
            id: row.id.0,
            referral: row.referral_id.0,
            channel: row.channel.0,
            result: row.result.0,
            attempted_at: row.attempted_at.0,
            recorded_by: row.recorded_by.0,
            note: row.note,
        }
    }
}

impl Db<'_> {
    /// Stores a question or an answer.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn message_insert(&mut self, message: &Message) -> Result<(), StoreError> {
        let row = MessageRow {
            id: message.id.into(),
            referral_id: message.referral.into(),
            kind: message.kind.into(),
            sender: message.sender.into(),
            recipient: message.recipient.into(),
            user_id: message.user.map(IdCol),
            words: message.words.clone(),
            sent_at: message.sent_at.into(),
        };
        diesel::insert_into(messages::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// The questions and answers of a referral, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn messages_of(&mut self, referral: ReferralId) -> Result<Vec<Message>, StoreError> {
        let rows: Vec<MessageRow> = messages::table
            .filter(messages::referral_id.eq(IdCol(referral)))
            .order((messages::sent_at, messages::id))
            .select(MessageRow::as_select())
            .load(self.conn())?;
        Ok(rows.into_iter().map(Message::from).collect())
    }

    /// Stores an attempt to reach the client.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn contact_attempt_insert(&mut self, attempt: &ContactAttempt) -> Result<(), StoreError> {
        let row = ContactAttemptRow {
            id: attempt.id.into(),
            referral_id: attempt.referral.into(),
            channel: attempt.channel.into(),
            result: attempt.result.into(),
            attempted_at: attempt.attempted_at.into(),
            recorded_by: attempt.recorded_by.into(),
            note: attempt.note.clone(),
        };
        diesel::insert_into(contact_attempts::table).values(row).execute(self.conn())?;
        Ok(())
    }

    /// The attempts to reach the client of a referral, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub fn contact_attempts_of(&mut self, referral: ReferralId) -> Result<Vec<ContactAttempt>, StoreError> {
        let rows: Vec<ContactAttemptRow> = contact_attempts::table
            .filter(contact_attempts::referral_id.eq(IdCol(referral)))
            .order((contact_attempts::attempted_at, contact_attempts::id))
            .select(ContactAttemptRow::as_select())
            .load(self.conn())?;
        Ok(rows.into_iter().map(ContactAttempt::from).collect())
    }
}
