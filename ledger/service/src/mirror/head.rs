use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::tile::{HASH_LEN, row_extent};
use gt_core::verify::Pin;

use super::error::LogFault;
use crate::audit::LogSource;

/// A log with its signed head.
pub(super) struct Head<'a> {
    pub(super) source: &'a dyn LogSource,
    pub(super) signed: SignedCheckpoint,
}

impl<'a> Head<'a> {
    /// Reads a log's checkpoint and holds it, and entry 0, against what is pinned.
    pub(super) fn read(source: &'a dyn LogSource, pin: Option<&Pin>) -> Result<Self, LogFault> {
        let part = source.checkpoint()?;
        let place = part.place;
        let signed = match SignedCheckpoint::parse(&part.bytes) {
            Ok(signed) => signed,
            Err(source) => return Err(LogFault::Checkpoint { place, source }),
        };
        let head = Self { source, signed };
        if let Some(pin) = pin {
            let verified = head.signed.verify(&pin.origin, &pin.verifier_keys);
            verified.map_err(|source| LogFault::NotPinned { place: place.clone(), source }).map(drop)?;
        }
        if head.checkpoint().size().0 == 0 {
            return Err(LogFault::Empty { place });
        }
        if let Some(pin) = pin {
            head.begins_as_pinned(pin)?;
        }
        Ok(head)
    }

    pub(super) const fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// Compares the first hash of the first tile, which the root covers, with the pinned hash of entry 0.
    fn begins_as_pinned(&self, pin: &Pin) -> Result<(), LogFault> {
        let Some(genesis) = pin.genesis else { return Ok(()) };
        let width = row_extent(self.checkpoint().size(), 0).width_of(0);
        let tile = self.source.tile(0, 0, width)?;
        if tile.bytes.get(..HASH_LEN) == Some(genesis.as_bytes().as_slice()) {
            Ok(())
        } else {
            Err(LogFault::OtherGenesis { place: tile.place })
        }
    }
}
