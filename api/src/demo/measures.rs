//! What was asked of the people of the demo, the words that were loaded for it, what a group answered, and what was said about the support. The words are
//! made up: those of the instruments belong to their authors.

use lahete_domain::access::Action;
use lahete_domain::codes::{AnswerMode, EventKind, FeedbackParty, FeedbackStage, FeedbackStatement, Instrument, Role, Timepoint};
use lahete_domain::feedback::{Feedback, Rating};
use lahete_domain::ids::{GroupAnswerId, IndividualUseId, MeasureInstrumentId, MeasureTextId, ReferralId};
use lahete_domain::measure::definition::{Definition, InstrumentKey, Item, Scoring};
use lahete_domain::measure::goal_attainment::GoalAnswer;
use lahete_domain::measure::group::{self, GroupAnswer};
use lahete_domain::measure::registry::{AddedInstrument, IndividualUse, ItemTexts};
use lahete_domain::measure::shipped::shipped;
use lahete_domain::measure::{Answer, Answered, Measure};
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::Db;

use super::cases::Stage;
use super::{first_morning, id, programme};
use crate::error::AppError;
use crate::referrals::case;

const RIIKKA: u16 = 0x0020;
const KAISA: u16 = 0x0021;
const LIISA: u16 = 0x0022;
const AINO: u16 = 0x0023;
const ANTTI: u16 = 0x0026;

/// Aino's referral.
const AINOS: u16 = 0x0060;

/// Adds all of it. The support of Aino has gone on for 45 days.
///
/// # Errors
/// When the database fails.
pub(super) fn seed(db: &mut Db<'_>, stage: &Stage<'_>, reinos: ReferralId) -> Result<(), AppError> {
    seed_instruments(db)?;
    seed_group(db, stage.days_ago(12))?;
    seed_answers(db, stage)?;
    seed_feedback(db, stage, reinos)
}

fn seed_instruments(db: &mut Db<'_>) -> Result<(), AppError> {
    for (tail, instrument, answers) in [(0x00e0, Instrument::Ucla3, 1..=3_u8), (0x00e1, Instrument::Ons4, 0..=10)] {
        let definition = shipped(instrument);
        let words =
            |(place, item): (usize, &Item)| (item.key.clone(), format!("(Kysymys {} – paikka lisenssinhaltijan tekstille)", place + 1));
        db.measure_texts_insert(&ItemTexts {
            id: id::<MeasureTextId>(tail),
            programme: programme(),
            instrument: definition.key.clone(),
            version: definition.version,
            language: "fi".to_owned(),
            items: definition.items.iter().enumerate().map(words).collect(),
            answer_labels: answers.map(|answer| (answer, format!("(Vastaus {answer})"))).collect(),
            licence_ref: "Esimerkkilupa 1/2026".to_owned(),
            text_source: "Keksitty esimerkki, ei mittarin omia sanoja".to_owned(),
            loaded_at: first_morning(),
            loaded_by: id(ANTTI),
        })?;
    }
    let key = InstrumentKey::parse("group_mood").ok_or_else(|| AppError::internal("no name of an instrument"))?;
    let own = Definition {
        key: key.clone(),
        title: Some("Ryhmän tunnelma, kolme kysymystä".to_owned()),
        items: ["welcome", "heard", "coming_again"].into_iter().map(Item::new).collect(),
        answer_min: 1,
        answer_max: 5,
        scoring: Scoring::Sum,
        notice: None,
        licence: Some("Ohjelman oma kysely".to_owned()),
        citation: None,
        thresholds: None,
        group_only: true,
        ..shipped(Instrument::Who5)
    };
    let added_by = id(ANTTI);
    let added = AddedInstrument {
        id: id::<MeasureInstrumentId>(0x00e8),
        programme: programme(),
        definition: own,
        added_at: first_morning(),
        added_by,
    };
    db.measure_instrument_insert(&added)?;
    db.individual_use_insert(&IndividualUse {
        id: id::<IndividualUseId>(0x00e9),
        programme: programme(),
        instrument: key,
        reason: "Kokeillaan kyselyä myös kahdenkeskisissä tapaamisissa.".to_owned(),
        begun_at: first_morning(),
        begun_by: added_by,
        ended: None,
    })?;
    Ok(())
}

