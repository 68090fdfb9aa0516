use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use gt_core::checkpoint::{CheckpointError, LogSigner};
use gt_core::note::SignNoteError;
use gt_core::time::Timestamp;
use gt_core::{LeafIndex, TreeSize};

use super::admit::{Admission, admit};
use super::answer::{Answers, Due, DueWith};
use super::commit::{CommitError, CommitPort, Embedded};
use super::encipher::OwnerPlace;
use super::follow::{Contradiction, Node};
use super::times::{Laps, Stage};
use super::waiting::{CheckedQueue, Next, Waiting};
use super::writing::{Job, Writing};
use super::{Checked, StoppedByPanic, Ticket, Work};
use crate::clock::{ClockDrift, Watch};
use crate::erasure::{Custody, CustodyFault};
use crate::index::IndexError;
use crate::keyring::{KeyRecord, KeyringError, journal};
use crate::open_ledger::Shared;
use crate::refusal::Refusal;
use crate::snapshot::Snapshots;
use crate::state::State;
use crate::witness::WitnessContradiction;

/// From how many waiting statements on a batch is chained while the one before it is written. With fewer, more come in the meantime,
/// and are durable as soon.
const WORTH_CHAINING: usize = 128;

/// From how many bytes of new keys on a stop folds them into the shards.
const FOLD_AT_STOP: u64 = 4 << 20;

/// The half of the sealer that decides.
pub(crate) struct Sealer {
    pub(crate) state: State,
    pub(crate) home: Home,
    /// `None` on a node that only follows: it seals nothing.
    pub(crate) signer: Option<Arc<LogSigner>>,
    pub(crate) watch: Watch,
    pub(crate) shared: Arc<Shared>,
    /// What renewing the key-encryption key and erasing need.
    pub(crate) custody: Option<Custody>,
    pub(crate) snapshots: Snapshots,
}

/// Where batches are committed: one of the two homes that a ledger can have.
pub(crate) enum Home {
    /// The data folder alone.
    Embedded(Box<Embedded>),
    /// The stream that several nodes share, and each node's data folder after it.
    JetStream(Box<Node>),
    /// The data folder alone, and the writing thread has it.
    Away,
}

impl Home {
    pub(super) fn port(&mut self) -> Result<&mut dyn CommitPort, SealError> {
        match self {
            Self::Embedded(port) => Ok(port.as_mut()),
            Self::JetStream(node) => Ok(&mut node.port),
            Self::Away => Err(SealError::WritingStopped),
        }
    }

    /// Agrees with other sealers on new owners' keys, where there are any.
    pub(super) fn share_keys(&mut self, proposed: Vec<KeyRecord>) -> Result<Vec<KeyRecord>, CommitError> {
        match self {
            Self::JetStream(node) => node.port.share_keys(proposed),
            Self::Embedded(_) | Self::Away => Ok(proposed),
        }
    }
}

/// A statement that is being sealed.
pub(super) struct Admitted {
    pub(super) ticket: Ticket,
    pub(super) index: LeafIndex,
    pub(super) registry: u64,
    pub(super) owners: Vec<OwnerPlace>,
}

/// A batch, sorted by what is to be done with each statement.
#[derive(Default)]
struct Sorted {
    admitted: Vec<Admitted>,
    taken: Vec<Due>,
    refused: Vec<(Ticket, Refusal)>,
}

