//! The shapes of the open API of the national service directory, version 11, as far as they are read. Every member may be missing or null: what is needed is
//! asked for by the rules. An item of another shape is left out and counted, and the others of its page are taken over.

use lahete_domain::activity_import::{
    AddressSaid, ChannelSaid, Filing, HoursSaid, Offer, OrganisationSaid, PhoneSaid, Said, SpanSaid, is_over,
};
use lahete_domain::codes::{ActivityImportFault, ActivityImportPhase};
use lahete_domain::time::Instant;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// Most texts, areas, channels or the like that one item may have.
const PARTS_MAX: usize = 1_000;

/// Most letters of all texts of one item.
const LETTERS_MAX: usize = 100_000;

/// What was read of one item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An organisation.
    Organisation(OrganisationSaid),
    /// A channel, with the services that name it.
    Channel(ChannelSaid, Vec<Uuid>),
    /// A service.
    Offer(Box<Offer>),
    /// A service that is not offered any more.
    Gone(Uuid),
    /// A channel or an organisation that is not there any more: what hangs on it is told by the services.
    Nothing,
    /// An item that cannot be taken over.
    Fault(Option<Uuid>, ActivityImportFault),
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Text {
    #[serde(deserialize_with = "null_is_empty")]
    value: String,
    #[serde(rename = "type", deserialize_with = "null_is_empty")]
    kind: String,
    #[serde(deserialize_with = "null_is_empty")]
    language: String,
}

