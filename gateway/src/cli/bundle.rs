//! Making an evidence bundle, out of a data folder or by asking a running ledger.

mod asking;
mod local;
mod recording;
mod said;
mod subject_access;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args};
use gt_core::bundle::{Bundle, BundleInputs, MAX_CONSISTENCY, verify_bundle};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::statement::Pseudonym;
use gt_core::verify::Pin;
use gt_ledger::record::OwnerId;
use gt_ledger::secrets::SecretsAt;
use gt_schemas::{AccessPurpose, Identifier, Scheme};

use self::local::MadeHere;
use super::keys_at::KekArgs;
use super::new_file::NewFile;
use super::output::Output;
use super::reference::said_or_read;
use super::registrar::about;
use super::{Failure, Outcome};
use crate::evidence;
use crate::keyfile::read_partnership_key;

/// What is said of a file that is there.
const NEVER: &str = "is not overwritten";

#[derive(Args)]
#[command(
    group = ArgGroup::new("what").required(true).args(["child", "entries", "agency", "alert", "decisions"]),
    group = ArgGroup::new("where").required(true).args(["data", "url"]),
    after_help = "\
Examples:
  goldenthread bundle --child nhs.1:… --purpose Review --data ledger --out child.bundle.json --html child.html
  goldenthread bundle --entries 5-9 --without rationale,others --url http://127.0.0.1:8620 --token-file token --out part.bundle.json
  goldenthread verify part.bundle.json --pin ledger.json --log http://127.0.0.1:8620
  goldenthread bundle --subject-access --child nhs.1:… --data ledger --out request
  goldenthread bundle --subject-access --decisions request/worksheet.json --data ledger --out copy.bundle.json

A bundle holds what people may read in the ledger: keep it as you keep the record itself."
)]
pub(crate) struct BundleCommand {
    /// About this child: its pseudonym, its reference in another answer, or, with --partnership-key, an identifier like nhs:9990000018;
    /// - reads it from standard input.
    #[arg(long, allow_hyphen_values = true, value_name = "REF")]
    child: Option<String>,
    /// All entries from the first to the last, like 5-9.
    #[arg(long, value_name = "A-B")]
    entries: Option<String>,
    /// Every statement that this agency signed.
    #[arg(long, value_name = "CODE")]
    agency: Option<String>,
    /// The entries behind this alert.
    #[arg(long, allow_hyphen_values = true, value_name = "ID")]
    alert: Option<String>,
    /// The ledger's data folder. That it is read is sealed in it first, by the ledger that runs on it or by this command.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the ledger's keys are, with --data. [default: the data folder's name with .secrets]
    #[arg(long, value_name = "DIR", requires = "data")]
    secrets: Option<PathBuf>,
    #[command(flatten)]
    kek: KekArgs,
    /// The address of a running ledger.
    #[arg(long)]
    url: Option<String>,
    /// A file that holds the token, with --url. [default: the environment's `GOLDENTHREAD_TOKEN`]
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    /// What it is made for. With --data it must be said; with --url a token may say it.
    #[arg(long, value_name = "PURPOSE", env = "GOLDENTHREAD_PURPOSE", value_parser = PossibleValuesParser::new(AccessPurpose::CODES.iter().copied()))]
    purpose: Option<String>,
    /// Who makes it, with --data: the name that is sealed. [default: the number of the account that runs this]
    #[arg(long, value_name = "NAME", requires = "data")]
    reader: Option<String>,
    /// For somebody who asks to see the record (UK GDPR Article 15): makes the folder --out, with everything and a worksheet on which a
    /// person decides; with --decisions, the copy for who asked. docs/data-protection/subject-access.md leads through it.
    #[arg(long, conflicts_with_all = ["entries", "agency", "alert", "without", "bare", "no_statements", "known"])]
    subject_access: bool,
    /// The worksheet with its decisions. The full bundle must lie beside it.
    #[arg(long, value_name = "WORKSHEET", requires = "subject_access")]
    decisions: Option<PathBuf>,
    /// The partnership's key, with which a pseudonym is made of an identifier.
    #[arg(long, value_name = "FILE", requires = "child")]
    partnership_key: Option<PathBuf>,
    /// Where to write the bundle (with --subject-access and --child: the folder). What is there is never overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Also write a page for people, to read and to print.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Withhold the disclosures of these members, such as rationale,others.
    #[arg(long, value_name = "MEMBERS", value_delimiter = ',')]
    without: Vec<String>,
    /// Withhold all disclosures.
    #[arg(long)]
    bare: bool,
    /// Withhold the statements too, and show the entries alone.
    #[arg(long)]
    no_statements: bool,
    /// A checkpoint that somebody holds: the bundle will prove that the log grew out of it. May be given several times.
    #[arg(long, value_name = "CHECKPOINT")]
    known: Vec<PathBuf>,
}

