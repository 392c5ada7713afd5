//! Takes items of a page over: in one transaction with the place where the import goes on.

use std::collections::{BTreeMap, BTreeSet};

use lahete_domain::activity::{Activity, Provider};
use lahete_domain::activity_import::{
    ActivityImport, Channel, ChannelSaid, ImportPlace, Offer, OrganisationSaid, channel, classes, imported, organisation, reached_by,
};
use lahete_domain::codes::{ActivityImportFault, ActivityImportPhase, ActivityStatus};
use lahete_domain::ids::{ActivityId, IdSource};
use lahete_domain::theme_mapping::Themer;
use lahete_domain::time::Instant;
use lahete_persistence::Db;
use lahete_persistence::repo::activities::{KnownActivity, content_hash};
use lahete_persistence::repo::activity_imports::Brought;
use uuid::Uuid;

use super::ptv::Item;
use crate::error::AppError;
use crate::theme_mappings::cases::entries_of;

/// Where an import stands after some items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct After {
    /// Where it goes on.
    pub place: ImportPlace,
    /// What it reads then.
    pub phase: ActivityImportPhase,
    /// Pages of the list that it reads then, when they are known.
    pub pages_of_step: Option<u32>,
    /// Whether a page was finished.
    pub page_done: bool,
}

/// The organisation that answers for a service, else the first that is named.
fn provider_id(offer: &Offer) -> Option<Uuid> {
    let responsible = offer.organisations.iter().find(|(role, _)| role.as_deref() == Some("Responsible"));
    responsible.or_else(|| offer.organisations.first()).map(|(_, id)| *id)
}

struct Work<'a, 'b> {
    db: &'a mut Db<'b>,
    import: ActivityImport,
    now: Instant,
    ids: &'a dyn IdSource,
}

impl Work<'_, '_> {
    /// Two organisations of one business id are one: that of the smaller id gives the name.
    fn organisations(&mut self, said: &[&OrganisationSaid]) -> Result<(), AppError> {
        let mut all: BTreeMap<Uuid, Provider> = BTreeMap::new();
        for one in said {
            match organisation(one) {
                Ok(made) => drop(all.insert(made.source_id, made.provider)),
                Err(reason) => self.import.skip(Some(one.source_id), reason),
            }
        }
        let mut first_of: BTreeMap<String, Provider> = BTreeMap::new();
        let mut kept = Vec::new();
        for (id, provider) in all {
            let Some(business_id) = provider.business_id.clone() else {
                kept.push((id, provider));
                continue;
            };
            let mut first = first_of.get(&business_id).cloned();
            if first.is_none() {
                let other = self.db.import_organisation_with(self.import.programme, &business_id, id)?;
                first = other.filter(|(other, _)| *other < id).map(|(_, provider)| provider);
            }
            if first.is_some() {
                self.import.note(Some(id), ActivityImportFault::DuplicateBusinessId);
            }
            let provider = first.unwrap_or(provider);
            first_of.insert(business_id, provider.clone());
            kept.push((id, provider));
        }
        self.db.import_organisations_put(self.import.programme, &kept)?;
        Ok(())
    }

    /// The services that name a changed channel change with it.
    fn channels(&mut self, said: &[(&ChannelSaid, &[Uuid])]) -> Result<(), AppError> {
        let programme = self.import.programme;
        let made: BTreeMap<Uuid, Channel> = said.iter().map(|(one, _)| (one.source_id, channel(one))).collect();
        let made: Vec<Channel> = made.into_values().collect();
        let changed: BTreeSet<Uuid> = self.db.import_channels_put(programme, &made)?.into_iter().collect();
        let of_changed = said.iter().filter(|(one, _)| changed.contains(&one.source_id));
        let services: BTreeSet<Uuid> = of_changed.flat_map(|(_, services)| services.iter().copied()).collect();
        let known = self.db.activities_known(programme, &services.into_iter().collect::<Vec<_>>())?;
        let known: Vec<ActivityId> =
            known.into_iter().filter(|known| known.status != ActivityStatus::Withdrawn).map(|known| known.id).collect();
        let brought = self.db.activities_brought(&known)?;
        let named: BTreeSet<Uuid> = brought.iter().flat_map(|one| one.channels.iter().copied()).collect();
        let named = self.db.import_channels(programme, &named.into_iter().collect::<Vec<_>>())?;
        let mut anew = Vec::new();
        for one in brought {
            let of_it: Vec<&Channel> = one.channels.iter().filter_map(|id| named.get(id)).collect();
            let activity = reached_by(one.activity.clone(), &of_it);
            if activity != one.activity {
                anew.push(Brought { activity, ..one });
            }
        }
        self.import.counts.changed += i64::try_from(anew.len()).unwrap_or_default();
        Ok(self.db.activities_bring_anew(&anew)?)
    }

    /// Whether an offer is for the people whom the import was asked for.
    fn is_ours(&self, activity: &Activity) -> bool {
        self.import.municipalities.is_empty()
            || activity.nationwide
            || activity.municipalities.iter().any(|municipality| self.import.municipalities.contains(municipality))
    }

