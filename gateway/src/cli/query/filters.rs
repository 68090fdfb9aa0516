//! What each view takes, and how it is asked for.

use clap::{Args, ValueEnum};
use gt_schemas::{ContextKind, ContextRisk, Decision, FindingCode, HarmLevel, Purpose, Rating, Trigger};

use super::asking::{Asking, Question, Span, codes};
use crate::cli::Failure;

#[derive(Args)]
#[command(next_help_heading = "Which decisions")]
pub(super) struct Decisions {
    /// About this child: its pseudonym, its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: Option<String>,
    /// By this agency, or in its name, like gss:E06000999.
    #[arg(long)]
    agency: Option<String>,
    /// About children linked to this place or other context: as agencies write it (uprn.1:…), its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    location: Option<String>,
    /// That name this person of concern, or are about children linked to the person: pseudonym, reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    person: Option<String>,
    /// With this outcome.
    #[arg(long, value_parser = codes(Decision::CODES))]
    decision: Option<String>,
    /// With this to give rise to them.
    #[arg(long, value_parser = codes(Trigger::CODES))]
    trigger: Option<String>,
    /// With this level of harm.
    #[arg(long, value_parser = codes(HarmLevel::CODES))]
    harm_level: Option<String>,
    /// For this purpose.
    #[arg(long, value_parser = codes(Purpose::CODES))]
    purpose: Option<String>,
    /// Relying on this lawful basis: a kind, or kind and code, like Article6.e or Gateway.CA1989s47.
    #[arg(long)]
    basis: Option<String>,
    /// Of which the rules of practice say this. `query findings --by agency` says what each code means.
    #[arg(long, value_parser = codes(FindingCode::CODES))]
    finding: Option<String>,
    /// About sharing with this agency.
    #[arg(long)]
    recipient: Option<String>,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Decisions {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] =
            &["index", "occurred_at", "agency", "decision", "harm_level", "recipients", "findings", "child"];
        Ok(Question::list("/v1/decisions", COLUMNS)
            .with("child", self.asking.person(self.child.as_deref())?)
            .with("agency", self.agency.as_ref())
            .with("context", self.asking.context(self.location.as_deref())?)
            .with("person", self.asking.person(self.person.as_deref())?)
            .with("decision", self.decision.as_ref())
            .with("trigger", self.trigger.as_ref())
            .with("harm_level", self.harm_level.as_ref())
            .with("purpose", self.purpose.as_ref())
            .with("basis", self.basis.as_ref())
            .with("finding", self.finding.as_ref())
            .with("recipient", self.recipient.as_ref())
            .within(&self.span))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which child, and when")]
pub(super) struct Timeline {
    /// The child: its pseudonym, its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: String,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Timeline {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] = &["index", "occurred_at", "due_at", "agency", "type", "codes"];
        let child = self.asking.person(Some(&self.child))?.unwrap_or_default();
        Ok(Question::list(format!("/v1/children/{child}/timeline"), COLUMNS).within(&self.span))
    }
}

/// What is known of a missing episode.
#[derive(Clone, Copy, ValueEnum)]
enum EpisodeState {
    /// The child is still missing.
    Open,
    /// The child has come back.
    Ended,
    /// An agency reports a later absence and no end of this one.
    EndNotReported,
}

