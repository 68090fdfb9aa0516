//! Step 8: whether the bundle holds what its manifest says.

use std::collections::HashMap;

use super::super::{About, Bundle, SubjectLinks};
use super::finding::{Findings, Whom};
use super::record::Checked;
use super::registrar::RegistrarChain;
use crate::agency::AgencyCode;
use crate::position::LeafIndex;
use crate::statement::PublisherId;

/// Checks the manifest, and gives the links that later steps look at: none if they are not the subjects'.
pub(super) fn check<'a>(
    bundle: &'a Bundle,
    records: &[Checked],
    chain: &RegistrarChain,
    findings: &mut Findings,
) -> &'a [SubjectLinks] {
    let manifest = &bundle.manifest;
    // A record whose proof has a fault may stand anywhere.
    let all_placed = records.len() == bundle.records.len();
    if all_placed && !manifest.entries.iter().copied().eq(records.iter().map(Checked::index)) {
        findings.fault("manifest_differs", "/manifest/entries", Whom::Bundle);
    }
    match &manifest.about {
        About::Entries { first, last } if all_placed => {
            if !are_all(*first, *last, records, chain) {
                findings.fault("entry_left_out", "/manifest/about", Whom::Bundle);
            }
        }
        About::Agency { agency } => check_agency(agency, records, findings),
        About::Entries { .. } | About::Child { .. } | About::Alert { .. } => {}
    }
    let subjects = match &manifest.about {
        About::Child { subjects } => subjects.as_slice(),
        _ => &[],
    };
    let shown = bundle.completeness.iter().map(|links| &links.subject);
    if subjects.iter().eq(shown) {
        return &bundle.completeness;
    }
    findings.fault("completeness_differs", "/completeness", Whom::Bundle);
    &[]
}

/// Whether these and the registrar's entries are all from the first to the last, and no record stands elsewhere.
fn are_all(first: LeafIndex, last: LeafIndex, records: &[Checked], chain: &RegistrarChain) -> bool {
    let within = |index: LeafIndex| (first..=last).contains(&index);
    let of_registrar = chain.entries().filter(|proven| within(proven.entry.index)).count();
    // Indexes rise and none stands on both sides, so it is enough to count.
    let found = (of_registrar + records.len()) as u64;
    first <= last && records.iter().all(|record| within(record.index())) && found == last.0 - first.0 + 1
}

fn check_agency(agency: &AgencyCode, records: &[Checked], findings: &mut Findings) {
    let any_absent = records.iter().any(Checked::is_absent);
    let mut last: HashMap<PublisherId, u64> = HashMap::new();
    for record in records {
        let Some(said) = record.said() else { continue };
        let (place, whom) = (format!("/records/{}/statement", record.position), Whom::Entry(record.index()));
        if said.iss != *agency {
            findings.fault("not_about", place, whom);
            continue;
        }
        let expected = last.insert(said.publisher, said.seq).map_or(0, |before| before + 1);
        if said.seq <= expected {
            continue;
        }
        if any_absent {
            findings.unknown("statement_left_out", place, whom);
        } else {
            findings.fault("statement_left_out", place, whom);
        }
    }
}
