//! The program `lahete`.

use std::process::ExitCode;

use clap::Parser as _;
use lahete_api::cli::Cli;

/// A request is many small pieces of memory, taken on one thread and given back on another, which is what this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
