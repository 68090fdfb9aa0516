//! Checkpoints, proofs and bundles of a world.

use gt_core::bundle::{About, Bundle, BundleRecord, LeftOut, Manifest, StatedRecord, SubjectLinks, Why};
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::link::LinkOpening;
use gt_core::proof::consistency_text;
use gt_core::prove::{self, MemoryTiles};
use gt_core::receipt::Proof;
use gt_core::statement::{Disclosure, Pseudonym};
use gt_core::time::Timestamp;
use gt_core::tree::leaf_hash;
use gt_core::{LeafIndex, TreeSize};

use super::world::{NOTE, Show, World, at, link_key, ml_dsa_signer, witnesses};
use crate::ledger::{ORIGIN, SIGNED_AT, note_signer};

impl World {
    fn tiles(&self, size: u64) -> MemoryTiles {
        let mut tiles = MemoryTiles::new();
        self.sealed.iter().take(at(size)).for_each(|sealed| tiles.push(leaf_hash(&sealed.bytes)));
        tiles
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = prove::root(&self.tiles(size), TreeSize(size)).expect("in memory");
        Checkpoint::new(ORIGIN, TreeSize(size), root).expect("sound")
    }

    /// The checkpoint signed by both keys of the ledger and cosigned by its witnesses.
    pub(crate) fn signed(&self, size: u64) -> SignedCheckpoint {
        let signers = [note_signer(NOTE), ml_dsa_signer()];
        let signed = SignedCheckpoint::sign(self.checkpoint(size), &signers.each_ref()).expect("sound");
        let at = u64::try_from(SIGNED_AT).expect("after 1970") + 3600;
        let mut note = signed.note().clone();
        for witness in witnesses() {
            let cosignature = note.cosign(&witness, at).expect("a checkpoint");
            note = note.with_signature(cosignature).expect("room");
        }
        SignedCheckpoint::from_note(note).expect("a checkpoint")
    }

    pub(crate) fn proof(&self, index: u64, size: u64) -> String {
        let tiles = self.tiles(size);
        let path = prove::inclusion(&tiles, LeafIndex(index), TreeSize(size)).expect("in memory").path;
        let extra = Some(self.sealed[at(index)].bytes.clone());
        Proof { extra, index: LeafIndex(index), path }.to_string()
    }

    pub(crate) fn consistency(&self, from: u64, to: u64) -> String {
        let proof = prove::consistency(&self.tiles(to), TreeSize(from), TreeSize(to)).expect("in memory");
        consistency_text(proof.from, &proof.path)
    }

    pub(crate) fn record(&self, index: u64, size: u64, show: &Show) -> BundleRecord {
        let (proof, sealed) = (self.proof(index, size), &self.sealed[at(index)]);
        let hidden: &[(&str, Why)] = match show {
            Show::Absent(why) => return BundleRecord::Absent { proof, why: *why },
            Show::Without(hidden) => hidden,
            Show::Whole | Show::WithKept => &[],
        };
        let (mut disclosures, mut left_out) = (Vec::new(), Vec::new());
        for (member, text) in &sealed.sent {
            match hidden.iter().find(|(name, _)| name == member) {
                Some((_, why)) => {
                    left_out.push(LeftOut { digest: Disclosure::digest_of(text), why: *why });
                }
                None => disclosures.push(text.clone()),
            }
        }
        if matches!(show, Show::WithKept) {
            disclosures.extend(sealed.kept.iter().map(|(_, text)| text.clone()));
        }
        BundleRecord::Stated(StatedRecord {
            proof,
            statement: sealed.statement.clone(),
            disclosures,
            left_out,
        })
    }

    /// A subject's links under the checkpoint of this size.
    pub(crate) fn links(&self, subject: &Pseudonym, size: u64) -> SubjectLinks {
        let key = link_key(subject.as_str());
        let entries = self.owned.get(subject.as_str()).map_or(&[][..], Vec::as_slice);
        let links: Vec<LinkOpening> = (0..)
            .zip(entries.iter().filter(|index| **index < size))
            .map(|(n, index)| LinkOpening {
                n,
                name: key.name(n),
                blinding: key.blinding(n),
                index: LeafIndex(*index),
            })
            .collect();
        let next = key.name(links.len() as u64);
        SubjectLinks { subject: subject.clone(), links, next }
    }

    /// A bundle under the checkpoint of this size.
    pub(crate) fn bundle(&self, about: About, size: u64, records: &[(u64, Show)]) -> Bundle {
        let subjects = match &about {
            About::Child { subjects } => subjects.clone(),
            _ => Vec::new(),
        };
        let registrar = self.registrar.iter().filter(|index| **index < size);
        let stated = |index: &u64| match self.record(*index, size, &Show::Whole) {
            BundleRecord::Stated(record) => record,
            BundleRecord::Absent { .. } => unreachable!("it was shown whole"),
        };
        Bundle {
            manifest: Manifest {
                about,
                made_at: Timestamp::from_millis((SIGNED_AT + 7200) * 1000).expect("in range"),
                entries: records.iter().map(|(index, _)| LeafIndex(*index)).collect(),
            },
            checkpoint: self.signed(size).to_string(),
            consistency: [7, 16]
                .into_iter()
                .filter(|from| *from < size)
                .map(|from| self.consistency(from, size))
                .collect(),
            registrar: registrar.map(stated).collect(),
            tip: self.proof(size - 1, size),
            records: records.iter().map(|(index, show)| self.record(*index, size, show)).collect(),
            completeness: subjects.iter().map(|subject| self.links(subject, size)).collect(),
        }
    }
}
