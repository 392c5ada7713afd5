//! A typed id from the path.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lahete_domain::ids::Id;
use uuid::Uuid;

use crate::error::AppError;
use crate::http::problem::Problem;

/// The id in the path segment `{<resource>_id}`, as `referral_id` for a referral. What is no id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct PathId<I: Id>(pub I);

impl<I: Id> FromRequest for PathId<I> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = format!("{}_id", I::RESOURCE);
        ready(match request.match_info().get(&name) {
            Some(text) => parse_id(text).map(|id| Self(I::from_uuid(id))).ok_or_else(|| AppError::NotFound(I::RESOURCE).into()),
            None => Err(AppError::internal(format!("the path has no segment {{{name}}}")).into()),
        })
    }
}

/// Only the form with hyphens is an id: one thing has one address.
fn parse_id(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_an_id_comes_back_and_has_one_address(id: u128, other in "\\PC{0,40}|[0-9a-fA-F{}-]{30,40}") {
            let id = Uuid::from_u128(id);
            proptest::prop_assert_eq!(parse_id(&id.to_string()), Some(id));
            proptest::prop_assert_eq!(parse_id(&id.simple().to_string()), None);
            proptest::prop_assert_eq!(parse_id(&id.urn().to_string()), None);
            if let Some(read) = parse_id(&other) {
                proptest::prop_assert_eq!(read.to_string(), other.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn one_form_is_an_id() {
        assert!(parse_id("01939a5c-7a10-7000-8000-000000000001").is_some());
        assert!(parse_id("01939a5c7a1070008000000000000001").is_none());
        assert!(parse_id("urn:uuid:01939a5c-7a10-7000-8000-000000000001").is_none());
        assert!(parse_id("1").is_none());
    }
}
