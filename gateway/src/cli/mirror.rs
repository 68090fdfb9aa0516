use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Args, Subcommand};
use gt_core::fork::ForkEvidence;
use gt_core::verify::Pin;
use gt_ledger::audit::{self, DataFolder};
use gt_ledger::layout;
use gt_ledger::mirror::{
    CompareError, Comparison, LogFault, MirrorError, MirrorFolder, Progress, Round, Side, compare,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::fetch::fetcher;
use super::fsck::read_pin;
use super::output::Output;
use super::{Failure, Outcome};

const NOTHING_PINNED: &str = "Nothing is pinned, so whose keys signed this was not looked at. Give the ledger's pin: --pin ledger.json";

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Mirror {
    #[command(subcommand)]
    command: Option<MirrorCommand>,
    /// Where the log is served: a ledger, or anybody's mirror.
    #[arg(long, required = true)]
    url: Option<String>,
    /// The mirror's folder. It is made, or continued; any web server can serve it.
    #[arg(long, required = true)]
    out: Option<PathBuf>,
    /// The ledger's pin file, ledger.json. Without it, the first origin that is seen is kept to, and signatures are not looked at.
    #[arg(long)]
    pin: Option<PathBuf>,
    /// Keep asking for what is new, until the ledger is found to have signed another history. Can be ended at any time.
    #[arg(long)]
    follow: bool,
    /// How many seconds to wait between two questions.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "follow", value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

#[derive(Subcommand)]
enum MirrorCommand {
    /// Compare two mirrors or data folders. Exit status 0: one history, 1: two histories, or one does not hold, 2: could not tell.
    Compare(Compare),
}

#[derive(Args)]
struct Compare {
    /// A mirror's folder.
    first: PathBuf,
    /// Another one, of the same ledger.
    second: PathBuf,
    /// Where to write the evidence if they are of two histories; the file must not be there.
    #[arg(long, default_value = "fork.json")]
    out: PathBuf,
    /// The ledger's pin file, ledger.json. Without it, signatures are not looked at.
    #[arg(long)]
    pin: Option<PathBuf>,
}

impl Mirror {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let (url, out) = match (self.command, self.url, self.out) {
            (Some(MirrorCommand::Compare(command)), ..) => return command.run(output),
            (None, Some(url), Some(out)) => (url, out),
            _ => return Err(Failure::new("say what is to be copied and where to: --url URL --out DIR")),
        };
        let pin = self.pin.as_deref().map(read_pin).transpose()?;
        let mut copier = Copier::open(&url, &out, pin, output)?;
        if self.follow { copier.follow(Duration::from_secs(self.every)) } else { copier.once() }
    }
}

/// Copies from one address to one folder, and says what comes of it.
struct Copier<'o> {
    url: String,
    out: PathBuf,
    pinned: bool,
    folder: MirrorFolder,
    output: &'o Output,
}

impl<'o> Copier<'o> {
    fn open(url: &str, out: &Path, pin: Option<Pin>, output: &'o Output) -> Result<Self, Failure> {
        let pinned = pin.is_some();
        let folder = MirrorFolder::open(out, pin, None).map_err(|error| failure(&error, url, out))?;
        Ok(Self { url: url.to_owned(), out: out.to_owned(), pinned, folder, output })
    }

    fn once(&mut self) -> Outcome {
        let round = self.round().map_err(|error| failure(&error, &self.url, &self.out))?;
        self.say(&round);
        Ok(ExitCode::from(match round {
            Round::Unchanged { .. } | Round::Grown { .. } => 0,
            Round::Fork(_) => 1,
            Round::Behind { .. } => 2,
        }))
    }

