//! Keeps the views behind the log: one thread that reads what is sealed and folds it in.

mod at_rest;
mod clocks;
mod erased;
mod feed;
mod source;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use gt_core::prove;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::log::ReadError;
use gt_ledger::open::OpenLedgerError;
use gt_projections::{
    AlertChange, ApplyError, ChangeKind, Options, Projector, Queries, QueryError, StoreError,
};
use tokio::runtime::Runtime;

pub(crate) use at_rest::with_views;
use clocks::Clocks;
pub(crate) use feed::{Feed, Heard, Listener, MOST_LISTENERS, Place, Unheard};

use source::{CATCHING_UP, FOLLOWING, Stretch, read};

use crate::node::AlertPublisher;
use crate::problem::chain;

/// The thread that follows the log, and the handle for asking.
pub struct Follower {
    queries: Queries,
    feed: Arc<Feed>,
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
    /// The views cannot be asked.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The thread cannot be started.
    #[error("the projecting thread cannot be started: {0}")]
    Thread(#[source] std::io::Error),
}

impl FollowError {
    /// Whether it is the views' own rows that cannot be read: the log has everything that they had. Files that cannot be written, as on a
    /// full disk, are no reason to throw away those that are there.
    const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Damaged { .. } | StoreError::Rows(_))
                | Self::Apply(ApplyError::Store(StoreError::Damaged { .. } | StoreError::Rows(_)))
        )
    }
}

impl Follower {
    /// Opens the views in `folder` (rebuilding what cannot be opened or read), brings them up to the log, and follows it from there.
    pub fn start(ledger: &Arc<Ledger>, folder: &Path) -> Result<Self, FollowError> {
        Self::start_publishing(ledger, folder, |_| None)
    }

    /// The same, and publishes alerts. `publisher` is given the size of the log up to which they have been published.
    pub(crate) fn start_publishing(
        ledger: &Arc<Ledger>,
        folder: &Path,
        publisher: impl Fn(u64) -> Option<AlertPublisher>,
    ) -> Result<Self, FollowError> {
        let following = match Following::begin(ledger, folder, &publisher) {
            Err(error) if error.is_damage() => {
                tracing::warn!(error = %chain(&error), "the views are damaged; they are built again from the log");
                Projector::discard(folder)?;
                Following::begin(ledger, folder, &publisher)?
            }
            begun => begun?,
        };
        let (queries, feed) = (following.queries.clone(), Arc::clone(&following.feed));
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let waiting = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(FollowError::Thread)?;
        let run = move || {
            give_way();
            following.run(&stopping, &waiting);
        };
        let thread =
            std::thread::Builder::new().name("gt-project".into()).spawn(run).map_err(FollowError::Thread)?;
        Ok(Self { queries, feed, stop, thread: Some(thread) })
    }

    /// The handle for asking the views.
    pub fn queries(&self) -> Queries {
        self.queries.clone()
    }

    /// Where listeners hear what happens.
    pub(crate) fn feed(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
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

/// Leaves the processor to others where there is not enough of it: views may lag a little, and publishers wait for their receipts.
fn give_way() {
    // Of a process, this is about all its threads anywhere else.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the projecting thread keeps its priority");
    }
}

/// How far the projecting thread stands back, as `nice` counts.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// What the thread has.
struct Following {
    ledger: Arc<Ledger>,
    projector: Projector,
    queries: Queries,
    clocks: Clocks,
    feed: Arc<Feed>,
    publisher: Option<AlertPublisher>,
    /// What happened below this size is no news.
    known: u64,
}

/// How many stretches are read ahead of the folding, beside the one that is being read.
const AHEAD: usize = 1;

/// How long the thread sleeps at most before it looks whether it is to stop, and whether a deadline has passed.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

/// How long it lets entries gather after it has folded a few. Under load they come a few at a time, hundreds of times a second, and to fold
/// each few takes more of the processor, which publishers wait for. The first one after a pause is folded at once.
const GATHER: Duration = Duration::from_millis(20);

impl Following {
    /// Opens the views and brings them up to the log.
    fn begin(
        ledger: &Arc<Ledger>,
        folder: &Path,
        publisher: impl Fn(u64) -> Option<AlertPublisher>,
    ) -> Result<Self, FollowError> {
        let opened = Projector::open(folder, Options::default())?;
        if let Some(reason) = &opened.rebuilt {
            tracing::warn!(?reason, "the views are built again from the log");
        }
        let mut projector = opened.projector;
        // A store that was in order but lies ahead of the log belongs to another history.
        if projector.position() > ledger.log().size() {
            drop(projector);
            tracing::warn!("the views belong to another log; they are built again");
            Projector::discard(folder)?;
            projector = Projector::open(folder, Options::default())?.projector;
        }
        // They may hold what was erased while nobody followed the log.
        if projector.position().0 > 0 && projector.erased_at() != ledger.erased_at() {
            drop(projector);
            tracing::warn!("something was erased; the views are built again without it");
            Projector::discard(folder)?;
            projector = Projector::open(folder, Options::default())?.projector;
        }
        projector.begin(ledger.erased_at())?;
        // Views that are built again bring up no alert that is not known.
        let known = if opened.rebuilt.is_some() || projector.position().0 == 0 {
            ledger.log().size().0
        } else {
            projector.position().0
        };
        let queries = projector.queries();
        let mut following = Self {
            ledger: Arc::clone(ledger),
            feed: Arc::new(Feed::new(queries.status()?.as_of)),
            queries,
            projector,
            clocks: Clocks::default(),
            publisher: publisher(known),
            known,
        };
        following.catch_up_ahead()?;
        Ok(following)
    }