/// What is asked for, read.
enum What {
    Child(Child),
    Entries(u64, u64),
    Agency(String),
    Alert(String),
}

enum Child {
    Pseudonym(Pseudonym),
    Owner(OwnerId),
}

impl BundleCommand {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        if self.subject_access {
            return self.for_the_subject(output);
        }
        if self.html.as_ref() == Some(&self.out) {
            return Err(Failure::new("--out and --html name one file; the bundle and its page are two"));
        }
        let mut file = NewFile::take(&self.out, NEVER)?;
        let mut page_file = self.html.as_ref().map(|page| NewFile::take(page, NEVER)).transpose()?;
        let (what, known) = (self.what()?, self.known()?);
        let Made { bundle, text, .. } = self.make(&what, &known)?;
        if let Some(page) = &mut page_file {
            page.write(&evidence::render(&bundle)?)?;
        }
        file.write(&text)?;
        file.keep();
        page_file.into_iter().for_each(NewFile::keep);
        output.say(&said::json(&bundle, &self.out, self.html.as_deref()), || {
            said::sentences(&bundle, &self.out, self.html.as_deref())
        });
        Ok(ExitCode::SUCCESS)
    }

    /// Makes it and checks it. Out of a folder it is handed on once it is sealed that it is read.
    fn make(&self, what: &What, known: &[Checkpoint]) -> Result<Made, Failure> {
        if self.data.is_some() && self.purpose.is_none() && !self.no_statements {
            return Err(Failure::new(format!(
                "this reads what is recorded about people, and who reads it is sealed: say what for, with --purpose, one of {}",
                AccessPurpose::CODES.join(", ")
            )));
        }
        let made = self.made(what, known)?;
        self.seal_reading(&made)?;
        // That it was read is by now an entry about the child alone: with that one, the child's links can be nobody else's.
        if made.is_told_apart {
            return Ok(made);
        }
        self.made(what, known).or_else(|error| {
            // The first one holds, and it is sealed that it was read.
            tracing::warn!("the bundle was to be made once more, with that entry in it: {}", error.message);
            Ok(made)
        })
    }

    fn made(&self, what: &What, known: &[Checkpoint]) -> Result<Made, Failure> {
        let (bundle, pin, only_child) = match (&self.data, &self.url) {
            (Some(data), _) => {
                let MadeHere { bundle, pin, only_child } =
                    self.make_here(data, &self.at(data)?, what, known)?;
                (bundle, Some(pin), only_child)
            }
            (None, Some(url)) => (self.ask(url, what, known)?, None, None),
            (None, None) => return Err(super::registrar::nowhere()),
        };
        let text = bundle.to_string();
        let is_told_apart = check(&text, pin.as_ref(), known)?;
        Ok(Made { bundle, text, pin, only_child, is_told_apart })
    }

    /// Out of a folder; a ledger that is asked seals it itself.
    fn seal_reading(&self, Made { bundle, only_child, .. }: &Made) -> Result<(), Failure> {
        let Some(data) = &self.data else { return Ok(()) };
        let purpose = self.purpose.as_deref().unwrap_or_default();
        match recording::reading(bundle, only_child.as_deref(), self.reader.as_deref(), purpose) {
            Some(reading) => recording::seal(data, &self.at(data)?, &reading).map(drop),
            None => Ok(()),
        }
    }

    fn at(&self, data: &Path) -> Result<SecretsAt, Failure> {
        self.kek.at(data, self.secrets.clone())
    }

    fn what(&self) -> Result<What, Failure> {
        if let Some(child) = &self.child {
            return Ok(What::Child(self.child(child)?));
        }
        if let Some(entries) = &self.entries {
            let (first, last) = entries.split_once('-').unwrap_or((entries, entries));
            return match (first.parse(), last.parse()) {
                (Ok(first), Ok(last)) => Ok(What::Entries(first, last)),
                _ => Err(Failure::new(
                    "--entries is the first and the last entry with a hyphen between, like 5-9",
                )),
            };
        }
        match (&self.agency, &self.alert) {
            (Some(agency), _) => Ok(What::Agency(agency.clone())),
            (None, Some(alert)) => Ok(What::Alert(alert.clone())),
            (None, None) => {
                Err(Failure::new("say what it is about: --child, --entries, --agency or --alert"))
            }
        }
    }

    fn child(&self, text: &str) -> Result<Child, Failure> {
        let text = said_or_read(text)?;
        let text = text.as_str();
        if let Some(id) = OwnerId::parse(text) {
            return Ok(Child::Owner(id));
        }
        if let Ok(pseudonym) = Pseudonym::parse(text) {
            return Ok(Child::Pseudonym(pseudonym));
        }
        let is_none = || {
            Failure::new(
                "--child is a pseudonym like nhs.1:…, a reference of 22 characters, or an identifier like nhs:…",
            )
        };
        let (scheme, value) = text.split_once(':').ok_or_else(is_none)?;
        let scheme = Scheme::parse(scheme).ok_or_else(is_none)?;
        let Some(file) = &self.partnership_key else {
            return Err(Failure::new(
                "the ledger knows children by pseudonyms; with --partnership-key FILE one is made of the identifier",
            ));
        };
        let key = read_partnership_key(file).map_err(|error| about(file, &error))?;
        let identifier = Identifier::of(scheme, value)
            .map_err(|error| Failure::new(format!("the identifier of --child: {error}")))?;
        Pseudonym::parse(key.pseudonym(&identifier).as_str()).map(Child::Pseudonym).map_err(Failure::from)
    }

    fn known(&self) -> Result<Vec<Checkpoint>, Failure> {
        if self.known.len() > MAX_CONSISTENCY {
            return Err(Failure::new(format!("--known takes {MAX_CONSISTENCY} checkpoints at most")));
        }
        let read = |file: &PathBuf| {
            let bytes = fs::read(file).map_err(|error| about(file, &error))?;
            let signed = SignedCheckpoint::parse(&bytes).map_err(|error| about(file, &error))?;
            Ok(signed.checkpoint().clone())
        };
        self.known.iter().map(read).collect()
    }
}

/// A bundle that holds.
struct Made {
    bundle: Bundle,
    text: String,
    /// What pins its ledger, if it is out of a folder.
    pin: Option<Pin>,
    /// The child whom all of it is about, if it is out of a folder.
    only_child: Option<String>,
    /// Whether its links can be nobody's but those of whom it is about.
    is_told_apart: bool,
}

/// A bundle that does not hold is not handed on: what was made is checked like anybody's, with the pin and what is known. Whether its
/// subjects are told apart from others.
fn check(text: &str, pin: Option<&Pin>, known: &[Checkpoint]) -> Result<bool, Failure> {
    let one_by_one = known.iter().map(Some).chain(known.is_empty().then_some(None));
    let mut is_told_apart = true;
    for known in one_by_one {
        let verdict = verify_bundle(text.as_bytes(), BundleInputs { pin, policy: None, known, log: None });
        if let Some(fault) = verdict.faults.first() {
            return Err(Failure::new(format!(
                "the bundle does not hold, so nothing was written: {} ({}, at {:?})",
                fault.says, fault.code, fault.place
            )));
        }
        is_told_apart = verdict.unknowns.iter().all(|unknown| unknown.code != "subject_not_told_apart");
    }
    Ok(is_told_apart)
}
