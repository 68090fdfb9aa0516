//! A ledger's node, and a witness that has signed more than the node's folder holds.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

use gt_core::checkpoint::Checkpoint;
use gt_core::note::NoteSigner;

use super::*;
use crate::create::create;
use crate::disk::Disk;
use crate::integrity::IntegrityLog;
use crate::open;
use crate::secrets::Secrets;
use crate::witness::transport::{Reply, TransportError};

const ORIGIN: &str = "ledger.example/test";
/// How many entries more than the folder holds the witness has signed.
const MORE: u64 = 5;

struct Node {
    data: PathBuf,
    shared: Arc<Shared>,
    /// A checkpoint that another node has signed.
    ahead: SignedCheckpoint,
    _lock: File,
    _folder: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, secrets) = (folder.path().join("data"), folder.path().join("data.secrets"));
        create(&data, &secrets, ORIGIN).expect("made");
        let secrets = Secrets::load(&secrets).expect("sound secrets");
        let mut opened = open::open(&data, &secrets, Disk::new(&data, None)).expect("opens");
        let integrity = IntegrityLog::open(opened.writer.disk().another());
        let size = TreeSize(opened.log.size().0 + MORE);
        let ahead = Checkpoint::new(ORIGIN, size, Hash::of(b"what another node has sealed")).expect("sound");
        let ahead = secrets.log_signer().expect("a signer").sign(ahead).expect("signed");
        let begun = opened.begun;
        let shared = Shared::new(integrity, opened.log, opened.keyring, &begun.state, begun.index);
        Self { data, shared: Arc::new(shared), ahead, _lock: opened.lock, _folder: folder }
    }

    /// Starts the rounds with a witness that answers so: given whether it is asked to sign, or to show what it has signed.
    fn start(
        &self,
        waits: bool,
        answer: impl Fn(bool) -> Option<(u16, String)> + Send + Sync + 'static,
    ) -> Result<(), WitnessingError> {
        let signer = NoteSigner::cosigner("witness.example/w", &[7; 32]).expect("a good name");
        let policy = format!("witness w {} http://w.example\nquorum w\n", signer.verifier_key());
        let transport = move |_: &str, body: Option<&[u8]>, _: usize| -> Result<Reply, TransportError> {
            let (status, text) = answer(body.is_some()).ok_or("cut off")?;
            Ok(Reply { status, body: text.into_bytes() })
        };
        let witnessing = Witnessing {
            policy: Policy::parse(policy.as_bytes()).expect("a policy"),
            transport: Arc::new(transport),
            require_quorum: false,
            patience: Duration::from_mins(1),
            interval: Duration::from_millis(1),
        };
        Rounds::start(&self.data, &self.shared, &witnessing, waits)
    }

    fn rounds(&self) -> Arc<Rounds> {
        Arc::clone(self.shared.witnesses.get().expect("started"))
    }

    /// Waits until the witness has said that it has signed more, in a round.
    fn until_it_is_said(&self) {
        let since = Instant::now();
        let says = |status: &WitnessStatus| {
            status.problem.as_ref().is_some_and(|problem| problem.contains("more than it was asked about"))
        };
        while !self.rounds().statuses().iter().any(says) {
            assert!(since.elapsed() < Duration::from_mins(1), "{:?}", self.rounds().statuses());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The answers of a witness that has signed so many entries, and shows the checkpoint or none.
    fn has_signed(&self, size: u64, openly: bool) -> impl Fn(bool) -> Option<(u16, String)> + use<> {
        let shown = self.ahead.to_string();
        move |asked_to_sign| {
            let signed = (409, format!("{size}\n"));
            let shown = if openly { (200, shown.clone()) } else { (404, String::new()) };
            Some(if asked_to_sign { signed } else { shown })
        }
    }
}

#[test]
fn a_node_that_waits_for_a_key_is_set_back_and_not_stopped() {
    for shows in [true, false] {
        let node = Node::new();
        let size = node.ahead.checkpoint().size().0;
        node.shared.set_waits_for_key(Some((2, "of the next epoch".to_owned())));
        node.shared.set_active(true);
        node.start(true, node.has_signed(size, shows)).expect("it starts, and waits");
        node.until_it_is_said();
        assert!(!node.shared.is_stopped(), "what others seal is not there yet, and that is all");
        assert!(!node.data.join("state/evidence").exists());
        node.rounds().close();
    }
}

#[test]
fn a_node_that_does_not_seal_is_not_stopped_for_what_it_lacks() {
    for shows in [true, false] {
        let node = Node::new();
        let answer = node.has_signed(node.ahead.checkpoint().size().0, shows);
        let begun = Arc::new(AtomicU64::new(0));
        let (round, shared): (_, Weak<Shared>) = (Arc::clone(&begun), Arc::downgrade(&node.shared));
        let witness = move |asked_to_sign| {
            // It cannot be reached when the node starts; and when it can, another node has just taken over.
            (round.load(Ordering::SeqCst) > 0).then_some(())?;
            shared.upgrade()?.set_active(false);
            answer(asked_to_sign)
        };
        node.shared.set_active(true);
        node.start(true, witness).expect("nobody says anything");
        begun.store(1, Ordering::SeqCst);
        node.until_it_is_said();
        assert!(!node.shared.is_stopped());
        node.rounds().close();
    }
}

#[test]
fn a_ledger_that_seals_alone_does_not_start_behind_its_witness() {
    for shows in [true, false] {
        let node = Node::new();
        let size = node.ahead.checkpoint().size().0;
        let Err(WitnessingError::Contradiction(found)) = node.start(false, node.has_signed(size, shows))
        else {
            panic!("it starts")
        };
        assert_eq!((found.is_behind(), found.checkpoint().is_some()), (true, shows), "{found}");
    }
}

#[test]
fn who_takes_over_signs_nothing_below_what_a_witness_says_that_it_has_signed() {
    let node = Node::new();
    let said = Arc::new(AtomicU64::new(0));
    let saying = Arc::clone(&said);
    let witness = move |asked_to_sign| match (saying.load(Ordering::SeqCst), asked_to_sign) {
        (0, _) => None,
        (size, true) => Some((409, format!("{size}\n"))),
        (_, false) => Some((404, String::new())),
    };
    node.start(true, witness).expect("nobody says anything");
    let committed = TreeSize(node.shared.log.size().0 + 2);
    let take_over = |size: u64| {
        said.store(size, Ordering::SeqCst);
        node.rounds().check_take_over(&node.shared, committed, Hash::of(b"the root of the batch"))
    };
    take_over(committed.0).expect("what is committed may be signed already");
    for size in [committed.0 + 1, committed.0 - 1] {
        let found = take_over(size).expect_err("there was no such head");
        let WitnessContradiction::Unshown { seen, own, .. } = found else { panic!("{found}") };
        assert_eq!((seen.0, own), (size, committed));
    }
    node.rounds().close();
}
