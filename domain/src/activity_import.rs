//! Taking over entries from the national service directory (Palvelutietovaranto, open API v11): what of it becomes an activity, and what stays behind. No
//! contact data of named persons is taken over, neither from the members for it nor from running text.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, NaiveTime};
use uuid::Uuid;

use crate::activity::{
    Activity, Contact, KEYWORDS_MAX, MAIN_LANGUAGE, MUNICIPALITIES_MAX, OpeningTime, PLACES_MAX, Place, Provider, TIMES_MAX,
    TRANSLATIONS_MAX, Translation,
};
use crate::codes::{
    ActivityImportFault, ActivityImportPhase, ActivityImportState, ActivitySource, ActivityStatus, ContentKind, DayOfWeek,
    OrganisationKind, Price,
};
use crate::ids::{ActivityImportId, ProgrammeId, UserId};
use crate::programme::MunicipalityCode;
use crate::search::words;
use crate::text::{DESCRIPTION_MAX, LANGUAGE_TAG_MAX, LINE_MAX, NAME_MAX, REASON_MAX, SUMMARY_MAX};
use crate::theme_mapping::Themer;
use crate::time::Instant;
use crate::version::Version;

/// Minutes by which the window of changes begins earlier than was asked for: what was published while the last run was reading.
pub const OVERLAP_MINUTES: i64 = 60;
/// Faults that are kept with an import; beyond that they are only counted.
pub const FAULTS_MAX: usize = 100;
/// Municipalities that one import may ask for.
pub const ASKED_MAX: usize = 30;
/// The licence of what the national directory publishes.
pub const PTV_LICENCE: &str = "CC BY 4.0: Palvelutietovaranto, Digi- ja väestötietovirasto";
/// Minutes after which a run that gave no sign of life is taken over by another server.
pub const SILENT_MINUTES: i64 = 3;

/// A text of another directory with its language and kind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// The language.
    pub language: String,
    /// What kind of text: `Name`, `Summary`, `Description`.
    pub kind: String,
    /// The text.
    pub value: String,
}

/// A class, a concept or a keyword.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filing {
    /// The code of a class.
    pub code: Option<String>,
    /// The address.
    pub uri: Option<String>,
    /// Its names.
    pub names: Vec<Said>,
}

/// A service as the other directory describes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Its id there.
    pub source_id: Uuid,
    /// `Service`, `PermitOrObligation`, `ProfessionalQualification`.
    pub kind: Option<String>,
    /// `Published`, `Draft`, `Modified`, `Deleted`.
    pub status: Option<String>,
    /// Names.
    pub names: Vec<Said>,
    /// Descriptions.
    pub descriptions: Vec<Said>,
    /// `Chargeable`, `FreeOfCharge`.
    pub charge: Option<String>,
    /// `Nationwide`, `NationwideExceptAlandIslands`, `LimitedType`.
    pub area: Option<String>,
    /// Codes of municipalities.
    pub municipalities: Vec<String>,
    /// Languages of service.
    pub languages: Vec<String>,
    /// What it is filed under.
    pub filings: Vec<Filing>,
    /// Organisations with their roles.
    pub organisations: Vec<(Option<String>, Uuid)>,
    /// Channels.
    pub channels: Vec<Uuid>,
    /// When it was last changed.
    pub modified: Option<Instant>,
}

/// An organisation of the other directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportedOrganisation {
    /// Its id there.
    pub source_id: Uuid,
    /// What is shown of it.
    pub provider: Provider,
}

/// A channel of the other directory: where and when a service is reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Channel {
    /// Its id there.
    pub source_id: Uuid,
    /// Its places.
    pub places: Vec<Place>,
    /// Its times.
    pub times: Vec<OpeningTime>,
    /// How the organisation is reached there.
    pub contact: Contact,
}

/// An address as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AddressSaid {
    /// `Location`, `Postal`.
    pub kind: Option<String>,
    /// The street.
    pub street: Vec<Said>,
    /// The number.
    pub number: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The post office.
    pub post_office: Vec<Said>,
    /// The municipality.
    pub municipality: Option<String>,
}

/// A telephone number as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PhoneSaid {
    /// `+358`.
    pub prefix: Option<String>,
    /// The number.
    pub number: Option<String>,
    /// More about it, where a person may be named.
    pub about: Option<String>,
}

/// Opening hours as they are told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HoursSaid {
    /// `DaysOfTheWeek`, `Exceptional`, `OverMidnight`.
    pub kind: Option<String>,
    /// Closed in this time.
    pub closed: bool,
    /// When.
    pub spans: Vec<SpanSaid>,
}

