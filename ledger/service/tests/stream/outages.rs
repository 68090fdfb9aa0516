//! A stream that is full, and a server that is killed or hangs while statements wait.

use std::sync::atomic::{AtomicBool, Ordering};

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::refusal::Refusal;
use serde_json::json;

use crate::broker::proxy::Proxy;
use crate::broker::{Broker, assert_same_folders, deliver, prepared, statements_of, wait_for_size};
use crate::partnership::child;
use crate::scene::owner;

#[test]
fn a_full_stream_refuses_and_sealing_goes_on_when_there_is_room() {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    let (size, last) = (ledger.log().size().0, broker.last_sequence());
    let bytes = broker.stream_info("LEDGER")["state"]["bytes"].as_u64().expect("a number");
    // Room for the first few of a batch.
    broker.update_stream("LEDGER", &json!({"max_bytes": bytes + 12_000}));
    let statements: Vec<Statement> = (0..40).map(|n| council.next(&child(n))).collect();
    let waiting: Vec<_> = statements.iter().map(|one| ledger.submit(prepared(one))).collect();
    let answers: Vec<_> = waiting.into_iter().map(|one| one.blocking_recv().expect("answered")).collect();
    let sealed = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    assert!(sealed < 40);
    for answer in &answers[usize::try_from(sealed).expect("small")..] {
        // One that came to a later batch than those before it finds them missing.
        let refused = answer.as_ref().expect_err("there is no room");
        assert!(matches!(refused, Refusal::Unavailable | Refusal::ChainGap(_)), "{refused}");
    }
    assert_eq!(
        (ledger.log().size().0, broker.last_sequence()),
        (size + sealed, last + sealed),
        "nothing is torn"
    );
    assert!(!ledger.is_stopped());
    broker.update_stream("LEDGER", &json!({"max_bytes": 256 << 20}));
    for statement in &statements {
        broker.check_receipt(&deliver(&ledger, statement).expect("sealed"), statement);
    }
    assert_eq!(statements_of(&ledger).len() as u64, size + 40);
    assert_eq!(ledger.integrity_alerts(), [] as [serde_json::Value; 0]);
}

/// Statements of several publishers, sealed all the while something happens to the server.
fn seals_through(happens: impl FnOnce(&mut Broker, &dyn Fn(usize))) {
    let mut broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let council = broker.home.register(&ledger, "gss:E06000005", 1);
    let police = broker.home.register(&ledger, "police:32", 2);
    let (enough, done) = (AtomicBool::new(false), std::sync::Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let (enough, done, ledger) = (&enough, &done, &ledger);
        for mut publisher in [council, police] {
            scope.spawn(move || {
                let mut n = 0;
                while !enough.load(Ordering::Acquire) {
                    let statement = publisher.next(&child(n % 20));
                    n = n.wrapping_add(1);
                    let sealed = deliver(ledger, &statement).expect("sealed");
                    done.lock().expect("not poisoned").push((statement, sealed));
                }
            });
        }
        // A closure that waits until so many more are sealed.
        let more = |count: usize| {
            let before = done.lock().expect("not poisoned").len();
            crate::broker::wait_until("statements are sealed", || {
                done.lock().expect("not poisoned").len() >= before + count
            });
        };
        more(10);
        happens(&mut broker, &more);
        more(10);
        enough.store(true, Ordering::Release);
    });
    let sealed = statements_of(&ledger);
    for (statement, answer) in done.into_inner().expect("not poisoned") {
        broker.check_receipt(&answer, &statement);
        let index = usize::try_from(answer.index.0).expect("small");
        assert_eq!(sealed[index], statement.hash(), "what has a receipt is where it says");
    }
    assert!(!ledger.is_stopped());
    let fresh = broker.node(&broker.new_folder());
    assert_eq!(statements_of(&fresh), sealed, "and in the stream");
    assert_eq!(fresh.integrity_alerts(), [] as [serde_json::Value; 0]);
}

#[test]
fn a_server_that_is_killed_loses_nothing_that_was_acknowledged() {
    seals_through(|broker, more| {
        for _ in 0..2 {
            broker.server.kill();
            broker.server.run();
            more(10);
        }
    });
}

#[test]
fn a_server_that_hangs_and_comes_back() {
    seals_through(|broker, more| {
        broker.server.freeze();
        // Longer than an acknowledgement may take, so that outcomes are unknown.
        std::thread::sleep(std::time::Duration::from_secs(6));
        broker.server.thaw();
        more(10);
    });
}

/// A node that reads what another one seals, after something has happened to the line on which it reads. `happens` is given the keyring's
/// bucket, and how many records that has.
fn reads_through(happens: impl FnOnce(&Broker, &Proxy, &str, u64)) {
    let broker = Broker::new();
    let ledger = broker.node(&broker.home.data());
    let mut council = broker.home.register(&ledger, "gss:E06000005", 1);
    let (proxy, folder) = (Proxy::to(&broker.server.address()), broker.new_folder());
    let node = broker.node_by(&folder, &proxy.url());
    wait_for_size(&node, ledger.log().size().0);
    let bucket = format!("KV_gt-keys-{}", broker.epoch());
    let keys = broker.stream_info(&bucket)["state"]["last_seq"].as_u64().expect("a number");
    happens(&broker, &proxy, &bucket, keys);
    let waiting: Vec<_> = (0..9).map(|n| ledger.submit(prepared(&council.next(&child(n))))).collect();
    for answer in waiting {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
    wait_for_size(&node, ledger.log().size().0);
    assert_eq!(proxy.happened(), 2);
    assert!((0..9).all(|n| node.owner_id(&owner(n)).is_some()));
    for index in (0..ledger.log().size().0).map(LeafIndex) {
        let read = [&node, &ledger].map(|ledger| ledger.presentation(index).expect("it reads"));
        assert_eq!(read[0], read[1], "{index}");
    }
    assert_eq!(node.integrity_alerts(), [] as [serde_json::Value; 0]);
    ledger.close();
    node.close();
    assert_same_folders(&folder, &broker.home.data());
}

/// Where a connection breaks in the middle of an answer and is made anew, the rest of it comes with its end, and the middle is gone.
#[test]
fn an_answer_of_which_a_part_was_lost_is_asked_for_again() {
    reads_through(|broker, proxy, bucket, keys| {
        // Each in the middle of what is read at once, whether the first statement is sealed alone or not.
        proxy.lose("LEDGER", broker.last_sequence() + 4);
        proxy.lose(bucket, keys + 5);
    });
}

/// Whose keys they are would pass for erased.
#[test]
fn keys_that_a_replica_does_not_have_are_asked_for_again() {
    reads_through(|_, proxy, bucket, keys| {
        proxy.hide(bucket, keys + 5);
        proxy.hide(bucket, keys + 6);
    });
}
