//! Snapshots of the sealer's state, so that a start reads the end of the log and not all of it.
//!
//! A snapshot can make a start faster; it cannot make the state truer. It is believed only if it opens under a key that is derived
//! from the key-encryption key, covers no more than the checkpoint, the log's tiles have its root at its size, and the keyring has the
//! owners that it counts. The registry is not in it: that is folded from the registrar's statements. Whatever is wrong, the log says so,
//! and the state is made from the whole log.

mod form;
mod load;
mod write;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use gt_core::TreeSize;

use crate::disk::Disk;
use crate::index::{BlockFile, BlockName, Index, Planned, StateKey, Stored};
use crate::keyring::{KeyEncryptionKey, Keyring};
use crate::log::LogReader;
use crate::state::{State, StateError};
pub(crate) use load::Unchecked;
use load::{Loaded, check};
use write::Writer;

/// The form of snapshots that this version writes and reads.
const VERSION: u8 = 1;

/// What a snapshot is bound to.
const PLACE: &[u8] = b"gt/state-snapshot/1\0";

/// After how many entries another snapshot is written: a start after a kill reads this many and one batch, in about half a second.
pub(crate) const INTERVAL: u64 = 32_768;

/// How many entries a state that is made from the whole log reads before it writes what it has of the index.
const FLUSH: u64 = 65_536;

/// Writes snapshots of the state that the sealer's thread has.
pub(crate) struct Snapshots {
    index: Arc<Index>,
    key: Arc<StateKey>,
    log: Arc<LogReader>,
    disk: Disk,
    /// `None` while a thread writes.
    writer: Option<Writer>,
    writing: Option<Writing>,
    /// The size that the latest durable snapshot covers.
    taken: TreeSize,
    /// The size at which one was begun last, whatever became of it.
    begun: TreeSize,
    /// The index was found damaged, and the next start is to make it anew.
    given_up: bool,
    /// The key-encryption key was renewed, and none was begun since: on a stream that is before the entry of the erasure is in the folder.
    owed: bool,
}

/// How the state was made when a ledger was opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateStart {
    /// How many entries a snapshot covered, which were not read again; 0 if the whole log was read.
    pub from: TreeSize,
    /// Why a snapshot that was there was not used.
    pub fault: Option<String>,
}

/// The state of a folder, and who keeps it.
pub(crate) struct Begun {
    pub(crate) state: State,
    pub(crate) index: Arc<Index>,
    pub(crate) snapshots: Snapshots,
    pub(crate) start: StateStart,
}

struct Writing {
    thread: JoinHandle<(Writer, io::Result<BlockFile>)>,
    blocks: Vec<(BlockName, Stored)>,
    size: TreeSize,
}

/// The state of a folder: from its snapshot and what the log has beyond it, or else from the whole log.
pub(crate) fn open(
    unchecked: Unchecked,
    log: &Arc<LogReader>,
    keyring: &Keyring,
    disk: Disk,
) -> Result<Begun, StateError> {
    let key = Arc::clone(unchecked.key());
    let anew = disk.another();
    let fault = match check(unchecked, log, keyring) {
        Ok(None) => None,
        Ok(Some(loaded)) => {
            let Loaded { mut state, index, frontier, generation, end } = loaded;
            let size = state.size();
            match state.catch_up(frontier, log, keyring, |_| ()) {
                Ok(()) => {
                    state.follows_no_more();
                    let writer = Writer::going_on(disk, generation, end);
                    let mut snapshots = Snapshots::new(log, &index, Arc::clone(&key), writer, size);
                    if state.size().0 - size.0 >= INTERVAL / 2 {
                        // Nobody waits for it.
                        snapshots.begin(&mut state);
                    }
                    return Ok(Begun {
                        state,
                        index,
                        snapshots,
                        start: StateStart { from: size, fault: None },
                    });
                }
                Err(error) => Some(format!("what the log has beyond it does not follow from it: {error}")),
            }
        }
        Err(fault) => Some(fault.to_string()),
    };
    if let Some(fault) = &fault {
        tracing::warn!(
            %fault,
            "the snapshot of the ledger's state is not used; the state is made from the whole log, which takes longer and comes to the same"
        );
    }
    let index = Arc::new(Index::default());
    let mut snapshots = Snapshots::new(log, &index, key, Writer::anew(anew), TreeSize(0));
    let mut flushed = 0;
    let mut state = State::rebuild(log, keyring, Arc::clone(&index), |state| {
        if state.size().0 - flushed >= FLUSH {
            flushed = state.size().0;
            snapshots.flush(state);
        }
    })?;
    state.follows_no_more();
    snapshots.take_now(&mut state);
    if snapshots.taken == TreeSize(0) {
        // An erasure that was interrupted may be completed next, and what it ends is in what was there, which cannot be used anyway.
        snapshots.remove_everything();
    }
    Ok(Begun { state, index, snapshots, start: StateStart { from: TreeSize(0), fault } })
}

impl Snapshots {
    fn new(
        log: &Arc<LogReader>,
        index: &Arc<Index>,
        key: Arc<StateKey>,
        writer: Writer,
        taken: TreeSize,
    ) -> Self {
        let (log, index, disk) = (Arc::clone(log), Arc::clone(index), writer.disk());
        let writer = Some(writer);
        Self {
            index,
            key,
            log,
            disk,
            writer,
            writing: None,
            taken,
            begun: taken,
            given_up: false,
            owed: false,
        }
    }

    /// Takes what a thread has written, between two pieces of the sealer's work, and says whether another snapshot is due.
    pub(crate) fn is_due(&mut self, state: &mut State) -> bool {
        if self.writing.as_ref().is_some_and(|writing| writing.thread.is_finished()) {
            self.wait(state);
        }
        let since = state.size().0.saturating_sub(self.begun.0);
        (self.owed || since >= INTERVAL) && !self.gives_up() && self.writing.is_none()
    }

