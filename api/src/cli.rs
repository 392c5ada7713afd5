//! The command line.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use lahete_domain::time::Clock as _;
use lahete_persistence::{BackupError, BackupStep, DbUrl, Store, StoreError};
use secrecy::ExposeSecret as _;

use crate::auth::issuer_settings::{CallerKind, IssuerSettings};
use crate::clock::SystemClock;
use crate::config::{CONFIG_FILE_VARIABLE, Config, ConfigError, RawSettings, settings_table};
use crate::first_admin::{FirstAdmin, FirstAdminError, Where};
use crate::http::openapi::{DocumentFormat, api_document, write_document};
use crate::id_source::UuidV7;
use crate::startup::{Application, StartError, load_secrets, open_store};

/// How often progress is shown.
const SHOW_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Backend of the wellbeing referral.
#[derive(Debug, Parser)]
#[command(name = "lahete", version, about)]
pub struct Cli {
    /// TOML file with settings; the environment wins over it.
    #[arg(long, global = true, env = CONFIG_FILE_VARIABLE)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or SIGINT.
    Serve {
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
        /// Address and port, in place of the setting.
        #[arg(long)]
        bind: Option<String>,
        /// Demo mode.
        #[arg(long)]
        demo: bool,
    },
    /// Bring the database schema up to date.
    Migrate {
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
    /// Copy a SQLite database while it is in use. The keys are not in the copy: keep them, too.
    Backup {
        /// The new file. It appears when the copy is whole and checked.
        file: PathBuf,
        /// Replace the file if there is one.
        #[arg(long)]
        force: bool,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
    /// Print the API document.
    Openapi {
        /// In which form.
        #[arg(long, value_enum, default_value_t = Format::Yaml)]
        format: Format,
    },
    /// Print the settings, secrets hidden.
    Config {
        /// The table of all settings in Markdown instead.
        #[arg(long)]
        table: bool,
    },
    /// Work with administrators.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
    /// Work with the audit trail.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Make an administrator, of a programme that is there or of a new one. This is how the first one comes about.
    Create(AdminArguments),
}

#[derive(Debug, clap::Args)]
struct AdminArguments {
    /// The sign-in name, which nobody else may have.
    #[arg(long)]
    login: String,
    /// The person's name.
    #[arg(long)]
    name: String,
    /// The issuer where they sign in, as it stands in the settings.
    #[arg(long)]
    issuer: String,
    /// Their name there: the `sub` of their tokens.
    #[arg(long)]
    subject: String,
    /// The id of a programme that is there.
    #[arg(long, conflicts_with_all = ["programme", "controller", "municipality"], required_unless_present = "programme")]
    programme_id: Option<uuid::Uuid>,
    /// The name of a new programme.
    #[arg(long, requires = "controller", requires = "municipality")]
    programme: Option<String>,
    /// The controller of its register.
    #[arg(long)]
    controller: Option<String>,
    /// The codes of the municipalities that it serves, separated by commas.
    #[arg(long, value_delimiter = ',')]
    municipality: Vec<String>,
    /// The database, in place of the setting.
    #[arg(long)]
    database: Option<String>,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check every chain of the trail.
    Verify {
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("the answer cannot be written: {0}")]
    Output(#[from] std::io::Error),
    #[error("{0}")]
    Document(String),
    #[error(transparent)]
    FirstAdmin(#[from] FirstAdminError),
    #[error("--issuer: the settings name no issuer {0} whose people may sign in")]
    UnknownIssuer(String),
    #[error("the audit trail is broken")]
    BrokenTrail,
}

impl Cli {
    /// Does what the command says.
    pub async fn run(self) -> ExitCode {
        match self.execute().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // The log may be off or not begun yet: an operator must see this in any case.
                let _ = writeln!(std::io::stderr(), "lahete: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn execute(self) -> Result<(), CommandError> {
        let file = self.config.as_deref();
        match self.command {
            Command::Serve { database, bind, demo } => {
                let demo = if demo { Some("true".to_owned()) } else { None };
                let config = Config::from_raw(&settings(file, &[("database", database), ("bind", bind), ("demo", demo)])?)?;
                start_log(&config);
                Ok(Application::build(config).await?.run().await?)
            }
            Command::Migrate { database } => {
                let versions = store(file, database)?.migrate().await?;
                print(&if versions.is_empty() { "nothing to do\n".to_owned() } else { versions.join("\n") + "\n" })
            }
            Command::Backup { file: target, force, database } => back_up(file, &target, force, database).await,
            Command::Openapi { format } => {
                let format = match format {
                    Format::Yaml => DocumentFormat::Yaml,
                    Format::Json => DocumentFormat::Json,
                };
                print(&write_document(&api_document(), format).map_err(CommandError::Document)?)
            }
            Command::Config { table: true } => print(&settings_table()),
            Command::Config { table: false } => {
                let raw = settings(file, &[])?;
                Config::from_raw(&raw)?;
                print(&raw.listing())
            }
            Command::Admin { command: AdminCommand::Create(arguments) } => create_admin(file, arguments).await,
            Command::Audit { command: AuditCommand::Verify { database } } => {
                let store = store(file, database)?;
                let mut shown = Shown::default();
                let report = store.verify_audit_trail(move |events| shown.now_and_then(|| format!("{events} events checked"))).await?;
                let mut text = format!("{} events in {} chains, {} faults\n", report.events, report.chains, report.faults_found);
                for fault in &report.faults {
                    text.push_str(&format!("{fault:?}\n"));
                }
                print(&text)?;
                if report.is_sound() { Ok(()) } else { Err(CommandError::BrokenTrail) }
            }
        }
    }
}

async fn create_admin(file: Option<&Path>, arguments: AdminArguments) -> Result<(), CommandError> {
    let config = Config::from_raw(&settings(file, &[("database", arguments.database.clone())])?)?;
    let known = |one: &IssuerSettings| one.issuer == arguments.issuer && one.callers.contains(&CallerKind::Users);
    if !config.issuers.iter().any(known) {
        return Err(CommandError::UnknownIssuer(arguments.issuer));
    }
    let store = store(file, arguments.database)?;
    store.migrate().await?;
    let programme = match (arguments.programme_id, arguments.programme, arguments.controller) {
        (None, Some(name), Some(controller)) => Where::New { name, controller, municipalities: arguments.municipality },
        (id, _, _) => Where::Present(id.unwrap_or_default()),
    };
    let admin =
        FirstAdmin { programme, login: arguments.login, name: arguments.name, issuer: arguments.issuer, subject: arguments.subject };
    let made = admin.create(&store, SystemClock.now()).await?;
    store.close().await;
    print(&format!("programme {}\nuser {}\n", made.programme, made.user))
}

/// Progress on standard error, a line a second at most.
#[derive(Default)]
struct Shown(Option<std::time::Instant>);

impl Shown {
    fn now_and_then(&mut self, line: impl FnOnce() -> String) {
        if self.0.is_none_or(|last| last.elapsed() >= SHOW_EVERY) {
            self.0 = Some(std::time::Instant::now());
            let _ = writeln!(std::io::stderr(), "{}", line());
        }
    }
}

/// Needs no key: the copy is as sealed as what it was made from.
async fn back_up(file: Option<&Path>, target: &Path, force: bool, database: Option<String>) -> Result<(), CommandError> {
    let config = Config::from_raw(&settings(file, &[("database", database)])?)?;
    start_log(&config);
    let url = DbUrl::parse(config.database.expose_secret()).map_err(StartError::from)?;
    let mut shown = Shown::default();
    let report = lahete_persistence::backup(&url, target, force, move |step| match step {
        BackupStep::Copied { pages, of } if pages < of => shown.now_and_then(|| format!("{} % copied", pages * 100 / of.max(1))),
        BackupStep::Copied { of, .. } => {
            let _ = writeln!(std::io::stderr(), "100 % copied, {of} pages");
        }
        BackupStep::Checking => {
            let _ = writeln!(std::io::stderr(), "checking the copy");
        }
    })?;
    print(&format!("{}: {} bytes, schema {}; keep it together with the keys\n", target.display(), report.bytes, report.schema))
}

fn print(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Default, file, environment, command line: each wins over the one before.
fn settings(file: Option<&Path>, arguments: &[(&str, Option<String>)]) -> Result<RawSettings, ConfigError> {
    let mut raw = RawSettings::defaults();
    if let Some(file) = file {
        raw.read_file(file)?;
    }
    raw.read_environment()?;
    for (name, value) in arguments {
        if let Some(value) = value {
            raw.set(name, value, "argument")?;
        }
    }
    Ok(raw)
}

fn store(file: Option<&Path>, database: Option<String>) -> Result<Store, CommandError> {
    let mut config = Config::from_raw(&settings(file, &[("database", database)])?)?;
    // Room beside the database is the server's matter.
    config.disk_reserve = 0;
    start_log(&config);
    let secrets = load_secrets(&config)?;
    Ok(open_store(&config, &secrets, Arc::new(UuidV7))?)
}

fn start_log(config: &Config) {
    let _ = env_logger::Builder::new().parse_filters(&config.log).format_timestamp_millis().try_init();
    // The default hook prints the message of a panic, in which a value of a client may stand: the place is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        log::error!("panic at {place}");
    }));
}
