//! What follows once a batch that the stream has is in the folder.

use bytes::Bytes;
use gt_core::checkpoint::SignedCheckpoint;
use tokio::sync::mpsc::UnboundedSender;

use super::names::CHECKPOINT_SUBJECT;
use super::node::Outgoing;
use super::position::Position;
use crate::disk::Disk;

/// What is to be done after a batch that the stream has is in the folder.
pub(crate) struct Aftermath {
    pub(super) position: Position,
    pub(super) announces: bool,
    pub(super) outgoing: UnboundedSender<Outgoing>,
}

impl Aftermath {
    /// What to tell the others once the batch is answered, if they need to be told.
    pub(crate) fn announcement(&self, checkpoint: &SignedCheckpoint) -> Option<Announcement> {
        let (outgoing, checkpoint) = (self.outgoing.clone(), checkpoint.clone());
        self.announces.then_some(Announcement { outgoing, checkpoint })
    }

    /// Writes down how far the folder is.
    pub(crate) fn note(&self, disk: &mut Disk) -> std::io::Result<()> {
        self.position.write(disk)
    }
}

/// A checkpoint for the broker.
pub(crate) struct Announcement {
    outgoing: UnboundedSender<Outgoing>,
    checkpoint: SignedCheckpoint,
}

impl Announcement {
    /// Sends it.
    pub(crate) fn send(self) {
        announce(&self.outgoing, &self.checkpoint);
    }
}

/// Sends a checkpoint after the receipts, on the same connection: who sees it knows that they have gone out.
pub(super) fn announce(outgoing: &UnboundedSender<Outgoing>, checkpoint: &SignedCheckpoint) {
    let payload = Bytes::from(checkpoint.to_string());
    // Nobody takes it once the node is closing; the next one to seal announces a newer one.
    let _ = outgoing.send(Outgoing::new(CHECKPOINT_SUBJECT, payload));
}
