use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use gt_projections::Pattern;

use super::asking::{Asking, Question};
use super::show::show_alerts;
use crate::cli::Outcome;
use crate::cli::output::Output;

/// Where alerts are in their lives.
#[derive(Clone, Copy, ValueEnum)]
enum Status {
    /// They wait for somebody: open or assigned.
    Waiting,
    /// Nobody has taken them on.
    Open,
    /// Somebody has them.
    Assigned,
    /// Somebody has looked at what they say.
    Reviewed,
    /// A later entry took their reason away.
    Retracted,
    /// All of them.
    All,
}

/// A pattern, by its name.
#[derive(Clone, Copy)]
struct Named(Pattern);

#[derive(Args)]
#[command(
    next_help_heading = "Which alerts",
    after_help = "\
Examples:
  goldenthread alerts
  goldenthread alerts --pattern shared-location --status all
  goldenthread alerts --as-of 2026-03-31T00:00:00Z        what waited for somebody then"
)]
pub(crate) struct Alerts {
    /// This one, by its id.
    #[arg(
        long,
        allow_hyphen_values = true,
        conflicts_with_all = ["pattern", "child", "person", "location", "agency", "status", "from", "to"]
    )]
    id: Option<String>,
    /// Of this pattern.
    #[arg(long)]
    pattern: Option<Named>,
    /// About this child: its pseudonym, its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: Option<String>,
    /// About this person of concern: a pseudonym, a reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    person: Option<String>,
    /// About this place or other context: as agencies write it (uprn.1:…), its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    location: Option<String>,
    /// About this agency, or about what it shares with another or another with it.
    #[arg(long)]
    agency: Option<String>,
    /// Where they are in their lives.
    #[arg(long, default_value = "waiting")]
    status: Status,
    /// Raised from this time on, like 2026-03-01T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Raised up to this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Alerts {
    pub(crate) fn run(self, output: &Output) -> Outcome {
        let question = match &self.id {
            Some(id) => Question::list(format!("/v1/alerts/{id}"), &[]),
            None => Question::list("/v1/alerts", &[])
                .with("pattern", self.pattern.map(|pattern| pattern.0))
                .with("child", self.asking.person(self.child.as_deref())?)
                .with("person", self.asking.person(self.person.as_deref())?)
                .with("location", self.asking.context(self.location.as_deref())?)
                .with("agency", self.agency.as_ref())
                .with("status", Some(self.status.as_str()))
                .with("from", self.from.as_ref())
                .with("to", self.to.as_ref()),
        };
        self.asking.answer(output, &question, show_alerts)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Reviewed => "reviewed",
            Self::Retracted => "retracted",
            Self::All => "all",
        }
    }
}

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Named; Pattern::ALL.len()] = {
            let mut all = [Named(Pattern::RepeatMissing); Pattern::ALL.len()];
            let mut at = 0;
            while at < all.len() {
                all[at] = Named(Pattern::ALL[at]);
                at += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let meaning = match self.0 {
            Pattern::RepeatMissing => "one child goes missing again and again",
            Pattern::LongMissing => "one absence goes on and on",
            Pattern::RhiOverdue => "nobody held a return home interview in time",
            Pattern::SharedLocation => "several children are linked to one place or other context",
            Pattern::SharedPerson => "several children are linked to one person of concern",
            Pattern::ManyAuthorities => "many authorities hold a part of one child's story",
            Pattern::MovedUnshared => "a child moved, and nobody told the new authority",
            Pattern::RequestUnanswered => "a request was not answered in time",
            Pattern::WithheldThenHarm => "information was withheld, and harm followed",
            Pattern::BasisMissing => {
                "a decision lacks its legal basis, or rests on one that nobody has reviewed"
            }
            Pattern::ConsentReliance => "an agency relies on consent for much of what it shares",
            Pattern::SlowShare => "it took long from knowing to sharing",
            Pattern::SilentEdge => "two agencies know the same children, and one never shared with the other",
        };
        Some(PossibleValue::new(self.0.as_str()).help(meaning))
    }
}