    fn offers(&mut self, offers: &[&Offer]) -> Result<(), AppError> {
        let programme = self.import.programme;
        let today = self.now.helsinki_date();
        let offers: BTreeMap<Uuid, &Offer> = offers.iter().map(|offer| (offer.source_id, *offer)).collect();
        let ids: Vec<Uuid> = offers.keys().copied().collect();
        let known: BTreeMap<Uuid, KnownActivity> =
            self.db.activities_known(programme, &ids)?.into_iter().map(|known| (known.source_id, known)).collect();
        let providers: BTreeSet<Uuid> = offers.values().filter_map(|offer| provider_id(offer)).collect();
        let providers = self.db.import_organisations(programme, &providers.into_iter().collect::<Vec<_>>())?;
        let channels: BTreeSet<Uuid> = offers.values().flat_map(|offer| offer.channels.iter().copied()).collect();
        let channels = self.db.import_channels(programme, &channels.into_iter().collect::<Vec<_>>())?;
        let themer = Themer::of(&entries_of(self.db, programme)?);
        let made = |offer: &Offer, there: Activity| {
            let provider = provider_id(offer).and_then(|id| providers.get(&id));
            let of_it: Vec<&Channel> = offer.channels.iter().filter_map(|id| channels.get(id)).collect();
            imported(offer, provider, &of_it, &themer, there, today)
        };
        let brought = |offer: &Offer, activity: Activity| Brought { activity, classes: classes(offer), channels: offer.channels.clone() };
        let (mut new, mut different) = (Vec::new(), Vec::new());
        for (source_id, offer) in &offers {
            let there = known.get(source_id);
            // The ids of what is not there yet are made before: a page that is written twice brings the same.
            let id = there.map_or_else(|| self.ids.next(), |known| known.id);
            let activity = match made(offer, Activity::new(id, programme, "", today)) {
                Ok(activity) => activity,
                Err(reason) => {
                    self.import.skip(Some(*source_id), reason);
                    continue;
                }
            };
            match there {
                Some(known) if known.status != ActivityStatus::Withdrawn && known.content_hash == content_hash(&activity) => {
                    self.import.counts.unchanged += 1;
                }
                Some(known) => different.push((known.id, *offer)),
                None if self.is_ours(&activity) => new.push(brought(offer, activity)),
                None => {}
            }
        }
        let changed: Vec<ActivityId> = different.iter().map(|(id, _)| *id).collect();
        let mut present: BTreeMap<ActivityId, Activity> =
            self.db.activities_get(&changed)?.into_iter().map(|activity| (activity.id, activity)).collect();
        let mut anew = Vec::new();
        for (id, offer) in different {
            if let Some(Ok(activity)) = present.remove(&id).map(|there| made(offer, there)) {
                anew.push(brought(offer, activity));
            }
        }
        self.import.counts.added += i64::try_from(new.len()).unwrap_or_default();
        self.import.counts.changed += i64::try_from(anew.len()).unwrap_or_default();
        self.db.activities_bring(&new)?;
        Ok(self.db.activities_bring_anew(&anew)?)
    }

    /// What is not offered any more stays for those who are linked with it.
    fn gone(&mut self, ids: &[Uuid]) -> Result<(), AppError> {
        let known = self.db.activities_known(self.import.programme, ids)?;
        let here = known.into_iter().filter(|known| known.status != ActivityStatus::Withdrawn).map(|known| known.id);
        let here: Vec<ActivityId> = here.collect();
        for present in self.db.activities_get(&here)? {
            let expected = present.version;
            self.db.activity_update_silently(&Activity { status: ActivityStatus::Withdrawn, ..present }, expected)?;
            self.import.counts.tombstoned += 1;
        }
        Ok(())
    }
}

/// Takes items over and notes where the import stands then; gives the import as it is now.
///
/// # Errors
/// [`StoreError::Stale`](lahete_persistence::StoreError::Stale) when another server has gone on with it; whatever else the database says.
pub fn apply(
    db: &mut Db<'_>,
    import: &ActivityImport,
    items: &[Item],
    after: After,
    now: Instant,
    ids: &dyn IdSource,
) -> Result<ActivityImport, AppError> {
    let mut work = Work { db, import: import.clone(), now, ids };
    work.import.counts.seen += i64::try_from(items.len()).unwrap_or_default();
    let (mut organisations, mut channels, mut offers, mut gone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Organisation(said) => organisations.push(said),
            Item::Channel(said, services) => channels.push((said, services.as_slice())),
            Item::Offer(offer) => offers.push(offer.as_ref()),
            Item::Gone(id) => gone.push(*id),
            Item::Nothing => {}
            Item::Fault(id, reason) => work.import.skip(*id, *reason),
        }
    }
    work.organisations(&organisations)?;
    work.channels(&channels)?;
    work.offers(&offers)?;
    work.gone(&gone)?;
    let mut import = work.import;
    import.counts.pages += i64::from(after.page_done);
    import.place = after.place;
    import.phase = after.phase;
    import.pages_of_step = after.pages_of_step;
    import.beat_at = Some(now);
    Ok(db.activity_import_update(&import)?)
}
