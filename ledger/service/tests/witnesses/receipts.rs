//! Receipts under cosigned checkpoints.

use std::sync::Arc;
use std::time::Duration;

use gt_core::policy::Policy;
use gt_core::verify::verify_receipt;
use gt_ledger::Ledger;
use gt_ledger::prepare::Prepared;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use gt_ledger::witness::{Witnessing, WitnessingError};

use crate::network::{Network, Watching, eventually, policy, witnessing};
use crate::partnership::{Home, Publisher, child};

fn pin(home: &Home) -> gt_core::verify::Pin {
    let (verifier_keys, genesis) = home.pin.parse().expect("keys");
    gt_core::verify::Pin { origin: home.pin.origin.clone(), verifier_keys, genesis: Some(genesis) }
}

struct Setting {
    home: Home,
    ledger: Ledger,
    council: Publisher,
    watching: [Watching; 2],
    network: Arc<Network>,
}

impl Setting {
    /// Two witnesses, of which so many make a quorum.
    fn new() -> Self {
        let home = Home::new();
        let watching = ["w1", "w2"].map(|name| Watching::new(name, &home.pin));
        let network = Arc::new(Network::default());
        for one in &watching {
            network.connect(&one.url, &one.open());
        }
        let ledger = home.open();
        let council = home.register(&ledger, "gss:E06000005", 1);
        Self { home, ledger, council, watching, network }
    }

    fn policy(&self, quorum: usize) -> Policy {
        policy(&[&self.watching[0], &self.watching[1]], quorum)
    }

    fn start(&self, change: impl FnOnce(&mut Witnessing)) -> Policy {
        let mut witnessing = witnessing(&self.network, self.policy(2));
        change(&mut witnessing);
        self.ledger.have_witnesses(&witnessing).expect("nothing contradicts it");
        witnessing.policy
    }

    fn next(&mut self, n: u8) -> Prepared {
        Prepared::new(self.council.next(&child(n)).to_compact().as_bytes()).expect("sound")
    }

    fn seal(&mut self, n: u8) -> Result<Sealed, Refusal> {
        let prepared = self.next(n);
        self.ledger.submit(prepared).blocking_recv().expect("answered")
    }

    fn check(&self, sealed: &Sealed, policy: &Policy) {
        let verdict =
            verify_receipt(&sealed.receipt, Some(sealed.statement), &pin(&self.home)).expect("holds");
        assert_eq!(verdict.entry.index, sealed.index);
        assert_eq!(policy.check(&sealed.receipt.checkpoint).map(|by| by.len()), Ok(4));
    }
}

#[test]
fn receipts_are_under_checkpoints_that_met_the_quorum() {
    let mut setting = Setting::new();
    let policy = setting.start(|_| ());
    for n in 0..3 {
        let sealed = setting.seal(n).expect("sealed");
        setting.check(&sealed, &policy);
        assert!(!sealed.duplicate);
    }
    let many: Vec<_> = (0..40).map(|n| setting.next(n)).collect();
    let waiting: Vec<_> = many.into_iter().map(|one| setting.ledger.submit(one)).collect();
    for answer in waiting {
        setting.check(&answer.blocking_recv().expect("answered").expect("sealed"), &policy);
    }
    let (cosigned, newest) = (setting.ledger.cosigned().expect("met"), setting.ledger.checkpoint());
    assert_eq!(cosigned.checkpoint(), newest.checkpoint());
    assert_eq!(policy.check(&newest).map(|by| by.len()), Ok(4), "the newest is shown with its cosignatures");
    let statuses = setting.ledger.witnesses();
    assert_eq!(statuses.len(), 2);
    for status in statuses {
        assert_eq!(status.size, newest.checkpoint().size());
        assert_eq!((status.cosigned_at, status.problem), (Some(crate::network::NOW), None));
    }
    let size = newest.checkpoint().size();
    setting.ledger.close();
    let kept = std::fs::read(setting.home.data().join("state/cosigned")).expect("durable");
    let kept = gt_core::checkpoint::SignedCheckpoint::parse(&kept).expect("a checkpoint");
    assert_eq!(kept.checkpoint().size(), size);
}

#[test]
fn without_the_quorum_a_statement_is_sealed_and_its_receipt_comes_later() {
    let mut setting = Setting::new();
    let policy = setting.start(|witnessing| witnessing.patience = Duration::from_millis(300));
    let send = |setting: &Setting, statement: &str| {
        let prepared = Prepared::new(statement.as_bytes()).expect("sound");
        setting.ledger.submit(prepared).blocking_recv().expect("answered")
    };
    let statement = setting.council.next(&child(1)).to_compact();
    // Two witnesses may take longer than that on a busy machine.
    eventually("there is a receipt", || send(&setting, &statement).is_ok());
    let sealed = send(&setting, &statement).expect("a receipt");
    setting.check(&sealed, &policy);
    let url = setting.watching[1].url.clone();
    setting.network.cut(&url);
    let before = setting.ledger.log().size();
    let statement = setting.council.next(&child(7)).to_compact();
    let refused = send(&setting, &statement).expect_err("one witness is not enough");
    assert_eq!(refused.code(), "not_witnessed");
    assert_eq!(setting.ledger.log().size().0, before.0 + 1, "it is sealed all the same");
    assert!(matches!(send(&setting, &statement), Err(Refusal::NotWitnessed)));
    eventually("what the witness has not done is said", || {
        let statuses = setting.ledger.witnesses();
        statuses[1].problem.as_deref().is_some_and(|problem| problem.contains("cut off"))
            && statuses[0].problem.is_none()
    });
    setting.network.connect(&url, &setting.watching[1].open());
    eventually("the same bytes give the receipt", || send(&setting, &statement).is_ok());
    let sealed = send(&setting, &statement).expect("a receipt");
    assert!(sealed.duplicate);
    setting.check(&sealed, &policy);
    assert_eq!(setting.ledger.log().size().0, before.0 + 1, "once");
}

