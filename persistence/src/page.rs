//! Pages of a list by key: the place where the last page ended is the key of its last row, never a count of rows.

use std::cmp::Ordering;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

/// Where a page ended: the sort key of its last row, and the row's id to tell apart rows with the same key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// The sort key as text, in the form that the list's order defines.
    pub sort: String,
    /// The row.
    pub id: Uuid,
}

impl Cursor {
    /// An opaque text for a link.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend_from_slice(self.sort.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads [`Cursor::encode`]'s text back; `None` for any other text.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, sort) = bytes.split_at_checked(16)?;
        Some(Self { sort: String::from_utf8(sort.to_vec()).ok()?, id: Uuid::from_slice(id).ok()? })
    }
}

/// Which page is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageRequest {
    /// At most so many items.
    pub limit: u16,
    /// Behind this place; from the beginning when there is none.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub fn first(limit: u16) -> Self {
        Self { limit, after: None }
    }

    /// How many rows to fetch: one more than wanted, whose presence says that there is a next page.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins; none when this was the last one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of [`PageRequest::fetch`] rows; `cursor` names the place of a row.
    pub fn from_rows(mut rows: Vec<T>, request: &PageRequest, cursor: impl FnOnce(&T) -> Cursor) -> Self {
        let limit = usize::from(request.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Self { items: rows, next }
    }

    /// The same page of other items.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<U, E>(self, f: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page { items: self.items.into_iter().map(f).collect::<Result<_, _>>()?, next: self.next })
    }
}

/// The rows of one page out of several lists, each in the order of the page: the first so many of all of them, every row once. `order` tells rows apart
/// by their sort key and then by their id, so that equal means the same row.
pub(crate) fn merged<B, R, E>(
    branches: impl IntoIterator<Item = B>,
    request: &PageRequest,
    mut rows: impl FnMut(B) -> Result<Vec<R>, E>,
    order: impl Fn(&R, &R) -> Ordering,
) -> Result<Vec<R>, E> {
    let mut branches = branches.into_iter();
    let Some(first) = branches.next() else { return Ok(Vec::new()) };
    let mut all = rows(first)?;
    let mut several = false;
    for branch in branches {
        all.extend(rows(branch)?);
        several = true;
    }
    if several {
        all.sort_by(&order);
        all.dedup_by(|one, other| order(one, other).is_eq());
        all.truncate(usize::from(request.limit) + 1);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = Cursor { sort: "Äkäslompolo".into(), id: Uuid::from_u128(7) };
        assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        for text in ["", "AAAA", "%", "_____________________________w"] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_a_cursor_comes_back(id in proptest::prelude::any::<u128>(), sort in "\\PC{0,24}") {
            let cursor = Cursor { sort, id: Uuid::from_u128(id) };
            proptest::prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn property_what_is_read_as_a_cursor_is_written_like_that(text in "[A-Za-z0-9_=+/-]{0,40}|\\PC{0,40}") {
            if let Some(cursor) = Cursor::decode(&text) {
                proptest::prop_assert_eq!(cursor.encode(), text);
            }
        }
    }

    #[test]
    fn several_lists_make_one_page() {
        let lists = [vec![1, 4, 6, 9], vec![2, 4, 5], vec![], vec![4, 9]];
        let page = |limit| {
            let rows = |list: Vec<i32>| Ok::<_, ()>(list.into_iter().take(usize::from(limit) + 1).collect());
            merged(lists.clone(), &PageRequest::first(limit), rows, i32::cmp).unwrap()
        };
        assert_eq!(page(10), [1, 2, 4, 5, 6, 9]);
        assert_eq!(page(2), [1, 2, 4]);
        assert_eq!(merged([(); 0], &PageRequest::first(2), |()| Ok::<Vec<i32>, ()>(vec![1]), i32::cmp).unwrap(), [0; 0]);
    }

    #[test]
    fn the_row_too_many_only_tells_of_the_next_page() {
        let cursor = |n: &u8| Cursor { sort: n.to_string(), id: Uuid::nil() };
        let request = PageRequest::first(2);
        let page = Page::from_rows(vec![1, 2, 3], &request, cursor);
        assert_eq!((page.items, page.next.map(|c| c.sort)), (vec![1, 2], Some("2".into())));
        assert_eq!(Page::from_rows(vec![1, 2], &request, cursor).next, None);
        assert_eq!(Page::from_rows(Vec::new(), &request, cursor).next, None);
    }
}
