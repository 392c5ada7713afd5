//! `lahete admin`: how the first administrator comes about, since nobody can sign in before there is one.

use std::path::Path;

use clap::Subcommand;
use lahete_domain::time::Clock as _;

use super::{CommandError, open, print, settings};
use crate::auth::issuer_settings::{CallerKind, IssuerSettings};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::first_admin::{FirstAdmin, Where};

/// What is done with administrators.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an administrator, of a programme that is there or of a new one. This is how the first one comes about.
    Create(AdminArguments),
}

/// Who, where they sign in, and for which programme.
#[derive(Debug, clap::Args)]
pub struct AdminArguments {
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

/// Does what the command says.
pub async fn run(file: Option<&Path>, AdminCommand::Create(arguments): AdminCommand) -> Result<(), CommandError> {
    let config = Config::from_raw(&settings(file, &[("database", arguments.database.clone())])?)?;
    let known = |one: &IssuerSettings| one.issuer == arguments.issuer && one.callers.contains(&CallerKind::Users);
    if !config.issuers.iter().any(known) {
        return Err(CommandError::UnknownIssuer(arguments.issuer));
    }
    let store = open(file, arguments.database)?;
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
