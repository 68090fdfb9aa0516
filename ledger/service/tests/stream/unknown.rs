//! Outcomes that are unknown at first: the line is cut and held up at the message that commits. Nothing is guessed.

use gt_core::statement::Statement;
use gt_ledger::Ledger;

use crate::broker::proxy::{Fault, Proxy};
use crate::broker::{Broker, prepared, statements_of, wait_until};
use crate::partnership::{Publisher, child};

/// A ledger must be closed before its connection's runtime ends, so it stands first.
struct Cut {
    ledger: Ledger,
    council: Publisher,
    proxy: Proxy,
    broker: Broker,
}

impl Cut {
    fn new() -> Self {
        let broker = Broker::new();
        let proxy = Proxy::to(&broker.server.address());
        let ledger = broker.node_by(&broker.home.data(), &proxy.url());
        let council = broker.home.register(&ledger, "gss:E06000005", 1);
        Self { ledger, council, proxy, broker }
    }

    /// Submits statements while the line has a fault: their receipts come all the same, and each is sealed once.
    fn seals_through(&mut self, fault: Fault, count: u8) {
        let statements: Vec<Statement> = (0..count).map(|n| self.council.next(&child(n % 5))).collect();
        let size = self.ledger.log().size().0;
        let happened = self.proxy.happened();
        self.proxy.fault(fault);
        let waiting: Vec<_> = statements.iter().map(|one| self.ledger.submit(prepared(one))).collect();
        for (answer, statement) in waiting.into_iter().zip(&statements) {
            let sealed = answer.blocking_recv().expect("answered").expect("sealed");
            self.broker.check_receipt(&sealed, statement);
            assert!(!sealed.duplicate);
        }
        assert_eq!(self.proxy.happened(), happened + 1, "the fault happened");
        assert_eq!(self.ledger.log().size().0, size + u64::from(count));
        self.check();
    }

    /// The stream holds each statement once, as somebody who comes new reads it.
    fn check(&self) {
        let sealed = statements_of(&self.ledger);
        let follower = self.broker.node(&self.broker.new_folder());
        assert_eq!(statements_of(&follower), sealed);
        assert_eq!(follower.integrity_alerts(), [] as [serde_json::Value; 0]);
        assert!(!self.ledger.is_stopped());
    }
}

/// With a batch of one, which is a plain publish, and with one of several. Both mostly wait, so they wait together.
fn with_short_and_long_batches(check: impl Fn(&mut Cut, u8) + Sync) {
    std::thread::scope(|scope| {
        for count in [1, 20] {
            let check = &check;
            scope.spawn(move || check(&mut Cut::new(), count));
        }
    });
}

#[test]
fn a_line_cut_before_the_acknowledgement() {
    with_short_and_long_batches(|cut, count| cut.seals_through(Fault::CutAfterCommit, count));
}

#[test]
fn an_acknowledgement_that_is_lost() {
    with_short_and_long_batches(|cut, count| cut.seals_through(Fault::SwallowAcknowledgement, count));
}

#[test]
fn a_line_cut_before_the_last_message() {
    with_short_and_long_batches(|cut, count| cut.seals_through(Fault::CutBeforeCommit, count));
}

/// An attempt that is held up on the way arrives when a later one was acknowledged, and other batches after it.
#[test]
fn an_attempt_that_arrives_late() {
    with_short_and_long_batches(|cut, count| {
        cut.seals_through(Fault::HoldCommit, count);
        assert!(cut.proxy.is_holding());
        let before = cut.broker.last_sequence();
        cut.proxy.let_go();
        wait_until("the attempt went on", || !cut.proxy.is_holding());
        let next = cut.council.next(&child(9));
        let sealed = cut.ledger.seal_blocking(next.to_compact().as_bytes()).expect("sealed");
        cut.broker.check_receipt(&sealed, &next);
        assert_eq!(cut.broker.last_sequence(), before + 1, "the late attempt left nothing");
        cut.check();
    });
}

/// Closed while it is not known what is committed: whoever waits is told to send again, and a start finds out.
#[test]
fn closing_before_the_outcome_is_known() {
    let mut cut = Cut::new();
    let statement = cut.council.next(&child(1));
    cut.proxy.fault(Fault::CutAfterCommit);
    let answer = cut.ledger.submit(prepared(&statement));
    wait_until("the line is cut", || cut.proxy.happened() == 1);
    cut.broker.server.kill();
    cut.ledger.close();
    let answer = answer.blocking_recv().expect("answered");
    assert!(answer.is_err(), "nobody knows");
    assert!(cut.ledger.is_stopped());
    cut.broker.server.run();
    let folder = cut.broker.home.data();
    drop(cut.ledger);
    let ledger = cut.broker.node(&folder);
    let sealed = ledger.seal_blocking(statement.to_compact().as_bytes()).expect("a receipt");
    cut.broker.check_receipt(&sealed, &statement);
    let sealed = statements_of(&ledger);
    assert_eq!(sealed.iter().filter(|one| **one == statement.hash()).count(), 1);
}