#[test]
fn one_of_two_is_enough_where_the_policy_says_so() {
    let mut setting = Setting::new();
    setting.network.cut(&setting.watching[0].url);
    let one_of_two = setting.policy(1);
    setting.start(|witnessing| witnessing.policy = one_of_two.clone());
    let sealed = setting.seal(1).expect("sealed");
    let by = one_of_two.check(&sealed.receipt.checkpoint).expect("met");
    assert_eq!(by.len(), 2, "both keys of the one that is there");
}

#[test]
fn a_witness_that_does_not_answer_holds_up_nobody_else() {
    let mut setting = Setting::new();
    let slow = setting.watching[0].url.clone();
    let one_of_two = setting.policy(1);
    setting.start(|witnessing| witnessing.policy = one_of_two.clone());
    setting.network.stall(&slow, true);
    for n in 0..5 {
        let sealed = setting.seal(n).expect("sealed");
        assert!(one_of_two.check(&sealed.receipt.checkpoint).is_ok());
    }
    let size = setting.ledger.log().size();
    assert!(setting.ledger.witnesses()[0].size < size, "it is still asked about an earlier one");
    setting.network.stall(&slow, false);
    eventually("it has signed the newest, too, and its cosignatures are there", || {
        let newest = setting.ledger.checkpoint();
        newest.checkpoint().size() == size && one_of_two.check(&newest).is_ok_and(|by| by.len() == 4)
    });
}

#[test]
fn a_slow_witness_that_the_quorum_needs_is_waited_for_and_its_late_answer_counts() {
    let mut setting = Setting::new();
    let policy = setting.start(|_| ());
    let slow = setting.watching[0].url.clone();
    setting.network.stall(&slow, true);
    let asked = setting.ledger.log().size();
    let first = setting.next(1);
    let first = setting.ledger.submit(first);
    eventually("the other one has gone on", || setting.ledger.witnesses()[1].size > asked);
    let second = setting.next(2);
    let second = setting.ledger.submit(second);
    eventually("and further", || setting.ledger.witnesses()[1].size.0 > asked.0 + 1);
    setting.network.stall(&slow, false);
    for answer in [first, second] {
        setting.check(&answer.blocking_recv().expect("answered").expect("sealed"), &policy);
    }
}

#[test]
fn without_being_told_to_wait_receipts_do_not_wait() {
    let mut setting = Setting::new();
    for one in &setting.watching {
        setting.network.cut(&one.url);
    }
    setting.start(|witnessing| witnessing.require_quorum = false);
    let sealed = setting.seal(1).expect("sealed");
    assert!(verify_receipt(&sealed.receipt, Some(sealed.statement), &pin(&setting.home)).is_ok());
    assert!(setting.ledger.cosigned().is_none());
    for one in &setting.watching {
        setting.network.connect(&one.url, &one.open());
    }
    eventually("the witnesses have signed", || setting.ledger.cosigned().is_some());
}

#[test]
fn what_met_the_quorum_is_shown_after_a_restart_and_only_to_who_asks_for_it() {
    let mut setting = Setting::new();
    setting.start(|_| ());
    setting.seal(1).expect("sealed");
    let cosigned = setting.ledger.cosigned().expect("met");
    setting.ledger.close();
    drop(setting.ledger);
    for one in &setting.watching {
        setting.network.cut(&one.url);
    }
    let ledger = setting.home.open();
    assert!(ledger.cosigned().is_none(), "it has no witnesses yet");
    let policy = policy(&[&setting.watching[0], &setting.watching[1]], 2);
    ledger
        .have_witnesses(&witnessing(&setting.network, policy.clone()))
        .expect("unreachable is no contradiction");
    assert_eq!(ledger.cosigned().as_deref(), Some(&*cosigned));
    let twice = ledger.have_witnesses(&witnessing(&setting.network, policy));
    assert!(matches!(twice, Err(WitnessingError::Twice)));
}

#[test]
fn a_policy_about_another_log_or_without_addresses_is_refused() {
    let setting = Setting::new();
    let other = Home::new();
    let mut text = setting.watching[0].policy_lines("w");
    text.push_str("quorum w\n");
    let start = |text: &str| {
        let policy = Policy::parse(text.as_bytes()).expect("a policy");
        setting.ledger.have_witnesses(&witnessing(&setting.network, policy))
    };
    let of_other = format!("log {}\n{text}", other.pin.verifier_keys[0]);
    assert!(matches!(start(&of_other), Err(WitnessingError::OtherLog { .. })));
    let nowhere = text.replace(&format!(" {}/w/", setting.watching[0].url), "");
    assert!(matches!(start(&nowhere), Err(WitnessingError::NobodyToAsk)));
    let own = format!("log {}\n{text}", setting.home.pin.verifier_keys[0]);
    start(&own).expect("the log is this one");
}
