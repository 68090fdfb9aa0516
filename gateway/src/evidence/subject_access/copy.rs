//! The copy for who asked: the full bundle without what is withheld.

use std::collections::BTreeMap;

use gt_core::LeafIndex;
use gt_core::bundle::{Bundle, BundleRecord, LeftOut, Manifest, StatedRecord, Why};
use gt_core::statement::Disclosure;
use gt_core::time::Timestamp;

use super::decide::Decided;
use super::worksheet::id;
use crate::evidence::read::{Evidence, EvidenceError, Said};

/// Leaves out what is withheld, as bundles do: a statement's entry stays without it, a disclosure's digest stays. Silent or not, what is
/// withheld looks the same.
pub(crate) fn copy(full: &Bundle, decided: &Decided, made_at: Timestamp) -> Bundle {
    let records = full.records.iter().zip(&full.manifest.entries).map(|(record, index)| match record {
        BundleRecord::Stated(record) if decided.statements.contains(&index.0) => {
            BundleRecord::Absent { proof: record.proof.clone(), why: Why::Withheld }
        }
        BundleRecord::Stated(record) => BundleRecord::Stated(without(record, *index, decided)),
        absent @ BundleRecord::Absent { .. } => absent.clone(),
    });
    Bundle {
        manifest: Manifest { made_at, ..full.manifest.clone() },
        records: records.collect(),
        ..full.clone()
    }
}

fn without(record: &StatedRecord, index: LeafIndex, decided: &Decided) -> StatedRecord {
    let (mut disclosures, mut left_out) = (Vec::new(), record.left_out.clone());
    for text in &record.disclosures {
        let digest = Disclosure::digest_of(text);
        if decided.disclosures.contains(&id(index.0, &digest)) {
            left_out.push(LeftOut { digest, why: Why::Withheld });
        } else {
            disclosures.push(text.clone());
        }
    }
    StatedRecord { proof: record.proof.clone(), statement: record.statement.clone(), disclosures, left_out }
}

/// How the record has changed since the full bundle was made.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Grown {
    /// What is new and was not decided on: entry and type.
    pub(crate) new: Vec<(u64, String)>,
    /// How often the record was read since, by entries that say nothing else.
    pub(crate) read: usize,
    /// Entries of which something was erased since.
    pub(crate) erased: Vec<u64>,
}

/// Compares the full bundle with one of today, which discloses nothing. That the record was read is recorded whenever it is read, for this
/// very request too; so the ledger's own record of that is counted, and is nothing to decide on again.
pub(crate) fn grown(full: &Bundle, now: &Bundle) -> Result<Grown, EvidenceError> {
    let (before, today) = (Evidence::read(full)?, Evidence::read(now)?);
    let known: BTreeMap<LeafIndex, &Result<Box<Said>, Why>> =
        before.records.iter().map(|record| (record.index(), &record.content)).collect();
    let mut grown = Grown::default();
    for record in &today.records {
        match (known.get(&record.index()), &record.content) {
            (Some(Ok(_)), Err(Why::Ended)) => grown.erased.push(record.index().0),
            (Some(Ok(said)), Ok(now)) if is_erased(said, now) => grown.erased.push(record.index().0),
            (Some(_), _) => {}
            (None, Ok(now)) if is_reading(now) => grown.read += 1,
            (None, content) => {
                let kind = content.as_ref().map_or("not readable", |now| now.payload().event_type.as_str());
                grown.new.push((record.index().0, kind.to_owned()));
            }
        }
    }
    Ok(grown)
}

/// Whether more can be read no more than then: of a list of people one may have been erased before.
fn is_erased(then: &Said, now: &Said) -> bool {
    let ended = |said: &Said| said.left_out.iter().filter(|(_, why)| *why == Why::Ended).count();
    ended(now) > ended(then)
}

fn is_reading(said: &Said) -> bool {
    let payload = said.payload();
    payload.event_type.as_str() == "record.accessed" && payload.iss == gt_core::agency::AgencyCode::service()
}
