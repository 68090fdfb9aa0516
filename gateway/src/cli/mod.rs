//! The commands of the `goldenthread` program (DESIGN section 9). Each is a thin layer: it reads arguments, calls the crates, and says what
//! came of it, as sentences or, with `--json`, as JSON on standard output and nothing else there.

mod advise;
mod agent;
mod backup;
mod bench;
mod bundle;
mod configure;
mod decision;
mod demo;
mod erase;
mod fetch;
mod fork;
mod fsck;
mod init;
mod kek;
mod key;
mod key_access;
mod keys;
mod keys_at;
mod mirror;
mod nats;
mod new_file;
mod opening;
mod output;
mod progress;
mod pseudonym;
mod query;
mod reference;
mod registrar;
mod retention;
mod revoke;
mod serve;
mod token;
mod verifier;
mod verify;
mod verify_data;
mod where_at;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use output::Output;

/// An event-sourced audit ledger for child safeguarding: every decision to share or withhold, signed, sealed and provable.
#[derive(Parser)]
#[command(name = "goldenthread", version, propagate_version = true, max_term_width = 110)]
struct Arguments {
    /// Print JSON on standard output and nothing else there.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a fictional partnership: published, sealed, alerted, verified, then served.
    Demo(demo::Demo),
    /// Make a ledger: its data folder, and its keys in a folder beside it.
    Init(init::Init),
    /// Serve a ledger over HTTP.
    Serve(serve::Serve),
    /// Make a publisher's key, and the public key file with which the registrar enrols it.
    Keygen(keys::Keygen),
    /// Enrol a publisher, as the ledger's registrar.
    Register(keys::Register),
    /// Shut a publisher out for ever, as the ledger's registrar: its key was stolen or lost, or it leaves.
    Revoke(revoke::Revoke),
    /// The registrar's own key, and the recovery key: replace them.
    #[command(subcommand)]
    Registrar(registrar::RegistrarCommand),
    /// Seal a new configuration (legal bases, thresholds, calendar) as the ledger's registrar, or show the one in force.
    Configure(configure::Configure),
    /// Make a partnership's key, and pseudonyms of what is read from standard input.
    Pseudonym(pseudonym::Pseudonym),
    /// Sign drafts, chain them and publish them: NDJSON in, NDJSON out.
    Publish(agent::Publish),
    /// The same as a small local service with an outbox.
    Agent(agent::Agent),
    /// Check an evidence bundle, a receipt, a data folder or a running ledger. Exit status 0: sound, 1: not sound, 2: could not tell.
    Verify(verify::Verify),
    /// Write the page on which a review panel checks bundles and receipts: one HTML file for any browser.
    Verifier(verifier::Verifier),
    /// Check a data folder with its keys, deriving everything again from the entries. Changes nothing.
    Fsck(fsck::Fsck),
    /// Copy a data folder, while its ledger runs, so that it can be put back.
    Backup(backup::Backup),
    /// Copy the open log to a folder of static files, verifying it, and prove it if the ledger ever signs another history.
    Mirror(mirror::Mirror),
    /// Make an evidence bundle of a child, a range of entries, an agency or an alert, to be checked anywhere.
    Bundle(bundle::BundleCommand),
    /// Ask a view: decisions, a child's timeline, open requests, who shares with whom, and more.
    Query(query::Query),
    /// List the alerts that wait for somebody, or others.
    Alerts(query::Alerts),
    /// Show one decision: what it says, what the rules say of it, and what became of it.
    Decision(decision::Decision),
    /// Ask what the rules say of a decision before it is taken. Nothing of it is recorded.
    Advise(advise::Advise),
    /// Destroy the keys of what is sealed about somebody, and say what people must still destroy.
    Erase(erase::Erase),
    /// How long records are kept: list whose periods have ended, and end what is due.
    #[command(subcommand)]
    Retention(retention::Retention),
    /// The key-encryption key: show its fingerprint, renew it, put it into escrow and back.
    #[command(subcommand)]
    Kek(kek::Kek),
    /// Private keys that are there: encrypt them by a passphrase, decrypt them, change the passphrase.
    #[command(subcommand)]
    Key(key::Key),
    /// Set up NATS for several nodes: streams, the shared keyring, users' keys.
    #[command(subcommand)]
    Nats(nats::Nats),
    /// Issue tokens for reading, list them, take them back.
    #[command(subcommand)]
    Token(token::Token),
    /// Run a witness: it signs ledgers' checkpoints, and only what extends what it has signed before.
    #[command(subcommand)]
    Witness(witness::Witness),
    /// Measure the sealer and the way from request to receipt on this machine.
    Bench(bench::Bench),
}

/// A sentence for a person, and the exit status.
pub(crate) struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// Could not be done: exit status 1.
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// Nothing can be said about it: exit status 2.
    fn could_not_tell(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(crate::problem::chain(&error))
    }
}

type Outcome = Result<ExitCode, Failure>;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The demo's own output says what happened; a log between its lines would only be in the way.
    let usual = if matches!(arguments.command, Command::Demo(_)) {
        "warn"
    } else {
        "warn,goldenthread=info,gt_ledger=info,async_nats=off"
    };
    log_to_standard_error(arguments.json, usual);
    let output = Output::new(arguments.json);
    let outcome = match arguments.command {
        Command::Demo(command) => command.run(&output),
        Command::Init(command) => command.run(&output),
        Command::Serve(command) => command.run(&output),
        Command::Keygen(command) => command.run(&output),
        Command::Register(command) => command.run(&output),
        Command::Revoke(command) => command.run(&output),
        Command::Registrar(command) => command.run(&output),
        Command::Configure(command) => command.run(&output),
        Command::Pseudonym(command) => command.run(&output),
        Command::Publish(command) => command.run(&output),
        Command::Agent(command) => command.run(&output),
        Command::Verify(command) => command.run(&output),
        Command::Verifier(command) => command.run(&output),
        Command::Fsck(command) => command.run(&output),
        Command::Backup(command) => command.run(&output),
        Command::Mirror(command) => command.run(&output),
        Command::Bundle(command) => command.run(&output),
        Command::Query(command) => command.run(&output),
        Command::Alerts(command) => command.run(&output),
        Command::Decision(command) => command.run(&output),
        Command::Advise(command) => command.run(&output),
        Command::Erase(command) => command.run(&output),
        Command::Retention(command) => command.run(&output),
        Command::Kek(command) => command.run(&output),
        Command::Key(command) => command.run(&output),
        Command::Nats(command) => command.run(&output),
        Command::Token(command) => command.run(&output),
        Command::Witness(command) => command.run(&output),
        Command::Bench(command) => command.run(&output),
    };
    outcome.unwrap_or_else(|failure| {
        output.failure(&failure.message);
        ExitCode::from(failure.code)
    })
}

/// Logs go to standard error: as JSON with `--json`, as text otherwise. `GOLDENTHREAD_LOG` takes a tracing filter.
fn log_to_standard_error(json: bool, usual: &str) {
    let filter = EnvFilter::try_from_env("GOLDENTHREAD_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        builder.with_target(false).init();
    }
}
