//! Finding things by words that a person types: one normal form for every letter, pieces of words for the index, and how good a find is.
//!
//! Both databases keep the same pieces and are asked for the same ones; what is a hit, and which hit comes first, is decided here. So they find alike.
//!
//! A word has two forms. The *exact* one is in small letters and composed, without the signs that only mark how it is read (ʹ, apostrophes): `vuõʹtte` is
//! `vuõtte`. The *plain* one is what somebody types who has no such keys: č→c, š→s, ž→z, đ→d, ŋ→n, ŧ→t, ǩ→k, ǧ→g, ʒ→z, å ä â á→a, ö õ→o. Words are
//! looked up by the plain form; the exact form tells the better find.

use std::collections::{BTreeMap, BTreeSet};

/// Words of a question that count. More of them only narrow what is found already.
pub const QUERY_WORDS_MAX: usize = 6;

/// Letters of a word that count.
pub const WORD_MAX: usize = 40;

/// Different words of running text that are kept for each entry.
pub const BODY_WORDS_MAX: usize = 120;

/// Finds that are weighed and can be paged through. Whoever has more of them is better served by another word.
pub const CANDIDATES_MAX: usize = 300;

/// When fewer entries than this hold the words as they were typed, words that are nearly the same are looked for, too.
pub const FUZZY_BELOW: usize = 5;

/// How much of a word must be there for it to be weighed at all, in hundredths of its pieces.
const PIECES_NEEDED_PERCENT: usize = 28;

/// One word in its two forms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Word {
    /// As it is written, in small letters.
    pub exact: String,
    /// As it is typed without special keys.
    pub plain: String,
}

/// A letter and the mark that follows it, as one letter.
fn composed(letter: char, mark: char) -> Option<char> {
    Some(match (letter, mark) {
        ('a', '\u{308}') => 'ä',
        ('o', '\u{308}') => 'ö',
        ('u', '\u{308}') => 'ü',
        ('a', '\u{30a}') => 'å',
        ('c', '\u{30c}') => 'č',
        ('s', '\u{30c}') => 'š',
        ('z', '\u{30c}') => 'ž',
        ('g', '\u{30c}') => 'ǧ',
        ('k', '\u{30c}') => 'ǩ',
        ('ʒ', '\u{30c}') => 'ǯ',
        ('o', '\u{303}') => 'õ',
        ('n', '\u{303}') => 'ñ',
        ('a', '\u{302}') => 'â',
        ('a', '\u{301}') => 'á',
        ('e', '\u{301}') => 'é',
        _ => return None,
    })
}

/// What somebody types for a letter that their keyboard lacks.
fn plain(letter: char) -> char {
    match letter {
        'å' | 'ä' | 'á' | 'à' | 'â' | 'ã' | 'ā' | 'æ' => 'a',
        'ö' | 'ó' | 'ò' | 'ô' | 'õ' | 'ø' | 'ō' => 'o',
        'é' | 'è' | 'ê' | 'ë' | 'ē' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ī' => 'i',
        'ú' | 'ù' | 'û' | 'ü' | 'ū' => 'u',
        'ý' | 'ÿ' => 'y',
        'č' | 'ç' | 'ć' => 'c',
        'š' | 'ś' | 'ş' | 'ß' => 's',
        'ž' | 'ź' | 'ż' | 'ʒ' | 'ǯ' => 'z',
        'đ' | 'ð' => 'd',
        'ŋ' | 'ñ' | 'ń' => 'n',
        'ŧ' | 'þ' => 't',
        'ǩ' | 'ķ' => 'k',
        'ǧ' | 'ǥ' | 'ğ' => 'g',
        'ł' => 'l',
        other => other,
    }
}

/// Signs within a word that are no letters of it: prime, apostrophes, soft hyphen.
fn is_silent(letter: char) -> bool {
    matches!(letter, 'ʹ' | 'ʼ' | 'ˈ' | '´' | '\'' | '’' | '‘' | '`' | '\u{ad}' | '\u{200b}'..='\u{200d}')
}

