//! A sealer that cannot go on: it stops, everybody who waits is told, reading goes on, and a restart takes up where it was.

mod partnership;

use std::fs;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::clock::{Clock, SystemClock};
use gt_ledger::disk::{Change, Recorder};
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use partnership::{Home, child};

#[derive(Default)]
struct Counted(Mutex<usize>);

impl Recorder for Counted {
    fn record(&self, _: Change) {
        *self.0.lock().expect("not poisoned") += 1;
    }
}

fn submit_all(ledger: &Ledger, statements: &[Statement]) -> Vec<Result<Sealed, Refusal>> {
    let prepared: Vec<_> =
        statements.iter().map(|s| Prepared::new(s.to_compact().as_bytes()).expect("sound")).collect();
    let waiting: Vec<_> = prepared.into_iter().map(|one| ledger.submit(one)).collect();
    waiting.into_iter().map(|answer| answer.blocking_recv().expect("everybody is answered")).collect()
}

/// A folder stands where the second vault file should be made, so the commit fails with half of its batch written.
#[test]
fn a_commit_that_fails_half_way_stops_the_sealer_and_a_restart_recovers() {
    let home = Home::new();
    let changes = Arc::new(Counted::default());
    let ledger = home.open_recorded(Some(changes.clone()));
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let statements: Vec<_> =
        (0..400_u32).map(|n| council.next(&child(u8::try_from(n % 9).expect("small")))).collect();
    let early = submit_all(&ledger, &statements[..100]);
    assert!(early.iter().all(Result::is_ok));
    let obstacle = home.data().join("vault/001");
    fs::create_dir(&obstacle).expect("made");
    let answers = submit_all(&ledger, &statements[100..]);
    let sealed = answers.iter().take_while(|answer| answer.is_ok()).count();
    assert!(sealed < 300);
    assert!(answers[sealed..].iter().all(|answer| matches!(answer, Err(Refusal::Stopped))));
    assert!(ledger.is_stopped());

    let (size, written) = (ledger.log().size(), *changes.0.lock().expect("not poisoned"));
    assert_eq!(size.0, 104 + sealed as u64);
    let late = submit_all(&ledger, &statements[..1]);
    assert!(
        matches!(late[0], Err(Refusal::Stopped)),
        "not even a duplicate is answered: nobody knows what is durable"
    );
    assert_eq!(*changes.0.lock().expect("not poisoned"), written, "nothing is written after the failure");
    assert_eq!(ledger.records(LeafIndex(3), 100).expect("reading goes on").len(), 100);
    ledger.close();
    drop(ledger);

    fs::remove_dir(&obstacle).expect("removed");
    let ledger = home.open();
    assert!(ledger.removed_entries() > 0, "half a batch was left");
    assert_eq!(ledger.log().size(), size);
    let again: Vec<_> =
        submit_all(&ledger, &statements).into_iter().map(|answer| answer.expect("sealed")).collect();
    assert_eq!(again.iter().filter(|sealed| sealed.duplicate).count(), 100 + sealed);
    assert_eq!(ledger.log().size().0, 404);
}

/// A clock that stands still, until it is told to jump or to panic.
struct Unsound {
    wall_millis: i64,
    fault: Arc<AtomicU8>,
}

const JUMP: u8 = 1;
const PANIC: u8 = 2;

impl Clock for Unsound {
    fn wall_millis(&self) -> i64 {
        match self.fault.load(Ordering::SeqCst) {
            JUMP => self.wall_millis + 10_001,
            PANIC => panic!("the clock is broken, as this test wants it"),
            _ => self.wall_millis,
        }
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn stops_with(what: u8) {
    let home = Home::new();
    let fault = Arc::new(AtomicU8::new(0));
    let clock = Unsound { wall_millis: SystemClock::default().wall_millis(), fault: Arc::clone(&fault) };
    let ledger = Ledger::open(&home.data(), &home.secrets(), Box::new(clock), None).expect("opens");
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let statements: Vec<_> = (0..20).map(|n| council.next(&child(n))).collect();
    assert!(submit_all(&ledger, &statements[..10]).iter().all(Result::is_ok));
    fault.store(what, Ordering::SeqCst);
    let answers = submit_all(&ledger, &statements[10..]);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Refusal::Stopped))));
    // Closing waits for the threads, so what they do at their end is done.
    ledger.close();
    assert!(ledger.is_stopped());
    assert_eq!(ledger.records(LeafIndex(0), 256).expect("reading goes on").len(), 14);
    drop(ledger);
    let ledger = home.open();
    assert!(!ledger.is_stopped());
    assert!(submit_all(&ledger, &statements).iter().all(Result::is_ok));
}

#[test]
fn a_clock_that_jumps_stops_the_sealer() {
    stops_with(JUMP);
}

#[test]
fn a_panic_leaves_nobody_waiting() {
    stops_with(PANIC);
}

#[test]
fn a_closed_ledger_refuses_and_is_not_called_broken() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    ledger.close();
    assert!(matches!(submit_all(&ledger, &[council.next(&child(1))])[0], Err(Refusal::Stopped)));
    assert!(!ledger.is_stopped());
}