    /// Folds in all that is there now, and not what comes meanwhile: others may seal faster than this node folds, and it is to listen at
    /// some time. Reads ahead on a thread of its own: opening and reading a statement takes about as long as
    /// folding it in.
    fn catch_up_ahead(&mut self) -> Result<(), FollowError> {
        let (ledger, position) = (Arc::clone(&self.ledger), self.projector.position());
        let end_now = ledger.log().size();
        std::thread::scope(|scope| {
            // Dropped first, so that the reader ends when the folding does.
            let (sender, stretches) = sync_channel(AHEAD);
            scope.spawn(move || {
                let mut position = position;
                while position < end_now {
                    let read = read(&*ledger, position, CATCHING_UP).transpose();
                    let Some(read) = read else { return };
                    let end = read.as_ref().ok().map(|stretch: &Stretch| stretch.head.tree_size);
                    if sender.send(read).is_err() {
                        return;
                    }
                    match end {
                        Some(end) => position = end,
                        None => return,
                    }
                }
            });
            stretches.into_iter().try_for_each(|stretch| self.fold(stretch?))
        })?;
        Ok(self.projector.settle()?)
    }

    fn run(mut self, stop: &AtomicBool, waiting: &Runtime) {
        let (mut size, clock) = (self.ledger.watch_size(), SystemClock::default());
        loop {
            let stopping = stop.load(Ordering::Acquire);
            // Before the log's size is looked at: what was received later is no reason to hold a deadline back.
            let now = Timestamp::from_millis(clock.wall_millis());
            let there = self.ledger.log().size();
            let gather = match self.catch_up() {
                Ok(true) if stopping || self.projector.position() < there => continue,
                Ok(false) if stopping => break,
                // Also if there was something: more may always come, and others wait to hear of an erasure, and of deadlines.
                Ok(some) => {
                    self.tell_nodes();
                    some
                }
                Err(error) => {
                    tracing::error!(error = %chain(&error), "the views no longer follow the log; a restart tries again");
                    break;
                }
            };
            if let Err(error) = now.map_or(Ok(()), |now| self.look_at_clocks(now)) {
                tracing::error!(error = %chain(&error), "deadlines are not told; alerts that are asked for have them");
            }
            if gather {
                std::thread::sleep(GATHER);
                continue;
            }
            // Woken by the next seal, or after a pause.
            let _ = waiting.block_on(async { tokio::time::timeout(FOLLOW_PAUSE, size.changed()).await });
        }
        self.feed.close();
        if let Err(error) = self.projector.close() {
            tracing::warn!(error = %chain(&error), "the views could not be written out; they will be built again");
        }
    }

    /// Other nodes wait to hear that nothing that was erased is left in these views.
    fn tell_nodes(&self) {
        let (erased, folded) = (self.ledger.erased_at(), self.projector.erased_at());
        if let Some(index) =
            erased.filter(|index| folded == erased && self.projector.position().contains(*index))
        {
            self.ledger.has_folded(index.0 + 1);
        }
    }

    /// Folds in one more bundle; false if there is nothing more.
    fn catch_up(&mut self) -> Result<bool, FollowError> {
        match read(&*self.ledger, self.projector.position(), FOLLOWING)? {
            Some(stretch) => self.fold(stretch).map(|()| true),
            None => Ok(false),
        }
    }

    fn fold(&mut self, Stretch { readings, head }: Stretch) -> Result<(), FollowError> {
        let changes = match self.projector.apply_readings(readings, head) {
            Err(ApplyError::Erased { by }) => return self.fold_anew(by),
            changes => changes?,
        };
        for change in self.clocks.borne_out(changes, head) {
            self.tell(&change);
        }
        self.feed.advance(head);
        Ok(())
    }

    /// Tells of the deadlines that have passed since the last entry.
    fn look_at_clocks(&mut self, now: Timestamp) -> Result<(), FollowError> {
        let as_of = self.queries.status()?.as_of;
        for change in self.clocks.passed(&self.queries, as_of, now)? {
            self.tell(&change);
        }
        Ok(())
    }

    fn tell(&self, change: &AlertChange) {
        if change.index.0 >= self.known {
            report(change);
        }
        self.feed.tell(change);
        if let Some(publisher) = &self.publisher {
            publisher.publish(change);
        }
    }
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