/// The words of a text, in their order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut exact = String::new();
    let mut length = 0;
    let mut end = |exact: &mut String, length: &mut usize| {
        if !exact.is_empty() {
            let plain = exact.chars().map(plain).collect();
            all.push(Word { exact: std::mem::take(exact), plain });
        }
        *length = 0;
    };
    for letter in text.chars() {
        if matches!(letter, '\u{300}'..='\u{36f}') {
            if let Some(whole) = exact.chars().next_back().and_then(|last| composed(last, letter)) {
                exact.pop();
                exact.push(whole);
            }
        } else if is_silent(letter) {
        } else if letter.is_alphanumeric() {
            for small in letter.to_lowercase().filter(|small| small.is_alphanumeric()) {
                if length < WORD_MAX {
                    exact.push(small);
                    length += 1;
                }
            }
        } else {
            end(&mut exact, &mut length);
        }
    }
    end(&mut exact, &mut length);
    all
}

/// Three letters each, with two marks before the word and two behind it: so beginnings and ends weigh more, and a word of five letters has seven.
fn pieces(plain: &str) -> BTreeSet<String> {
    let padded: Vec<char> = ['«', '«'].into_iter().chain(plain.chars()).chain(['»', '»']).collect();
    padded.windows(3).map(|three| three.iter().collect()).collect()
}

/// What the index keeps of an entry: `n` and a word of its names, `g` and a piece of such a word, `b` and a word of its running text. Only letters and
/// digits stand in them, and two marks that no word has.
#[must_use]
pub fn terms(names: &[&str], body: &[&str]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for word in names.iter().flat_map(|text| words(text)) {
        if all.insert(format!("n{}", word.plain)) {
            all.extend(pieces(&word.plain).into_iter().map(|piece| format!("g{piece}")));
        }
    }
    let mut left = BODY_WORDS_MAX;
    for word in body.iter().flat_map(|text| words(text)) {
        if left == 0 {
            break;
        }
        if word.plain.chars().count() > 2 && all.insert(format!("b{}", word.plain)) {
            left -= 1;
        }
    }
    all
}

/// Something that the index is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Probe {
    /// Which word of the question it belongs to.
    pub word: usize,
    /// The term.
    pub term: String,
    /// Whether terms that only begin so count as well.
    pub prefix: bool,
    /// How much a hit says: [`IN_NAME`], [`IN_BODY`], or 0 for a piece.
    pub weight: u8,
}

/// The weight of a word in a name.
pub const IN_NAME: u8 = 2;
/// The weight of a word in running text.
pub const IN_BODY: u8 = 1;

/// How an entry answers one word of the question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The entry's number in the index.
    pub number: i64,
    /// The word.
    pub word: usize,
    /// The best weight of what was hit, 0 when only pieces were.
    pub weight: u8,
    /// How many pieces were hit.
    pub pieces: usize,
}

/// What somebody looks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    words: Vec<Word>,
    exact: String,
}

