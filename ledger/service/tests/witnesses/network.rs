//! Witnesses that a ledger reaches without HTTP, and that can be cut off.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use gt_core::note::VerifierKey;
use gt_core::policy::Policy;
use gt_core::witness::Refusal;
use gt_ledger::Ledger;
use gt_ledger::secrets::PinFile;
use gt_ledger::witness::{
    AddError, Reply, Transport, TransportError, Witness, WitnessError, WitnessFolder, Witnessing,
};

/// Seconds since the epoch, by the witnesses' clock.
pub(crate) const NOW: u64 = 1_790_000_000;

#[derive(Default)]
pub(crate) struct Network {
    connected: Mutex<HashMap<String, Arc<Witness>>>,
    /// Addresses that take requests and do not answer.
    stalled: Mutex<HashSet<String>>,
    /// Addresses that sign, and show nobody what they have signed.
    hiding: Mutex<HashSet<String>>,
    answers_again: Condvar,
}

impl Network {
    pub(crate) fn connect(&self, url: &str, witness: &Arc<Witness>) {
        self.connected.lock().expect("not poisoned").insert(url.to_owned(), Arc::clone(witness));
    }

    /// Asked for its newest checkpoint, the witness there says that it has none.
    pub(crate) fn hide(&self, url: &str) {
        self.hiding.lock().expect("not poisoned").insert(url.to_owned());
    }

    pub(crate) fn cut(&self, url: &str) {
        self.connected.lock().expect("not poisoned").remove(url);
    }

    /// What is sent there is answered only once this has been called with false.
    pub(crate) fn stall(&self, url: &str, stalls: bool) {
        let mut stalled = self.stalled.lock().expect("not poisoned");
        if stalls {
            stalled.insert(url.to_owned());
        } else {
            stalled.remove(url);
            self.answers_again.notify_all();
        }
    }
}

impl Transport for Network {
    fn send(&self, url: &str, body: Option<&[u8]>, limit: usize) -> Result<Reply, TransportError> {
        let (base, path) = url.split_at(url.find("/w/").ok_or("a path")?);
        let stalled = self.stalled.lock().expect("not poisoned");
        drop(self.answers_again.wait_while(stalled, |stalled| stalled.contains(base)).expect("not poisoned"));
        let witness = self.connected.lock().expect("not poisoned").get(base).map(Arc::clone);
        let witness = witness.ok_or("cut off")?;
        let (status, text) = match (path.trim_start_matches("/w/"), body) {
            ("add-checkpoint", Some(body)) => match witness.add_checkpoint(body, NOW) {
                Ok(signatures) => (200, signatures),
                Err(AddError::Refused(Refusal::Conflict { size })) => (409, format!("{size}\n")),
                Err(error) => (error.status(), error.to_string()),
            },
            (_, None) if self.hiding.lock().expect("not poisoned").contains(base) => (404, String::new()),
            (path, None) => {
                let hash = path.strip_suffix("/checkpoint").ok_or("a path")?;
                witness.checkpoint(hash)?.map_or((404, String::new()), |signed| (200, signed.to_string()))
            }
            _ => (405, String::new()),
        };
        assert!(text.len() <= limit);
        Ok(Reply { status, body: text.into_bytes() })
    }
}

/// A witness in a folder of its own.
pub(crate) struct Watching {
    pub(crate) url: String,
    folder: tempfile::TempDir,
    keys: Vec<String>,
}

impl Watching {
    pub(crate) fn new(name: &str, pin: &PinFile) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = WitnessFolder::new(folder.path());
        let keys = home.init(&format!("witness.example/{name}")).expect("made").verifier_keys;
        let logs: Vec<VerifierKey> = pin.parse().expect("keys").0;
        assert_eq!(home.add(logs.clone()).expect("added"), logs.len());
        assert_eq!(home.add(logs).expect("known"), 0);
        Self { url: format!("http://{name}.example"), folder, keys }
    }

    /// Opens it, once whoever had it open has let go of it.
    pub(crate) fn open(&self) -> Arc<Witness> {
        let mut opened = None;
        eventually("the witness opens", || {
            opened = match Witness::open(self.folder.path()) {
                Err(WitnessError::Locked { .. }) => None,
                other => Some(other.expect("opens")),
            };
            opened.is_some()
        });
        Arc::new(opened.expect("it is open"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file with what it signed last, of the one log that it has signed for.
    pub(crate) fn seen(&self) -> PathBuf {
        let mut files = std::fs::read_dir(self.path().join("seen")).expect("it has signed");
        files.next().expect("a file").expect("readable").path()
    }

    pub(crate) fn policy_lines(&self, name: &str) -> String {
        let url = &self.url;
        let line = |at: usize| format!("witness {name}{at} {} {url}/w/\n", self.keys[at]);
        format!("{}{}group {name} all {name}0 {name}1\n", line(0), line(1))
    }
}

pub(crate) fn policy(watching: &[&Watching], quorum: usize) -> Policy {
    let names: Vec<String> = (0..watching.len()).map(|at| format!("w{at}-")).collect();
    let lines: String = watching.iter().zip(&names).map(|(one, name)| one.policy_lines(name)).collect();
    let text = format!("{lines}group quorum {quorum} {}\nquorum quorum\n", names.join(" "));
    Policy::parse(text.as_bytes()).expect("a policy")
}

pub(crate) fn witnessing(network: &Arc<Network>, policy: Policy) -> Witnessing {
    Witnessing {
        policy,
        transport: Arc::clone(network) as Arc<dyn Transport>,
        require_quorum: true,
        patience: Duration::from_mins(1),
        interval: Duration::from_millis(1),
    }
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_mins(1), "it never happened that {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a new folder");
    for item in std::fs::read_dir(from).expect("a folder") {
        let item = item.expect("readable");
        let target = to.join(item.file_name());
        if item.file_type().expect("a known type").is_dir() {
            copy_folder(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).expect("a copy");
        }
    }
}

/// The requests that a log makes of a witness that has seen `old` entries: its newest checkpoint, with the proof.
pub(crate) fn request(ledger: &Ledger, old: u64) -> Vec<u8> {
    use gt_core::TreeSize;
    use gt_core::witness::AddCheckpoint;
    let checkpoint = ledger.published().checkpoint.clone();
    let size = checkpoint.checkpoint().size();
    let proof = gt_core::prove::consistency(ledger.log(), TreeSize(old), size).expect("a proof");
    AddCheckpoint { old: TreeSize(old), proof: proof.path, checkpoint }.to_string().into_bytes()
}
