//! Steps 5 and 6: the log's last entry, and each record by itself.

use std::collections::BTreeSet;

use super::super::{BundleRecord, LeftOut, StatedRecord};
use super::finding::{Findings, Whom};
use super::proven::Proven;
use super::registrar::{RegistrarChain, Replay};
use crate::agency::AgencyCode;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::position::LeafIndex;
use crate::registry::Registry;
use crate::statement::{
    Disclosure, EventType, MAX_PRESENTATION_BYTES, Pseudonym, PublisherId, Statement, StatementError,
};
use crate::verify::verify_authorship;

/// How far `iat` may be ahead of `received_at`, in seconds (DESIGN section 2).
const MAX_AHEAD: i64 = 300;

/// A record whose proof has no fault.
pub(super) struct Checked {
    /// Its place among the bundle's records.
    pub(super) position: usize,
    pub(super) proven: Proven,
    pub(super) content: Content,
}

/// What a record holds besides its entry.
pub(super) enum Content {
    Absent,
    Faulty,
    Stated(Box<Said>),
}

/// What later steps need of a statement that has no fault.
pub(super) struct Said {
    pub(super) hash: Hash,
    pub(super) iss: AgencyCode,
    pub(super) on_behalf_of: Option<AgencyCode>,
    pub(super) publisher: PublisherId,
    pub(super) seq: u64,
    pub(super) prev: Hash,
    pub(super) event_type: EventType,
    pub(super) version: u16,
    /// How many disclosures are here.
    pub(super) disclosed: usize,
    /// How many digests of kept members have no disclosure here.
    pub(super) kept: usize,
    /// Whether each digest that is not kept has its disclosure here.
    pub(super) whole: bool,
    /// Which of the bundle's subjects are owners, by their places.
    pub(super) owners: Vec<usize>,
    /// Who else is an owner, in a bundle about a child.
    pub(super) other_owners: BTreeSet<String>,
    /// Whether it joins an identity that is none of the bundle's subjects.
    pub(super) joins_another: bool,
}

impl Checked {
    pub(super) fn index(&self) -> LeafIndex {
        self.proven.entry.index
    }

    pub(super) fn said(&self) -> Option<&Said> {
        match &self.content {
            Content::Stated(said) => Some(said),
            Content::Absent | Content::Faulty => None,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self.content, Content::Absent)
    }

    pub(super) fn is_faulty(&self) -> bool {
        matches!(self.content, Content::Faulty)
    }
}

/// Checks the log's last entry, whose count shows whether a statement of the registrar is missing.
pub(super) fn check_tip(
    tip: &str,
    head: &Checkpoint,
    chain: &RegistrarChain,
    findings: &mut Findings,
) -> Option<Proven> {
    let proven = match Proven::read(tip, head) {
        Ok(proven) => proven,
        Err(code) => {
            findings.fault(code, "/tip", Whom::Tip);
            return None;
        }
    };
    let index = proven.entry.index;
    let counted = proven.entry.registry + u64::from(chain.holds(index));
    if index.size_through() != head.size() {
        findings.fault("tip_not_last", "/tip", Whom::Tip);
    } else if counted != chain.len() {
        findings.fault("registrar_statement_left_out", "/tip", Whom::Tip);
    }
    Some(proven)
}

/// Checks each record by itself. Those whose proofs have no fault are given, by rising index.
pub(super) fn check_all(
    records: &[BundleRecord],
    head: &Checkpoint,
    chain: &RegistrarChain,
    subjects: &[Pseudonym],
    findings: &mut Findings,
) -> Vec<Checked> {
    let mut replay = chain.replay();
    let mut checked: Vec<Checked> = Vec::with_capacity(records.len());
    for (position, record) in records.iter().enumerate() {
        let after = checked.last().map(Checked::index);
        let proven = match prove(record.proof(), head, chain, after) {
            Ok(proven) => proven,
            Err(code) => {
                findings.fault(code, format!("/records/{position}/proof"), Whom::Record(position));
                continue;
            }
        };
        let content = match record {
            BundleRecord::Absent { .. } => Content::Absent,
            BundleRecord::Stated(record) => match read(record, &proven, &mut replay, subjects) {
                Ok(said) => Content::Stated(Box::new(said)),
                Err((code, member)) => {
                    let whom = Whom::Entry(proven.entry.index);
                    findings.fault(code, format!("/records/{position}/{member}"), whom);
                    Content::Faulty
                }
            },
        };
        checked.push(Checked { position, proven, content });
    }
    checked
}

/// Checks a record's proof. `after` is the index of the last record whose proof had no fault.
fn prove(
    proof: &str,
    head: &Checkpoint,
    chain: &RegistrarChain,
    after: Option<LeafIndex>,
) -> Result<Proven, &'static str> {
    let proven = Proven::read(proof, head)?;
    let index = proven.entry.index;
    if after.is_some_and(|after| index <= after) || chain.holds(index) {
        return Err("record_order");
    }
    if proven.entry.registry != chain.below(index) {
        return Err("registry_count");
    }
    Ok(proven)
}

