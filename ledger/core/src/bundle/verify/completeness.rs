//! Step 9: whether everything that the ledger sealed about the subjects is here.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::SubjectLinks;
use super::finding::{Findings, Whom};
use super::record::Checked;
use crate::link::{CompletenessError, LinkName, LinkOpening};
use crate::position::LeafIndex;
use crate::statement::Pseudonym;

/// Checks the subjects' links against the records, and the records against the links. `openings` are those of `subjects`, or none.
pub(super) fn check(
    subjects: &[Pseudonym],
    openings: &[SubjectLinks],
    records: &[Checked],
    findings: &mut Findings,
) {
    if openings.len() != subjects.len() {
        return;
    }
    let faults_before = findings.fault_count();
    let mut names = HashSet::new();
    for (subject, links) in openings.iter().enumerate() {
        if let Err((code, place)) = check_links(links, records, &mut names) {
            findings.fault(code, format!("/completeness/{subject}/{place}"), Whom::Subject(subject));
        }
    }
    if subjects.is_empty() {
        return;
    }
    let linked = subjects_by_entry(openings);
    let mut told = vec![Told::default(); subjects.len()];
    for record in records.iter().filter(|record| !record.is_faulty()) {
        let here = linked.get(&record.index()).map_or(&[][..], Vec::as_slice);
        if let Some(code) = check_record(record, here) {
            findings.fault(code, format!("/records/{}", record.position), Whom::Entry(record.index()));
        }
        for subject in here {
            told[*subject].take(*subject, record);
        }
    }
    let holds = findings.fault_count() == faults_before;
    for (subject, told) in told.iter().enumerate() {
        let code = if !told.is_shown {
            "subject_not_shown"
        } else if holds && !told.is_told_apart() {
            "subject_not_told_apart"
        } else {
            continue;
        };
        findings.unknown(code, format!("/completeness/{subject}"), Whom::Subject(subject));
    }
}

/// What the records in which a subject has links say of it. Nothing in a link says whose it is, so they might be those of anybody who
/// owns all of these records.
#[derive(Clone, Default)]
struct Told<'r> {
    is_shown: bool,
    /// Who is no subject and owns each of the records of which all owners are named; `None` if there is no such record.
    beside: Option<BTreeSet<&'r str>>,
}

impl<'r> Told<'r> {
    fn take(&mut self, subject: usize, record: &'r Checked) {
        let Some(said) = record.said() else { return };
        self.is_shown |= said.owners.contains(&subject);
        // Each owner has one link: where there are more links than names, somebody is not named, who may be anybody.
        if said.owners.len() + said.other_owners.len() < record.proven.entry.links.len() {
            return;
        }
        match &mut self.beside {
            Some(beside) => beside.retain(|other| said.other_owners.contains(*other)),
            None => self.beside = Some(said.other_owners.iter().map(String::as_str).collect()),
        }
    }

    /// Whether the links can be nobody's but a subject's.
    fn is_told_apart(&self) -> bool {
        self.beside.as_ref().is_some_and(BTreeSet::is_empty)
    }
}

/// Checks that the links are numbered without a gap, stand in records that are here, and open.
fn check_links(
    links: &SubjectLinks,
    records: &[Checked],
    names: &mut HashSet<LinkName>,
) -> Result<(), (&'static str, String)> {
    if links.links.is_empty() {
        return Err((CompletenessError::Count { n: 0 }.code(), "links".to_owned()));
    }
    let following = links.links.iter().skip(1).map(|later| &later.name).chain([&links.next]);
    let mut before: Option<LeafIndex> = None;
    for ((n, opening), next) in (0..).zip(&links.links).zip(following) {
        let code = check_link(n, opening, next, before, records, names);
        code.map_or(Ok(()), |code| Err((code, format!("links/{n}"))))?;
        before = Some(opening.index);
    }
    Ok(())
}

fn check_link(
    n: u64,
    opening: &LinkOpening,
    next: &LinkName,
    before: Option<LeafIndex>,
    records: &[Checked],
    names: &mut HashSet<LinkName>,
) -> Option<&'static str> {
    let index = opening.index;
    if opening.n != n {
        return Some(CompletenessError::Count { n }.code());
    }
    if before.is_some_and(|before| index <= before) {
        return Some(CompletenessError::Order { n }.code());
    }
    let Ok(record) = records.binary_search_by_key(&index, Checked::index) else {
        return Some("record_left_out");
    };
    // One person's links under another's name would hide what is the other's.
    if !names.insert(opening.name) {
        return Some(CompletenessError::Repeated { n, index }.code());
    }
    let commitment = opening.commitment(next);
    let holds = records[record]
        .proven
        .entry
        .links
        .iter()
        .any(|link| link.name == opening.name && link.commitment == commitment);
    if holds { None } else { Some(CompletenessError::NotOpened { n, index }.code()) }
}

fn subjects_by_entry(openings: &[SubjectLinks]) -> HashMap<LeafIndex, Vec<usize>> {
    let mut linked: HashMap<LeafIndex, Vec<usize>> = HashMap::new();
    for (subject, links) in openings.iter().enumerate() {
        for opening in &links.links {
            let here = linked.entry(opening.index).or_default();
            if here.last() != Some(&subject) {
                here.push(subject);
            }
        }
    }
    linked
}

/// `linked` are the subjects that have a link in the record's entry, rising.
fn check_record(record: &Checked, linked: &[usize]) -> Option<&'static str> {
    if linked.is_empty() {
        return Some("record_not_linked");
    }
    let said = record.said()?;
    if said.owners.iter().any(|owner| !linked.contains(owner)) {
        return Some("subject_not_linked");
    }
    if said.whole && linked.iter().any(|subject| !said.owners.contains(subject)) {
        return Some("subject_not_owner");
    }
    said.joins_another.then_some("linked_identity_left_out")
}