    /// Asks again and again. What the served log lacks now it may have the next time; only a fork and the mirror's own troubles end it.
    fn follow(&mut self, every: Duration) -> Outcome {
        let (mut said, mut complaint) = (None, String::new());
        loop {
            match self.round() {
                Ok(round) => {
                    complaint.clear();
                    let news = matches!(round, Round::Grown { .. }) || said.as_ref() != Some(&round);
                    if news {
                        self.say(&round);
                    }
                    if let Round::Fork(_) = round {
                        return Ok(ExitCode::from(1));
                    }
                    said = Some(round);
                }
                Err(error @ MirrorError::Served(_)) => {
                    let message = failure(&error, &self.url, &self.out).message;
                    if message != complaint {
                        Output::aside(&format!("goldenthread: {message}"));
                        complaint = message;
                    }
                }
                Err(error) => return Err(failure(&error, &self.url, &self.out)),
            }
            thread::sleep(every);
        }
    }

    fn round(&mut self) -> Result<Round, MirrorError> {
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("Copying {bar:40} {pos} of {len} entries");
        bar.set_style(style.expect("the template is well-formed"));
        let source = audit::Mirror::new(fetcher(&self.url));
        let round = self.folder.catch_up(&source, &mut |Progress { copied, of }| {
            bar.set_length(of);
            bar.set_position(copied);
        });
        bar.finish_and_clear();
        round
    }

    fn say(&self, round: &Round) {
        let evidence = self.out.join(layout::fork());
        let origin = self.folder.checkpoint().map(|checkpoint| checkpoint.origin().to_owned());
        let root = self.folder.checkpoint().map(|checkpoint| checkpoint.root().to_string());
        let mut value = outcome(round);
        value["origin"] = json!(origin);
        value["root"] = json!(root);
        value["pinned"] = json!(self.pinned);
        if let Round::Fork(_) = round {
            value["evidence"] = json!(evidence);
        }
        self.output.say(&value, || {
            let origin = origin.as_deref().unwrap_or("the log");
            let said = sentence(round, origin, &self.out, &evidence);
            if self.pinned { said } else { format!("{said}\n{NOTHING_PINNED}") }
        });
    }
}

fn outcome(round: &Round) -> Value {
    match round {
        Round::Unchanged { size } => json!({"outcome": "unchanged", "size": size.0}),
        Round::Grown { from, to } => json!({"outcome": "grown", "from": from.0, "size": to.0}),
        Round::Behind { held, served } => json!({"outcome": "behind", "size": held.0, "served": served.0}),
        Round::Fork(evidence) => {
            let sizes = [&evidence.first, &evidence.second].map(|signed| signed.checkpoint().size().0);
            json!({"outcome": "fork", "sizes": sizes})
        }
    }
}

fn sentence(round: &Round, origin: &str, out: &Path, evidence: &Path) -> String {
    let out = out.display();
    match round {
        Round::Unchanged { size } => {
            format!("Nothing new: {origin} has {size} entries, and so has the mirror {out}.")
        }
        Round::Grown { from, to } if from.0 == 0 => {
            format!(
                "Copied {origin}, {to} entries, to {out}. Every entry follows the one before, and the root is the checkpoint's."
            )
        }
        Round::Grown { from, to } => {
            format!(
                "Copied {origin} from {from} to {to} entries to {out}. The log goes on from what the mirror had."
            )
        }
        Round::Behind { held, served } => format!(
            "Could not tell: {origin} has {served} entries there, and the mirror {out} has {held} of the same log.\n\
             Either an old checkpoint is served, or the ledger was restored from a backup and has lost entries that it had sealed.\n\
             If it has lost them, keep this mirror: it shows what they were. Nothing was changed."
        ),
        Round::Fork(found) => format!(
            "Not sound: {origin} is served there with another history than the mirror {out} has. {}\n\
             The evidence is in {evidence}: anybody with the ledger's pin can check it. Keep it, and show it to everybody who relies\n\
             on this ledger. The mirror stays as it was.",
            two_histories(found),
            evidence = evidence.display(),
        ),
    }
}

fn two_histories(evidence: &ForkEvidence) -> String {
    let (first, second) = (evidence.first.checkpoint().size(), evidence.second.checkpoint().size());
    format!(
        "There are a log of {first} entries and a log of {second}, and their first {first} entries are not the same."
    )
}