/// Days and times as they are told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SpanSaid {
    /// The first day.
    pub day_from: Option<String>,
    /// The last day; the first one when it is missing.
    pub day_to: Option<String>,
    /// From when.
    pub from: Option<String>,
    /// Until when.
    pub until: Option<String>,
}

/// A channel as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChannelSaid {
    /// Its id there.
    pub source_id: Uuid,
    /// `ServiceLocation`, `WebPage`, `EChannel`, `Phone`, `PrintableForm`.
    pub kind: Option<String>,
    /// Names.
    pub names: Vec<Said>,
    /// Addresses.
    pub addresses: Vec<AddressSaid>,
    /// Telephone numbers.
    pub phones: Vec<PhoneSaid>,
    /// E-mails.
    pub emails: Vec<String>,
    /// Web pages.
    pub webs: Vec<String>,
    /// Hours.
    pub hours: Vec<HoursSaid>,
}

/// An organisation as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OrganisationSaid {
    /// Its id there.
    pub source_id: Uuid,
    /// Names.
    pub names: Vec<Said>,
    /// The business id.
    pub business_id: Option<String>,
    /// `State`, `Municipality`, `Organization`, `Company`, `SotePublic` …
    pub kind: Option<String>,
}

/// Cuts a text to a length, takes out what cannot be stored, and says whether anything is left. Lines stay when `lines` says so.
fn fit(text: &str, max: usize, lines: bool) -> Option<String> {
    let allowed = |letter: char| !letter.is_control() || (lines && matches!(letter, '\n' | '\t'));
    let spaced = |letter: char| if allowed(letter) { letter } else { ' ' };
    let clean: String = text
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{0}'..='\u{20}' | '\u{7f}'..='\u{a0}'))
        .chars()
        .map(spaced)
        .collect();
    let clean = clean.trim_end();
    if clean.is_empty() {
        return None;
    }
    if clean.chars().count() <= max {
        return Some(clean.to_owned());
    }
    Some(clean.chars().take(max.saturating_sub(1)).collect::<String>().trim_end().to_owned() + "…")
}

/// Words by which an address is known to be an office's and not a person's.
const OFFICE_WORDS: &[&str] = &[
    "info",
    "asiakas",
    "palvel",
    "toimisto",
    "kirjaamo",
    "kirkko",
    "seurakun",
    "kunta",
    "kaupunki",
    "kirjasto",
    "museo",
    "kulttuuri",
    "liikunta",
    "nuoriso",
    "neuvonta",
    "yhdistys",
    "yhteys",
    "hallinto",
    "posti",
    "office",
    "contact",
    "service",
    "support",
    "kund",
    "forening",
    "bibliotek",
    "opisto",
    "koulu",
    "hyvinvoint",
    "tiedotus",
    "viestinta",
    "vapaaehto",
    "keskus",
    "ilmoittaut",
    "varaus",
    "hallitus",
    "sihteeri",
    "puheenjohtaja",
    "jarjesto",
    "tuki",
    "kerho",
    "ryhma",
    "paivystys",
    "matkailu",
    "lapin",
    "sametigge",
    "saamelais",
    "diakonia",
    "talous",
    "tyollisyys",
];

fn is_office_word(word: &str) -> bool {
    OFFICE_WORDS.iter().any(|office| word.starts_with(office))
}

/// Whether an e-mail address is a person's by its form: given and family name, or an initial and a family name, before the @.
#[must_use]
pub fn is_personal_email(address: &str) -> bool {
    let Some((local, _)) = address.split_once('@') else { return false };
    let parts: Vec<String> = local
        .split(['.', '_', '-', '+'])
        .map(|part| words(part).into_iter().map(|word| word.plain).collect::<String>())
        .filter(|part| !part.is_empty())
        .collect();
    let alphabetic = |part: &String| part.chars().all(char::is_alphabetic);
    (2..=4).contains(&parts.len()) && parts.iter().all(alphabetic) && !parts.iter().any(|part| is_office_word(part))
}

/// Whether a remark names a person: two words in a row that begin with capitals and are no office's.
#[must_use]
pub fn names_a_person(text: &str) -> bool {
    let is_name = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        let mut letters = word.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        let small = letters.next().is_some_and(char::is_lowercase);
        let plain: String = words(word).into_iter().map(|word| word.plain).collect();
        capital && small && word.chars().all(|c| c.is_alphabetic() || c == '-') && !is_office_word(&plain)
    };
    let all: Vec<&str> = text.split_whitespace().collect();
    all.windows(2).any(|two| two.iter().all(|word| is_name(word)))
}

