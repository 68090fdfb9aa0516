use gt_core::TreeSize;
use gt_core::fork::ForkEvidence;
use gt_core::prove;
use gt_core::verify::Pin;

use super::error::LogFault;
use super::head::Head;
use super::relation::{Relation, Side, relation};
use super::tiles::{Tiles, fault_of};
use crate::audit::LogSource;

/// How two logs stand to each other.
#[derive(Debug)]
pub struct Comparison {
    /// The origin of both.
    pub origin: String,
    /// How many entries each has.
    pub sizes: [TreeSize; 2],
    /// The one that goes on where the other ends, if they are of one history and not equal.
    pub ahead: Option<Side>,
    /// What proves that they are of two histories.
    pub fork: Option<Box<ForkEvidence>>,
}

/// Why two logs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// They are of two ledgers.
    #[error("they are of two ledgers: {first:?} and {second:?}")]
    OtherOrigin {
        /// The origin of the first.
        first: String,
        /// The origin of the second.
        second: String,
    },
    /// One of them does not hold.
    #[error("{fault}")]
    Log {
        /// Which.
        side: Side,
        /// What is wrong with it.
        #[source]
        fault: LogFault,
    },
}

/// Compares two logs by their signed heads and the tiles that lead to them. That the entries are those of the tiles is
/// [`crate::audit::check_log`]'s to say.
pub fn compare(
    first: &dyn LogSource,
    second: &dyn LogSource,
    pin: Option<&Pin>,
) -> Result<Comparison, CompareError> {
    let head = |source, side| {
        let head = Head::read(source, pin).and_then(|head| has_its_root(&head).map(|()| head));
        head.map_err(|fault| CompareError::Log { side, fault })
    };
    let (first, second) = (head(first, Side::First)?, head(second, Side::Second)?);
    let (one, other) = (first.checkpoint(), second.checkpoint());
    if one.origin() != other.origin() {
        let (first, second) = (one.origin().to_owned(), other.origin().to_owned());
        return Err(CompareError::OtherOrigin { first, second });
    }
    let related = relation(&first, &second).map_err(|(side, fault)| CompareError::Log { side, fault })?;
    let (ahead, fork) = match related {
        Relation::Same => (None, None),
        Relation::Ahead(side) => (Some(side), None),
        Relation::Fork(evidence) => (None, Some(evidence)),
    };
    Ok(Comparison { origin: one.origin().to_owned(), sizes: [one.size(), other.size()], ahead, fork })
}

/// Checks that a log's tiles lead to its head.
pub(super) fn has_its_root(head: &Head<'_>) -> Result<(), LogFault> {
    let (size, stated) = (head.checkpoint().size(), head.checkpoint().root());
    let found = prove::root(&Tiles { source: head.source, size }, size);
    let found = found.map_err(|error| fault_of(error, size))?;
    if found == stated { Ok(()) } else { Err(LogFault::OtherRoot { size, found, stated }) }
}
