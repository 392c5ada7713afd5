//! Sending without a sign-in, and asking for the state.

use lahete_domain::codes::{Channel, ConsentMethod};
use lahete_domain::referral::error::ReferralError;
use lahete_domain::referral::{Content, Referrer};
use lahete_persistence::Db;
use sha2::{Digest as _, Sha256};

use super::wire::{PublicReferralCreate, PublicReferralReceipt, PublicStatusView};
use crate::consents::wire::ConsentCreate;
use crate::error::AppError;
use crate::http::wire::Text;
use crate::operation::OpContext;
use crate::referrals::{self, NewReferral};

/// Random bytes of a tracking code: 160 bits, which nobody guesses.
const CODE_BYTES: usize = 20;
/// Crockford's letters: none of them looks like another when it is read out on the telephone.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX: &str = "LAH";

/// A new tracking code, in groups of four.
fn tracking_code() -> Result<String, AppError> {
    let mut bytes = [0_u8; CODE_BYTES];
    getrandom::fill(&mut bytes).map_err(AppError::internal)?;
    let mut letters = String::with_capacity(CODE_BYTES * 2);
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for group in (0..8).rev() {
            let index = usize::try_from((bits >> (group * 5)) & 31).unwrap_or_default();
            letters.push(char::from(LETTERS.get(index).copied().unwrap_or(b'0')));
        }
    }
    let mut code = PREFIX.to_owned();
    for (index, letter) in letters.chars().enumerate() {
        if index % 4 == 0 {
            code.push('-');
        }
        code.push(letter);
    }
    Ok(code)
}

/// The hash by which a code is found. Hyphens, blanks and small letters do not matter, nor do the letters that people take for digits.
pub(crate) fn hash(code: &str) -> Vec<u8> {
    let plain: String = code
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    Sha256::digest(plain.as_bytes()).to_vec()
}

/// Takes a referral from somebody who does not sign in.
///
/// # Errors
/// 409 when no programme serves the municipality or another guard of sending fails, 422 for faults.
pub fn submit(db: &mut Db<'_>, ctx: &OpContext, body: PublicReferralCreate) -> Result<PublicReferralReceipt, AppError> {
    let client = body.client.into_data(ctx.now.helsinki_date(), "/client")?;
    let serving = db.programmes_serving(&client.municipality)?;
    let programme = *serving.first().ok_or(ReferralError::MunicipalityNotServed)?;
    let new = NewReferral {
        programme,
        client,
        client_user: None,
        referrer: Referrer {
            channel: Channel::Anonymous,
            user: None,
            api_client: None,
            organisation: None,
            sector: body.referrer.sector.0,
            name: body.referrer.name.map(Text::into_string),
            contact: body.referrer.contact.map(Text::into_string),
            feedback_wanted: false,
        },
        content: Content {
            reasons: body.reasons.into_iter().map(|reason| reason.0).collect(),
            wish: body.wish.map(Into::into),
            background: body.background.map(Into::into),
            written_together: body.written_together,
            joint_meeting_wished: false,
            not_a_service_acknowledged: body.not_a_service_acknowledged,
            source: None,
            previous: None,
        },
        grant: None,
    };
    // What somebody without a sign-in says of the client's consent is only an assertion.
    let asserted = ConsentCreate {
        purposes: body.consent.purposes,
        text_version: body.consent.text_version,
        language: body.consent.language,
        method: ConsentMethod::AssertedBySender.into(),
        given_with: None,
        valid_until: None,
    };
    let (open, _) = referrals::create_sent(db, ctx, new, Some(asserted))?;
    let code = tracking_code()?;
    db.referral_tracking_code_store(open.case.referral.id, &hash(&code))?;
    Ok(PublicReferralReceipt { tracking_code: code, received_at: ctx.now.into() })
}

/// The state behind a tracking code.
///
/// # Errors
/// 404 for a code that belongs to nothing.
pub fn status(db: &mut Db<'_>, code: &str) -> Result<PublicStatusView, AppError> {
    let (state, since) = db.referral_state_by_tracking_code(&hash(code))?.ok_or(AppError::NotFound("tracking_code"))?;
    Ok(PublicStatusView { state: state.into(), since: since.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_a_code_is_found_however_it_is_written(code in "LAH(-[0-9A-HJKMNP-TV-Z]{4}){8}", small: bool, look_alikes: bool, seed: u64) {
            // Blanks and hyphens wherever the writer's hand put them.
            let mut written = String::new();
            for (place, letter) in code.chars().filter(|letter| *letter != '-').enumerate() {
                match (seed >> (place % 64)) & 1 {
                    0 => {}
                    _ => written.push(if place % 2 == 0 { ' ' } else { '-' }),
                }
                written.push(match letter {
                    '0' if look_alikes => 'O',
                    '1' if look_alikes => 'l',
                    other => other,
                });
            }
            let written = if small { written.to_lowercase() } else { written };
            proptest::prop_assert_eq!(hash(&written), hash(&code));
        }

        #[test]
        fn property_another_code_has_another_hash(one in "[0-9A-HJKMNP-TV-Z]{32}", place in 0_usize..32, letter in "[0-9A-HJKMNP-TV-Z]") {
            let mut other = one.clone();
            other.replace_range(place..=place, &letter);
            proptest::prop_assert_eq!(hash(&one) == hash(&other), one == other);
        }

        #[test]
        fn property_any_text_is_answered(text in "\\PC{0,40}") {
            proptest::prop_assert_eq!(hash(&text).len(), 32);
        }
    }

    #[test]
    fn a_code_is_long_and_read_as_people_write_it() {
        let code = tracking_code().expect("random bytes");
        assert_eq!(code.len(), 3 + 8 * 5);
        assert_ne!(code, tracking_code().expect("random bytes"));
        assert_eq!(hash("LAH-7Q2M"), hash("lah 7q2m"));
        assert_eq!(hash("0011"), hash("oOiL"));
        assert_ne!(hash("0012"), hash("0011"));
    }
}