/// A text without the e-mail addresses of persons.
fn without_persons(text: &str) -> String {
    if !text.contains('@') {
        return text.to_owned();
    }
    let keep = |piece: &str| {
        let address = piece.trim().trim_matches(|c: char| !c.is_alphanumeric());
        if address.contains('@') && is_personal_email(address) { piece.replace(address, "–") } else { piece.to_owned() }
    };
    text.split_inclusive(char::is_whitespace).map(keep).collect()
}

/// The text of a kind in each language.
fn by_language<'a>(all: &'a [Said], kinds: &[&str]) -> BTreeMap<&'a str, &'a str> {
    let mut found = BTreeMap::new();
    for kind in kinds {
        for said in all.iter().filter(|said| said.kind == *kind && !said.value.trim().is_empty() && is_language(&said.language)) {
            found.entry(said.language.as_str()).or_insert(said.value.as_str());
        }
    }
    found
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase()));
    first
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        && tag.len() <= LANGUAGE_TAG_MAX
}

/// The language of the main text: Finnish, else Swedish, else English, else whichever there is.
fn main_language<'a>(found: &BTreeMap<&'a str, &'a str>) -> Option<&'a str> {
    [MAIN_LANGUAGE, "sv", "en"]
        .into_iter()
        .find_map(|tag| found.get_key_value(tag).map(|(tag, _)| *tag))
        .or_else(|| found.keys().next().copied())
}

/// The best text of several, whatever its language.
fn any_text(all: &[Said], max: usize) -> Option<String> {
    let best = all.iter().min_by_key(|said| match said.language.as_str() {
        "fi" => 0,
        "sv" => 1,
        "en" => 2,
        _ => 3,
    });
    best.and_then(|said| fit(&said.value, max, false))
}

/// What is shown of an organisation.
///
/// # Errors
/// [`ActivityImportFault::NoName`].
pub fn organisation(said: &OrganisationSaid) -> Result<ImportedOrganisation, ActivityImportFault> {
    let names: Vec<Said> = said.names.iter().filter(|name| name.kind == "Name" || name.kind.is_empty()).cloned().collect();
    let name = any_text(&names, NAME_MAX).ok_or(ActivityImportFault::NoName)?;
    let plain: String = words(&name).into_iter().map(|word| word.plain + " ").collect();
    let kind = match said.kind.as_deref() {
        Some("State") => Some(OrganisationKind::State),
        Some("Municipality") => Some(OrganisationKind::Municipality),
        Some("SotePublic") => Some(OrganisationKind::WellbeingCounty),
        Some("Company" | "SotePrivate") => Some(OrganisationKind::Company),
        Some("Organization") if plain.contains("seurakunta") || plain.contains("forsamling") => Some(OrganisationKind::Parish),
        Some("Organization") => Some(OrganisationKind::Association),
        _ => None,
    };
    let business_id = said.business_id.as_deref().filter(|text| is_business_id(text)).map(str::to_owned);
    Ok(ImportedOrganisation { source_id: said.source_id, provider: Provider { name, business_id, kind } })
}

/// Whether a text is a business id (Y-tunnus): seven digits and a check digit by the weights 7, 9, 10, 5, 8, 4, 2.
#[must_use]
pub fn is_business_id(text: &str) -> bool {
    let Some((number, check)) = text.split_once('-') else { return false };
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    if number.len() != 7 || digits.len() != 7 || check.len() != 1 {
        return false;
    }
    let sum: u32 = digits.iter().zip([7, 9, 10, 5, 8, 4, 2]).map(|(digit, weight)| digit * weight).sum();
    let wanted = match sum % 11 {
        0 => Some(0),
        1 => None,
        rest => Some(11 - rest),
    };
    wanted.is_some() && check.chars().next().and_then(|c| c.to_digit(10)) == wanted
}

fn weekday(name: &str) -> Option<DayOfWeek> {
    Some(match name {
        "Monday" => DayOfWeek::Monday,
        "Tuesday" => DayOfWeek::Tuesday,
        "Wednesday" => DayOfWeek::Wednesday,
        "Thursday" => DayOfWeek::Thursday,
        "Friday" => DayOfWeek::Friday,
        "Saturday" => DayOfWeek::Saturday,
        "Sunday" => DayOfWeek::Sunday,
        _ => return None,
    })
}

const WEEK: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];

/// A time of the day; `24:00` and midnight at an end are the last minute of the day.
fn time_of_day(text: &str, is_end: bool) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let (hour, minute): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    match (hour, minute) {
        (0 | 24, 0) if is_end => NaiveTime::from_hms_opt(23, 59, 0),
        _ => NaiveTime::from_hms_opt(hour, minute, 0),
    }
}