/// Why the sealer stops: it does not know what is durable, or may not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error(transparent)]
    Clock(#[from] ClockDrift),
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Sign(#[from] SignNoteError),
    #[error("the commit made a tree of {committed}, and {chained} entries were chained")]
    OtherSize { committed: TreeSize, chained: TreeSize },
    #[error("this node only follows")]
    OnlyFollows,
    #[error("what an erasure or a renewal of the key-encryption key has begun: {0}")]
    Custody(#[source] CustodyFault),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    #[error(transparent)]
    Witness(#[from] WitnessContradiction),
    #[error("what a witness has seen contradicts this folder")]
    Contradicted,
    /// It has said why.
    #[error("the writing thread has stopped")]
    WritingStopped,
}

impl SealError {
    /// Says why the sealer stops, where somebody looks for it.
    pub(super) fn report(&self, shared: &Shared) {
        tracing::error!(
            error = %self,
            "the sealer has stopped: nothing more is sealed here. Put right what is wrong, and start the ledger again"
        );
        if let (Self::Witness(contradiction), Some(witnesses)) = (self, shared.witnesses.get()) {
            witnesses.keep_evidence(shared, contradiction);
        }
    }
}

impl Sealer {
    /// Works until there is nothing more, or something goes wrong. Then it refuses everything: a sealer that does not know what is
    /// durable must not go on.
    pub(super) fn run(mut self, works: &Receiver<Work>, checked: CheckedQueue, writer: Option<Writing>) {
        let shared = Arc::clone(&self.shared);
        // In this order: whoever hears `Stopped` finds the sealer stopped.
        let mut waiting = Waiting::new(works, checked);
        let _guard = StoppedByPanic(&shared);
        let mut laps = Laps::start();
        while let Some(work) = waiting.next() {
            laps.end(Stage::AwaitBatch);
            let done = self.work(work, &mut waiting, writer.as_ref(), &mut laps);
            if let Err(error) = done.and_then(|()| self.take_snapshot(writer.as_ref())) {
                self.report_stop(error);
                shared.set_stopped();
                break;
            }
            shared.times_mut(|times| times.add(&laps.take()));
        }
        let home = self.come_home(writer.as_ref());
        // It answers what it has been given, and ends.
        drop(writer);
        // Dropping a ticket says that the sealer has stopped.
        drop(waiting);
        if home.is_ok() && !shared.is_stopped() {
            self.snapshots.close(&mut self.state);
            self.fold_new_keys();
        }
        works.iter().for_each(drop);
    }

    /// So that the next start need not open many keys one by one. It does, if this fails, and comes to the same.
    fn fold_new_keys(&mut self) {
        let shared = Arc::clone(&self.shared);
        let Ok(disk) = self.any_disk() else { return };
        if journal::len(disk) < FOLD_AT_STOP {
            return;
        }
        if let Err(error) = shared.keyring().fold_journal(disk) {
            tracing::warn!(%error, "new keys stay in keyring/journal, and the next start takes longer");
        }
    }

    fn work(
        &mut self,
        work: Next,
        waiting: &mut Waiting<'_>,
        writer: Option<&Writing>,
        laps: &mut Laps,
    ) -> Result<(), SealError> {
        match work {
            // The writing thread has failed, or a witness has contradicted the folder meanwhile.
            _ if self.shared.is_stopped() => self.come_home(writer).and(Err(SealError::Contradicted)),
            Next::Seal => self.seal_waiting(waiting, writer, laps),
            Next::Stream(news) => self.take(news),
            Next::Custody(work) => self.come_home(writer).and_then(|()| self.take_custody(work, laps)),
        }
    }

    fn take_snapshot(&mut self, writer: Option<&Writing>) -> Result<(), SealError> {
        if self.snapshots.is_due(&mut self.state) {
            // What is not durable yet is nothing that a start can have.
            self.come_home(writer)?;
            self.snapshots.begin(&mut self.state);
        }
        Ok(())
    }

    fn seal_waiting(
        &mut self,
        waiting: &mut Waiting<'_>,
        writer: Option<&Writing>,
        laps: &mut Laps,
    ) -> Result<(), SealError> {
        let Some(writer) = writer else { return self.seal(waiting.batch(), laps) };
        if waiting.checked() < WORTH_CHAINING {
            self.come_home(Some(writer))?;
            laps.end(Stage::AwaitWriter);
        }
        self.seal_ahead(waiting.batch(), writer, laps)
    }

    /// Waits until the writing thread is done, and has given the folder back.
    fn come_home(&mut self, writer: Option<&Writing>) -> Result<(), SealError> {
        if let (Home::Away, Some(writer)) = (&self.home, writer) {
            self.home = Home::Embedded(writer.finish()?);
        }
        Ok(())
    }

    /// Decides on a batch and chains it, while the one before it is written; then hands it to the writing thread.
    fn seal_ahead(
        &mut self,
        batch: Vec<Checked>,
        writer: &Writing,
        laps: &mut Laps,
    ) -> Result<(), SealError> {
        let signer = self.signer.clone().ok_or(SealError::OnlyFollows)?;
        let now = self.watch.received_at()?;
        let mut sorted = self.sort(batch, now);
        laps.end(Stage::Admit);
        let some = !sorted.admitted.is_empty();
        let chained = some.then(|| self.chain(&mut sorted.admitted, now, laps)).transpose();
        let away = chained.and_then(|chained| self.come_home(Some(writer)).map(|()| chained));
        laps.end(Stage::AwaitWriter);
        let handed_over = away.and_then(|chained| {
            let Home::Embedded(port) = std::mem::replace(&mut self.home, Home::Away) else {
                return Err(SealError::WritingStopped);
            };
            Ok((port, chained))
        });
        match handed_over {
            Ok((port, chained)) => writer.commit(port, Job { chained, answers: sorted.into(), signer }),
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                self.shared.set_stopped();
                Err(error)
            }
        }
    }

    /// Seals a batch, and returns once it is answered.
    pub(super) fn seal(&mut self, batch: Vec<Checked>, laps: &mut Laps) -> Result<(), SealError> {
        let (begun, now) = (Instant::now(), self.watch.received_at()?);
        let before = self.state.size();
        self.state.begin();
        let mut sorted = self.sort(batch, now);
        laps.end(Stage::Admit);
        // Counted by the time that anybody has a receipt.
        self.shared.times_mut(|times| times.batches += 1);
        match self.seal_sorted(&mut sorted, now, laps) {
            Ok(entries) => {
                self.state.keep();
                let mut answers = Answers::from(sorted);
                answers.are_sealed(entries);
                answers.give(&self.shared);
            }
            Err(SealError::Commit(error)) if error.is_nothing_committed() => {
                self.state.roll_back();
                tracing::warn!(%error, "a batch was not committed");
                Answers::from(sorted).are_unsealed(&self.shared, before, &error);
            }
            Err(error) => {
                // Said before the waiting tickets are dropped, so that whoever hears `Stopped` finds the sealer stopped.
                self.shared.set_stopped();
                return Err(error);
            }
        }
        laps.end(Stage::Answer);
        self.home.port()?.settle()?;
        laps.end(Stage::Settle);
        if let Home::JetStream(node) = &mut self.home {
            node.turns.give_way(begun);
        }
        Ok(())
    }

    fn sort(&mut self, batch: Vec<Checked>, now: Timestamp) -> Sorted {
        let mut sorted = Sorted::default();
        for checked in batch {
            match admit(&mut self.state, &checked, now) {
                Err(refusal) => sorted.refused.push((checked.ticket, refusal)),
                Ok(Admission::Taken(index)) => {
                    let what = DueWith::Taken(checked.signer);
                    sorted.taken.push(Due { ticket: checked.ticket, index, what });
                }
                Ok(Admission::Next) => sorted.admitted.push(self.place(checked.ticket)),
            }
        }
        sorted
    }

    /// Commits what was admitted, and returns its entries' bytes.
    fn seal_sorted(
        &mut self,
        sorted: &mut Sorted,
        now: Timestamp,
        laps: &mut Laps,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        if sorted.admitted.is_empty() {
            // A refusal that rests on an old state would be wrong.
            if !sorted.refused.is_empty() && !self.home.port()?.is_current()? {
                return Err(CommitError::Superseded.into());
            }
            return Ok(Vec::new());
        }
        let chained = self.chain(&mut sorted.admitted, now, laps)?;
        let signer = self.signer.as_ref().ok_or(SealError::OnlyFollows)?;
        chained.commit(self.home.port()?, signer, &self.shared, laps)
    }

    /// Gives a statement its place in its publisher's chain and in the log.
    pub(super) fn place(&mut self, ticket: Ticket) -> Admitted {
        let statement = &ticket.prepared.statement;
        let publisher = statement.payload().publisher;
        let index = self.state.predecessor.next_index;
        let registry = self.state.predecessor.registry;
        // The entry's own hash is not known yet; `chain` completes the predecessor.
        self.state.predecessor.next_index = LeafIndex(index.0 + 1);
        self.state.predecessor.registry += u64::from(publisher == self.state.registry.registrar_id());
        self.state.push(&publisher, index, statement.hash());
        Admitted { ticket, index, registry, owners: Vec::new() }
    }
}

impl From<Sorted> for Answers {
    /// What was admitted comes before what was sealed before it.
    fn from(sorted: Sorted) -> Self {
        let admitted = sorted.admitted.into_iter();
        let admitted =
            admitted.map(|one| Due { ticket: one.ticket, index: one.index, what: DueWith::Admitted });
        Self { refused: sorted.refused, due: admitted.chain(sorted.taken).collect() }
    }
}
