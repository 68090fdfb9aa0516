//! The power goes at every change that sealing makes to the data folder: nothing that was acknowledged is lost, and sealing goes on.

mod partnership;
mod surviving_disk;

use std::path::Path;
use std::sync::{Arc, Mutex};

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::statement::Statement;
use gt_core::{Hash, LeafIndex, TreeSize, prove, tree};
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::disk::{Change, Recorder};
use gt_ledger::prepare::Prepared;
use partnership::{Home, Publisher, child};
use surviving_disk::{Chance, Survival, SurvivingDisk};

const AGENCIES: [&str; 3] = ["gss:E06000005", "police:32", "ods:RX1"];

/// What happened, in order: changes to the folder, and what the outside world was told.
#[derive(Clone)]
enum Event {
    Changed(Change),
    Acknowledged { index: LeafIndex, statement: Hash },
    HandedOut(Checkpoint),
}

/// How the next checkpoint takes the place of the one in force.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InPlace {
    /// The two change places.
    Exchanged,
    /// It is renamed, as where files cannot change places.
    Renamed,
}

struct Tape {
    events: Mutex<Vec<Event>>,
    in_place: InPlace,
}

impl Recorder for Tape {
    fn record(&self, change: Change) {
        self.note(Event::Changed(change));
    }

    fn can_exchange(&self) -> bool {
        self.in_place == InPlace::Exchanged
    }
}

impl Tape {
    fn new(in_place: InPlace) -> Arc<Self> {
        Arc::new(Self { events: Mutex::default(), in_place })
    }

    fn note(&self, event: Event) {
        self.events.lock().expect("not poisoned").push(event);
    }

    fn hand_out(&self, checkpoint: &SignedCheckpoint) {
        self.note(Event::HandedOut(checkpoint.checkpoint().clone()));
    }

    fn events(&self) -> Vec<Event> {
        self.events.lock().expect("not poisoned").clone()
    }
}

/// A recorded run: the folder before it, what happened, and the log that it left.
struct Run {
    before: SurvivingDisk,
    told_before: Told,
    events: Vec<Event>,
    entries: Vec<Vec<u8>>,
    roots: Vec<Hash>,
}

/// What the outside world had been told before a cut.
#[derive(Clone, Default)]
struct Told {
    receipts: Vec<(LeafIndex, Hash)>,
    checkpoints: Vec<Checkpoint>,
}

impl Told {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Changed(_) => {}
            Event::Acknowledged { index, statement } => self.receipts.push((*index, *statement)),
            Event::HandedOut(checkpoint) => self.checkpoints.push(checkpoint.clone()),
        }
    }
}

/// A folder in memory where there is one: the model decides what is durable, not the machine's disk.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn submit_all(ledger: &Ledger, tape: &Tape, statements: &[Statement]) {
    let prepared: Vec<_> =
        statements.iter().map(|s| Prepared::new(s.to_compact().as_bytes()).expect("sound")).collect();
    let waiting: Vec<_> = prepared.into_iter().map(|one| ledger.submit(one)).collect();
    for answer in waiting {
        let sealed = answer.blocking_recv().expect("answered").expect("sealed");
        tape.note(Event::Acknowledged { index: sealed.index, statement: sealed.statement });
        tape.hand_out(&sealed.receipt.checkpoint);
    }
}

fn log_of(ledger: &Ledger) -> (Vec<Vec<u8>>, Vec<Hash>) {
    let size = ledger.log().size().0;
    let mut entries = Vec::new();
    while (entries.len() as u64) < size {
        entries.extend(ledger.log().entries_bytes(LeafIndex(entries.len() as u64), 256).expect("reads"));
    }
    let mut frontier = tree::Frontier::new();
    let mut roots = vec![frontier.root()];
    for entry in &entries {
        frontier.push(tree::leaf_hash(entry));
        roots.push(frontier.root());
    }
    (entries, roots)
}

/// Three publishers at once, now and then about somebody new, in batches of all sizes.
fn record_load(home: &Home, each: usize, in_place: InPlace) -> Run {
    let before = SurvivingDisk::of(&home.data());
    let tape = Tape::new(in_place);
    let ledger = home.open_recorded(Some(tape.clone()));
    let mut publishers = Vec::new();
    for (agency, seed) in AGENCIES.iter().zip(1..) {
        publishers.push(home.register(&ledger, agency, seed));
    }
    std::thread::scope(|scope| {
        for (mut publisher, number) in publishers.into_iter().zip(0_u8..) {
            let (ledger, tape) = (&ledger, &tape);
            scope.spawn(move || {
                let mut chance = Chance(u64::from(number));
                let mut children = 0_u8;
                let mut left = each;
                while left > 0 {
                    let most = if chance.below(3) == 0 { 4 } else { 70 };
                    let count = (1 + chance.below(most)).min(left);
                    left -= count;
                    let statements: Vec<_> = (0..count)
                        .map(|_| {
                            children += u8::from(chance.below(12) == 0);
                            publisher.next(&child(number * 64 + children % 64))
                        })
                        .collect();
                    submit_all(ledger, tape, &statements);
                    tape.hand_out(&ledger.published().checkpoint);
                }
            });
        }
    });
    ledger.close();
    let (entries, roots) = log_of(&ledger);
    Run { before, told_before: Told::default(), events: tape.events(), entries, roots }
}