impl Query {
    /// Reads what was typed; none when there is no word in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all: Vec<Word> = Vec::new();
        for word in words(text) {
            if all.len() < QUERY_WORDS_MAX && !all.iter().any(|known| known.plain == word.plain) {
                all.push(word);
            }
        }
        let exact = all.iter().map(|word| word.exact.as_str()).collect::<Vec<_>>().join(" ");
        if all.is_empty() { None } else { Some(Self { words: all, exact }) }
    }

    /// What to ask the index for: the words as they were typed, also as beginnings of longer ones; with `fuzzy` their pieces, too.
    #[must_use]
    pub fn probes(&self, fuzzy: bool) -> Vec<Probe> {
        let mut all = Vec::new();
        for (at, word) in self.words.iter().enumerate() {
            for (kind, weight) in [('n', IN_NAME), ('b', IN_BODY)] {
                all.push(Probe { word: at, term: format!("{kind}{}", word.plain), prefix: true, weight });
            }
            if fuzzy && allowed_errors(word.plain.chars().count()) > 0 {
                let pieces = pieces(&word.plain).into_iter();
                all.extend(pieces.map(|piece| Probe { word: at, term: format!("g{piece}"), prefix: false, weight: 0 }));
            }
        }
        all
    }

    /// How many pieces of a word must be hit for an entry to be weighed.
    #[must_use]
    pub fn pieces_needed(&self, word: usize) -> usize {
        let all = self.words.get(word).map_or(0, |word| pieces(&word.plain).len());
        (all * PIECES_NEEDED_PERCENT).div_ceil(100).max(1)
    }

    /// How many words an entry must answer: all of them, one less of three and more.
    fn words_needed(&self) -> usize {
        if self.words.len() < 3 { self.words.len() } else { self.words.len() - 1 }
    }

    /// The entries that answer enough words, by what the index says: the best first, each with what was hit of each word.
    #[must_use]
    pub fn candidates(&self, hits: &[Hit]) -> Vec<(i64, Vec<u8>)> {
        let mut found: BTreeMap<i64, (Vec<u8>, Vec<usize>)> = BTreeMap::new();
        for hit in hits.iter().filter(|hit| hit.weight > 0 || hit.pieces >= self.pieces_needed(hit.word)) {
            let (weights, shares) = found.entry(hit.number).or_insert_with(|| (vec![0; self.words.len()], vec![0; self.words.len()]));
            let all = self.words.get(hit.word).map_or(1, |word| pieces(&word.plain).len()).max(1);
            if let (Some(weight), Some(share)) = (weights.get_mut(hit.word), shares.get_mut(hit.word)) {
                *weight = hit.weight;
                *share = usize::from(hit.weight) * 100 + hit.pieces * 100 / all + 1;
            }
        }
        let needed = self.words_needed();
        let mut ranked: Vec<(usize, i64, Vec<u8>)> = found
            .into_iter()
            .filter(|(_, (_, shares))| shares.iter().filter(|share| **share > 0).count() >= needed)
            .map(|(number, (weights, shares))| (shares.iter().sum(), number, weights))
            .collect();
        ranked.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        ranked.into_iter().map(|(_, number, weights)| (number, weights)).collect()
    }

    /// How good a find is: 1 to 999, none when it is none. `names` are the entry's names in all languages, `keywords` what it is filed under, `weights`
    /// what the index hit of each word.
    #[must_use]
    pub fn rank(&self, names: &[&str], keywords: &str, weights: &[u8]) -> Option<u32> {
        let titles: Vec<Vec<Word>> = names.iter().map(|name| words(name)).collect();
        let filed = words(keywords);
        let (mut sum, mut answered) = (0, 0);
        for (at, word) in self.words.iter().enumerate() {
            let in_title = titles.iter().flatten().map(|other| likeness(word, other)).max().unwrap_or_default();
            let in_keywords = filed.iter().map(|other| likeness(word, other)).max().unwrap_or_default() * 8 / 10;
            let in_body = if weights.get(at).is_some_and(|weight| *weight > 0) { 250 } else { 0 };
            let best = in_title.max(in_keywords).max(in_body);
            sum += best;
            answered += usize::from(best > 0);
        }
        if answered < self.words_needed() {
            return None;
        }
        let count = u32::try_from(self.words.len()).unwrap_or(1).max(1);
        let whole = |title: &Vec<Word>| title.iter().map(|word| word.exact.as_str()).collect::<Vec<_>>().join(" ") == self.exact;
        Some((sum / count + if titles.iter().any(whole) { 60 } else { 0 }).clamp(1, 999))
    }
}

/// How many wrong, missing, extra or swapped letters a word may have and still be meant.
fn allowed_errors(length: usize) -> usize {
    match length {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    }
}

