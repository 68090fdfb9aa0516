//! Sealing on the stream. A batch is decided and chained while the one before it, which the stream has, is written to the folder and
//! answered. It is published only then, since it carries the checkpoint of what it rests on; so what comes to nothing is one batch.

use gt_core::time::Timestamp;

use super::Checked;
use super::answer::Answers;
use super::batch::{Home, SealError, Sealer, Sorted};
use super::chaining::Chained;
use super::commit::{CommitError, CommitPort};
use super::times::{Laps, Stage};
use super::writing::{Job, Writing};

impl Sealer {
    /// Commits a batch to the stream, and hands it to the writing thread: in the folder it is the next time that [`Self::come_home`] has
    /// returned.
    pub(super) fn seal_on_stream(
        &mut self,
        batch: Vec<Checked>,
        writer: &Writing,
        laps: &mut Laps,
    ) -> Result<(), SealError> {
        let now = self.watch.received_at()?;
        let before = self.state.size();
        self.state.begin();
        let mut sorted = self.sort(batch, now);
        laps.end(Stage::Admit);
        let done = self.publish_sorted(&mut sorted, now, writer, laps);
        let mut answers = Answers::from(sorted);
        let chained = match done {
            Ok(chained) => {
                self.state.keep();
                chained
            }
            Err(SealError::Commit(error)) if error.is_nothing_committed() => {
                self.state.roll_back();
                tracing::warn!(%error, "a batch was not committed");
                answers.are_unsealed(before, &error);
                // The batch before makes this node the one that seals as it becomes durable, so that comes first.
                self.come_home(Some(writer)).inspect_err(|_| self.shared.set_stopped())?;
                self.shared.set_active(false);
                None
            }
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                self.shared.set_stopped();
                return Err(error);
            }
        };
        let handed_over = self.hand_over(chained, answers, false, writer);
        laps.end(Stage::AwaitWriter);
        handed_over.inspect_err(|_| self.shared.set_stopped())
    }

    /// Commits what was admitted to the stream. `None` if nothing was.
    fn publish_sorted(
        &mut self,
        sorted: &mut Sorted,
        now: Timestamp,
        writer: &Writing,
        laps: &mut Laps,
    ) -> Result<Option<Chained>, SealError> {
        if sorted.admitted.is_empty() {
            // A refusal that rests on an old state would be wrong.
            if !sorted.refused.is_empty() && !self.node()?.port.is_current()? {
                return Err(CommitError::Superseded.into());
            }
            return Ok(None);
        }
        let chained = self.chain(&mut sorted.admitted, now, laps)?;
        self.come_home(Some(writer))?;
        laps.end(Stage::AwaitWriter);
        self.node()?.port.commit_ahead(chained.entries())?;
        laps.end(Stage::Store);
        Ok(Some(chained))
    }

    /// Hands a batch to the writing thread, or, where nothing is to be sealed, only the answers, which go out in their turn.
    /// `again` has the newest checkpoint sent in any case.
    fn hand_over(
        &mut self,
        mut chained: Option<Chained>,
        answers: Answers,
        again: bool,
        writer: &Writing,
    ) -> Result<(), SealError> {
        let signer = self.signer.clone().ok_or(SealError::OnlyFollows)?;
        self.come_home(Some(writer))?;
        let port = &mut self.node()?.port;
        if let Some(chained) = &mut chained {
            chained.bring(port.take_keys());
        }
        let (folder, aftermath) = port.lend(again);
        writer.commit(folder, Job { chained, answers, signer, aftermath: Some(aftermath) })
    }

    /// Sends the newest checkpoint unless the stream of checkpoints is seen to have it. It goes out in its turn, behind the receipts; and
    /// from the node alone that sealed last, since others cannot know whether receipts went out.
    ///
    /// What is published while that stream has no leader is lost, and whoever follows would wait for it until the next batch: so this is
    /// done while nothing comes, too.
    pub(super) fn announce_newest(&mut self, writer: Option<&Writing>) -> Result<(), SealError> {
        let Home::JetStream(node) = &self.home else { return Ok(()) };
        if !self.shared.is_active() || !node.port.is_unannounced() {
            return Ok(());
        }
        if let Some(writer) = writer {
            return self.hand_over(None, Answers::new(Vec::new(), Vec::new()), true, writer);
        }
        // This thread has given the receipts itself.
        node.port.announce_again();
        Ok(())
    }
}
