//! The `ETag` of an answer that shows more than its own resource: a name from elsewhere, a figure that is counted.
//!
//! The version alone would say "unchanged" while such a part has changed. It stays in front, so that `If-Match` goes on guarding the resource itself.

use lahete_domain::version::Version;
use sha2::{Digest as _, Sha256};

use super::answer::Answer;

/// Letters behind the version: 26⁸ possibilities.
const LETTERS: usize = 8;

/// Sets the `ETag` to the version and a digest of the body, `"3;kqzaphbw"`.
#[must_use]
pub fn tagged(answer: Answer, version: Version) -> Answer {
    let digest = Sha256::digest(answer.body());
    let letters: String = digest.iter().take(LETTERS).map(|byte| char::from(b'a' + byte % 26)).collect();
    answer.header("etag", format!("\"{version};{letters}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::extract::if_match::parse_tag;
    use serde_json::json;

    #[test]
    fn the_version_is_read_from_it_and_another_body_has_another_tag() {
        let version = Version::new(3).expect("a version");
        let tag = |n: i32| tagged(Answer::ok(&json!({ "n": n })), version).header_value("etag").map(str::to_owned).expect("a tag");
        assert_eq!(parse_tag(&tag(1)), Some(version));
        assert_eq!(tag(1), tag(1));
        assert_ne!(tag(1), tag(2));
    }
}
