//! Folders that contradict what witnesses have seen.

use std::sync::Arc;

use gt_core::TreeSize;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::fork::ForkEvidence;
use gt_core::verify::Pin;
use gt_ledger::Ledger;
use gt_ledger::refusal::Refusal;
use gt_ledger::witness::{WitnessContradiction, WitnessingError};

use crate::network::{Network, Watching, copy_folder, eventually, policy, request, witnessing};
use crate::partnership::{Home, Publisher, child};

struct Setting {
    home: Home,
    council: Publisher,
    watching: Watching,
    network: Arc<Network>,
}

impl Setting {
    fn new() -> Self {
        let home = Home::new();
        let watching = Watching::new("w1", &home.pin);
        let network = Arc::new(Network::default());
        network.connect(&watching.url, &watching.open());
        let ledger = home.open();
        let council = home.register(&ledger, "gss:E06000005", 1);
        ledger.close();
        Self { home, council, watching, network }
    }

    fn start(&self, ledger: &Ledger) -> Result<(), WitnessingError> {
        ledger.have_witnesses(&witnessing(&self.network, policy(&[&self.watching], 1)))
    }

    fn seal(&mut self, ledger: &Ledger, n: u8) -> Result<u64, Refusal> {
        let statement = self.council.next(&child(n)).to_compact();
        ledger.seal_blocking(statement.as_bytes()).map(|sealed| sealed.index.0)
    }

    /// Copies the folder, and seals three statements under the witness's eyes. How many entries there are then.
    fn seal_three_beyond(&mut self, copy: &str) -> TreeSize {
        self.copy(copy);
        let ledger = self.home.open();
        self.start(&ledger).expect("nothing was seen yet");
        for n in 0..3 {
            self.seal(&ledger, n).expect("sealed");
        }
        let size = ledger.log().size();
        ledger.close();
        size
    }

    /// Puts an older copy of the folder in its place.
    fn put_back(&self, copy: &str) {
        std::fs::remove_dir_all(self.home.data()).expect("removed");
        copy_folder(&self.home.folder.path().join(copy), &self.home.data());
    }

    fn copy(&self, name: &str) {
        copy_folder(&self.home.data(), &self.home.folder.path().join(name));
    }

    fn evidence(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(self.home.data().join("state/evidence/000").join(file)).ok()
    }
}

#[test]
fn an_older_copy_of_the_folder_does_not_start() {
    let mut setting = Setting::new();
    let size = setting.seal_three_beyond("backup");
    setting.put_back("backup");
    let ledger = setting.home.open();
    let Err(WitnessingError::Contradiction(found)) = setting.start(&ledger) else { panic!("it starts") };
    let WitnessContradiction::OlderCopy { seen, own, .. } = &found else { panic!("{found}") };
    assert_eq!((*seen, own.0), (size, size.0 - 3));
    let said = found.to_string();
    let wanted = format!(
        "this folder is an older copy: witness witness.example/w1 has seen {seen} entries, this folder has {own}"
    );
    assert!(said.starts_with(&wanted), "{said}");
    let kept = setting.evidence("0000-witnessed-checkpoint").expect("kept");
    assert_eq!(SignedCheckpoint::parse(kept.as_bytes()).expect("a checkpoint").checkpoint().size(), size);
    assert!(setting.evidence("own-checkpoint-now").is_some() && setting.evidence("fork.json").is_none());
    let alerts = ledger.integrity_alerts();
    assert!(alerts.iter().any(|alert| alert["pattern"] == "witness-contradiction"), "{alerts:?}");
}

/// C2SP's protocol has no way to ask for what a witness has signed; but whoever is asked to sign what it cannot says how much it has.
#[test]
fn an_older_copy_does_not_start_though_its_witness_shows_nothing() {
    let mut setting = Setting::new();
    setting.network.hide(&setting.watching.url);
    let size = setting.seal_three_beyond("backup");
    let ledger = setting.home.open();
    setting.start(&ledger).expect("it has signed what the folder has, and no more");
    setting.seal(&ledger, 3).expect("sealed");
    ledger.close();
    drop(ledger);
    setting.put_back("backup");
    let ledger = setting.home.open();
    let Err(WitnessingError::Contradiction(found)) = setting.start(&ledger) else { panic!("it starts") };
    let WitnessContradiction::Unshown { seen, own, .. } = &found else { panic!("{found}") };
    assert_eq!((seen.0, own.0), (size.0 + 1, size.0 - 3));
    assert!(found.to_string().starts_with("this folder may be an older copy: witness witness.example/w1"));
    let kept = setting.evidence("0000-witness-said").expect("kept");
    assert_eq!(kept, format!("witness.example/w1\n{seen}\n"));
    let alerts = ledger.integrity_alerts();
    assert!(alerts.iter().any(|alert| alert["pattern"] == "witness-contradiction"), "{alerts:?}");
}

