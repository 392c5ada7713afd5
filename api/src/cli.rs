//! The command line.

mod admin;
mod audit;
mod import;
mod keys;
mod progress;
mod retention;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use lahete_persistence::{BackupError, BackupStep, DbUrl, Store, StoreError};
use secrecy::ExposeSecret as _;

use admin::AdminCommand;
use audit::AuditCommand;
use import::ImportCommand;
use keys::KeysCommand;
use progress::Shown;
use retention::RetentionCommand;

use crate::config::{CONFIG_FILE_VARIABLE, Config, ConfigError, RawSettings, settings_table};
use crate::first_admin::FirstAdminError;
use crate::http::openapi::{DocumentFormat, api_document, write_document};
use crate::id_source::UuidV7;
use crate::startup::{Application, StartError, load_secrets, open_store};

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
    /// Take out what has been kept long enough.
    Retention {
        #[command(subcommand)]
        command: RetentionCommand,
    },
    /// Take activities over from another directory.
    Import {
        #[command(subcommand)]
        command: ImportCommand,
    },
    /// Work with the audit trail.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Work with the data keys.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
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
    #[error("the retention could not do its work: {0}")]
    Retention(String),
    #[error("{0}")]
    Import(String),
    #[error("--on lies ahead: that is for --dry-run only")]
    DayAhead,
    #[error("the audit trail is broken")]
    BrokenTrail,
    #[error("a public key is 32 bytes in base64url")]
    PublicKey,
    #[error("the data keys come from the environment, which cannot be changed from here")]
    KeysInEnvironment,
    #[error("values of the database still lie under the data key {0}: run `lahete keys rotate` first")]
    KeyInUse(u8),
    #[error("{0} rows could not be opened: the keys that they were sealed with are missing, or somebody has changed them")]
    Unopened(usize),
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
                let versions = open(file, database)?.migrate().await?;
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
            Command::Admin { command } => admin::run(file, command).await,
            Command::Audit { command } => audit::run(file, command).await,
            Command::Keys { command } => keys::run(file, command).await,
            Command::Retention { command } => retention::run(file, command).await,
            Command::Import { command } => import::run(file, command).await,
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

fn open(file: Option<&Path>, database: Option<String>) -> Result<Store, CommandError> {
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
