//! What the demo has from the national service directory: one import that was made, a mapping of themes, and an activity that has ended since.

use lahete_domain::activity::{ActivityLink, ActivityLinkState};
use lahete_domain::activity_import::{ActivityImport, ImportOrigin, ImportPlace};
use lahete_domain::codes::{ActivityImportPhase, ActivityImportState};
use lahete_domain::ids::{ActivityLinkId, ReferralId};
use lahete_domain::theme_mapping::ThemeMapping;
use lahete_domain::time::Instant;
use lahete_domain::version::Version;
use lahete_persistence::Db;
use serde_json::Value;
use uuid::Uuid;

use super::{id, municipalities, programme};
use crate::activity_imports::apply::{After, apply};
use crate::activity_imports::cases::new_import;
use crate::activity_imports::ptv::{Item, item};
use crate::activity_imports::source::{FetchError, Fetched, PageSource, Step};
use crate::error::AppError;
use crate::operation::OpContext;
use crate::theme_mappings::cases::shipped;

/// A few pages in the shape of the open API. Everybody and everything in them is made up.
const PAGES: &str = include_str!("ptv_pages.json");

const PHASES: [(ActivityImportPhase, &str); 4] = [
    (ActivityImportPhase::Organisations, "organizations"),
    (ActivityImportPhase::Channels, "channels"),
    (ActivityImportPhase::Services, "services"),
    (ActivityImportPhase::Archived, "archived"),
];

/// A service that has ended.
const ENDED: Uuid = Uuid::from_u128(0x0d00_0000_0000_4000_8000_0000_0000_0025);

/// The pages of the demo: what an import of the demo reads, so that it asks nobody on the network.
pub struct DemoPages {
    pages: Value,
    steps: Vec<Step>,
}

impl DemoPages {
    /// Reads them.
    #[must_use]
    pub fn new() -> Self {
        let pages = serde_json::from_str(PAGES).unwrap_or_else(|error| {
            log::error!("ptv_pages.json: {error}");
            Value::Null
        });
        Self { pages, steps: PHASES.iter().map(|(phase, _)| Step::held(*phase)).collect() }
    }

    fn items(&self, step: usize) -> Vec<Value> {
        let name = PHASES.get(step).map_or("", |(_, name)| name);
        self.pages.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }
}

impl Default for DemoPages {
    fn default() -> Self {
        Self::new()
    }
}

impl PageSource for DemoPages {
    fn steps(&self) -> &[Step] {
        &self.steps
    }

    fn page(&self, step: usize, _: u32) -> Result<Fetched, FetchError> {
        Ok(Fetched::whole(self.items(step)))
    }
}

/// Makes the import two days ago.
pub fn seed(db: &mut Db<'_>, now: Instant) -> Result<(), AppError> {
    let at = now.plus_days(-2);
    let mapping = ThemeMapping { programme: programme(), version: Version::FIRST, entries: shipped().to_vec(), applying: false };
    db.theme_mapping_put(&mapping, Version::FIRST, at, Some(id(0x0021)))?;
    let asked = new_import(id(0x00e0), programme(), ImportOrigin::Server, municipalities(&["758"]), None, at, Some(id(0x0021)));
    db.activity_import_insert(&asked)?;
    let pages = DemoPages::new();
    let mut import = asked;
    for (step, (phase, _)) in PHASES.iter().enumerate() {
        let items: Vec<Item> = pages.items(step).iter().map(|value| item(*phase, value)).collect();
        let place = ImportPlace { step: u32::try_from(step + 1).unwrap_or_default(), page: 1, item: 0 };
        import.phase = *phase;
        let after = After { place, phase: *phase, pages_of_step: None, page_done: true };
        let ids = db.ids();
        import = apply(db, &import, &items, after, at, ids)?;
    }
    db.activity_import_update(&ActivityImport {
        state: ActivityImportState::Finished,
        phase: ActivityImportPhase::Withdrawn,
        finished_at: Some(at),
        ..import
    })?;
    Ok(())
}

/// Links a referral with the activity that has ended since.
pub fn link_with_ended(db: &mut Db<'_>, ctx: &OpContext, referral: ReferralId, link: ActivityLinkId) -> Result<(), AppError> {
    let Some(ended) = db.activities_known(programme(), &[ENDED])?.into_iter().next() else { return Ok(()) };
    db.activity_link_insert(&ActivityLink {
        id: link,
        version: Version::FIRST,
        referral,
        activity: ended.id,
        state: ActivityLinkState::Started,
        unmet_needs: [].into(),
        proposed_at: ctx.now,
    })?;
    Ok(())
}