/// A broken rule: its code, and the record's member at which it was noticed.
type Broken = (&'static str, String);

fn read(
    record: &StatedRecord,
    proven: &Proven,
    replay: &mut Replay<'_>,
    subjects: &[Pseudonym],
) -> Result<Said, Broken> {
    let at_statement = |code: &'static str| (code, "statement".to_owned());
    let (statement, bad_disclosure) = read_parts(record).map_err(|error| at_statement(error.code()))?;
    check_statement(&statement, proven, replay.before(proven.entry.index)).map_err(at_statement)?;
    if let Some((position, code)) = bad_disclosure {
        return Err((code, format!("disclosures/{position}")));
    }
    let missing = missing_digests(&statement);
    if !are_accounted_for(missing.not_kept, &record.left_out) {
        return Err(("left_out_differs", "left_out".to_owned()));
    }
    Ok(Said::of(&statement, missing.kept, record.left_out.is_empty(), subjects))
}

/// Which disclosure makes the reading fail, and the code of what it breaks.
type BadDisclosure = (usize, &'static str);

/// Reads a statement with its disclosures. Where a disclosure makes the reading fail, the statement is given without, and which
/// disclosure is the first that does so.
fn read_parts(record: &StatedRecord) -> Result<(Statement, Option<BadDisclosure>), StatementError> {
    let texts: Vec<&str> = record.disclosures.iter().map(String::as_str).collect();
    let mut total = record.statement.len() + 1;
    let fits = texts
        .iter()
        .position(|text| {
            total += text.len() + 1;
            total > MAX_PRESENTATION_BYTES
        })
        .unwrap_or(texts.len());
    let reading = |count: usize| Statement::from_parts(&record.statement, texts[..count].iter().copied());
    let bad = match reading(fits) {
        Ok(statement) if fits == texts.len() => return Ok((statement, None)),
        Ok(_) => (fits, StatementError::PresentationTooLong { bytes: total }.code()),
        Err(error) => {
            let bare = reading(0)?;
            // What a disclosure breaks, more disclosures do not mend: the first one that does can be halved for.
            let (mut sound, mut broken, mut code) = (0, fits, error.code());
            while broken - sound > 1 {
                let middle = sound.midpoint(broken);
                match reading(middle) {
                    Ok(_) => sound = middle,
                    Err(error) => (broken, code) = (middle, error.code()),
                }
            }
            return Ok((bare, Some((broken - 1, code))));
        }
    };
    Ok((reading(0)?, Some(bad)))
}

/// That the entry seals this statement, and that its signer may speak as it does.
fn check_statement(statement: &Statement, proven: &Proven, registry: &Registry) -> Result<(), &'static str> {
    let payload = statement.payload();
    if statement.hash() != proven.entry.statement {
        return Err("other_statement");
    }
    if payload.publisher == registry.registrar_id() {
        return Err("registrar_statement_left_out");
    }
    verify_authorship(statement, registry).map_err(|fault| fault.code())?;
    if payload.iat.saturating_sub(proven.entry.received_at.as_seconds()) > MAX_AHEAD {
        return Err("from_the_future");
    }
    Ok(())
}

/// The digests whose disclosures are not here.
struct Missing {
    kept: usize,
    not_kept: Vec<Hash>,
}

fn missing_digests(statement: &Statement) -> Missing {
    let data = &statement.payload().data;
    let mut here: Vec<Hash> = statement.disclosures().iter().map(Disclosure::digest).collect();
    here.sort_unstable();
    let mut missing = Missing { kept: 0, not_kept: Vec::new() };
    for member in data.members() {
        let absent = member.digests().iter().filter(|digest| here.binary_search(digest).is_err());
        if data.is_kept(member.name()) {
            missing.kept += absent.count();
        } else {
            missing.not_kept.extend(absent);
        }
    }
    missing
}

fn are_accounted_for(mut missing: Vec<Hash>, left_out: &[LeftOut]) -> bool {
    let mut listed: Vec<Hash> = left_out.iter().map(|left_out| left_out.digest).collect();
    missing.sort_unstable();
    listed.sort_unstable();
    missing == listed
}

impl Said {
    fn of(statement: &Statement, kept: usize, whole: bool, subjects: &[Pseudonym]) -> Self {
        let payload = statement.payload();
        let joins = payload.event_type.as_str() == "identifier.linked";
        let (mut owners, mut other_owners, mut joins_another) = (Vec::new(), BTreeSet::new(), false);
        for disclosure in statement.disclosures() {
            let member = payload.data.members()[disclosure.member_position()].name();
            let person = disclosure.value().as_object().and_then(|value| value.get("pseudonym")?.as_str());
            // What its publisher kept was not there when the ledger reckoned the owners.
            let Some(person) = person.filter(|_| !payload.data.is_kept(member)) else { continue };
            match subjects.iter().position(|subject| subject.as_str() == person) {
                Some(subject) if !owners.contains(&subject) => owners.push(subject),
                Some(_) => {}
                // No step asks whom a bundle names that is not about a child.
                None if subjects.is_empty() => {}
                None => {
                    joins_another |= joins && member == "identifiers";
                    other_owners.insert(person.to_owned());
                }
            }
        }
        owners.sort_unstable();
        Self {
            hash: statement.hash(),
            iss: payload.iss.clone(),
            on_behalf_of: payload.on_behalf_of.clone(),
            publisher: payload.publisher,
            seq: payload.seq,
            prev: payload.prev,
            event_type: payload.event_type.clone(),
            version: payload.version,
            disclosed: statement.disclosures().len(),
            kept,
            whole,
            owners,
            other_owners,
            joins_another,
        }
    }
}
