use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};

use gt_core::checkpoint::LogSigner;

use super::{Ledger, NodeHandle};
use crate::clock::{Clock, Watch};
use crate::erasure::Custody;
use crate::integrity::IntegrityLog;
use crate::open::{self, OpenLedgerError};
use crate::open_ledger::Shared;
use crate::sealer::{self, Embedded, Home, Sealer, Unfinished, Work};
use crate::snapshot::{Begun, Snapshots, StateStart};
use crate::state::State;
use crate::witness::{Rounds, Witnessing};

/// What opening a folder gave, put together but for where batches are committed.
pub(super) struct Parts {
    pub(super) local: Embedded,
    pub(super) rest: Rest,
}

pub(super) struct Rest {
    root: PathBuf,
    state: State,
    snapshots: Snapshots,
    start: StateStart,
    watch: Watch,
    shared: Arc<Shared>,
    lock: File,
    removed_entries: u64,
    custody: Option<Custody>,
    unfinished: Unfinished,
}

impl Parts {
    pub(super) fn new(
        root: &Path,
        clock: Box<dyn Clock>,
        opened: open::Opened,
    ) -> Result<Self, OpenLedgerError> {
        let open::Opened { lock, mut writer, log, keyring, begun, removed_entries, custody, unfinished } =
            opened;
        let Begun { state, index, snapshots, start } = begun;
        let last = state.predecessor.received_at.ok_or(OpenLedgerError::Empty)?;
        let integrity = IntegrityLog::open(writer.disk().another());
        let shared = Arc::new(Shared::new(integrity, Arc::clone(&log), keyring, &state, index));
        let (root, watch) = (root.to_owned(), Watch::new(clock, last));
        let rest =
            Rest { root, state, snapshots, start, watch, shared, lock, removed_entries, custody, unfinished };
        Ok(Self { local: Embedded::new(writer, log), rest })
    }
}

impl Rest {
    pub(super) fn start(
        self,
        home: Home,
        signer: Option<LogSigner>,
        node: Option<NodeHandle>,
        witnessing: Option<&Witnessing>,
    ) -> Result<(Ledger, SyncSender<Work>), OpenLedgerError> {
        let Self { root, state, snapshots, start, watch, shared, lock, removed_entries, custody, unfinished } =
            self;
        shared.set_active(node.is_none());
        if let Some(witnessing) = witnessing {
            Rounds::start(&root, &shared, witnessing, node.is_some())?;
        }
        let signer = signer.map(Arc::new);
        let mut sealer =
            Sealer { state, home, signer, watch, shared: Arc::clone(&shared), custody, snapshots };
        sealer.resume(unfinished).map_err(|error| OpenLedgerError::Unfinished(error.to_string()))?;
        let (intake, works, threads) =
            sealer::start(sealer, Arc::clone(&shared)).map_err(OpenLedgerError::Threads)?;
        // A node that only follows takes no statements.
        let intake = (!node.as_ref().is_some_and(|node| node.only_follows)).then_some(intake);
        let ledger = Ledger {
            intake: Mutex::new(intake),
            works: Mutex::new(Some(works.clone())),
            threads: Mutex::new(Some(threads)),
            node,
            shared,
            root,
            removed_entries,
            start,
            _lock: lock,
        };
        Ok((ledger, works))
    }
}
