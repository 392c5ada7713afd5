//! `make bench-ptv`: how many services of the national service directory one import takes over in a second, on SQLite.
//!
//! Twenty thousand made-up services with their organisations and channels, as long as real ones are, are laid down as pages; the release program imports them
//! into a new database, and once more when nothing has changed. `SERVICES=5000` makes it shorter. The figures are told, and decide nothing.
#![expect(clippy::disallowed_methods, reason = "a benchmark has its settings from the environment")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use lahete_api::auth::keys::{DataKeys, SigningKey};
use lahete_api::clock::SystemClock;
use lahete_api::config::Config;
use lahete_api::id_source::UuidV7;
use lahete_api::startup::open_store;
use lahete_api::state::Secrets;
use lahete_domain::time::Clock as _;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Items of a page, as the API has them.
const PAGE: usize = 100;

/// Words from which texts are made: enough of them that the index of words is as large as it would be.
const BEGINNINGS: &[&str] = &[
    "liikunta",
    "kirjasto",
    "kulttuuri",
    "nuoriso",
    "vanhus",
    "perhe",
    "päihde",
    "mielenterveys",
    "ruoka",
    "luonto",
    "työ",
    "asumis",
    "koti",
    "digi",
    "kuoro",
    "käsityö",
    "kansalais",
    "vapaaehtois",
    "vertais",
    "ystävä",
    "matkailu",
    "retkeily",
    "uinti",
    "jumppa",
    "tanssi",
    "musiikki",
    "taide",
    "museo",
    "kylä",
    "seurakunta",
    "diakonia",
    "neuvonta",
    "ohjaus",
    "kurssi",
    "opisto",
    "terveys",
    "kuntoutus",
    "vammais",
    "maahanmuuttaja",
    "saamelais",
];
const ENDINGS: &[&str] = &[
    "palvelut",
    "ryhmä",
    "kerho",
    "tuki",
    "neuvonta",
    "toiminta",
    "piiri",
    "kurssi",
    "ilta",
    "päivä",
    "talo",
    "keskus",
    "apu",
    "retki",
    "tapahtuma",
    "kahvila",
    "paja",
    "harrastus",
    "koulutus",
    "ohjelma",
];

/// The same numbers in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit.max(1)
    }

    fn word(&mut self) -> String {
        let begin = BEGINNINGS.get(self.below(BEGINNINGS.len())).copied().unwrap_or_default();
        let end = ENDINGS.get(self.below(ENDINGS.len())).copied().unwrap_or_default();
        match self.below(3) {
            0 => begin.to_owned(),
            1 => end.to_owned(),
            _ => format!("{begin}{end}"),
        }
    }

    fn text(&mut self, letters: usize) -> String {
        let mut text = String::new();
        while text.len() < letters {
            text.push_str(&self.word());
            text.push(if self.below(9) == 0 { '.' } else { ' ' });
        }
        text.trim_end().to_owned()
    }
}