/// How well a word answers another, 0 to 900.
fn likeness(wanted: &Word, there: &Word) -> u32 {
    if wanted.exact == there.exact {
        return 900;
    }
    if wanted.plain == there.plain {
        return 880;
    }
    let short: Vec<char> = wanted.plain.chars().collect();
    let long: Vec<char> = there.plain.chars().collect();
    // A longer word is a less certain find.
    let extra = u32::try_from(long.len().saturating_sub(short.len()).min(20)).unwrap_or(20);
    if there.exact.starts_with(&wanted.exact) {
        return 800 - extra * 5;
    }
    if there.plain.starts_with(&wanted.plain) {
        return 780 - extra * 5;
    }
    if short.len() >= 4 && there.plain.contains(&wanted.plain) {
        return 600 - extra * 5;
    }
    let allowed = allowed_errors(short.len());
    if allowed == 0 {
        return 0;
    }
    let errors = distance(&short, &long);
    if errors <= allowed {
        return 560 - penalty(errors);
    }
    // The beginning of a longer word: a compound, or an ending that was not typed.
    let beginning = (short.len().saturating_sub(1)..=short.len() + 1)
        .filter_map(|length| long.get(..length))
        .map(|beginning| distance(&short, beginning))
        .min();
    if let Some(errors) = beginning.filter(|errors| *errors <= allowed) {
        return 460 - penalty(errors) - extra * 3;
    }
    // Another ending of the same word.
    let common = short.iter().zip(&long).take_while(|(one, other)| one == other).count();
    if common >= 5 && common * 10 >= short.len().max(long.len()) * 6 { 340 } else { 0 }
}

fn penalty(errors: usize) -> u32 {
    u32::try_from(errors).unwrap_or(9) * 60
}

