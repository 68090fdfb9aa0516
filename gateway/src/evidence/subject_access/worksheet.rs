//! The worksheet: what there is to decide on. Its JSON Schema is `schemas/subject-access.v1.schema.json`.

use gt_core::Hash;
use gt_core::bundle::{About, Bundle, Why};
use gt_core::statement::{Disclosure, Pseudonym};
use gt_core::time::Timestamp;
use gt_ledger::values::to_serde;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::{CATALOGUE, Exemption, Kind, Whose};
use super::facts::{Facts, restrictions, whose_statement, whose_value};
use crate::evidence::read::{Evidence, EvidenceError, Record, Said};
use crate::evidence::{sentences, words};

/// The `format` of these worksheets.
pub(crate) const FORMAT: &str = "gt/subject-access/1";

/// A worksheet. As it is made every decision is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Worksheet {
    pub(crate) format: String,
    /// SHA-256 of the full bundle's text: the worksheet is of that one and no other.
    pub(crate) bundle: String,
    pub(crate) origin: String,
    /// How many entries the log had.
    pub(crate) tree_size: u64,
    /// When the bundle was made.
    pub(crate) made_at: String,
    /// The pseudonyms under which the subject is known.
    pub(crate) subjects: Vec<String>,
    /// The exemptions that a decision may name.
    pub(crate) exemptions: Vec<Exemption>,
    pub(crate) items: Vec<Item>,
    /// What is not in the ledger to be decided on.
    pub(crate) elsewhere: Vec<Elsewhere>,
}

/// Something to decide on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    /// The entry, or the entry, a slash and the disclosure's digest.
    pub(crate) id: String,
    pub(crate) entry: u64,
    pub(crate) kind: Kind,
    /// The member, of a disclosure.
    pub(crate) member: Option<String>,
    pub(crate) of: Whose,
    /// What it says, in plain words.
    pub(crate) says: String,
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The agency that signed it, the controller to ask.
    pub(crate) agency: String,
    /// The agency in whose name it signed.
    pub(crate) on_behalf_of: Option<String>,
    /// When it happened, if that is shown.
    pub(crate) occurred_at: Option<String>,
    pub(crate) received_at: String,
    pub(crate) may_apply: Vec<Mark>,
    /// Null, `disclose`, `withhold` or `withhold_silently`. Left to a person.
    pub(crate) decision: Option<Decision>,
    /// Under which exemption it is withheld: a code of `exemptions`.
    pub(crate) exemption: Option<String>,
    /// Why it was decided so, for the agency's own file. It goes into no copy.
    pub(crate) note: Option<String>,
}

/// An exemption that may apply, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    pub(crate) exemption: String,
    pub(crate) rule: String,
    pub(crate) because: String,
    /// Where in the record the rule found it.
    pub(crate) fact: String,
}

/// What a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Decision {
    Disclose,
    Withhold,
    WithholdSilently,
}

impl Decision {
    /// How a worksheet spells them.
    pub(super) const SPELLINGS: [&str; 3] = ["disclose", "withhold", "withhold_silently"];
}

/// Something that belongs to the record and cannot be read out of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    pub(crate) entry: u64,
    /// The agency to ask; none where the statement itself is gone.
    pub(crate) agency: Option<String>,
    pub(crate) member: Option<String>,
    /// `kept_at_home` by its agency, `ended` (the keys are gone), or `of_another` (another person's part of another's statement).
    pub(crate) why: String,
}

/// Why there is no worksheet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorksheetError {
    #[error("a worksheet is made of a bundle about one child, and this one is about something else")]
    NotOfAChild,
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

impl Worksheet {
    /// What there is to decide on in a child's full bundle.
    pub(crate) fn of(bundle: &Bundle) -> Result<Self, WorksheetError> {
        let About::Child { subjects } = &bundle.manifest.about else {
            return Err(WorksheetError::NotOfAChild);
        };
        let evidence = Evidence::read(bundle)?;
        let (mut items, mut elsewhere) = (Vec::new(), Vec::new());
        let restrictions = restrictions(&evidence);
        for record in &evidence.records {
            match &record.content {
                Ok(said) => {
                    let listing = Listing { record, said, subjects, restrictions: &restrictions };
                    listing.items(&mut items);
                    listing.elsewhere(&mut elsewhere);
                }
                Err(_) => elsewhere.push(Elsewhere {
                    entry: record.index().0,
                    agency: None,
                    member: None,
                    why: "ended".to_owned(),
                }),
            }
        }
        Ok(Self {
            format: FORMAT.to_owned(),
            bundle: evidence.text_hash.to_string(),
            origin: evidence.head.origin().to_owned(),
            tree_size: evidence.head.size().0,
            made_at: bundle.manifest.made_at.to_string(),
            subjects: subjects.iter().map(|subject| subject.as_str().to_owned()).collect(),
            exemptions: CATALOGUE.exemptions.clone(),
            items,
            elsewhere,
        })
    }
}