#[test]
fn a_rewritten_folder_does_not_start_and_the_fork_can_be_shown_to_anybody() {
    let mut setting = Setting::new();
    setting.copy("backup");
    let ledger = setting.home.open();
    setting.start(&ledger).expect("nothing was seen yet");
    let (seq, prev) = (setting.council.seq, setting.council.prev);
    setting.seal(&ledger, 1).expect("sealed");
    let seen = ledger.log().size();
    ledger.close();
    drop(ledger);
    setting.put_back("backup");
    let ledger = setting.home.open();
    (setting.council.seq, setting.council.prev) = (seq, prev);
    for n in 10..14 {
        setting.seal(&ledger, n).expect("sealed, as nobody watches");
    }
    let Err(WitnessingError::Contradiction(found)) = setting.start(&ledger) else { panic!("it starts") };
    assert!(matches!(found, WitnessContradiction::Rewritten { .. }), "{found}");
    assert!(found.to_string().starts_with("the log was rewritten"), "{found}");
    let fork = setting.evidence("fork.json").expect("kept");
    let (verifier_keys, genesis) = setting.home.pin.parse().expect("keys");
    let pin = Pin { origin: setting.home.pin.origin.clone(), verifier_keys, genesis: Some(genesis) };
    let proven = ForkEvidence::parse(fork.as_bytes()).expect("it reads").verify(&pin);
    assert_eq!(proven.expect("it proves a fork").differ_at, seen);
    let fork: serde_json::Value = serde_json::from_str(&fork).expect("JSON");
    assert_eq!(fork["format"], "gt/fork/1");
    let of = |at: usize| fork["checkpoints"][at].as_str().expect("a note");
    let sizes =
        [0, 1].map(|at| SignedCheckpoint::parse(of(at).as_bytes()).expect("signed").checkpoint().size());
    assert_eq!(sizes, [seen, ledger.log().size()]);
    let root = gt_core::prove::root(ledger.log(), seen).expect("a root");
    assert_eq!(fork["other_root"], root.to_string());
    assert!(fork["consistency"].as_str().expect("a proof").starts_with(&format!("old {seen}\n")));
}

#[test]
fn a_contradiction_that_shows_while_it_runs_stops_the_sealer() {
    shows_while_it_runs(Setting::new(), "0000-witnessed-checkpoint");
    let setting = Setting::new();
    setting.network.hide(&setting.watching.url);
    shows_while_it_runs(setting, "0000-witness-said");
}

fn shows_while_it_runs(mut setting: Setting, evidence: &str) {
    setting.copy("backup");
    let ledger = setting.home.open();
    setting.seal(&ledger, 1).expect("sealed");
    // What the witness has seen, it says only later.
    let witness = setting.watching_signs(&ledger);
    ledger.close();
    drop(ledger);
    setting.put_back("backup");
    setting.network.cut(&setting.watching.url);
    let ledger = setting.home.open();
    setting.start(&ledger).expect("the witness cannot be asked");
    setting.network.connect(&setting.watching.url, &witness);
    eventually("the witness is heard", || ledger.is_stopped());
    assert!(matches!(setting.seal(&ledger, 2), Err(Refusal::Stopped)));
    eventually("the evidence is kept", || setting.evidence(evidence).is_some());
    let size = ledger.log().size();
    assert!(ledger.log().entry_bytes(gt_core::LeafIndex(0)).is_ok(), "reading goes on");
    ledger.close();
    assert_eq!(ledger.log().size(), size);
}

#[test]
fn what_a_witness_says_without_the_ledgers_own_signature_counts_for_nothing() {
    let mut setting = Setting::new();
    let ledger = setting.home.open();
    let other = Home::new();
    // A witness that shows the checkpoint of another ledger under this one's origin.
    let liar = Watching::new("w1", &other.pin);
    let others = other.open();
    for n in 0..5 {
        let mut someone = Publisher::new("gss:E06000005", n + 1, other.genesis());
        let statement = other.registration(&others, &someone);
        let _ = others.seal_blocking(statement.to_compact().as_bytes());
        let _ = someone.next(&child(n));
    }
    let witness = liar.open();
    witness.add_checkpoint(&request(&others, 0), crate::network::NOW).expect("signed");
    setting.network.connect(&setting.watching.url, &witness);
    setting.start(&ledger).expect("it is warned of, and left");
    setting.seal_without_waiting(&ledger);
    assert!(!ledger.is_stopped());
}

impl Setting {
    fn watching_signs(&self, ledger: &Ledger) -> Arc<gt_ledger::witness::Witness> {
        self.network.cut(&self.watching.url);
        let witness = self.watching.open();
        witness.add_checkpoint(&request(ledger, 0), crate::network::NOW).expect("signed");
        witness
    }

    fn seal_without_waiting(&mut self, ledger: &Ledger) {
        let before = ledger.log().size();
        let statement = self.council.next(&child(1)).to_compact();
        let prepared = gt_ledger::prepare::Prepared::new(statement.as_bytes()).expect("sound");
        let answer = ledger.submit(prepared);
        eventually("it is sealed", || ledger.log().size() > before);
        drop(answer);
    }
}