#[derive(Args)]
#[command(next_help_heading = "Which episodes")]
pub(super) struct Episodes {
    /// One child's: its pseudonym, its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true, conflicts_with_all = ["state", "from", "to"])]
    child: Option<String>,
    /// Everybody's, with this known of them.
    #[arg(long)]
    state: Option<EpisodeState>,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Episodes {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const OF_ONE: &[&str] = &["started_at", "ended_at", "kind", "state", "risk", "agencies", "entries"];
        const OF_ALL: &[&str] = &["child", "started_at", "ended_at", "kind", "state", "risk", "agencies"];
        if let Some(child) = self.asking.person(self.child.as_deref())? {
            return Ok(Question::list(format!("/v1/children/{child}/episodes"), OF_ONE));
        }
        let state = self.state.map(|state| match state {
            EpisodeState::Open => "open",
            EpisodeState::Ended => "ended",
            EpisodeState::EndNotReported => "end_not_reported",
        });
        Ok(Question::list("/v1/episodes", OF_ALL).with("state", state).within(&self.span))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which child")]
pub(super) struct Identities {
    /// The child, or another person: a pseudonym, a reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: String,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Identities {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        let child = self.asking.person(Some(&self.child))?.unwrap_or_default();
        Ok(Question::list(format!("/v1/children/{child}/identities"), &["id", "stands_for_all", "links"]))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Whose")]
pub(super) struct Accesses {
    /// The child: a pseudonym, a reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: String,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Accesses {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        let child = self.asking.person(Some(&self.child))?.unwrap_or_default();
        let columns =
            &["occurred_at", "reader", "role", "purpose", "what", "records", "type", "break_glass", "index"];
        Ok(Question::list(format!("/v1/children/{child}/accesses"), columns))
    }
}

/// How requests stand.
#[derive(Clone, Copy, ValueEnum)]
enum RequestState {
    /// Nobody has answered, whether there is time left or not.
    Open,
    /// Nobody has answered, and the time is over.
    Overdue,
    /// Answered, refused, or decided on.
    Answered,
    /// All of them.
    All,
}

#[derive(Args)]
#[command(next_help_heading = "Which requests")]
pub(super) struct Requests {
    /// That this agency is to answer.
    #[arg(long)]
    agency: Option<String>,
    /// That this agency makes.
    #[arg(long)]
    requester: Option<String>,
    /// About this child: its pseudonym, its reference in another answer, or - for standard input.
    #[arg(long, allow_hyphen_values = true)]
    child: Option<String>,
    /// How they stand.
    #[arg(long, default_value = "open")]
    state: RequestState,
    /// How urgent they are.
    #[arg(long, value_parser = codes(Rating::CODES))]
    rating: Option<String>,
    /// Due from this time on.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Due up to this time.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Requests {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] =
            &["index", "due_at", "left_ms", "state", "rating", "agency", "requester", "child"];
        let state = match self.state {
            RequestState::Open => "open",
            RequestState::Overdue => "overdue",
            RequestState::Answered => "answered",
            RequestState::All => "all",
        };
        Ok(Question::list("/v1/requests", COLUMNS)
            .with("agency", self.agency.as_ref())
            .with("requester", self.requester.as_ref())
            .with("child", self.asking.person(self.child.as_deref())?)
            .with("state", Some(state))
            .with("rating", self.rating.as_ref())
            .with("from", self.from.as_ref())
            .with("to", self.to.as_ref()))
    }
}

/// The order of contexts and persons.
#[derive(Clone, Copy, ValueEnum)]
enum LinkedSort {
    /// Those with the most children first.
    Children,
    /// The one that was linked last first.
    Last,
    /// By their references: for reading all of them page by page.
    Reference,
}

impl LinkedSort {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Children => "children",
            Self::Last => "last",
            Self::Reference => "reference",
        }
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which contexts")]
pub(super) struct Contexts {
    /// Of this kind.
    #[arg(long, value_parser = codes(ContextKind::CODES))]
    kind: Option<String>,
    /// With this risk.
    #[arg(long, value_parser = codes(ContextRisk::CODES))]
    risk: Option<String>,
    /// To which this agency linked a child.
    #[arg(long)]
    agency: Option<String>,
    /// With at least so many different children.
    #[arg(long, allow_hyphen_values = true, value_name = "NUMBER")]
    children: Option<usize>,
    /// The order.
    #[arg(long, default_value = "children")]
    sort: LinkedSort,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Contexts {
    pub(super) fn question(&self) -> Question {
        const COLUMNS: &[&str] =
            &["context", "children", "links", "kinds", "risks", "agencies", "first_at", "last_at"];
        Question::list("/v1/contexts", COLUMNS)
            .with("kind", self.kind.as_ref())
            .with("risk", self.risk.as_ref())
            .with("agency", self.agency.as_ref())
            .with("children", self.children)
            .with("sort", Some(self.sort.as_str()))
            .within(&self.span)
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which context, and when")]
pub(super) struct Location {
    /// The place or other context: as agencies write it (uprn.1:…), its reference in another answer, or - for standard input.
    #[arg(long = "location", value_name = "LOCATION", allow_hyphen_values = true)]
    reference: String,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Location {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] = &["index", "occurred_at", "ended_at", "agency", "kind", "risk", "child"];
        let context = self.asking.context(Some(&self.reference))?.unwrap_or_default();
        Ok(Question::list(format!("/v1/locations/{context}"), COLUMNS).within(&self.span))
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which persons")]
pub(super) struct Persons {
    /// With this risk.
    #[arg(long, value_parser = codes(ContextRisk::CODES))]
    risk: Option<String>,
    /// Of whom this agency said something.
    #[arg(long)]
    agency: Option<String>,
    /// With at least so many different children.
    #[arg(long, allow_hyphen_values = true, value_name = "NUMBER")]
    children: Option<usize>,
    /// The order.
    #[arg(long, default_value = "children")]
    sort: LinkedSort,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Persons {
    pub(super) fn question(&self) -> Question {
        const COLUMNS: &[&str] =
            &["person", "children", "links", "decisions", "risks", "agencies", "first_at", "last_at"];
        Question::list("/v1/persons", COLUMNS)
            .with("risk", self.risk.as_ref())
            .with("agency", self.agency.as_ref())
            .with("children", self.children)
            .with("sort", Some(self.sort.as_str()))
            .within(&self.span)
    }
}

#[derive(Args)]
#[command(next_help_heading = "Which person, and when")]
pub(super) struct Person {
    /// The person of concern: a pseudonym, a reference in another answer, or - for standard input.
    #[arg(long = "person", value_name = "PERSON", allow_hyphen_values = true)]
    reference: String,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    pub(super) asking: Asking,
}

impl Person {
    pub(super) fn question(&self) -> Result<Question, Failure> {
        const COLUMNS: &[&str] =
            &["index", "occurred_at", "ended_at", "agency", "risk", "source", "nature", "child"];
        let person = self.asking.person(Some(&self.reference))?.unwrap_or_default();
        Ok(Question::list(format!("/v1/persons/{person}"), COLUMNS).within(&self.span))
    }
}