/// The usual weekly times. What holds on single days, or over midnight, is left out.
fn opening_times(hours: &[HoursSaid]) -> Vec<OpeningTime> {
    let mut all = BTreeSet::new();
    for said in hours.iter().filter(|said| said.kind.as_deref() == Some("DaysOfTheWeek") && !said.closed) {
        for span in &said.spans {
            let Some(first) = span.day_from.as_deref().and_then(weekday) else { continue };
            let last = span.day_to.as_deref().and_then(weekday).unwrap_or(first);
            let times = (
                span.from.as_deref().and_then(|text| time_of_day(text, false)),
                span.until.as_deref().and_then(|text| time_of_day(text, true)),
            );
            let (Some(opens_at), Some(closes_at)) = times else { continue };
            if opens_at >= closes_at {
                continue;
            }
            let days = WEEK.iter().filter(|day| if first <= last { (first..=last).contains(day) } else { **day >= first || **day <= last });
            all.extend(days.map(|day| OpeningTime { weekday: *day, opens_at, closes_at }));
        }
    }
    all.into_iter().take(TIMES_MAX).collect()
}

/// Whether a text is an address of the web.
#[must_use]
pub fn is_web_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace) && text.chars().count() <= LINE_MAX
}

/// What is taken over of a channel: places, weekly times, and how the organisation is reached.
#[must_use]
pub fn channel(said: &ChannelSaid) -> Channel {
    let location = said.kind.as_deref() == Some("ServiceLocation");
    let name = any_text(&said.names, NAME_MAX);
    let place = |address: &AddressSaid| {
        let street = any_text(&address.street, LINE_MAX);
        let number = address.number.as_deref().and_then(|text| fit(text, 20, false));
        Place {
            name: name.clone(),
            street: street.map(|street| number.map_or(street.clone(), |number| format!("{street} {number}"))),
            postal_code: address.postal_code.as_deref().and_then(|text| fit(text, 10, false)),
            post_office: any_text(&address.post_office, NAME_MAX),
            municipality: address.municipality.as_deref().and_then(MunicipalityCode::parse),
        }
    };
    let of_location = |address: &&AddressSaid| location && address.kind.as_deref() != Some("Postal");
    let places: BTreeSet<Place> = said
        .addresses
        .iter()
        .filter(of_location)
        .map(place)
        .filter(|place| place.street.is_some() || place.municipality.is_some())
        .collect();
    let phone = said.phones.iter().filter(|phone| !phone.about.as_deref().is_some_and(names_a_person)).find_map(|phone| {
        let number = phone.number.as_deref().map(str::trim).filter(|number| !number.is_empty())?;
        let prefix = phone.prefix.as_deref().map(str::trim).filter(|prefix| !prefix.is_empty());
        fit(&prefix.map_or(number.to_owned(), |prefix| format!("{prefix} {number}")), 40, false)
    });
    let email =
        said.emails.iter().find(|email| email.contains('@') && !is_personal_email(email)).and_then(|email| fit(email, LINE_MAX, false));
    let web = said.webs.iter().map(|web| web.trim()).find(|web| is_web_address(web)).map(str::to_owned);
    Channel {
        source_id: said.source_id,
        places: places.into_iter().take(PLACES_MAX).collect(),
        times: opening_times(&said.hours),
        contact: Contact { phone, email, web },
    }
}

/// Whether the other directory says that something is not offered any more.
#[must_use]
pub fn is_over(status: Option<&str>) -> bool {
    matches!(status, Some("Deleted" | "Archived" | "Withdrawn" | "OldPublished" | "Removed"))
}

/// The classes by which themes are found: codes and addresses.
#[must_use]
pub fn classes(offer: &Offer) -> Vec<String> {
    let fits = |text: &&String| !text.is_empty() && text.len() <= 200 && !text.contains(char::is_whitespace);
    let all: BTreeSet<&String> = offer.filings.iter().flat_map(|filing| [&filing.code, &filing.uri]).flatten().filter(fits).collect();
    all.into_iter().take(60).cloned().collect()
}

/// The words by which an offer is filed.
fn keywords(offer: &Offer) -> String {
    let mut seen = BTreeSet::new();
    let mut all = String::new();
    let mut length = 0;
    for said in offer.filings.iter().flat_map(|filing| &filing.names) {
        let Some(text) = fit(&said.value, NAME_MAX, false).map(|text| text.replace(',', " ")) else { continue };
        let letters = text.chars().count() + 2;
        if length + letters <= KEYWORDS_MAX && seen.insert(text.to_lowercase()) {
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(&text);
            length += letters;
        }
    }
    all
}

