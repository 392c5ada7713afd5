//! The program `lahete`.

use std::process::ExitCode;

use clap::Parser as _;
use lahete_api::cli::Cli;

#[actix_web::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