impl From<Text> for Said {
    fn from(text: Text) -> Self {
        Self { language: text.language, kind: text.kind, value: text.value }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Coded {
    code: Option<String>,
    uri: Option<String>,
    new_uri: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    name: Vec<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Area {
    #[serde(deserialize_with = "null_is_empty")]
    municipalities: Vec<Coded>,
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Reference {
    id: Option<Uuid>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ChannelOf {
    service_channel: Option<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceOf {
    service: Option<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OrganisationOf {
    role_type: Option<String>,
    organization: Option<Reference>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfferShape {
    id: Option<Uuid>,
    #[serde(rename = "type")]
    kind: Option<String>,
    publishing_status: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    service_names: Vec<Text>,
    #[serde(deserialize_with = "null_is_empty")]
    service_descriptions: Vec<Text>,
    service_charge_type: Option<String>,
    area_type: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    areas: Vec<Area>,
    #[serde(deserialize_with = "null_is_empty")]
    municipalities: Vec<Coded>,
    #[serde(deserialize_with = "null_is_empty")]
    languages: Vec<String>,
    #[serde(deserialize_with = "null_is_empty")]
    keywords: Vec<Text>,
    #[serde(deserialize_with = "null_is_empty")]
    service_classes: Vec<Coded>,
    #[serde(deserialize_with = "null_is_empty")]
    ontology_terms: Vec<Coded>,
    #[serde(deserialize_with = "null_is_empty")]
    service_channels: Vec<ChannelOf>,
    #[serde(deserialize_with = "null_is_empty")]
    organizations: Vec<OrganisationOf>,
    modified: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Street {
    #[serde(deserialize_with = "null_is_empty")]
    street: Vec<Text>,
    street_number: Option<String>,
    postal_code: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    post_office: Vec<Text>,
    municipality: Option<Coded>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Address {
    #[serde(rename = "type")]
    kind: Option<String>,
    street_address: Option<Street>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Phone {
    prefix_number: Option<String>,
    number: Option<String>,
    additional_information: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Page {
    url: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OpeningHour {
    day_from: Option<String>,
    day_to: Option<String>,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Hours {
    service_hour_type: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    is_closed: bool,
    #[serde(deserialize_with = "null_is_empty")]
    opening_hour: Vec<OpeningHour>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ChannelShape {
    id: Option<Uuid>,
    service_channel_type: Option<String>,
    publishing_status: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    service_channel_names: Vec<Text>,
    #[serde(deserialize_with = "null_is_empty")]
    addresses: Vec<Address>,
    #[serde(deserialize_with = "null_is_empty")]
    phone_numbers: Vec<Phone>,
    #[serde(deserialize_with = "null_is_empty")]
    emails: Vec<Text>,
    #[serde(deserialize_with = "null_is_empty")]
    web_pages: Vec<Page>,
    #[serde(deserialize_with = "null_is_empty")]
    service_hours: Vec<Hours>,
    #[serde(deserialize_with = "null_is_empty")]
    services: Vec<ServiceOf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OrganisationShape {
    id: Option<Uuid>,
    organization_type: Option<String>,
    business_code: Option<String>,
    publishing_status: Option<String>,
    #[serde(deserialize_with = "null_is_empty")]
    organization_names: Vec<Text>,
}

fn said(texts: Vec<Text>) -> Vec<Said> {
    texts.into_iter().map(Said::from).collect()
}

fn modified(text: &str) -> Option<Instant> {
    // With an offset, or without one in UTC.
    let zoned = chrono::DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&chrono::Utc));
    let bare = || chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc());
    zoned.or_else(|_| bare()).ok().map(Instant::new)
}

fn filings(coded: Vec<Coded>) -> impl Iterator<Item = Filing> {
    coded.into_iter().map(|one| Filing { code: one.code, uri: one.new_uri.or(one.uri), names: said(one.name) })
}

fn letters(texts: &[Text]) -> usize {
    texts.iter().map(|text| text.value.len()).sum()
}

impl OfferShape {
    fn is_too_large(&self) -> bool {
        let parts = [
            self.service_names.len(),
            self.service_descriptions.len(),
            self.areas.len(),
            self.areas.iter().map(|area| area.municipalities.len()).sum(),
            self.municipalities.len(),
            self.languages.len(),
            self.keywords.len(),
            self.service_classes.len(),
            self.ontology_terms.len(),
            self.service_channels.len(),
            self.organizations.len(),
        ];
        parts.iter().any(|part| *part > PARTS_MAX) || letters(&self.service_names) + letters(&self.service_descriptions) > LETTERS_MAX
    }

    fn item(self) -> Item {
        let Some(source_id) = self.id else { return Item::Fault(None, ActivityImportFault::NoId) };
        if is_over(self.publishing_status.as_deref()) {
            return Item::Gone(source_id);
        }
        if self.is_too_large() {
            return Item::Fault(Some(source_id), ActivityImportFault::TooLarge);
        }
        let of_areas = self.areas.iter().flat_map(|area| {
            let itself = area.code.clone().filter(|_| area.kind.as_deref() == Some("Municipality"));
            area.municipalities.iter().filter_map(|municipality| municipality.code.clone()).chain(itself)
        });
        let municipalities = of_areas.chain(self.municipalities.iter().filter_map(|municipality| municipality.code.clone())).collect();
        let keywords = self.keywords.into_iter().map(|text| Filing { names: vec![text.into()], ..Filing::default() });
        Item::Offer(Box::new(Offer {
            source_id,
            kind: self.kind,
            status: self.publishing_status,
            names: said(self.service_names),
            descriptions: said(self.service_descriptions),
            charge: self.service_charge_type,
            area: self.area_type,
            municipalities,
            languages: self.languages,
            filings: filings(self.service_classes).chain(filings(self.ontology_terms)).chain(keywords).collect(),
            organisations: self
                .organizations
                .into_iter()
                .filter_map(|one| one.organization.and_then(|organisation| organisation.id).map(|id| (one.role_type, id)))
                .collect(),
            channels: self.service_channels.into_iter().filter_map(|one| one.service_channel.and_then(|channel| channel.id)).collect(),
            modified: self.modified.as_deref().and_then(modified),
        }))
    }
}

impl ChannelShape {
    fn item(self) -> Item {
        let Some(source_id) = self.id else { return Item::Fault(None, ActivityImportFault::NoId) };
        let parts = [self.addresses.len(), self.phone_numbers.len(), self.emails.len(), self.web_pages.len(), self.service_hours.len()];
        if parts.iter().any(|part| *part > PARTS_MAX) || self.services.len() > 20 * PARTS_MAX {
            return Item::Fault(Some(source_id), ActivityImportFault::TooLarge);
        }
        let services = self.services.into_iter().filter_map(|one| one.service.and_then(|service| service.id)).collect();
        // What is not there any more has no places and no times.
        let over = is_over(self.publishing_status.as_deref());
        if over {
            return Item::Channel(ChannelSaid { source_id, ..ChannelSaid::default() }, services);
        }
        let address = |one: Address| {
            one.street_address.map(|street| AddressSaid {
                kind: one.kind,
                street: said(street.street),
                number: street.street_number,
                postal_code: street.postal_code,
                post_office: said(street.post_office),
                municipality: street.municipality.and_then(|municipality| municipality.code),
            })
        };
        let said = ChannelSaid {
            source_id,
            kind: self.service_channel_type,
            names: said(self.service_channel_names),
            addresses: self.addresses.into_iter().filter_map(address).collect(),
            phones: self
                .phone_numbers
                .into_iter()
                .map(|phone| PhoneSaid { prefix: phone.prefix_number, number: phone.number, about: phone.additional_information })
                .collect(),
            emails: self.emails.into_iter().map(|email| email.value).collect(),
            webs: self.web_pages.into_iter().filter_map(|page| page.url).collect(),
            hours: self
                .service_hours
                .into_iter()
                .map(|hours| HoursSaid {
                    kind: hours.service_hour_type,
                    closed: hours.is_closed,
                    spans: hours
                        .opening_hour
                        .into_iter()
                        .map(|one| SpanSaid { day_from: one.day_from, day_to: one.day_to, from: one.from, until: one.to })
                        .collect(),
                })
                .collect(),
        };
        Item::Channel(said, services)
    }
}

impl OrganisationShape {
    fn item(self) -> Item {
        let Some(source_id) = self.id else { return Item::Fault(None, ActivityImportFault::NoId) };
        if is_over(self.publishing_status.as_deref()) {
            return Item::Nothing;
        }
        Item::Organisation(OrganisationSaid {
            source_id,
            names: said(self.organization_names),
            business_id: self.business_code,
            kind: self.organization_type,
        })
    }
}

/// Its id, whatever shape an item has.
#[must_use]
pub fn id_of(value: &Value) -> Option<Uuid> {
    value.get("id").and_then(Value::as_str).and_then(|text| Uuid::parse_str(text).ok())
}

/// Reads an item of a page.
#[must_use]
pub fn item(phase: ActivityImportPhase, value: &Value) -> Item {
    let wrong = |_: serde_json::Error| Item::Fault(id_of(value), ActivityImportFault::WrongShape);
    if !value.is_object() {
        return Item::Fault(None, ActivityImportFault::WrongShape);
    }
    match phase {
        ActivityImportPhase::Organisations => OrganisationShape::deserialize(value).map_or_else(wrong, OrganisationShape::item),
        ActivityImportPhase::Channels => ChannelShape::deserialize(value).map_or_else(wrong, ChannelShape::item),
        ActivityImportPhase::Services => OfferShape::deserialize(value).map_or_else(wrong, OfferShape::item),
        ActivityImportPhase::Archived | ActivityImportPhase::Withdrawn => {
            id_of(value).map_or(Item::Fault(None, ActivityImportFault::NoId), Item::Gone)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_item_is_read_or_told_why_not() {
        let id = Uuid::from_u128(7);
        let offer = |value: Value| item(ActivityImportPhase::Services, &value);
        let fault = |id, reason| Item::Fault(id, reason);
        assert_eq!(offer(json!(3)), fault(None, ActivityImportFault::WrongShape));
        assert_eq!(offer(json!({"serviceNames": []})), fault(None, ActivityImportFault::NoId));
        assert_eq!(offer(json!({"id": id, "serviceNames": "x"})), fault(Some(id), ActivityImportFault::WrongShape));
        assert_eq!(offer(json!({"id": id, "languages": vec!["fi"; 1001]})), fault(Some(id), ActivityImportFault::TooLarge));
        assert_eq!(offer(json!({"id": id, "publishingStatus": "Deleted"})), Item::Gone(id));
        let Item::Offer(read) = offer(json!({
            "id": id, "serviceNames": [{"value": "Kerho", "type": "Name", "language": "fi"}], "keywords": null, "areaType": "LimitedType",
            "areas": [{"type": "Municipality", "municipalities": [{"code": "758", "name": []}]}], "modified": "2026-10-05T22:30:00.123",
            "serviceClasses": [{"code": "P27.1", "uri": "http://a", "newUri": "http://b", "name": [{"value": "Liikunta", "language": "fi"}]}],
            "serviceChannels": [{"serviceChannel": {"id": id}}, {"serviceChannel": null}], "organizations": [{"roleType": "Responsible", "organization": {"id": id}}]
        })) else {
            panic!("an offer")
        };
        assert_eq!((read.municipalities.as_slice(), read.channels.as_slice()), (&["758".to_owned()][..], &[id][..]));
        assert_eq!(read.filings[0].uri.as_deref(), Some("http://b"));
        assert_eq!(read.modified.map(|at| at.to_string()).as_deref(), Some("2026-10-05T22:30:00.123000Z"));
        assert_eq!(item(ActivityImportPhase::Archived, &json!({"id": id, "name": "x"})), Item::Gone(id));
    }
}
