//! Pages of a list: `limit`, an opaque signed `cursor`, and the answer's `page`.
//!
//! The cursor is signed and bound to the path and the filters, so that nobody can craft one, or carry one over to another list.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lahete_persistence::{Cursor, Page, PageRequest};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use super::query::pairs;
use crate::error::AppError;
use crate::http::problem::Problem;
use crate::state::AppState;

/// Items of a page when nobody says otherwise.
pub const LIMIT_DEFAULT: u16 = 50;
/// The most items of a page.
pub const LIMIT_MAX: u16 = 200;

const VERSION: u8 = 1;
const TAG_LENGTH: usize = 16;
const FILTER_LENGTH: usize = 8;
/// Long enough for a sort key of 120 characters of three bytes each.
const CURSOR_MAX: usize = 1024;

/// The key that signs cursors.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey")
    }
}

impl CursorKey {
    /// A key of its own, from the master key of the data, so that a leaked cursor tells nothing of that.
    #[must_use]
    pub fn derive(master: &[u8]) -> Self {
        Self(mac(master, &[b"lahete cursor key 1"]))
    }

    fn sign(&self, filters: [u8; FILTER_LENGTH], cursor: &Cursor) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(cursor.encode().as_bytes());
        let tag = mac(&self.0, &[&filters, &bytes]);
        bytes.extend(tag.iter().take(TAG_LENGTH));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn verify(&self, filters: [u8; FILTER_LENGTH], text: &str) -> Option<Cursor> {
        if text.len() > CURSOR_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_LENGTH)?)?;
        let wanted = mac(&self.0, &[&filters, signed]);
        if !bool::from(subtle::ConstantTimeEq::ct_eq(wanted.get(..TAG_LENGTH)?, tag)) {
            return None;
        }
        let (version, cursor) = signed.split_first()?;
        if *version == VERSION { Cursor::decode(std::str::from_utf8(cursor).ok()?) } else { None }
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of every length, so this arm cannot be reached; the empty key would sign, and never verify against ours.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Which page a caller wants; makes the answer of it.
#[derive(Clone, Debug)]
pub struct Paging {
    limit: u16,
    after: Option<Cursor>,
    path: String,
    filters: Vec<(String, String)>,
    hash: [u8; FILTER_LENGTH],
    key: CursorKey,
}

impl Paging {
    /// What the store is asked for.
    #[must_use]
    pub fn request(&self) -> PageRequest {
        PageRequest { limit: self.limit, after: self.after.clone() }
    }

    /// The answer's body: views of the items, and the link to the next page.
    pub fn view<T, V: From<T>>(&self, page: Page<T>) -> ListView<V> {
        self.view_with(page, V::from)
    }

    /// As [`Paging::view`], for views that need more than the item.
    pub fn view_with<T, V>(&self, page: Page<T>, view: impl FnMut(T) -> V) -> ListView<V> {
        let next = page.next.map(|cursor| self.link(&cursor));
        ListView { items: page.items.into_iter().map(view).collect(), page: PageView { next, limit: self.limit } }
    }

    fn link(&self, cursor: &Cursor) -> String {
        let mut link = format!("{}?", self.path);
        for (name, value) in &self.filters {
            link.push_str(&format!("{}={}&", encoded(name), encoded(value)));
        }
        link.push_str(&format!("limit={}&cursor={}", self.limit, self.key.sign(self.hash, cursor)));
        link
    }

    fn parse(path: &str, query: &str, key: &CursorKey) -> Result<Self, AppError> {
        let (mut limit, mut cursor) = (LIMIT_DEFAULT, None);
        let mut filters = Vec::new();
        for (name, value) in pairs(query)? {
            match name.as_str() {
                "limit" => {
                    limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
                        AppError::malformed("invalid_parameter", format!("The limit must lie between 1 and {LIMIT_MAX}."))
                    })?;
                }
                "cursor" => cursor = Some(value),
                _ => filters.push((name, value)),
            }
        }
        filters.sort();
        let hash = filter_hash(path, &filters);
        let after = match cursor {
            None => None,
            Some(text) => Some(key.verify(hash, &text).ok_or_else(|| {
                AppError::malformed("invalid_cursor", "The cursor was not made for this list with these filters. Start again without it.")
            })?),
        };
        Ok(Self { limit, after, path: path.to_owned(), filters, hash, key: key.clone() })
    }
}

fn filter_hash(path: &str, filters: &[(String, String)]) -> [u8; FILTER_LENGTH] {
    let mut digest = Sha256::new();
    for text in std::iter::once(path).chain(filters.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()])) {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    }
    let mut hash = [0; FILTER_LENGTH];
    for (to, from) in hash.iter_mut().zip(digest.finalize()) {
        *to = from;
    }
    hash
}

/// Percent-encodes everything but the unreserved characters.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

impl FromRequest for Paging {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<Data<AppState>>() else {
            return ready(Err(AppError::internal("no application state").into()));
        };
        ready(Self::parse(request.path(), request.query_string(), &state.cursor_key).map_err(Problem::from))
    }
}

impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(LIMIT_MAX))
            .default(Some(LIMIT_DEFAULT.into()))
            .build();
        let cursor = ObjectBuilder::new().schema_type(Type::String).max_length(Some(CURSOR_MAX)).pattern(Some("^[A-Za-z0-9_-]+$")).build();
        let parameter = |name: &str, text: &str| {
            ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query).required(Required::False).description(Some(text))
        };
        vec![
            parameter("limit", "The most items that the page may have.").schema(Some(limit)).build(),
            parameter(
                "cursor",
                "Where the page begins. Taken from `page.next` of the page before; never made up. It holds only for the same list and filters.",
            )
            .schema(Some(cursor))
            .build(),
        ]
    }
}

/// A page of a list.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ListView<T> {
    /// The items of this page, in the order of the list.
    #[schema(max_items = 200)]
    pub items: Vec<T>,
    /// How to go on.
    pub page: PageView,
}

/// Where a list goes on.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
#[schema(example = json!({"next": null, "limit": 50}))]
pub struct PageView {
    /// Path and query of the next page; null on the last one.
    #[schema(required = true, max_length = 2000)]
    pub next: Option<String>,
    /// The most items that a page has.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn cursor() -> Cursor {
        Cursor { sort: "2026-11-22T10:00:00.000000Z".into(), id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_cursor_comes_back_for_its_own_list_only() {
        let key = CursorKey::derive(b"master");
        let filters = |state: &str| [("state".to_owned(), state.to_owned())];
        let hash = filter_hash("/v1/referrals", &filters("closed"));
        let text = key.sign(hash, &cursor());
        assert_eq!(key.verify(hash, &text), Some(cursor()));
        assert_eq!(key.verify(filter_hash("/v1/referrals", &filters("draft")), &text), None);
        assert_eq!(key.verify(filter_hash("/v1/clients", &filters("closed")), &text), None);
        assert_eq!(CursorKey::derive(b"other").verify(hash, &text), None);
    }

    #[test]
    fn every_changed_bit_is_found() {
        let key = CursorKey::derive(b"master");
        let hash = filter_hash("/v1/referrals", &[]);
        let bytes = URL_SAFE_NO_PAD.decode(key.sign(hash, &cursor())).expect("base64");
        for place in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[place] ^= 1;
            assert_eq!(key.verify(hash, &URL_SAFE_NO_PAD.encode(forged)), None, "byte {place}");
        }
        for text in ["", "A", "AAAA", &"A".repeat(600)] {
            assert_eq!(key.verify(hash, text), None);
        }
    }

    #[test]
    fn the_next_link_leads_to_the_next_page() {
        let key = CursorKey::derive(b"master");
        let paging = Paging::parse("/v1/referrals", "state=in_support&sector=a%26b&limit=2", &key).expect("good");
        let view: ListView<i32> = paging.view(Page { items: vec![1, 2], next: Some(cursor()) });
        let next = view.page.next.expect("more");
        let (path, query) = next.split_once('?').expect("a query");
        let second = Paging::parse(path, query, &key).expect("our own link");
        assert_eq!((second.limit, second.after), (2, Some(cursor())));
        assert!(second.filters.contains(&("sector".into(), "a&b".into())));
        for bad in ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=x", "cursor="] {
            assert!(Paging::parse("/v1/referrals", bad, &key).is_err(), "{bad}");
        }
    }

    /// Places that a list may come to.
    fn any_cursor() -> impl proptest::strategy::Strategy<Value = Cursor> {
        use proptest::prelude::*;
        (any::<u128>(), "[a-zäö0-9:.TZ -]{0,30}").prop_map(|(id, sort)| Cursor { sort, id: Uuid::from_u128(id) })
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_nobody_makes_up_a_cursor(text in "[A-Za-z0-9_-]{0,90}|\\PC{0,40}") {
            proptest::prop_assert!(CursorKey::derive(b"m").verify([0; FILTER_LENGTH], &text).is_none());
        }

        #[test]
        fn property_a_cursor_comes_back_and_no_other(cursor in any_cursor(), filters: [u8; FILTER_LENGTH], place: usize, bit in 0_u8..8) {
            let key = CursorKey::derive(b"m");
            let text = key.sign(filters, &cursor);
            proptest::prop_assert_eq!(key.verify(filters, &text), Some(cursor));
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64");
            let place = place % (bytes.len() + filters.len());
            let mut others = filters;
            // One bit of the cursor or of the filters that it was made for.
            match bytes.get_mut(place) {
                Some(byte) => *byte ^= 1 << bit,
                None => others[place - bytes.len()] ^= 1 << bit,
            }
            proptest::prop_assert_eq!(key.verify(others, &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn property_a_query_is_read_or_refused(query in "([a-z]{0,6}=?[a-z0-9%+äö]{0,8}&?){0,4}|(limit|cursor)=[0-9A-Za-z_-]{0,8}") {
            let _ = Paging::parse("/v1/x", &query, &CursorKey::derive(b"m"));
        }
    }
}