/// An entry with the places, times and contact of its channels.
#[must_use]
pub fn reached_by(entry: Activity, channels: &[&Channel]) -> Activity {
    let first = |pick: fn(&Contact) -> &Option<String>| channels.iter().find_map(|channel| pick(&channel.contact).clone());
    let places: BTreeSet<&Place> = channels.iter().flat_map(|channel| &channel.places).collect();
    let times: BTreeSet<OpeningTime> = channels.iter().flat_map(|channel| channel.times.iter().copied()).collect();
    Activity {
        times: times.into_iter().take(TIMES_MAX).collect(),
        places: places.into_iter().take(PLACES_MAX).cloned().collect(),
        contact: Contact {
            phone: first(|contact| &contact.phone),
            email: first(|contact| &contact.email),
            web: first(|contact| &contact.web),
        },
        ..entry
    }
}

/// Makes an activity of an offer. `there` is the entry as it stands, or an empty one; what coordinators say of it (Kaikukortti, remote, whether one can join)
/// stays. An entry that had ended and is offered again can be joined again.
///
/// # Errors
/// Why it cannot be taken over.
pub fn imported(
    offer: &Offer,
    provider: Option<&Provider>,
    channels: &[&Channel],
    themer: &Themer,
    there: Activity,
    today: NaiveDate,
) -> Result<Activity, ActivityImportFault> {
    if offer.kind.as_deref().is_some_and(|kind| kind != "Service") {
        return Err(ActivityImportFault::NotAnActivity);
    }
    if offer.status.as_deref().is_some_and(|status| status != "Published") {
        return Err(ActivityImportFault::NotPublished);
    }
    let names = by_language(&offer.names, &["Name", "GD_Name", ""]);
    let summaries = by_language(&offer.descriptions, &["Summary", "ShortDescription", "GD_Summary"]);
    let descriptions = by_language(&offer.descriptions, &["Description", "GD_Description"]);
    let main = main_language(&names).ok_or(ActivityImportFault::NoName)?;
    let texts = |language: &str| -> Option<Translation> {
        Some(Translation {
            name: fit(names.get(language)?, NAME_MAX, false)?,
            summary: summaries.get(language).and_then(|text| fit(&without_persons(text), SUMMARY_MAX, false)),
            description: descriptions.get(language).and_then(|text| fit(&without_persons(text), DESCRIPTION_MAX, true)),
        })
    };
    let told = texts(main).ok_or(ActivityImportFault::NoName)?;
    let others = names.keys().filter(|language| **language != main).take(TRANSLATIONS_MAX);
    let translations = others.filter_map(|language| texts(language).map(|told| ((*language).to_owned(), told))).collect();
    let nationwide = offer.area.as_deref().is_some_and(|area| area != "LimitedType" && area != "AreaType" && area != "Limited");
    let municipalities =
        offer.municipalities.iter().filter_map(|code| MunicipalityCode::parse(code)).take(MUNICIPALITIES_MAX).collect::<BTreeSet<_>>();
    let price = match offer.charge.as_deref() {
        Some("FreeOfCharge" | "Free") => Price::Free,
        Some("Chargeable" | "Charged") => Price::Fee,
        _ => Price::Unknown,
    };
    let price_notes = by_language(&offer.descriptions, &["ChargeTypeAdditionalInfo", "GD_ChargeTypeAdditionalInfo"]);
    let price_note = main_language(&price_notes).and_then(|tag| price_notes.get(tag)).and_then(|text| fit(text, REASON_MAX, false));
    let keywords = keywords(offer);
    let classes = classes(offer);
    let there = reached_by(there, channels);
    // Whoever keeps the entry there has looked at it on the day of its last change; a later check of ours counts.
    let kept_on = offer.modified.map_or(today, Instant::helsinki_date).min(today);
    Ok(Activity {
        provider: provider.cloned(),
        name: told.name,
        text_language: main.to_owned(),
        summary: told.summary,
        description: told.description,
        translations,
        status: if there.has_ended() { ActivityStatus::Active } else { there.status },
        content_kind: ContentKind::Service,
        themes: themer.themes(classes.iter().map(String::as_str), &keywords),
        keywords,
        municipalities: if nationwide { BTreeSet::new() } else { municipalities },
        nationwide,
        price,
        price_note,
        languages: offer.languages.iter().filter(|tag| is_language(tag)).take(20).cloned().collect(),
        source: ActivitySource::Ptv,
        source_id: Some(offer.source_id),
        source_modified: offer.modified,
        licence: Some(PTV_LICENCE.to_owned()),
        checked_on: if there.source_id.is_some() { kept_on.max(there.checked_on) } else { kept_on },
        ..there
    })
}

/// What an import has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ImportCounts {
    /// Pages read.
    pub pages: i64,
    /// Items seen.
    pub seen: i64,
    /// Activities added.
    pub added: i64,
    /// Activities changed.
    pub changed: i64,
    /// Activities that were the same.
    pub unchanged: i64,
    /// Activities that have ended.
    pub tombstoned: i64,
    /// Items left out.
    pub skipped: i64,
}