/// Letters to change, leave out, put in or swap with their neighbour until the words are the same.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut line = Vec::with_capacity(other.len() + 1);
        line.push(row + 1);
        for (column, there) in other.iter().enumerate() {
            let at = |list: &[usize], place: usize| list.get(place).copied().unwrap_or(usize::MAX / 2);
            let changed = at(&last, column) + usize::from(letter != there);
            let mut least = changed.min(at(&last, column + 1) + 1).min(at(&line, column) + 1);
            if row > 0 && column > 0 && one.get(row - 1) == Some(there) && other.get(column - 1) == Some(letter) {
                least = least.min(at(&before, column - 1) + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> (String, String) {
        let all = words(text);
        assert_eq!(all.len(), 1, "{text}: {all:?}");
        (all[0].exact.clone(), all[0].plain.clone())
    }

    #[test]
    fn letters_have_an_exact_and_a_plain_form() {
        for (text, exact, plain) in [
            ("Kävely", "kävely", "kavely"),
            ("Ka\u{308}vely", "kävely", "kavely"),
            ("KÅSA", "kåsa", "kasa"),
            ("Öljy", "öljy", "oljy"),
            ("Čáhci", "čáhci", "cahci"),
            ("Šaŋŋa", "šaŋŋa", "sanna"),
            ("Ruoŧŧa", "ruoŧŧa", "ruotta"),
            ("Đđđ", "đđđ", "ddd"),
            ("Žižžu", "žižžu", "zizzu"),
            ("Pääʹss", "pääss", "paass"),
            ("Vuõʹtte", "vuõtte", "vuotte"),
            ("Âânn", "âânn", "aann"),
            ("Ǩiõll", "ǩiõll", "kioll"),
            ("Ǧiõđđ", "ǧiõđđ", "giodd"),
            ("Ǥǥ", "ǥǥ", "gg"),
            ("Äʹrbbvuõđǯ", "ärbbvuõđǯ", "arbbvuodz"),
            ("Ʒǯ", "ʒǯ", "zz"),
            ("Sáme\u{ad}giella", "sámegiella", "samegiella"),
        ] {
            assert_eq!(one(text), (exact.to_owned(), plain.to_owned()), "{text}");
        }
        assert_eq!(words("Kuoro & laulu, klo 17").into_iter().map(|word| word.exact).collect::<Vec<_>>(), ["kuoro", "laulu", "klo", "17"]);
        assert!(words(" -- \u{301} ").is_empty());
        assert_eq!(words(&"a".repeat(100))[0].exact.len(), WORD_MAX);
    }

    #[test]
    fn a_swap_is_one_error() {
        let count = |one: &str, other: &str| distance(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>());
        for (a, b, errors) in [
            ("kerho", "kerho", 0),
            ("kerho", "kehro", 1),
            ("kerho", "keho", 1),
            ("kerho", "kerhot", 1),
            ("", "abc", 3),
            ("kuoro", "kaari", 3),
        ] {
            assert_eq!((count(a, b), count(b, a)), (errors, errors), "{a} {b}");
        }
    }

    #[test]
    fn terms_hold_words_and_pieces_and_nothing_that_the_index_would_read_otherwise() {
        let all = terms(&["Kävely-ryhmä (65+)"], &["Mukaan \"voi\" tulla; käveLy on a*b' OR vapaa."]);
        for term in ["nkavely", "nryhma", "n65", "g«ka", "g««k", "gely", "gy»»", "bmukaan", "bvapaa", "btulla"] {
            assert!(all.contains(term), "{term}: {all:?}");
        }
        assert!(all.iter().all(|term| term.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '«' | '»'))), "{all:?}");
        let long: String = (0..500).map(|number| format!("sana{number} ")).collect();
        assert_eq!(terms(&[], &[&long]).len(), BODY_WORDS_MAX);
    }

    fn rank(query: &str, name: &str) -> Option<u32> {
        Query::parse(query).unwrap().rank(&[name], "", &[])
    }

    #[test]
    fn what_is_typed_finds_what_is_meant() {
        for (query, name) in [
            ("kerho", "Torstaikerho"),
            ("kerhot", "Kerho"),
            ("kävelyyn", "Kävelyryhmä"),
            ("kavely", "Kävelyryhmä"),
            ("kehro", "Kerho"),
            ("ulkoiluryhmma", "Ulkoiluryhmä"),
            ("ulkiolurihmä", "Ulkoiluryhmä"),
            ("tuolijummpa", "Tuolijumppa"),
            ("samegiella", "Sámegiella"),
            ("cahci", "Čáhci"),
            ("kirjastto", "Kirjaston lukupiiri"),
        ] {
            assert!(rank(query, name).is_some(), "{query} finds {name}");
        }
        for (query, name) in [("kuoro", "Kerho"), ("uni", "Kuoro"), ("kävely", "Ravinto"), ("jooga", "Jalkapallo")] {
            assert_eq!(rank(query, name), None, "{query} does not find {name}");
        }
    }

    #[test]
    fn the_better_find_ranks_higher() {
        let better = |query, one, other| assert!(rank(query, one) > rank(query, other), "{query}: {one} before {other}");
        better("kuoro", "Kuoro", "Kuorolaulu");
        better("kuoro", "Kuorolaulu", "Mieskuoro");
        better("čáhci", "Čáhci", "Cáhci");
        better("sáme", "Sámegiella", "Samegiella");
        better("kerho", "Kerho", "Kehro");
        better("torstai kerho", "Torstai kerho", "Torstai muuta kerhoa");
        assert_eq!(Query::parse("a b c").unwrap().words_needed(), 2);
        assert_eq!(Query::parse("., "), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(10_000))]
        #[test]
        fn property_a_question_has_only_terms_that_an_index_can_be_asked_for(text in "\\PC{0,40}") {
            if let Some(query) = Query::parse(&text) {
                for probe in query.probes(true) {
                    proptest::prop_assert!(probe.term.chars().count() > 1);
                    proptest::prop_assert!(probe.term.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '«' | '»')), "{:?}", probe);
                }
                proptest::prop_assert!(query.rank(&[&text], "", &[]).is_some_and(|points| points > 0), "{}", text);
            }
        }
    }
}
