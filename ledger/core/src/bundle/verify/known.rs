//! Step 10: whether the bundle's checkpoint belongs to the same history as one that is trusted.

use super::finding::{Findings, Whom};
use super::log::Walk;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::position::TreeSize;
use crate::proof::ConsistencyProof;
use crate::proof::parse_consistency;

const PLACE: &str = "/consistency";

/// What the comparison comes to.
enum Compared {
    Agrees,
    Contradicted,
    Not,
}

pub(super) fn check(
    texts: &[String],
    head: &Checkpoint,
    known: Option<&Checkpoint>,
    walk: &Walk<'_>,
    findings: &mut Findings,
) {
    let mut proofs = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        match parse_consistency(text) {
            Some(proof) => proofs.push(proof),
            None => findings.fault("consistency_malformed", format!("{PLACE}/{position}"), Whom::Bundle),
        }
    }
    let Some(known) = known else { return };
    if known.origin() != head.origin() {
        findings.fault("known_other_origin", PLACE, Whom::Bundle);
        return;
    }
    match compare(proofs, head, known, walk) {
        Compared::Agrees => {}
        Compared::Contradicted => findings.fault("known_contradicted", PLACE, Whom::Bundle),
        Compared::Not => findings.unknown("known_not_compared", PLACE, Whom::Bundle),
    }
}

fn compare(
    proofs: Vec<(TreeSize, Vec<Hash>)>,
    head: &Checkpoint,
    known: &Checkpoint,
    walk: &Walk<'_>,
) -> Compared {
    let told = |agrees| if agrees { Compared::Agrees } else { Compared::Contradicted };
    let (from, to) = (known.size(), head.size());
    if from == to {
        return told(known.root() == head.root());
    }
    if from.0 == 0 {
        return Compared::Agrees;
    }
    if let Some(root) = walk.root_at_known() {
        return told(root == known.root());
    }
    if from > to {
        return Compared::Not;
    }
    let Some((_, path)) = proofs.into_iter().find(|(size, _)| *size == from) else {
        return Compared::Not;
    };
    let proof = ConsistencyProof { from, to, path };
    told(proof.verify(&known.root(), &head.root()).is_ok())
}