/// Six people of a group filled in the inclusion scale together.
fn seed_group(db: &mut Db<'_>, at: Instant) -> Result<(), AppError> {
    let esis = shipped(Instrument::Esis);
    let given = [[3, 3, 2, 3, 4, 3, 3, 2, 3, 3], [4, 4, 3, 4, 4, 5, 4, 3, 4, 4], [2, 3, 2, 2, 3, 3, 2, 2, 3, 2]];
    let twice = given.iter().chain(&given).map(|one| one.iter().copied().map(Some).collect()).collect();
    let (answers, scores) = group::scored(&esis, twice).map_err(AppError::internal)?;
    db.group_answer_insert(&GroupAnswer {
        id: id::<GroupAnswerId>(0x00ea),
        programme: programme(),
        instrument: esis.key,
        version: esis.version,
        held_on: at.helsinki_date(),
        answers,
        scores,
        recorded_at: at,
        recorded_by: id(KAISA),
    })?;
    Ok(())
}

/// Aino's answers at the start and of these days: four questions, loneliness, and how far her goal is reached. The mental wellbeing scale waits for the
/// end.
fn seed_answers(db: &mut Db<'_>, stage: &Stage<'_>) -> Result<(), AppError> {
    let goal = Answered::Goals(vec![GoalAnswer { goal: id(0x0064), weight: 1, attained: 1 }]);
    for (tail, instrument, timepoint, days_ago, answered) in [
        (0x00eb, Instrument::Ons4, Timepoint::Start, 45, Answered::from(vec![4, 5, 3, 7])),
        (0x00ec, Instrument::Ucla3, Timepoint::Start, 45, Answered::from(vec![3, 2, 3])),
        (0x00ed, Instrument::Ons4, Timepoint::End, 3, Answered::from(vec![6, 7, 7, 4])),
        (0x00ee, Instrument::Ucla3, Timepoint::End, 3, Answered::from(vec![2, 1, 2])),
        (0x00ef, Instrument::Gas, Timepoint::End, 3, goal),
    ] {
        let ctx = stage.as_user(db, LIISA, stage.days_ago(days_ago), "measure_create")?;
        let open = case::open(db, &ctx, Action::MeasureWrite, id(AINOS))?;
        let definition = shipped(instrument);
        db.measure_insert(&Measure {
            id: id(tail),
            support_period: id(0x0063),
            instrument: definition.key.clone(),
            version: definition.version,
            timepoint,
            answer: Answer::given(&definition, AnswerMode::Interview, answered).map_err(AppError::internal)?,
            recorded_at: ctx.now,
        })?;
        case::note(db, &ctx, &open, EventKind::MeasureRecorded, None, None)?;
    }
    Ok(())
}

/// Client, referrer and link worker speak about Aino's support while it goes on; Kaisa writes down what Reino says on the telephone.
fn seed_feedback(db: &mut Db<'_>, stage: &Stage<'_>, reinos: ReferralId) -> Result<(), AppError> {
    use FeedbackStatement as S;
    let ainos: ReferralId = id(AINOS);
    for (tail, user, referral, role, party, ratings, words) in [
        (
            0x00e3,
            KAISA,
            reinos,
            Role::Coordinator,
            FeedbackParty::Client,
            [(S::ClientWasHeard, 5), (S::ClientSupportFitted, 4)],
            "Laurin kanssa on mukava pelata korttia.",
        ),
        (
            0x00e4,
            AINO,
            ainos,
            Role::Client,
            FeedbackParty::Client,
            [(S::ClientWasHeard, 5), (S::ClientJoinsMore, 4)],
            "Liisa kuuntelee, ja olen taas käynyt ulkona.",
        ),
        (
            0x00e5,
            RIIKKA,
            ainos,
            Role::Referrer,
            FeedbackParty::Referrer,
            [(S::ReferrerEasyToRefer, 4), (S::ReferrerKeptInformed, 5)],
            "Hyvä, että vaiheista tulee viesti.",
        ),
        (
            0x00e7,
            LIISA,
            ainos,
            Role::LinkWorker,
            FeedbackParty::LinkWorker,
            [(S::WorkerMatched, 5), (S::WorkerHadTime, 3)],
            "Tapaamisia saisi olla tiheämmin.",
        ),
    ] {
        let ctx = stage.as_user(db, user, stage.days_ago(2), "feedback_create")?;
        let open = case::open(db, &ctx, Action::FeedbackGive, referral)?;
        db.feedback_insert(&Feedback {
            id: id(tail),
            version: Version::FIRST,
            programme: programme(),
            referral,
            client: open.case.referral.client,
            stage: FeedbackStage::During,
            party,
            author: id(user),
            author_role: role,
            ratings: ratings.into_iter().map(|(statement, rating)| Rating { statement, rating }).collect(),
            words: Some(words.to_owned()),
            given_at: ctx.now,
            changed_at: None,
        })?;
        case::note(db, &ctx, &open, EventKind::FeedbackGiven, None, None)?;
    }
    Ok(())
}
