use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;

use gt_core::Hash;
use gt_core::TreeSize;
use gt_core::erasure::Erasure;
use gt_core::link::LinkName;
use gt_core::statement::PublisherId;
use gt_core::verify::AuthorshipBatch;

use super::Depth;
use super::bundle::{Bundle, Bundles};
use super::folder::DataFolder;
use super::records::{Records, Taken};
use super::report::{Fault, Report};
use super::settlement::Settlement;
use super::statement::{self, Context, Outcome};
use super::vault_file;
use super::waiting::Waiting;
use super::walk::Walk;
use crate::keyring::{Keyring, OwnerTag};
use crate::layout::{self, BUNDLE};
use crate::random;

/// How many bundles wait for a thread that checks them, for each such thread.
const WAITING: usize = 8;
/// The signatures of so many bundles are checked together: 8,192 of them.
const TOGETHER: usize = 32;
/// How many bundles are on their way at a time, for each thread that checks: this bounds the memory. A thread holds one batch, and as much
/// may be done already, and wait for a bundle in another thread's batch to be settled.
const ON_THEIR_WAY: usize = 2 * TOGETHER + WAITING;

/// What a data folder is checked with.
pub(super) struct Work<'a> {
    pub(super) folder: &'a DataFolder,
    pub(super) keyring: Option<&'a Keyring>,
    /// An erasure that the next start seals.
    pub(super) under_way: Option<Erasure>,
    pub(super) depth: Depth,
    pub(super) origin: &'a str,
    pub(super) size: TreeSize,
    /// Is told how many entries are done, and of how many.
    pub(super) progress: &'a dyn Fn(u64, u64),
}

/// A bundle on its way, with what was found of it so far.
struct Passing {
    bundle: Bundle,
    taken: Vec<Option<Taken>>,
    vault_records: u64,
    genesis: Hash,
    registrar: Option<PublisherId>,
    /// What was found of the bundle's files.
    report: Report,
    /// What was found of its records.
    faults: Vec<Fault>,
}

/// A bundle whose statements were read, or what made the thread that read them panic.
type Read = thread::Result<(Passing, Vec<Option<Outcome>>)>;

/// Checks the log and the vault beside it, bundle by bundle, in three steps that work at the same time on different bundles:
/// reading files and taking the records in their order; reading the statements, each thread bundles of its own, whose signatures it checks
/// together; and settling, again in order, what they turned out to be, and the log itself. What is found is told in the log's order.
pub(super) fn run(work: &Work<'_>, mut walk: Walk<'_>, report: &mut Report) {
    let Work { folder, keyring, depth, size, .. } = *work;
    let threads = rayon::current_num_threads();
    let (begin, end) = sync_channel(threads * ON_THEIR_WAY);
    let (to_settle, checked) = sync_channel(threads * WAITING);
    let waiting = &Waiting::new(threads * WAITING);
    let records = Records::new(keyring, work.origin, work.under_way.clone());
    let mut settlement = Settlement::new();
    let records = thread::scope(|scope| {
        let reader = scope.spawn(move || prepare(folder, depth, size, records, &begin, waiting));
        for _ in 0..threads {
            let to_settle = to_settle.clone();
            scope.spawn(move || check(keyring, depth, waiting, &to_settle));
        }
        drop(to_settle);
        let (mut done, mut next, mut early) = (0, 0, BTreeMap::new());
        for read in checked {
            let (passing, outcomes) = read.unwrap_or_else(|panic| resume_unwind(panic));
            early.insert(passing.bundle.number, (passing, outcomes));
            while let Some((passing, outcomes)) = early.remove(&next) {
                next += 1;
                done += u64::from(passing.bundle.width);
                settle(passing, outcomes, &mut settlement, &mut walk, report);
                // There is one for each bundle that is not settled.
                end.recv().unwrap_or(());
                (work.progress)(done, size.0);
            }
        }
        drop(end);
        reader.join().unwrap_or_else(|panic| resume_unwind(panic))
    });
    let names = walk.finish(report);
    let names = (depth == Depth::Everything).then_some(&names);
    settlement.finish(&records, keyring, names, report);
}