fn guid(kind: u64, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

fn said(kind: &str, language: &str, value: String) -> Value {
    json!({"type": kind, "language": language, "value": value})
}

fn service(numbers: &mut Numbers, number: usize, organisations: usize, channels: usize) -> Value {
    let languages: &[&str] = if number.is_multiple_of(2) { &["fi", "sv"] } else { &["fi"] };
    let name = |numbers: &mut Numbers| format!("{} {}", numbers.word(), numbers.word());
    let names: Vec<Value> = languages.iter().map(|language| said("Name", language, name(numbers))).collect();
    let mut descriptions = Vec::new();
    for language in languages {
        descriptions.push(said("Summary", language, numbers.text(120)));
        descriptions.push(said("Description", language, numbers.text(1_200)));
        descriptions.push(said("UserInstruction", language, numbers.text(300)));
    }
    let classes: Vec<Value> = (0..2)
        .map(|_| {
            let code = format!("P{}.{}", 1 + numbers.below(28), 1 + numbers.below(12));
            json!({
                "code": code, "uri": format!("http://uri.suomi.fi/codelist/ptv/ptvserclass2/code/{code}"), "name": [said("", "fi", numbers.word())],
                "ontologyType": "PTVL", "parentId": null
            })
        })
        .collect();
    let terms: Vec<Value> = (0..4)
        .map(
            |_| json!({"uri": format!("http://www.yso.fi/onto/koko/p{}", numbers.below(40_000)), "name": [said("", "fi", numbers.word())]}),
        )
        .collect();
    let municipality = format!("{:03}", 1 + numbers.below(900));
    json!({
        "id": guid(3, number), "versionId": guid(4, number), "type": "Service", "fundingType": "PubliclyFunded", "serviceNames": names,
        "serviceDescriptions": descriptions, "serviceChargeType": "FreeOfCharge",
        "areaType": if numbers.below(20) == 0 { "Nationwide" } else { "LimitedType" },
        "areas": [{"type": "Municipality", "code": null, "municipalities": [{"code": municipality, "name": [said("", "fi", numbers.word())]}]}],
        "languages": languages, "keywords": [], "requirements": [], "serviceClasses": classes, "ontologyTerms": terms,
        "targetGroups": [{"code": "KR1", "uri": "http://uri.suomi.fi/codelist/ptv/ptvkohderyhmat/code/KR1", "name": []}], "lifeEvents": [],
        "serviceChannels": (0..2).map(|_| json!({"serviceChannel": {"id": guid(2, numbers.below(channels)), "name": "x"}})).collect::<Vec<_>>(),
        "organizations": [{"roleType": "Responsible", "organization": {"id": guid(1, numbers.below(organisations)), "name": "x"}}],
        "publishingStatus": "Published", "modified": "2026-10-05T08:00:00.000Z", "availableLanguages": languages
    })
}

fn channel(numbers: &mut Numbers, number: usize) -> Value {
    json!({
        "id": guid(2, number), "serviceChannelType": "ServiceLocation", "organizationId": guid(1, 0),
        "serviceChannelNames": [said("Name", "fi", numbers.word())], "serviceChannelDescriptions": [said("Description", "fi", numbers.text(400))],
        "phoneNumbers": [{"prefixNumber": "+358", "number": format!("16 {number}"), "language": "fi"}], "webPages": [{"url": "https://kunta.example/x"}],
        "addresses": [{"type": "Location", "streetAddress": {
            "street": [said("", "fi", format!("{}tie", numbers.word()))], "streetNumber": "1", "postalCode": "99600",
            "postOffice": [said("", "fi", "Sodankylä".to_owned())], "municipality": {"code": "758"}
        }}],
        "serviceHours": [{"serviceHourType": "DaysOfTheWeek", "openingHour": [{"dayFrom": "Monday", "dayTo": "Friday", "from": "08:00:00", "to": "16:00:00"}]}],
        "publishingStatus": "Published", "services": []
    })
}

fn organisation(numbers: &mut Numbers, number: usize) -> Value {
    json!({
        "id": guid(1, number), "organizationType": "Municipality", "organizationNames": [said("Name", "fi", format!("{} {number}", numbers.word()))],
        "publishingStatus": "Published"
    })
}

fn lay(folder: &Path, name: &str, count: usize, mut one: impl FnMut(usize) -> Value) -> Outcome<u64> {
    let mut bytes = 0;
    let numbers: Vec<usize> = (0..count).collect();
    for (at, chunk) in numbers.chunks(PAGE).enumerate() {
        let items: Vec<Value> = chunk.iter().map(|number| one(*number)).collect();
        let page = json!({"pageNumber": at + 1, "pageSize": PAGE, "pageCount": count.div_ceil(PAGE), "itemList": items}).to_string();
        bytes += page.len() as u64;
        std::fs::write(folder.join(format!("{name}-{at:05}.json")), page)?;
    }
    Ok(bytes)
}

fn prepare(folder: &Path) -> Outcome<String> {
    let database = format!("sqlite:{}", folder.join("ptv.db").display());
    let data_dir = folder.display().to_string();
    let config = Config::from_pairs(&[("database", &database), ("data_dir", &data_dir), ("demo", "true")])?;
    let secrets =
        Secrets { signing_key: SigningKey::load(&config.signing_key_file, true)?, data_keys: DataKeys::load(&config.data_key_file, true)? };
    let store = open_store(&config, &secrets, Arc::new(UuidV7))?;
    actix_web::rt::System::new().block_on(async {
        store.migrate().await?;
        let seeded = lahete_api::demo::seed(&store, Arc::new(UuidV7), SystemClock.now()).await;
        store.close().await;
        seeded.map_err(|error| format!("{error:?}"))?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    })?;
    Ok(database)
}

fn main() -> Outcome<()> {
    let services: usize = std::env::var("SERVICES").ok().map_or(Ok(20_000), |count| count.parse())?;
    let (organisations, channels) = (services.div_ceil(40), services.div_ceil(5));
    let folder = std::env::temp_dir().join(format!("lahete-bench-ptv-{}", std::process::id()));
    let pages: PathBuf = folder.join("pages");
    std::fs::create_dir_all(&pages)?;
    let mut out = std::io::stderr();
    writeln!(out, "making {services} services as pages of {PAGE}")?;
    let mut numbers = Numbers(7);
    lay(&pages, "organizations", organisations, |number| organisation(&mut numbers, number))?;
    lay(&pages, "channels", channels, |number| channel(&mut numbers, number))?;
    let bytes = lay(&pages, "services", services, |number| service(&mut numbers, number, organisations, channels))?;
    let database = prepare(&folder)?;
    writeln!(out, "{} MiB of services; importing into {database}", bytes >> 20)?;
    for (what, wanted) in [("new", "added"), ("unchanged", "unchanged")] {
        let begin = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_lahete"))
            .args(["import", "ptv", "--database", &database, "--file"])
            .arg(&pages)
            .env_clear()
            .env("LAHETE_DATA_DIR", &folder)
            .env("LAHETE_LOG", "warn")
            .stderr(std::process::Stdio::inherit())
            .output()?;
        let took = begin.elapsed().as_millis().max(1);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() || !said.contains(&format!("{services} {wanted}")) {
            return Err(format!("the import did not take over {services} services: {said}").into());
        }
        let figure = services as u128 * 1000 / took;
        writeln!(
            std::io::stdout(),
            "{what}: {services} services in {took} ms from start to end of the program: {figure} services/s\n    {said}"
        )?;
    }
    let size = std::fs::metadata(folder.join("ptv.db"))?.len() >> 20;
    writeln!(std::io::stdout(), "the database has {size} MiB")?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
