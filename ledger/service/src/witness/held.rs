use std::collections::VecDeque;
use std::time::Instant;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::prove;
use gt_core::receipt::Receipt;

use crate::log::LogReader;
use crate::refusal::Refusal;
use crate::sealer::{Answering, Sealed};

/// How many receipts may wait. What is sealed beyond is answered with [`Refusal::NotWitnessed`] at once.
const MAX_HELD: usize = 20_000;

/// A statement that is sealed, and whose receipt waits for witnesses.
pub(super) struct Held {
    pub(super) sealed: Sealed,
    pub(super) answering: Answering,
    pub(super) until: Instant,
}

/// Receipts that wait, in the order of their answers.
#[derive(Default)]
pub(super) struct HeldReceipts(VecDeque<Held>);

impl HeldReceipts {
    /// Answers at once if this checkpoint, the newest that met the quorum, covers it. Otherwise it waits.
    pub(super) fn add(&mut self, held: Held, log: &LogReader, cosigned: Option<&SignedCheckpoint>) {
        let covers = |signed: &&SignedCheckpoint| signed.checkpoint().size().contains(held.sealed.index);
        match cosigned.filter(covers) {
            Some(cosigned) => (held.answering)(under(log, held.sealed, cosigned)),
            None if self.0.len() == MAX_HELD => (held.answering)(Err(Refusal::NotWitnessed)),
            None => self.0.push_back(held),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// When the first one has waited long enough. All wait equally long, so that is the oldest.
    pub(super) fn first_end(&self) -> Option<Instant> {
        self.0.front().map(|held| held.until)
    }

    /// Answers whatever this checkpoint covers, with receipts under it.
    pub(super) fn release(&mut self, log: &LogReader, cosigned: &SignedCheckpoint) {
        let size = cosigned.checkpoint().size();
        for held in std::mem::take(&mut self.0) {
            if size.contains(held.sealed.index) {
                (held.answering)(under(log, held.sealed, cosigned));
            } else {
                self.0.push_back(held);
            }
        }
    }

    /// Gives up on what has waited long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.first_end().is_some_and(|end| end <= now)
            && let Some(held) = self.0.pop_front()
        {
            (held.answering)(Err(Refusal::NotWitnessed));
        }
    }

    /// Answers everything with a refusal.
    pub(super) fn refuse(&mut self, refusal: fn() -> Refusal) {
        for held in self.0.drain(..) {
            (held.answering)(Err(refusal()));
        }
    }
}

/// The receipt under another checkpoint.
fn under(log: &LogReader, sealed: Sealed, cosigned: &SignedCheckpoint) -> Result<Sealed, Refusal> {
    let (index, size) = (sealed.index, cosigned.checkpoint().size());
    let proof = prove::inclusion(log, index, size).map_err(|error| {
        tracing::error!(%error, %index, "an entry cannot be proven");
        Refusal::Unreadable
    })?;
    let receipt =
        Receipt { extra: sealed.receipt.extra, index, path: proof.path, checkpoint: cosigned.clone() };
    Ok(Sealed { receipt, ..sealed })
}