/// The first step.
fn prepare<'a>(
    folder: &DataFolder,
    depth: Depth,
    size: TreeSize,
    mut records: Records<'a>,
    begin: &SyncSender<()>,
    waiting: &Waiting<Passing>,
) -> Records<'a> {
    let _ending = waiting.ending();
    let mut bundles = Bundles::new(folder, size);
    // The next steps end before this one only if they panic, and then the panic is what matters.
    while may_begin(begin, waiting) {
        let (mut report, mut faults) = (Report::new(), Vec::new());
        let Some(bundle) = bundles.next(&mut report) else { break };
        let read = vault_file::read(folder, &bundle, depth, &mut report, &mut faults);
        let vault_records = read.iter().flatten().count() as u64;
        let taken = records.take(&bundle, read, &mut report, &mut faults);
        let (genesis, registrar) = (records.genesis(), records.registrar());
        let passing = Passing { bundle, taken, vault_records, genesis, registrar, report, faults };
        if !waiting.put(passing) {
            break;
        }
    }
    records
}

/// Waits until one more bundle may be on its way. False if none is settled any more.
fn may_begin(begin: &SyncSender<()>, waiting: &Waiting<Passing>) -> bool {
    match begin.try_send(()) {
        Err(TrySendError::Full(())) => {
            waiting.hold_up(true);
            let may = begin.send(()).is_ok();
            waiting.hold_up(false);
            may
        }
        sent => sent.is_ok(),
    }
}

/// The bundles that a thread has read, and whose signatures it checks together.
#[derive(Default)]
struct Together {
    batch: AuthorshipBatch,
    bundles: Vec<(Passing, Vec<Option<Outcome>>)>,
}

/// The second step, on one of several threads.
fn check(keyring: Option<&Keyring>, depth: Depth, waiting: &Waiting<Passing>, to_settle: &SyncSender<Read>) {
    let _ending = waiting.ending();
    let mut together = Together::default();
    loop {
        let full = together.bundles.len() == TOGETHER;
        let next = if full { None } else { waiting.take(!together.bundles.is_empty()) };
        if next.is_none() && together.bundles.is_empty() {
            return;
        }
        let checked = catch_unwind(AssertUnwindSafe(|| match next {
            Some(passing) => {
                together.read(passing, keyring, depth);
                Vec::new()
            }
            None => together.prove(),
        }));
        let sent = match checked {
            Ok(checked) => checked.into_iter().all(|read| to_settle.send(Ok(read)).is_ok()),
            Err(panic) => to_settle.send(Err(panic)).is_ok_and(|()| false),
        };
        if !sent {
            return;
        }
    }
}

impl Together {
    fn read(&mut self, mut passing: Passing, keyring: Option<&Keyring>, depth: Depth) {
        let links = match depth {
            Depth::Signed => HashMap::new(),
            Depth::Everything => links(&passing.taken),
        };
        let context = Context { keyring, genesis: passing.genesis, links, depth };
        let turn = |(leaf, taken)| Option::<&Taken>::and_then(taken, |taken| taken.turn(leaf));
        let taken = passing.taken.iter().map(Option::as_ref);
        let turns: Vec<_> = passing.bundle.leaves.iter().zip(taken).map(turn).collect();
        let outcomes = statement::read(&turns, &context, &mut self.batch);
        passing.taken.iter_mut().flatten().for_each(Taken::forget_texts);
        self.bundles.push((passing, outcomes));
    }

    /// Checks the signatures of all that was read.
    fn prove(&mut self) -> Vec<(Passing, Vec<Option<Outcome>>)> {
        let holds = self.batch.close(&mut random::fill);
        for (passing, outcomes) in &mut self.bundles {
            for ((leaf, taken), outcome) in passing.bundle.leaves.iter().zip(&passing.taken).zip(outcomes) {
                if let Some((taken, outcome)) = taken.as_ref().zip(outcome.as_mut()) {
                    outcome.prove(leaf.position, taken.registry.as_deref(), holds);
                }
            }
        }
        std::mem::take(&mut self.bundles)
    }
}

fn links(taken: &[Option<Taken>]) -> HashMap<LinkName, OwnerTag> {
    let owned = taken.iter().flatten().flat_map(|taken| &taken.owned);
    owned.map(|link| (link.name, link.tag)).collect()
}

/// The third step.
fn settle(
    passing: Passing,
    outcomes: Vec<Option<Outcome>>,
    settlement: &mut Settlement,
    walk: &mut Walk<'_>,
    report: &mut Report,
) {
    let Passing { bundle, taken, vault_records, genesis, registrar, report: read, mut faults, .. } = passing;
    report.append(read);
    report.counts.vault_records += vault_records;
    settlement.begin(genesis, registrar);
    let authors = settlement.take(&bundle, &taken, outcomes, report, &mut faults);
    report.add_alike(&layout::vault(bundle.number).display().to_string(), faults);
    walk.take(&bundle, &authors, report);
    debug_assert!(u64::from(bundle.width) <= BUNDLE);
}