/// What a person is told of a copy that came to nothing.
fn failure(error: &MirrorError, url: &str, out: &Path) -> Failure {
    // What was not reached was not seen, and nothing is said of whether it holds.
    if let MirrorError::Served(fault) = error
        && fault.is_unreachable()
    {
        return Failure::could_not_tell(format!(
            "{url} cannot be reached: {fault}. What was copied is kept; run this again to go on"
        ));
    }
    if let MirrorError::Served(fault) = error
        && fault.is_no_ledger()
    {
        return Failure::could_not_tell(format!(
            "{url}: {fault}. Give the address of a ledger or of a mirror"
        ));
    }
    let place = match error {
        MirrorError::Served(_) => url.to_owned(),
        MirrorError::OtherOrigin { .. } => format!("{url} and {}", out.display()),
        _ => out.display().to_string(),
    };
    Failure::new(format!("{place}: {error}"))
}

impl Compare {
    fn run(self, output: &Output) -> Outcome {
        let pin = self.pin.as_deref().map(read_pin).transpose()?;
        for folder in [&self.first, &self.second] {
            if !folder.is_dir() {
                return Err(Failure::could_not_tell(format!("{} is no folder", folder.display())));
            }
        }
        let (first, second) = (DataFolder::new(&self.first), DataFolder::new(&self.second));
        let comparison = compare(&first, &second, pin.as_ref()).map_err(|error| self.failure(&error))?;
        if let Some(evidence) = &comparison.fork {
            self.write(evidence)?;
        }
        let mut value = json!({
            "origin": comparison.origin,
            "sizes": comparison.sizes.map(|size| size.0),
            "pinned": pin.is_some(),
            "outcome": match (&comparison.fork, comparison.ahead) {
                (Some(_), _) => "fork",
                (None, None) => "same",
                (None, Some(Side::First)) => "first_ahead",
                (None, Some(Side::Second)) => "second_ahead",
            },
        });
        if comparison.fork.is_some() {
            value["evidence"] = json!(self.out);
        }
        output.say(&value, || {
            let said = self.sentence(&comparison);
            if pin.is_some() { said } else { format!("{said}\n{NOTHING_PINNED}") }
        });
        Ok(ExitCode::from(u8::from(comparison.fork.is_some())))
    }

    fn write(&self, evidence: &ForkEvidence) -> Result<(), Failure> {
        let open = OpenOptions::new().write(true).create_new(true).open(&self.out);
        let written = open.and_then(|mut file| {
            writeln!(file, "{}", evidence.to_json())?;
            file.sync_all()
        });
        written.map_err(|error| {
            Failure::new(format!(
                "the two are of two histories, but the evidence could not be written to {}: {error}. Give another file: --out FILE",
                self.out.display()
            ))
        })
    }

    fn sentence(&self, comparison: &Comparison) -> String {
        let (first, second) = (self.first.display(), self.second.display());
        let (origin, [one, two]) = (&comparison.origin, comparison.sizes);
        match (&comparison.fork, comparison.ahead) {
            (Some(evidence), _) => format!(
                "Not sound: {first} and {second} hold two histories of {origin}. {}\n\
                 The evidence is in {}: anybody with the ledger's pin can check it.",
                two_histories(evidence),
                self.out.display()
            ),
            (None, None) => {
                format!("The same: {first} and {second} hold the same {one} entries of {origin}.")
            }
            (None, Some(side)) => {
                let (ahead, behind, more, fewer) = match side {
                    Side::First => (first, second, one, two),
                    Side::Second => (second, first, two, one),
                };
                format!(
                    "One history of {origin}: {ahead}, with {more} entries, goes on where {behind} ends, with {fewer}."
                )
            }
        }
    }

    fn failure(&self, error: &CompareError) -> Failure {
        match error {
            CompareError::OtherOrigin { .. } => {
                Failure::could_not_tell(format!("these cannot be compared: {error}"))
            }
            CompareError::Log { side, fault } => {
                let folder = if *side == Side::First { &self.first } else { &self.second };
                let message = format!("{}: {fault}", folder.display());
                let reached = !matches!(fault, LogFault::Source(_));
                if reached { Failure::new(message) } else { Failure::could_not_tell(message) }
            }
        }
    }
}
