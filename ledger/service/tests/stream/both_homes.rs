//! The same statements and the same promises in both homes: the data folder alone, and the stream.

use gt_core::LeafIndex;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;

use crate::broker::{Broker, check_receipt, prepared};
use crate::partnership::{Home, Publisher, child};

enum Place {
    Folder(Home),
    Stream(Broker),
}

impl Place {
    fn home(&self) -> &Home {
        match self {
            Self::Folder(home) => home,
            Self::Stream(broker) => &broker.home,
        }
    }

    fn open(&self) -> Ledger {
        match self {
            Self::Folder(home) => home.open(),
            Self::Stream(broker) => broker.node(&broker.home.data()),
        }
    }
}

fn submit_all(ledger: &Ledger, statements: &[Statement]) -> Vec<Result<Sealed, Refusal>> {
    let waiting: Vec<_> = statements.iter().map(|statement| ledger.submit(prepared(statement))).collect();
    waiting.into_iter().map(|answer| answer.blocking_recv().expect("everybody is answered")).collect()
}

fn seal(ledger: &Ledger, statement: &Statement) -> Result<Sealed, Refusal> {
    ledger.seal_blocking(statement.to_compact().as_bytes())
}

fn receipts_duplicates_and_restarts(place: &Place) {
    let home = place.home();
    let ledger = place.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let mut police = home.register(&ledger, "police:32", 2);
    let statements: Vec<Statement> = (0..120_u8)
        .map(|n| if n % 3 == 0 { police.next(&child(n % 7)) } else { council.next(&child(n % 7)) })
        .collect();
    let sealed: Vec<Sealed> =
        submit_all(&ledger, &statements).into_iter().map(|answer| answer.expect("sealed")).collect();
    for (sealed, statement) in sealed.iter().zip(&statements) {
        check_receipt(home, sealed, statement);
        assert!(!sealed.duplicate);
    }
    let indexes: Vec<u64> = sealed.iter().map(|sealed| sealed.index.0).collect();
    let first = indexes[0];
    assert_eq!(indexes, (first..first + 120).collect::<Vec<_>>(), "in the order in which they came");
    assert!(ledger.is_active());
    let before = ledger.records(LeafIndex(0), 256).expect("reads");
    ledger.close();
    drop(ledger);

    let ledger = place.open();
    assert_eq!(ledger.removed_entries(), 0);
    assert_eq!(ledger.records(LeafIndex(0), 256).expect("reads"), before);
    let again = submit_all(&ledger, &statements);
    for ((again, sealed), statement) in again.into_iter().zip(&sealed).zip(&statements) {
        let again = again.expect("a duplicate");
        assert!(again.duplicate);
        assert_eq!(again.index, sealed.index);
        check_receipt(home, &again, statement);
        let text = ledger.presentation(sealed.index).expect("reads").expect("readable");
        assert_eq!(text, statement.to_compact());
    }
    assert_eq!(ledger.log().size().0, first + 120, "a duplicate leaves no trace");
    let next = seal(&ledger, &council.next(&child(1))).expect("the chain goes on");
    assert_eq!(next.index.0, first + 120);
}

fn forks_gaps_and_what_is_refused(place: &Place) {
    let home = place.home();
    let ledger = place.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let size = ledger.log().size().0;
    let (first, second) = (council.next(&child(1)), council.next(&child(1)));
    let code = |statement: &Statement| seal(&ledger, statement).expect_err("must be refused").code();
    assert_eq!(code(&second), "chain_gap");
    seal(&ledger, &first).expect("sealed");

    let mut copied = Publisher::new("gss:E06000005", 1, home.genesis());
    let fork = copied.next(&child(2));
    let refusal = seal(&ledger, &fork).expect_err("a fork");
    assert_eq!((refusal.code(), refusal.chain_head().expect("a head").head), ("chain_fork", first.hash()));
    assert_eq!(code(&fork), "chain_fork");
    assert_eq!(ledger.integrity_alerts().len(), 1, "the same fork is one alert");
    assert_eq!(code(&copied.next(&child(2))), "chain_prev");
    let mut stranger = Publisher::new("ods:RX1", 9, home.genesis());
    assert_eq!(code(&stranger.next(&child(1))), "unknown_publisher");
    assert_eq!(ledger.log().size().0, size + 1, "nothing that was refused left a trace");

    // Sound and refused ones in one batch: each is answered for itself.
    let third = council.next(&child(3));
    let answers = submit_all(&ledger, &[second.clone(), fork, stranger.next(&child(1)), third, first]);
    let codes: Vec<_> =
        answers.iter().map(|answer| answer.as_ref().map_err(Refusal::code).map(|one| one.index.0)).collect();
    assert_eq!(codes[0], Ok(size + 1));
    assert_eq!(codes[1], Err("chain_fork"));
    assert_eq!(codes[2], Err("unknown_publisher"));
    assert_eq!(codes[3], Ok(size + 2));
    assert_eq!(codes[4], Ok(size));
}

fn a_registration_counts_within_its_own_batch(place: &Place) {
    let home = place.home();
    let ledger = place.open();
    let mut council = Publisher::new("gss:E06000005", 1, home.genesis());
    let registration = home.registration(&ledger, &council);
    let statements = [registration, council.next(&child(1)), council.next(&child(2))];
    for (answer, statement) in submit_all(&ledger, &statements).into_iter().zip(&statements) {
        check_receipt(home, &answer.expect("sealed"), statement);
    }
}

fn in_both_homes(check: fn(&Place)) {
    check(&Place::Folder(Home::new()));
    check(&Place::Stream(Broker::new()));
}

#[test]
fn receipts_hold_duplicates_are_known_and_a_restart_changes_nothing() {
    in_both_homes(receipts_duplicates_and_restarts);
}

#[test]
fn what_breaks_a_chain_is_refused_and_leaves_no_trace() {
    in_both_homes(forks_gaps_and_what_is_refused);
}

#[test]
fn a_publisher_speaks_from_the_entry_after_its_registration() {
    in_both_homes(a_registration_counts_within_its_own_batch);
}