/// An item that was not taken over as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImportFault {
    /// In which phase.
    pub phase: ActivityImportPhase,
    /// Its id there, when it has one.
    pub source_id: Option<Uuid>,
    /// Why.
    pub reason: ActivityImportFault,
}

/// Where an import goes on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ImportPlace {
    /// Which list of the plan.
    pub step: u32,
    /// Which page of it, from 1.
    pub page: u32,
    /// Which item of the page.
    pub item: u32,
}

/// Who makes an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ImportOrigin {
    /// A server, from the address of its settings.
    Server,
    /// An operator at the command line, who alone can go on with it.
    CommandLine,
}

/// One import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActivityImport {
    /// Its id.
    pub id: ActivityImportId,
    /// Its version.
    pub version: Version,
    /// For which programme.
    pub programme: ProgrammeId,
    /// Who makes it.
    pub origin: ImportOrigin,
    /// The municipalities asked for.
    pub municipalities: BTreeSet<MunicipalityCode>,
    /// Only what has changed since then.
    pub since: Option<Instant>,
    /// How far it is.
    pub state: ActivityImportState,
    /// What it reads now.
    pub phase: ActivityImportPhase,
    /// Where it goes on.
    pub place: ImportPlace,
    /// Pages of the present list, when they are known.
    pub pages_of_step: Option<u32>,
    /// What it has done.
    pub counts: ImportCounts,
    /// What was left out, the first of it.
    pub faults: Vec<ImportFault>,
    /// Why it failed.
    pub problem: Option<String>,
    /// When it was asked for.
    pub created_at: Instant,
    /// By whom; nobody from the command line.
    pub created_by: Option<UserId>,
    /// The last sign of life.
    pub beat_at: Option<Instant>,
    /// When it ended.
    pub finished_at: Option<Instant>,
}

impl ActivityImport {
    /// Whether a server may take it on: nobody works on it, or whoever did has been silent for long.
    #[must_use]
    pub fn is_free(&self, now: Instant) -> bool {
        match self.state {
            ActivityImportState::Queued => true,
            ActivityImportState::Running => self.beat_at.is_none_or(|beat| beat.plus_minutes(SILENT_MINUTES) < now),
            ActivityImportState::Finished | ActivityImportState::Failed => false,
        }
    }

    /// Counts an item that was left out, and keeps why.
    pub fn skip(&mut self, source_id: Option<Uuid>, reason: ActivityImportFault) {
        self.counts.skipped += 1;
        self.note(source_id, reason);
    }

