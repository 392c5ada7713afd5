//! `lahete audit`: is the trail what was written?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use lahete_domain::time::Instant;
use lahete_persistence::repo::trail::{ChainFault, VerifyReport};
use serde_json::{Value, json};

use super::progress::Shown;
use super::{CommandError, open, print, settings};
use crate::audit_events::checkpoint_file::{self, CheckpointFault, TrailKeys};
use crate::config::Config;
use crate::startup::load_secrets;

/// What is done with the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every chain of the trail, and hold it against the signed checkpoints.
    Verify {
        /// A file of checkpoints, in place of the one of the settings; several for several servers.
        #[arg(long)]
        checkpoints: Vec<PathBuf>,
        /// Ask nothing of what was signed after this instant (RFC 3339): for a copy that was made then.
        #[arg(long, value_parser = instant)]
        signed_until: Option<Instant>,
        /// Another key whose signatures count: the member `x` of a public key.
        #[arg(long)]
        public_key: Vec<String>,
        /// Answer with JSON.
        #[arg(long)]
        json: bool,
        /// The database, in place of the setting.
        #[arg(long)]
        database: Option<String>,
    },
}

fn instant(text: &str) -> Result<Instant, String> {
    text.parse::<chrono::DateTime<chrono::Utc>>().map(Instant::new).map_err(|error| error.to_string())
}

/// What files of checkpoints said.
#[derive(Default)]
struct Signed {
    lines: usize,
    files: Vec<PathBuf>,
    anchors: Vec<lahete_persistence::repo::trail::Anchor>,
    faults: Vec<(PathBuf, CheckpointFault)>,
}

/// Does what the command says.
pub async fn run(file: Option<&Path>, command: AuditCommand) -> Result<(), CommandError> {
    let AuditCommand::Verify { checkpoints, signed_until, public_key, json, database } = command;
    let config = Config::from_raw(&settings(file, &[("database", database.clone())])?)?;
    let store = open(file, database)?;
    let mut keys = TrailKeys::of(&load_secrets(&config)?.signing_key);
    for x in public_key {
        keys = keys.trusting(&x).ok_or(CommandError::PublicKey)?;
    }
    let mut signed = Signed::default();
    // The file of the settings need not be there yet; one that is named must be.
    let of_settings = Some(config.audit_checkpoint_file).filter(|path| checkpoints.is_empty() && path.exists());
    for path in checkpoints.into_iter().chain(of_settings) {
        let found = checkpoint_file::read(&path, &keys, signed_until)?;
        signed.lines += found.lines;
        signed.anchors.extend(found.anchors);
        signed.faults.extend(found.faults.into_iter().map(|fault| (path.clone(), fault)));
        signed.files.push(path);
    }
    let mut shown = Shown::default();
    let key = Some(checkpoint_file::shared(&keys));
    let progress = move |events| shown.now_and_then(|| format!("{events} events checked"));
    let report = store.verify_audit_trail_against(std::mem::take(&mut signed.anchors), key, progress).await;
    store.close().await;
    let report = report?;
    print(&if json { format!("{}\n", in_json(&report, &signed)) } else { in_words(&report, &signed) })?;
    if report.is_sound() && signed.faults.is_empty() { Ok(()) } else { Err(CommandError::BrokenTrail) }
}

fn in_words(report: &VerifyReport, signed: &Signed) -> String {
    let found = report.faults_found + signed.faults.len() as u64;
    let mut text = format!("{} events in {} chains, {found} faults\n", report.events, report.chains);
    if report.erased_reasons > 0 {
        let _ = writeln!(text, "of {} events the stated reason was erased", report.erased_reasons);
    }
    if signed.files.is_empty() {
        text.push_str("held against no checkpoint: it cannot be seen whether the end of a chain was cut off\n");
    } else {
        let _ = writeln!(
            text,
            "held against {} signed checkpoints; {} events came after the last of their chain",
            signed.lines, report.unsigned_events
        );
    }
    for (path, fault) in &signed.faults {
        let _ = writeln!(text, "{}, line {}: {}", path.display(), fault.line, fault.text);
    }
    for fault in &report.faults {
        let _ = writeln!(text, "{fault}");
    }
    text
}

fn fault_in_json(fault: &ChainFault) -> Value {
    json!({
        "chain": fault.writer_id, "seq": fault.seq, "id": fault.id.map(|id| id.to_string()), "kind": fault.kind.as_str(), "text": fault.kind.to_string()
    })
}

fn in_json(report: &VerifyReport, signed: &Signed) -> Value {
    let lines = signed.faults.iter().map(|(path, fault)| json!({"file": path, "line": fault.line, "kind": fault.kind, "text": fault.text}));
    json!({
        "sound": report.is_sound() && signed.faults.is_empty(),
        "events": report.events,
        "chains": report.chains,
        "erased_reasons": report.erased_reasons,
        "checkpoints": signed.lines,
        "unsigned_events": report.unsigned_events,
        "faults_found": report.faults_found,
        "first_fault": report.faults.first().map(fault_in_json),
        "faults": report.faults.iter().map(fault_in_json).collect::<Vec<_>>(),
        "checkpoint_faults": lines.collect::<Vec<_>>(),
    })
}