/// Opens what survived and checks it against what had been told; then seals on.
fn check_survivor(home: &Home, folder: &Path, run: &Run, told: &Told, chance: &mut Chance) {
    let clock = || Box::new(SystemClock::default());
    let ledger = Ledger::open(folder, &home.secrets(), clock(), None).expect("the survivor opens");
    let size = ledger.log().size();
    let (entries, _) = log_of(&ledger);
    assert_eq!(entries.as_slice(), &run.entries[..entries.len()], "an entry changed");
    let root = run.roots[entries.len()];
    assert_eq!(ledger.published().checkpoint.checkpoint().root(), root);
    for (index, statement) in &told.receipts {
        assert!(size.contains(*index), "entry {index} was acknowledged, and the survivor has {size}");
        let entry = gt_core::entry::Entry::parse(&entries[index_of(*index)]).expect("an entry");
        assert_eq!(entry.statement, *statement);
    }
    let last = told.receipts.iter().rev().take(8);
    let some = (0..4).map(|_| chance.below(told.receipts.len())).filter_map(|one| told.receipts.get(one));
    for (index, _) in some.chain(last) {
        let proof = prove::inclusion(ledger.log(), *index, size).expect("provable");
        proof.verify(&tree::leaf_hash(&entries[index_of(*index)]), &root).expect("included");
        let text = ledger.presentation(*index).expect("reads");
        assert!(text.is_some(), "the keys of entry {index} are lost");
    }
    for checkpoint in &told.checkpoints {
        assert!(
            checkpoint.size() <= size,
            "a checkpoint of {} was handed out, the survivor has {size}",
            checkpoint.size()
        );
        assert_eq!(checkpoint.root(), run.roots[usize::try_from(checkpoint.size().0).expect("small")]);
    }
    if let Some(last) = told.checkpoints.last() {
        let proof = prove::consistency(ledger.log(), last.size(), size).expect("provable");
        proof.verify(&last.root(), &root).expect("consistent");
    }
    let after = seal_on(home, &ledger, None);
    assert_eq!(ledger.log().size(), TreeSize(size.0 + after));
    ledger.close();
    drop(ledger);
    if chance.below(12) == 0 {
        let again = Ledger::open(folder, &home.secrets(), clock(), None).expect("opens again");
        assert_eq!((again.removed_entries(), again.log().size().0), (0, size.0 + after));
    }
}

fn index_of(index: LeafIndex) -> usize {
    usize::try_from(index.0).expect("small")
}

/// Seals one more statement from each registered publisher, about a known child or a new one.
fn seal_on(home: &Home, ledger: &Ledger, tape: Option<&Tape>) -> u64 {
    let mut count = 0;
    for (agency, seed) in AGENCIES.iter().zip(1..) {
        let mut publisher = Publisher::new(agency, seed, home.genesis());
        let head = ledger.head(&publisher.id);
        if ledger.registry().publisher(&publisher.id).is_none() {
            continue;
        }
        (publisher.seq, publisher.prev) = (head.next_seq, head.head);
        let about = if seed % 2 == 0 { child(0) } else { child(200 + seed) };
        let statement = publisher.next(&about);
        let sealed = ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealing goes on");
        count += 1;
        if let Some(tape) = tape {
            tape.note(Event::Acknowledged { index: sealed.index, statement: sealed.statement });
            tape.hand_out(&sealed.receipt.checkpoint);
        }
    }
    count
}

fn is_sync(event: &Event) -> bool {
    matches!(event, Event::Changed(Change::SyncFile(_) | Change::SyncFolder(_)))
}

/// The power goes after this many events, and so much of what was not durable survives.
#[derive(Clone, Copy)]
struct Cut {
    after: usize,
    survival: Survival,
}

/// Before and after every sync, and after some of the changes in between.
fn cuts_at_every_sync(events: &[Event], chance: &mut Chance) -> Vec<Cut> {
    let at_sync = |at: usize| events.get(at).is_some_and(is_sync);
    let mut cuts = Vec::new();
    for after in 1..=events.len() {
        let changed = matches!(events[after - 1], Event::Changed(_));
        if at_sync(after - 1) || at_sync(after) || (changed && chance.below(10) == 0) {
            let survival =
                [Survival::None, Survival::Chance, Survival::Chance, Survival::All][chance.below(4)];
            cuts.push(Cut { after, survival });
        }
    }
    cuts
}

/// As soon as somebody was told something, when nothing survives but what is durable; and some more.
fn cuts_at_every_answer(events: &[Event], chance: &mut Chance) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (at, event) in events.iter().enumerate() {
        if !matches!(event, Event::Changed(_)) {
            cuts.push(Cut { after: at + 1, survival: Survival::None });
        } else if chance.below(40) == 0 {
            cuts.push(Cut { after: at + 1, survival: Survival::Chance });
        }
    }
    cuts
}