    /// Keeps what was odd about an item.
    pub fn note(&mut self, source_id: Option<Uuid>, reason: ActivityImportFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(ImportFault { phase: self.phase, source_id, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActivityId, Id};
    use crate::theme_mapping::ThemeEntry;

    fn said(language: &str, kind: &str, value: &str) -> Said {
        Said { language: language.to_owned(), kind: kind.to_owned(), value: value.to_owned() }
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn span(day_from: &str, day_to: &str, from: &str, until: &str) -> SpanSaid {
        let some = |text: &str| Some(text.to_owned());
        SpanSaid { day_from: some(day_from), day_to: some(day_to), from: some(from), until: some(until) }
    }

    fn empty() -> Activity {
        Activity::new(ActivityId::nil(), ProgrammeId::nil(), "", day("2026-11-01"))
    }

    fn offer() -> Offer {
        Offer {
            source_id: Uuid::from_u128(7),
            kind: Some("Service".to_owned()),
            status: Some("Published".to_owned()),
            names: vec![said("sv", "Name", "Körsång"), said("fi", "Name", " Kuorolaulu\u{7} "), said("fi", "AlternativeName", "Kuoro")],
            descriptions: vec![
                said("fi", "Summary", "Lauletaan yhdessä."),
                said("fi", "Description", "Tule mukaan.\nKysy: maija.meikalainen@kunta.example tai info@kunta.example."),
                said("fi", "ChargeTypeAdditionalInfo", "5 € kerta"),
            ],
            charge: Some("Chargeable".to_owned()),
            area: Some("LimitedType".to_owned()),
            municipalities: vec!["758".to_owned(), "47".to_owned(), "261".to_owned()],
            languages: vec!["fi".to_owned(), "Finnish".to_owned()],
            filings: vec![Filing { code: Some("P25.2".to_owned()), uri: None, names: vec![said("fi", "", "Kulttuuri")] }],
            modified: Some(Instant::new("2026-10-05T22:30:00Z".parse().expect("a time"))),
            ..Offer::default()
        }
    }

    fn themer() -> Themer {
        Themer::of(&[ThemeEntry { term: "P25".to_owned(), themes: BTreeSet::from([crate::codes::Theme::Culture]) }])
    }

    #[test]
    fn an_offer_becomes_an_activity() {
        let channel = Channel {
            source_id: Uuid::from_u128(8),
            places: vec![Place { street: Some("Jäämerentie 1".to_owned()), ..Place::default() }],
            times: opening_times(&[HoursSaid {
                kind: Some("DaysOfTheWeek".to_owned()),
                closed: false,
                spans: vec![span("Monday", "Wednesday", "17:00:00", "00:00:00")],
            }]),
            contact: Contact { phone: Some("016 1".to_owned()), ..Contact::default() },
        };
        let made = imported(&offer(), None, &[&channel], &themer(), empty(), day("2026-11-22")).expect("an activity");
        assert_eq!((made.name.as_str(), made.text_language.as_str(), made.price), ("Kuorolaulu", "fi", Price::Fee));
        assert_eq!(made.translations["sv"].name, "Körsång");
        assert_eq!(made.description.as_deref(), Some("Tule mukaan.\nKysy: – tai info@kunta.example."));
        assert_eq!(made.price_note.as_deref(), Some("5 € kerta"));
        assert_eq!(made.municipalities.iter().map(MunicipalityCode::as_str).collect::<Vec<_>>(), ["261", "758"]);
        assert_eq!(made.languages, BTreeSet::from(["fi".to_owned()]));
        assert_eq!(made.checked_on, day("2026-10-06"), "the day in Finland");
        assert_eq!((made.times.len(), made.places.len(), made.contact.phone.as_deref()), (3, 1, Some("016 1")));
        assert_eq!(made.times[0].closes_at, NaiveTime::from_hms_opt(23, 59, 0).expect("a time"));
        assert!(made.themes.contains(&crate::codes::Theme::Culture) && made.keywords == "Kulttuuri");

        let again = Activity { kaikukortti: true, status: ActivityStatus::TemporarilyClosed, ..made.clone() };
        let again = imported(&offer(), None, &[], &themer(), again, day("2026-11-22")).expect("an activity");
        assert!(again.kaikukortti && again.status == ActivityStatus::TemporarilyClosed, "what coordinators say stays");
        let back = Activity { status: ActivityStatus::Withdrawn, ..made };
        let back = imported(&offer(), None, &[], &themer(), back, day("2026-11-22")).expect("an activity");
        assert_eq!(back.status, ActivityStatus::Active);
    }

    #[test]
    fn what_is_no_activity_is_told_apart() {
        let refused = |change: fn(&mut Offer)| {
            let mut offer = offer();
            change(&mut offer);
            imported(&offer, None, &[], &themer(), empty(), day("2026-11-22")).expect_err("refused")
        };
        assert_eq!(refused(|offer| offer.names.clear()), ActivityImportFault::NoName);
        assert_eq!(refused(|offer| offer.kind = Some("PermitOrObligation".to_owned())), ActivityImportFault::NotAnActivity);
        assert_eq!(refused(|offer| offer.status = Some("Draft".to_owned())), ActivityImportFault::NotPublished);
        assert!(is_over(Some("Deleted")) && !is_over(Some("Published")) && !is_over(None));
    }

    #[test]
    fn no_named_person_is_reached() {
        for personal in
            ["maija.meikalainen@sodankyla.example", "m.meikalainen@x.example", "Åke_Öhman@x.example", "anna-liisa.virtanen@x.example"]
        {
            assert!(is_personal_email(personal), "{personal}");
        }
        for office in [
            "info@x.example",
            "kirjaamo.sodankyla@x.example",
            "liikunta-palvelut@x.example",
            "sodankyla@evl.example",
            "toimisto_2@x.example",
        ] {
            assert!(!is_personal_email(office), "{office}");
        }
        assert!(names_a_person("Ohjaaja Maija Meikäläinen") && !names_a_person("Asiakaspalvelu arkisin") && !names_a_person("Kunta"));
        let said = ChannelSaid {
            kind: Some("ServiceLocation".to_owned()),
            phones: vec![
                PhoneSaid { prefix: None, number: Some("040 1".to_owned()), about: Some("Matti Meikäläinen".to_owned()) },
                PhoneSaid { prefix: Some("+358".to_owned()), number: Some("16 123".to_owned()), about: Some("Vaihde".to_owned()) },
            ],
            emails: vec!["matti.meikalainen@x.example".to_owned(), "toimisto@x.example".to_owned()],
            webs: vec!["javascript:alert(1)".to_owned(), "https://x.example".to_owned()],
            ..ChannelSaid::default()
        };
        let contact = channel(&said).contact;
        assert_eq!(
            (contact.phone.as_deref(), contact.email.as_deref(), contact.web.as_deref()),
            (Some("+358 16 123"), Some("toimisto@x.example"), Some("https://x.example"))
        );
    }

    #[test]
    fn places_are_those_of_service_locations_and_times_those_of_the_week() {
        let address = |kind: &str| AddressSaid {
            kind: Some(kind.to_owned()),
            street: vec![said("sv", "", "Ishavsvägen"), said("fi", "", "Jäämerentie")],
            number: Some("1".to_owned()),
            postal_code: Some("99600".to_owned()),
            municipality: Some("758".to_owned()),
            ..AddressSaid::default()
        };
        let hours = |kind: &str, closed: bool, from: &str, to: &str| HoursSaid {
            kind: Some(kind.to_owned()),
            closed,
            spans: vec![span("Saturday", "Monday", from, to)],
        };
        let mut told = ChannelSaid {
            kind: Some("ServiceLocation".to_owned()),
            names: vec![said("fi", "Name", "Monitoimihalli")],
            addresses: vec![address("Location"), address("Postal")],
            hours: vec![
                hours("DaysOfTheWeek", false, "08:00", "16:00"),
                hours("Exceptional", false, "09:00", "10:00"),
                hours("DaysOfTheWeek", true, "09:00", "10:00"),
                hours("DaysOfTheWeek", false, "22:00", "02:00"),
                hours("DaysOfTheWeek", false, "x", "10:00"),
            ],
            ..ChannelSaid::default()
        };
        let made = channel(&told);
        assert_eq!(made.places.len(), 1);
        assert_eq!(made.places[0].street.as_deref(), Some("Jäämerentie 1"));
        assert_eq!(
            made.times.iter().map(|time| time.weekday).collect::<Vec<_>>(),
            [DayOfWeek::Monday, DayOfWeek::Saturday, DayOfWeek::Sunday]
        );
        told.kind = Some("Phone".to_owned());
        assert!(channel(&told).places.is_empty());
    }

    #[test]
    fn organisations_have_a_name_a_kind_and_a_business_id_that_is_one() {
        let of = |name: &str, kind: &str, id: &str| {
            organisation(&OrganisationSaid {
                names: vec![said("fi", "Name", name)],
                kind: Some(kind.to_owned()),
                business_id: Some(id.to_owned()),
                ..OrganisationSaid::default()
            })
            .map(|made| (made.provider.kind, made.provider.business_id))
        };
        assert_eq!(
            of("Sodankylän seurakunta", "Organization", "0737546-2"),
            Ok((Some(OrganisationKind::Parish), Some("0737546-2".to_owned())))
        );
        assert_eq!(of("Martat ry", "Organization", "1234567-8"), Ok((Some(OrganisationKind::Association), None)));
        assert_eq!(of("Lapin hyvinvointialue", "SotePublic", ""), Ok((Some(OrganisationKind::WellbeingCounty), None)));
        assert_eq!(of(" ", "State", ""), Err(ActivityImportFault::NoName));
        for (text, good) in [("2046864-7", true), ("2046864-6", false), ("204686-45", false), ("", false), ("abcdefg-1", false)] {
            assert_eq!(is_business_id(text), good, "{text}");
        }
    }

    #[test]
    fn a_silent_run_is_free_for_another_server() {
        let at = |text: &str| Instant::new(text.parse().expect("a time"));
        let mut import = ActivityImport {
            id: ActivityImportId::nil(),
            version: Version::FIRST,
            programme: ProgrammeId::nil(),
            origin: ImportOrigin::Server,
            municipalities: BTreeSet::new(),
            since: None,
            state: ActivityImportState::Queued,
            phase: ActivityImportPhase::Organisations,
            place: ImportPlace::default(),
            pages_of_step: None,
            counts: ImportCounts::default(),
            faults: Vec::new(),
            problem: None,
            created_at: at("2026-11-22T10:00:00Z"),
            created_by: None,
            beat_at: None,
            finished_at: None,
        };
        assert!(import.is_free(at("2026-11-22T10:00:00Z")));
        import.state = ActivityImportState::Running;
        import.beat_at = Some(at("2026-11-22T10:00:00Z"));
        assert!(!import.is_free(at("2026-11-22T10:03:00Z")) && import.is_free(at("2026-11-22T10:03:01Z")));
        import.state = ActivityImportState::Finished;
        assert!(!import.is_free(at("2026-11-23T10:00:00Z")));
        (0..FAULTS_MAX + 5).for_each(|_| import.skip(None, ActivityImportFault::NoId));
        assert_eq!((import.faults.len(), import.counts.skipped), (FAULTS_MAX, 105));
    }
}
