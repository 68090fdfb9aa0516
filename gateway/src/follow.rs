//! Keeps the views behind the log: one thread that reads what is sealed and folds it in.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use gt_core::prove;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::Ledger;
use gt_ledger::layout::BUNDLE;
use gt_ledger::log::ReadError;
use gt_ledger::open::OpenLedgerError;
use gt_ledger::record::ContextId;
use gt_projections::{
    AlertChange, ApplyError, AsOf, ChangeKind, ContextNaming, Options, Projector, Queries, StoreError,
};
use tokio::runtime::Runtime;

use crate::node::AlertPublisher;
use crate::problem::chain;

/// The thread that follows the log, and the handle for asking.
pub struct Follower {
    queries: Queries,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Why the views cannot be brought up to the log.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The view store does not open.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log does not read.
    #[error(transparent)]
    Log(#[from] OpenLedgerError),
    /// A root cannot be computed.
    #[error(transparent)]
    Root(#[from] prove::ProveError<ReadError>),
    /// The records do not follow the views' position.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The thread cannot be started.
    #[error("the projecting thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
}

struct Naming<'l>(&'l Ledger);

impl ContextNaming for Naming<'_> {
    fn context_id(&self, reference: &str) -> ContextId {
        self.0.context_id(reference)
    }
}

impl Follower {
    /// Opens the views in `folder` (rebuilding what cannot be opened), brings them up to the log, and follows it from there.
    pub fn start(ledger: &Arc<Ledger>, folder: &Path) -> Result<Self, FollowError> {
        Self::start_publishing(ledger, folder, |_| None)
    }

    /// The same, and publishes alerts. `publisher` is given the size of the log up to which they have been published.
    pub(crate) fn start_publishing(
        ledger: &Arc<Ledger>,
        folder: &Path,
        publisher: impl FnOnce(u64) -> Option<AlertPublisher>,
    ) -> Result<Self, FollowError> {
        let opened = Projector::open(folder, Options::default())?;
        if let Some(reason) = &opened.rebuilt {
            tracing::warn!(?reason, "the views are built again from the log");
        }
        let mut projector = opened.projector;
        // A store that was in order but lies ahead of the log belongs to another history.
        if projector.position() > ledger.log().size() {
            drop(projector);
            std::fs::remove_dir_all(folder).map_err(FollowError::Thread)?;
            projector = Projector::open(folder, Options::default())?.projector;
        }
        // Views that are built again bring up no alert that is not known.
        let known = if opened.rebuilt.is_some() || projector.position().0 == 0 {
            ledger.log().size().0
        } else {
            projector.position().0
        };
        let publisher = publisher(known);
        while catch_up(ledger, &mut projector, publisher.as_ref())? {}
        let (queries, stop) = (projector.queries(), Arc::new(AtomicBool::new(false)));
        let (ledger, stopping) = (Arc::clone(ledger), Arc::clone(&stop));
        let waiting = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(FollowError::Thread)?;
        let run = move || follow(&ledger, projector, publisher.as_ref(), &stopping, &waiting);
        let thread =
            std::thread::Builder::new().name("gt-project".into()).spawn(run).map_err(FollowError::Thread)?;
        Ok(Self { queries, stop, thread: Some(thread) })
    }

    /// The handle for asking the views.
    pub fn queries(&self) -> Queries {
        self.queries.clone()
    }

    /// Brings the views up to the log once more, writes them out, and ends the thread. The ledger is closed before.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook; the views are rebuilt where need be.
            let _ = thread.join();
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop();
    }
}

fn follow(
    ledger: &Ledger,
    mut projector: Projector,
    publisher: Option<&AlertPublisher>,
    stop: &AtomicBool,
    waiting: &Runtime,
) {
    let mut size = ledger.watch_size();
    loop {
        let stopping = stop.load(Ordering::Acquire);
        match catch_up(ledger, &mut projector, publisher) {
            Ok(true) => continue,
            Ok(false) if stopping => break,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(error = %chain(&error), "the views no longer follow the log; a restart tries again");
                break;
            }
        }
        // Woken by the next seal, or after a pause to see whether to stop.
        let _ = waiting.block_on(async { tokio::time::timeout(FOLLOW_PAUSE, size.changed()).await });
    }
    if let Err(error) = projector.close() {
        tracing::warn!(error = %chain(&error), "the views could not be written out; they will be built again");
    }
}

/// How long the thread sleeps at most before it looks whether it is to stop.
const FOLLOW_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Folds in one more bundle; false if there is nothing more.
fn catch_up(
    ledger: &Ledger,
    projector: &mut Projector,
    publisher: Option<&AlertPublisher>,
) -> Result<bool, FollowError> {
    let position = projector.position();
    if position >= ledger.log().size() {
        return Ok(false);
    }
    let records = ledger.records(LeafIndex(position.0), BUNDLE)?;
    let Some(last) = records.last() else { return Ok(false) };
    let tree_size = last.entry.index.size_through();
    let root = prove::root(ledger.log(), TreeSize(tree_size.0))?;
    let head = AsOf { tree_size, root, received_at: Some(last.entry.received_at) };
    for change in projector.apply(&records, head, &Naming(ledger))? {
        report(&change);
        if let Some(publisher) = publisher {
            publisher.publish(&change);
        }
    }
    Ok(true)
}

fn report(change: &AlertChange) {
    let alert = &change.alert;
    let (id, pattern, entry) = (alert.id, alert.pattern.as_str(), change.index);
    match change.change {
        ChangeKind::Raised => tracing::info!(%id, pattern, %entry, "alert raised"),
        ChangeKind::Changed => tracing::info!(%id, pattern, %entry, "alert says something else"),
        ChangeKind::Assigned => tracing::info!(%id, pattern, %entry, "alert assigned"),
        ChangeKind::Reviewed => tracing::info!(%id, pattern, %entry, "alert reviewed"),
        ChangeKind::Retracted => tracing::info!(%id, pattern, %entry, "alert retracted"),
    }
}
