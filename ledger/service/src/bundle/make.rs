//! Putting a bundle together.

use gt_core::bundle::{Bundle, BundleRecord, Manifest, StatedRecord};
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::entry::Entry;
use gt_core::proof::consistency_text;
use gt_core::prove;
use gt_core::receipt::Proof;
use gt_core::{Hash, LeafIndex, TreeSize};

use super::budget::{Budget, Exceeded};
use super::disclose::Disclosing;
use super::select::{Selected, select};
use super::{BundleRequest, Held, MakeBundleError, Selection, registrar};
use crate::disk::read_if_there;
use crate::layout;
use crate::open::OpenLedgerError;
use crate::vault::{StatementBlob, VaultRecord};

/// Makes a bundle of what is held.
pub(crate) fn make(held: &impl Held, request: &BundleRequest) -> Result<Bundle, MakeBundleError> {
    request.withhold.check()?;
    let published = held.log().published();
    let newest = &published.checkpoint;
    let size = newest.checkpoint().size();
    let registrar = registrar::statements(held, size)?;
    let selected = select(held, &request.selection, size, &registrar)?;
    // A bundle under an older checkpoint would not show what the registrar has said since, such as that a key is revoked.
    let covered = registrar.last().copied().max(Some(selected.last)).unwrap_or(selected.last);
    let checkpoint = checkpoint_over(held, newest, covered)?;
    let making = Making { held, size: checkpoint.checkpoint().size() };
    let mut budget = Budget::new();
    let of = selected.records.len();
    let is_range = matches!(request.selection, Selection::Entries { .. });
    let whole = |Exceeded| MakeBundleError::TooLarge { fits: 0, of, last_fitting: None, is_range };

    let (text, tip) = (checkpoint.to_string(), making.tip()?);
    let consistency = making.consistency(&request.known)?;
    budget.texts([&text, &tip]).and_then(|()| budget.texts(&consistency)).map_err(whole)?;
    let registrar = making.registrar(&registrar)?;
    registrar.iter().try_for_each(|record| budget.stated(record)).map_err(whole)?;
    let completeness: Vec<_> = selected.subjects.iter().map(super::subjects::Followed::links).collect();
    completeness.iter().try_for_each(|links| budget.links(links)).map_err(whole)?;
    let records = making.records(request, &selected, budget)?;
    let Selected { about, records: entries, .. } = selected;
    let manifest = Manifest { about, made_at: request.made_at, entries };
    Ok(Bundle { manifest, checkpoint: text, consistency, registrar, tip, records, completeness })
}

/// The checkpoint under which a bundle is made that must cover this entry: the newest that witnesses have cosigned, if it does, or
/// else the newest.
fn checkpoint_over(
    held: &impl Held,
    newest: &SignedCheckpoint,
    covered: LeafIndex,
) -> Result<SignedCheckpoint, MakeBundleError> {
    let file = layout::cosigned();
    let read = read_if_there(&held.log().root().join(&file))
        .map_err(|source| OpenLedgerError::Io { file: file.display().to_string(), source })?;
    let Some(cosigned) = read.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok()) else {
        return Ok(newest.clone());
    };
    let registry = held.registry();
    let (keys, body) = (registry.ledger_keys(), cosigned.checkpoint());
    let is_ours = cosigned.verify(&keys.origin, &keys.verifier_keys).is_ok()
        && body.size() <= newest.checkpoint().size()
        && body.size().contains(covered)
        && prove::root(held.log(), body.size())? == body.root();
    Ok(if is_ours { cosigned } else { newest.clone() })
}

/// A bundle being made under a checkpoint of this size.
struct Making<'h, H> {
    held: &'h H,
    size: TreeSize,
}

impl<H: Held> Making<'_, H> {
    /// The entry's proof, without the checkpoint.
    fn proof(&self, entry: &Entry) -> Result<String, MakeBundleError> {
        let proof = prove::inclusion(self.held.log(), entry.index, self.size)?;
        Ok(Proof { extra: Some(entry.to_bytes()), index: entry.index, path: proof.path }.to_string())
    }

    fn tip(&self) -> Result<String, MakeBundleError> {
        let tip = LeafIndex(self.size.0.saturating_sub(1));
        let (entry, _) = self.held.entry_and_vault(tip)?;
        self.proof(&entry)
    }

    fn consistency(&self, known: &[TreeSize]) -> Result<Vec<String>, MakeBundleError> {
        let text = |known: &TreeSize| {
            if *known > self.size {
                return Err(MakeBundleError::KnownAhead { known: *known, size: self.size });
            }
            let proof = prove::consistency(self.held.log(), *known, self.size)?;
            Ok(consistency_text(proof.from, &proof.path))
        };
        known.iter().map(text).collect()
    }

    fn registrar(&self, indexes: &[LeafIndex]) -> Result<Vec<StatedRecord>, MakeBundleError> {
        let mut records = Vec::with_capacity(indexes.len());
        self.held.each_record(indexes, |entry, vault| {
            let index = entry.index;
            let (record, _) = VaultRecord::decode(&vault, &entry.leaf_hash())
                .map_err(|source| OpenLedgerError::Vault { index, source })?;
            let text = match record.statement {
                StatementBlob::Open(bytes) if Hash::of(&bytes) == entry.statement => {
                    String::from_utf8(bytes).ok()
                }
                _ => None,
            };
            let statement = text.ok_or(OpenLedgerError::Statement { index, source: None })?;
            let proof = self.proof(&entry)?;
            records.push(StatedRecord { proof, statement, disclosures: Vec::new(), left_out: Vec::new() });
            Ok(())
        })?;
        Ok(records)
    }

    fn records(
        &self,
        request: &BundleRequest,
        selected: &Selected,
        mut budget: Budget,
    ) -> Result<Vec<BundleRecord>, MakeBundleError> {
        let is_child = matches!(request.selection, Selection::Child(_));
        let subjects = is_child.then(|| selected.subjects.iter().map(|one| one.id).collect());
        let disclosing = Disclosing { withhold: &request.withhold, subjects };
        let mut records: Vec<BundleRecord> = Vec::new();
        self.held.each_record(&selected.records, |entry, vault| {
            let index = entry.index;
            let texts = self.held.texts(&entry, &vault)?;
            let record = disclosing
                .record(self.proof(&entry)?, texts)
                .map_err(|source| OpenLedgerError::Statement { index, source: Some(source) })?;
            budget.record(&record).map_err(|Exceeded| MakeBundleError::TooLarge {
                fits: records.len(),
                of: selected.records.len(),
                last_fitting: records.len().checked_sub(1).map(|last| selected.records[last]),
                is_range: matches!(request.selection, Selection::Entries { .. }),
            })?;
            records.push(record);
            Ok(())
        })?;
        Ok(records)
    }
}
