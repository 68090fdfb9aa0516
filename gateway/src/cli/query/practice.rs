//! What the views of agencies' practice take: sharing, findings, agreements.

use clap::{Args, ValueEnum};
use gt_schemas::FindingCode;

use super::asking::{Asking, Place, Question, codes, two_forms};
use super::show::show;
use crate::cli::Failure;
use crate::cli::output::Output;

/// By what to count.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// For each agency.
    Agency,
}

/// The order of ways between agencies.
#[derive(Clone, Copy, ValueEnum)]
enum SharingSort {
    /// By agencies' codes.
    Agency,
    /// The most shares first.
    Shares,
    /// The slowest first, by the median.
    Median,
    /// The latest share first.
    Last,
}

#[derive(Args)]
#[command(next_help_heading = "Which shares")]
pub(super) struct Sharing {
    /// By this agency.
    #[arg(long, value_name = "AGENCY")]
    from: Option<String>,
    /// With this agency.
    #[arg(long, value_name = "AGENCY")]
    to: Option<String>,
    /// Shared from this time on.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Shared up to this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Count for each agency, whomever it shares with, instead of for each way from one to another.
    #[arg(long)]
    by: Option<By>,
    /// The order.
    #[arg(long, default_value = "agency")]
    sort: SharingSort,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Sharing {
    pub(super) fn question(&self) -> Question {
        const WAYS: &[&str] =
            &["from", "to", "shares", "children", "by_consent", "median_ms", "p90_ms", "last_shared_at"];
        const AGENCIES: &[&str] = &[
            "agency",
            "recipients",
            "shares",
            "children",
            "by_consent",
            "median_ms",
            "p90_ms",
            "last_shared_at",
        ];
        let sort = match self.sort {
            SharingSort::Agency => "agency",
            SharingSort::Shares => "shares",
            SharingSort::Median => "median",
            SharingSort::Last => "last",
        };
        let question = match self.by {
            None => Question::list("/v1/sharing", WAYS),
            Some(By::Agency) => Question::list("/v1/sharing/agencies", AGENCIES),
        };
        question
            .with("from", self.from.as_ref())
            .with("to", self.to.as_ref())
            .with("since", self.since.as_ref())
            .with("until", self.until.as_ref())
            .with("sort", Some(sort))
    }
}

/// The order of findings that are counted.
#[derive(Clone, Copy, ValueEnum)]
enum FindingSort {
    /// By agency, and by code within one.
    Agency,
    /// By code, and by agency within one.
    Code,
    /// The most decisions first.
    Decisions,
}

#[derive(Args)]
#[command(next_help_heading = "Which findings")]
pub(super) struct Findings {
    /// Of decisions by this agency, or in its name.
    #[arg(long)]
    agency: Option<String>,
    /// This one.
    #[arg(long, value_parser = codes(FindingCode::CODES))]
    code: Option<String>,
    /// Of decisions from this time on.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Of decisions up to this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Count them for each agency and code, and say what each means, instead of listing the decisions.
    #[arg(long)]
    by: Option<By>,
    /// The order, where they are counted. [default: agency]
    #[arg(long, requires = "by")]
    sort: Option<FindingSort>,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Findings {
    pub(super) fn question(&self) -> Question {
        const DECISIONS: &[&str] =
            &["index", "occurred_at", "agency", "decision", "lawful_basis", "findings", "child"];
        const AGENCIES: &[&str] = &["agency", "code", "decisions", "sentence"];
        let sort = self.sort.map(|sort| match sort {
            FindingSort::Agency => "agency",
            FindingSort::Code => "code",
            FindingSort::Decisions => "decisions",
        });
        let question = match self.by {
            None => Question::list("/v1/findings", DECISIONS),
            Some(By::Agency) => Question::list("/v1/findings/agencies", AGENCIES),
        };
        question
            .with("agency", self.agency.as_ref())
            .with("code", self.code.as_ref())
            .with("from", self.from.as_ref())
            .with("to", self.to.as_ref())
            .with("sort", sort)
    }
}

/// The order of agreements.
#[derive(Clone, Copy, ValueEnum)]
enum AgreementSort {
    /// The one whose review is due first.
    Review,
    /// The one on which the most shares rely first.
    Shares,
    /// The one that was registered first.
    Registered,
}

#[derive(Args)]
#[command(next_help_heading = "Which agreements")]
pub(super) struct Agreements {
    /// This one: the reference that agencies use, its reference in another answer, or - for standard input.
    #[arg(long)]
    agreement: Option<String>,
    /// To which this agency is a party.
    #[arg(long)]
    agency: Option<String>,
    /// To be reviewed by this time.
    #[arg(long, value_name = "TIME")]
    review_before: Option<String>,
    /// Whose review is overdue.
    #[arg(long)]
    overdue: bool,
    /// The order.
    #[arg(long, default_value = "review")]
    sort: AgreementSort,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Agreements {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] = &[
            "agreement",
            "kind",
            "parties",
            "registered_at",
            "reviewed_at",
            "review_due_at",
            "review_overdue",
            "ended_at",
            "shares",
        ];
        let sort = match self.sort {
            AgreementSort::Review => "review",
            AgreementSort::Shares => "shares",
            AgreementSort::Registered => "registered",
        };
        Ok(Question::list("/v1/agreements", COLUMNS)
            .with("agreement", self.asking.agreement(self.agreement.as_deref())?)
            .with("agency", self.agency.as_ref())
            .with("review_before", self.review_before.as_ref())
            .with("overdue", self.overdue.then_some("true"))
            .with("sort", Some(sort)))
    }
}

/// The form of a view that is always whole.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WholeFormat {
    /// Columns for a person to read.
    Table,
    /// One JSON value.
    Json,
}

/// A view that is always whole, and of now.
#[derive(Args)]
#[command(next_help_heading = "In which form")]
pub(super) struct Whole {
    /// The form of the answer. [default: table; with --json, json]
    #[arg(long)]
    format: Option<WholeFormat>,
    #[command(flatten)]
    place: Place,
}

impl Whole {
    pub(super) fn answer(&self, output: &Output, path: &str, columns: &[&str]) -> Result<(), Failure> {
        if output.is_json() && self.format == Some(WholeFormat::Table) {
            return Err(two_forms());
        }
        let answer = self.place.client()?.get(path, &[])?;
        let output = if self.format == Some(WholeFormat::Json) { &Output::new(true) } else { output };
        output.say(&answer, || show(&answer, columns));
        Ok(())
    }
}
