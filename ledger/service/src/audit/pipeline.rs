use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use gt_core::Hash;
use gt_core::TreeSize;
use gt_core::erasure::Erasure;
use gt_core::key::{PreparedKeys, PublicKey};
use gt_core::link::LinkName;
use gt_core::statement::PublisherId;
use rayon::prelude::*;

use super::Depth;
use super::bundle::{Bundle, Bundles, Leaf};
use super::folder::DataFolder;
use super::records::{Records, Taken};
use super::report::{Fault, Report};
use super::settlement::Settlement;
use super::statement::{self, Context, Outcome};
use super::vault_file;
use super::walk::Walk;
use crate::keyring::{Keyring, OwnerTag};
use crate::layout::{self, BUNDLE};

/// How many bundles wait between two steps. With those in work, this bounds the memory.
const WAITING: usize = 2;
/// So many statements are checked together by one thread.
const TOGETHER: usize = 16;
/// For how many keys multiples are kept: 215 KiB each.
const PREPARED_KEYS: usize = 512;

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

/// Checks the log and the vault beside it, bundle by bundle, in three steps that work at the same time on bundles one after the other:
/// reading files and taking the records in their order; reading the statements, on all cores; and settling, again in order,
/// what they turned out to be, and the log itself. What is found is told in the log's order.
pub(super) fn run(work: &Work<'_>, mut walk: Walk<'_>, report: &mut Report) {
    let Work { folder, keyring, depth, size, .. } = *work;
    let (to_check, prepared) = sync_channel(WAITING);
    let (to_settle, checked) = sync_channel(WAITING);
    let records = Records::new(keyring, work.origin, work.under_way.clone());
    let mut settlement = Settlement::new();
    let records = thread::scope(|scope| {
        let reader = scope.spawn(move || prepare(folder, depth, size, records, &to_check));
        scope.spawn(move || check(keyring, depth, &prepared, &to_settle));
        let mut done = 0;
        for (passing, outcomes) in checked {
            done += u64::from(passing.bundle.width);
            settle(passing, outcomes, &mut settlement, &mut walk, report);
            (work.progress)(done, size.0);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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
    to_check: &SyncSender<Passing>,
) -> Records<'a> {
    let mut bundles = Bundles::new(folder, size);
    loop {
        let (mut report, mut faults) = (Report::new(), Vec::new());
        let Some(bundle) = bundles.next(&mut report) else { break };
        let read = vault_file::read(folder, &bundle, depth, &mut report, &mut faults);
        let vault_records = read.iter().flatten().count() as u64;
        let taken = records.take(&bundle, read, &mut report, &mut faults);
        let (genesis, registrar) = (records.genesis(), records.registrar());
        let passing = Passing { bundle, taken, vault_records, genesis, registrar, report, faults };
        // The next step ends before this one only if it panics, and then the panic is what matters.
        if to_check.send(passing).is_err() {
            break;
        }
    }
    records
}

/// The second step.
fn check(
    keyring: Option<&Keyring>,
    depth: Depth,
    prepared: &Receiver<Passing>,
    to_settle: &SyncSender<(Passing, Vec<Option<Outcome>>)>,
) {
    let mut keys = PreparedKeys::new(PREPARED_KEYS);
    for passing in prepared {
        keys.expect(passing.taken.iter().flatten().filter_map(key_of));
        let links = match depth {
            Depth::Signed => HashMap::new(),
            Depth::Everything => links(&passing.taken),
        };
        let context = Context { keyring, genesis: passing.genesis, links, keys: &keys, depth };
        let leaves = passing.bundle.leaves.par_chunks(TOGETHER);
        let outcomes = leaves
            .zip(passing.taken.par_chunks(TOGETHER))
            .flat_map_iter(|(leaves, taken)| check_together(leaves, taken, &context))
            .collect();
        if to_settle.send((passing, outcomes)).is_err() {
            break;
        }
    }
}

fn check_together(leaves: &[Leaf], taken: &[Option<Taken>], context: &Context<'_>) -> Vec<Option<Outcome>> {
    let turns: Vec<_> = leaves
        .iter()
        .zip(taken)
        .map(|(leaf, taken)| taken.as_ref().and_then(|taken| taken.turn(leaf)))
        .collect();
    statement::check(&turns, context)
}

fn links(taken: &[Option<Taken>]) -> HashMap<LinkName, OwnerTag> {
    let owned = taken.iter().flatten().flat_map(|taken| &taken.owned);
    owned.map(|link| (link.name, link.tag)).collect()
}

/// The key that this record's statement should verify with.
fn key_of(taken: &Taken) -> Option<&PublicKey> {
    taken.registry.as_ref()?.publisher(&taken.record.publisher)?.key_in_force()
}

/// The third step.
fn settle(
    passing: Passing,
    outcomes: Vec<Option<Outcome>>,
    settlement: &mut Settlement,
    walk: &mut Walk<'_>,
    report: &mut Report,
) {
    let Passing { bundle, taken, vault_records, genesis, registrar, report: read, mut faults } = passing;
    report.append(read);
    report.counts.vault_records += vault_records;
    settlement.begin(genesis, registrar);
    let authors = settlement.take(&bundle, &taken, outcomes, report, &mut faults);
    report.add_alike(&layout::vault(bundle.number).display().to_string(), faults);
    walk.take(&bundle, &authors, report);
    debug_assert!(u64::from(bundle.width) <= BUNDLE);
}