/// Plays the events and hands over the disk, and what had been told, at every `step`th cut from the `first` on.
fn play(run: &Run, cuts: &[Cut], first: usize, step: usize, check: impl Fn(&Cut, &SurvivingDisk, &Told)) {
    let (mut disk, mut told, mut played) = (run.before.clone(), run.told_before.clone(), 0);
    for cut in cuts.iter().skip(first).step_by(step) {
        for event in &run.events[played..cut.after] {
            if let Event::Changed(change) = event {
                disk.apply(change);
            }
            told.take(event);
        }
        played = cut.after;
        check(cut, &disk, &told);
    }
}

fn check_cut(home: &Home, run: &Run, cut: &Cut, disk: &SurvivingDisk, told: &Told, what: &str) {
    let folder = scratch();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut chance = Chance(cut.after as u64);
        disk.survivor(folder.path(), cut.survival, &mut chance);
        check_survivor(home, folder.path(), run, told, &mut chance);
    }));
    if let Err(panic) = outcome {
        eprintln!("{what}: cut after {} events, surviving: {:?}", cut.after, cut.survival);
        std::panic::resume_unwind(panic);
    }
}

/// Shares the work out among threads of its own; rayon's are the sealers', for which the work waits.
fn on_every_core(work: impl Fn(usize, usize) + Sync) {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let work = &work;
            scope.spawn(move || work(worker, workers));
        }
    });
}

/// Cuts the power at every sync of a load of so many statements a publisher.
fn cut_at_every_change(each: usize, in_place: InPlace) {
    let home = Home::new();
    let run = record_load(&home, each, in_place);
    assert!(run.entries.len() >= 3 * each);
    let exchanges = |event: &Event| matches!(event, Event::Changed(Change::Exchange(..)));
    assert_eq!(run.events.iter().any(exchanges), in_place == InPlace::Exchanged);
    let cuts = cuts_at_every_sync(&run.events, &mut Chance(1));
    assert!(cuts.len() > 100);
    on_every_core(|first, step| {
        play(&run, &cuts, first, step, |cut, disk, told| {
            check_cut(&home, &run, cut, disk, told, "under load");
        });
    });
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_every_change() {
    cut_at_every_change(210, InPlace::Exchanged);
}

#[test]
fn it_does_so_where_files_cannot_change_places() {
    cut_at_every_change(90, InPlace::Renamed);
}

/// A killed process leaves its changes with the operating system, where the next process sees them, durable or not. What that one
/// acknowledges on top of them must survive all the same.
#[test]
fn what_a_restarted_process_acknowledges_survives_a_power_cut() {
    let recorded = || {
        let home = Home::new();
        let run = record_load(&home, 90, InPlace::Exchanged);
        // A kill after a name was made and before it was durable: a new file or folder, or a checkpoint.
        let before_syncs = (1..run.events.len())
            .filter(|at| matches!(run.events[*at], Event::Changed(Change::SyncFolder(_))))
            .map(|at| Cut { after: at, survival: Survival::All });
        let (kills, renamed): (Vec<_>, Vec<_>) = before_syncs.partition(|kill| {
            !matches!(run.events[kill.after - 1], Event::Changed(Change::Rename(..) | Change::Exchange(..)))
        });
        (home, run, kills, renamed)
    };
    // On a busy machine a load may go into a few large batches.
    let (home, run, mut kills, renamed) = std::iter::repeat_with(recorded)
        .take(10)
        .find(|(.., kills, renamed)| kills.len() > 4 && renamed.len() > 4)
        .expect("a load in several batches");
    assert!(run.entries.len() > 256);
    let mut chance = Chance(2);
    kills.extend((0..6).map(|_| renamed[chance.below(renamed.len())]));
    kills.sort_by_key(|kill| kill.after);
    on_every_core(|first, step| {
        play(&run, &kills, first, step, |kill, disk, told| check_restart(&home, kill, disk, told));
    });
}

fn check_restart(home: &Home, kill: &Cut, disk: &SurvivingDisk, told: &Told) {
    let folder = scratch();
    let mut chance = Chance(kill.after as u64);
    disk.survivor(folder.path(), kill.survival, &mut chance);
    let tape = Tape::new(InPlace::Exchanged);
    let clock = Box::new(SystemClock::default());
    let ledger = Ledger::open(folder.path(), &home.secrets(), clock, Some(tape.clone())).expect("opens");
    tape.hand_out(&ledger.published().checkpoint);
    seal_on(home, &ledger, Some(&tape));
    ledger.close();
    let (entries, roots) = log_of(&ledger);
    let restarted =
        Run { before: disk.clone(), told_before: told.clone(), events: tape.events(), entries, roots };
    let cuts = cuts_at_every_answer(&restarted.events, &mut chance);
    let what = format!("restarted after a kill after {} events", kill.after);
    play(&restarted, &cuts, 0, 1, |cut, disk, told| check_cut(home, &restarted, cut, disk, told, &what));
}
