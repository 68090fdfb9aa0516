//! Sealing on the stream. A batch is decided and chained while the one before it, which the stream has, is written to the folder and
//! answered. It is published only then, since it carries the checkpoint of what it rests on; so what comes to nothing is one batch.

use gt_core::time::Timestamp;

use super::Checked;
use super::answer::Answers;
use super::batch::{SealError, Sealer, Sorted};
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
                self.shared.set_active(false);
                None
            }
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                self.shared.set_stopped();
                return Err(error);
            }
        };
        let handed_over = self.hand_over(chained, answers, writer);
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
    fn hand_over(
        &mut self,
        mut chained: Option<Chained>,
        answers: Answers,
        writer: &Writing,
    ) -> Result<(), SealError> {
        let signer = self.signer.clone().ok_or(SealError::OnlyFollows)?;
        self.come_home(Some(writer))?;
        let port = &mut self.node()?.port;
        let (folder, aftermath) = match &mut chained {
            Some(chained) => {
                let (folder, keys, aftermath) = port.lend();
                chained.bring(keys);
                (folder, Some(aftermath))
            }
            None => (port.lend_folder(), None),
        };
        writer.commit(folder, Job { chained, answers, signer, aftermath })
    }
}
