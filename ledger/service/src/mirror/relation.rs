use gt_core::fork::{Beginning, ForkEvidence};
use gt_core::{TreeSize, prove};

use super::error::LogFault;
use super::head::Head;
use super::tiles::{Tiles, fault_of};

/// One of two logs that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that was given first: the mirror, if a log is copied.
    First,
    /// The other one.
    Second,
}

/// How two logs of one origin stand to each other.
pub(super) enum Relation {
    /// The same size and root.
    Same,
    /// This one goes on where the other ends.
    Ahead(Side),
    /// No log has both heads.
    Fork(Box<ForkEvidence>),
}

/// Says how two logs stand to each other, from their heads and, of the larger one, the tiles at its edge. A fault is said of the log
/// whose tiles do not lead to its own head, which would make evidence of nothing.
pub(super) fn relation(first: &Head<'_>, second: &Head<'_>) -> Result<Relation, (Side, LogFault)> {
    let (first_size, second_size) = (first.checkpoint().size(), second.checkpoint().size());
    let (small, large, side) =
        if first_size <= second_size { (first, second, Side::Second) } else { (second, first, Side::First) };
    let (one, other) = (small.checkpoint(), large.checkpoint());
    if first_size == second_size {
        if one.root() == other.root() {
            return Ok(Relation::Same);
        }
        let (first, second) = (small.signed.clone(), large.signed.clone());
        return Ok(Relation::Fork(Box::new(ForkEvidence { first, second, beginning: None })));
    }
    let beginning = beginning(large, one.size()).map_err(|fault| (side, fault))?;
    if beginning.root == one.root() {
        return Ok(Relation::Ahead(side));
    }
    let (first, second) = (small.signed.clone(), large.signed.clone());
    Ok(Relation::Fork(Box::new(ForkEvidence { first, second, beginning: Some(beginning) })))
}

/// How a log stood at a smaller size, with the proof.
fn beginning(log: &Head<'_>, at: TreeSize) -> Result<Beginning, LogFault> {
    let size = log.checkpoint().size();
    let tiles = Tiles { source: log.source, size };
    let root = prove::root(&tiles, at).map_err(|error| fault_of(error, size))?;
    let proof = prove::consistency(&tiles, at, size).map_err(|error| fault_of(error, size))?;
    match proof.verify(&root, &log.checkpoint().root()) {
        Ok(()) => Ok(Beginning { root, proof }),
        Err(_) => Err(LogFault::NotOneTree { size }),
    }
}