    /// Writes what the state is by now, and waits for it.
    pub(crate) fn close(&mut self, state: &mut State) {
        self.wait(state);
        if !self.gives_up() && state.size() > self.taken {
            self.take_now(state);
        }
    }

    /// The key-encryption key was renewed: writes everything anew under the new one, without what was erased. What was written before
    /// opens under the old one alone.
    pub(crate) fn renew(&mut self, kek: &KeyEncryptionKey, state: &mut State) {
        self.wait(state);
        let key = StateKey::of(kek);
        if key.is(&self.key) {
            // By this start, or by a process that was killed before it could remove what was there before.
            if let Some(writer) = &mut self.writer {
                writer.remove_older_blocks();
            }
            return;
        }
        self.key = Arc::new(key);
        (self.taken, self.owed) = (TreeSize(0), true);
        self.take_now(state);
        if self.taken == TreeSize(0) {
            self.remove_everything();
        }
    }

    /// What was erased is in what was written before, for who has a copy of the key that was in force.
    fn remove_everything(&mut self) {
        let writer = self.writer.get_or_insert_with(|| Writer::anew(self.disk.another()));
        writer.remove_everything();
        // Blocks may have been written or moved already. They are in no file now that has a name, and have to be moved again.
        self.key = Arc::new(self.key.again());
    }

    fn take_now(&mut self, state: &mut State) {
        if self.gives_up() {
            return;
        }
        self.begin(state);
        self.wait(state);
    }

    /// Writes what is complete of the index, so that it need not be held in memory.
    fn flush(&mut self, state: &mut State) {
        let Some(writer) = &mut self.writer else { return };
        let planned = self.index.plan(state.size(), &state.chains, writer.end());
        match writer.write(&self.key, &planned, None) {
            Ok(file) => self.written(file, blocks(&planned), state),
            Err(error) => complain(&error),
        }
    }

    /// Has a thread write a snapshot of a state of which everything is durable.
    pub(crate) fn begin(&mut self, state: &mut State) {
        let (size, began) = (state.size(), Instant::now());
        let published = self.log.published();
        let head = published.checkpoint.checkpoint();
        // A state that is not the published log's is none that a start can have.
        if head.size() != size {
            return;
        }
        (self.begun, self.owed) = (size, false);
        if !self.is_under_key() && !self.move_blocks() {
            return;
        }
        let Some(mut writer) = self.writer.take() else { return };
        let planned = self.index.plan(size, &state.chains, writer.end());
        let end = planned.last().map_or(writer.end(), |block| block.stored.at + u64::from(block.stored.len));
        let place = (writer.generation(), end);
        let snapshot = form::encode(state, head.root(), place, &self.index, &planned);
        let (key, blocks) = (Arc::clone(&self.key), blocks(&planned));
        let write = move || {
            let written = writer.write(&key, &planned, Some(snapshot));
            (writer, written)
        };
        match std::thread::Builder::new().name("gt-snapshot".into()).spawn(write) {
            Ok(thread) => {
                self.writing = Some(Writing { thread, blocks, size });
                tracing::debug!(%size, held = ?began.elapsed(), "a snapshot is being written");
            }
            Err(error) => {
                complain(&error);
                self.given_up = true;
            }
        }
    }

    fn wait(&mut self, state: &mut State) {
        let Some(Writing { thread, blocks, size }) = self.writing.take() else { return };
        // A panic of the thread has been reported by the panic hook; no more snapshots are written.
        let Ok((writer, written)) = thread.join() else {
            self.given_up = true;
            return;
        };
        self.writer = Some(writer);
        match written {
            Ok(file) => {
                self.written(file, blocks, state);
                self.taken = size;
            }
            Err(error) => complain(&error),
        }
    }

    fn written(&self, file: BlockFile, blocks: Vec<(BlockName, Stored)>, state: &mut State) {
        self.index.written(file, blocks);
        state.lighten();
    }

    fn is_under_key(&self) -> bool {
        self.index.file().is_none_or(|file| file.is_under(&self.key))
    }

    /// Writes the blocks that there are to a new file, under the key in force.
    fn move_blocks(&mut self) -> bool {
        let Some(writer) = &mut self.writer else { return false };
        match writer.move_blocks(&self.key, &self.index) {
            Ok((file, blocks)) => {
                self.index.moved(file, blocks);
                true
            }
            Err(error) => {
                complain(&io::Error::other(error));
                writer.remove_snapshot();
                false
            }
        }
    }

    /// Once the index is damaged, the snapshot is removed, so that the next start makes both anew.
    fn gives_up(&mut self) -> bool {
        if self.index.is_damaged() && !self.given_up {
            self.given_up = true;
            tracing::error!(
                "the index in state/ is damaged, and some entries cannot be read until the ledger is started again, which makes it anew from the log"
            );
            if let Some(writer) = &mut self.writer {
                writer.remove_snapshot();
            }
        }
        self.given_up
    }
}

/// The folder is not let go while something is written to it.
impl Drop for Snapshots {
    fn drop(&mut self) {
        if let Some(writing) = self.writing.take() {
            let _ = writing.thread.join();
        }
    }
}

fn blocks(planned: &[Planned]) -> Vec<(BlockName, Stored)> {
    planned.iter().map(|block| (block.name, block.stored)).collect()
}

fn complain(error: &io::Error) {
    tracing::warn!(
        %error,
        "no snapshot of the ledger's state could be written to state/: sealing goes on, and the next start takes longer"
    );
}