/// A record whose statement can be read, being listed.
struct Listing<'l> {
    record: &'l Record,
    said: &'l Said,
    subjects: &'l [Pseudonym],
    restrictions: &'l [(gt_core::LeafIndex, String)],
}

impl Listing<'_> {
    fn items(&self, into: &mut Vec<Item>) {
        let clear = Value::Object(self.said.clear.clone());
        let whose = whose_statement(self.said);
        let says = sentences::sentence(self.said, whose.child());
        let mut facts = self.facts(Kind::Statement, whose, &clear);
        into.push(self.item(self.record.index().to_string(), says, &facts));
        let members = self.said.payload().data.members();
        let mut disclosures: Vec<&Disclosure> = self.said.statement.disclosures().iter().collect();
        disclosures.sort_by_key(|one| (one.member_position(), one.element()));
        for disclosure in disclosures {
            let (member, value) =
                (members[disclosure.member_position()].name(), to_serde(disclosure.value()));
            facts = self.facts(Kind::Disclosure, whose_value(&value, self.subjects), &clear);
            let facts = Facts { member: Some(member), value: Some(&value), ..facts };
            let says = format!("{}: {}", words::label(member), in_words(&value));
            into.push(self.item(id(self.record.index().0, &disclosure.digest()), says, &facts));
        }
    }

    fn facts<'f>(&'f self, kind: Kind, whose: Whose, clear: &'f Value) -> Facts<'f> {
        let payload = self.said.payload();
        Facts {
            kind,
            whose,
            event_type: payload.event_type.as_str(),
            agency: payload.on_behalf_of.as_ref().unwrap_or(&payload.iss).as_str(),
            member: None,
            clear: Some(clear),
            value: None,
            restrictions: self.restrictions,
        }
    }

    fn item(&self, id: String, says: String, facts: &Facts<'_>) -> Item {
        let payload = self.said.payload();
        let occurred = self.said.event.as_ref().and_then(gt_schemas::Event::occurred_at);
        let mark = |(rule, fact): (&super::catalogue::Rule, String)| Mark {
            exemption: rule.exemption.clone(),
            rule: rule.id.clone(),
            because: rule.because.clone(),
            fact,
        };
        Item {
            id,
            entry: self.record.index().0,
            kind: facts.kind,
            member: facts.member.map(ToOwned::to_owned),
            of: facts.whose,
            says,
            event_type: payload.event_type.as_str().to_owned(),
            agency: payload.iss.as_str().to_owned(),
            on_behalf_of: payload.on_behalf_of.as_ref().map(|agency| agency.as_str().to_owned()),
            occurred_at: occurred
                .and_then(|at| Timestamp::from_millis(at.as_millis()))
                .map(|at| at.to_string()),
            received_at: self.record.proven.entry.received_at.to_string(),
            may_apply: CATALOGUE.marks(facts).map(mark).collect(),
            decision: None,
            exemption: None,
            note: None,
        }
    }

    fn elsewhere(&self, into: &mut Vec<Elsewhere>) {
        let is_anothers = whose_statement(self.said) == Whose::Another;
        let left_out = self.said.left_out.iter().map(|(member, why)| {
            let why = match why {
                Why::Withheld if is_anothers => "of_another",
                Why::Withheld => "withheld",
                Why::Ended => "ended",
            };
            (member, why)
        });
        let kept = self.said.kept().map(|member| (member, "kept_at_home"));
        into.extend(left_out.chain(kept).map(|(member, why)| Elsewhere {
            entry: self.record.index().0,
            agency: Some(self.said.payload().iss.as_str().to_owned()),
            member: Some(member.clone()),
            why: why.to_owned(),
        }));
    }
}

/// The id of a disclosure's item.
pub(super) fn id(entry: u64, digest: &Hash) -> String {
    format!("{entry}/{digest}")
}

/// A value on one line.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => match Timestamp::parse(text) {
            Ok(at) => words::received(at),
            Err(_) => text.clone(),
        },
        Value::Array(elements) => elements.iter().map(in_words).collect::<Vec<_>>().join("; "),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{}: {}", words::label(name).to_lowercase(), in_words(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}
