//! Publishers that have an outbox, as processes that can be killed in the middle of their work.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::{fs, mem};

use gt_core::Hash;
use serde_json::Value;

use super::load::Receipts;
use crate::partnership::{Client, Home, Process, eventually, path, the_program};

/// `goldenthread agent`, which is started again when it was killed.
pub(super) struct Agent {
    arguments: Vec<String>,
    log: PathBuf,
    /// It, and where it listens.
    running: Mutex<(Process, String)>,
    sealed: AtomicUsize,
}

/// `goldenthread publish`, run again and again.
pub(super) struct Publish {
    arguments: Vec<String>,
    drafts: PathBuf,
    log: PathBuf,
    running: Mutex<Running>,
    sealed: AtomicUsize,
}

/// A run of it.
#[derive(Default)]
struct Running {
    process: Option<Process>,
    was_killed: bool,
}

impl Agent {
    pub(super) fn start(home: &Home, key: &str, servers: &str) -> Self {
        let (arguments, log) = (agent_arguments(home, key, servers), home.at("agent.log"));
        let running = Mutex::new(started(&arguments, &log));
        Self { arguments, log, running, sealed: AtomicUsize::new(0) }
    }

    /// Posts a draft, and keeps the receipt if there is one already. Says whether there is.
    pub(super) fn post(&self, draft: &str, receipts: &Receipts) -> bool {
        let url = self.running().1.clone();
        let posted = Client::new(&url).try_post("/v1/drafts?wait=2", "application/json", draft.as_bytes());
        let Ok(reply) = posted else {
            // It may have been killed meanwhile. Whoever kills it lets go of it when the next one is there.
            let (process, _) = &mut *self.running();
            assert!(process.has_ended().is_none(), "the agent has ended: {}", process.log_text());
            return false;
        };
        assert!(matches!(reply.status, 201 | 202), "{}", reply.text());
        let sealed = keep_sealed(receipts, &reply.json());
        self.sealed.fetch_add(usize::from(sealed), Ordering::AcqRel);
        sealed
    }

    /// `kill -9`, and up again.
    fn kill(&self) {
        let mut running = self.running();
        running.0.kill();
        *running = started(&self.arguments, &self.log);
    }

    fn running(&self) -> MutexGuard<'_, (Process, String)> {
        self.running.lock().expect("nothing panics with it")
    }
}

impl Publish {
    pub(super) fn new(home: &Home, key: &str, servers: &str) -> Self {
        Self {
            arguments: publish_arguments(home, key, servers),
            drafts: home.at("publish.drafts"),
            log: home.at("publish.log"),
            running: Mutex::default(),
            sealed: AtomicUsize::new(0),
        }
    }

    /// Runs it with these drafts, one a line, and keeps the receipts of those that are sealed. Says whether all of them are.
    pub(super) fn run(&self, drafts: &str, receipts: &Receipts) -> bool {
        fs::write(&self.drafts, drafts).expect("a file");
        let mut command = the_program(&self.arguments);
        command.arg(&self.drafts);
        *self.running() = Running { process: Some(Process::of(command, &self.log)), was_killed: false };
        // Looked at and not waited for, so that it can be killed meanwhile.
        let mut status = None;
        eventually("`publish` ends", || {
            let mut running = self.running();
            status = running.process.as_mut().and_then(Process::has_ended);
            status.is_some()
        });
        let Running { process, was_killed } = mem::take(&mut *self.running());
        let text = process.expect("it ran").rest_of_output().join("\n");
        assert!(!text.contains("\"refused\""), "{text}");
        match status.and_then(|status| status.code()) {
            Some(0) => {
                let outcome = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
                let outcomes: Vec<Value> = text.lines().map(outcome).collect();
                assert_eq!(outcomes.len(), drafts.lines().count(), "{text}");
                assert!(outcomes.iter().all(|outcome| keep_sealed(receipts, outcome)), "{text}");
                self.sealed.fetch_add(outcomes.len(), Ordering::AcqRel);
                true
            }
            // No server could be reached when it started, or none answered for long.
            Some(1) => false,
            code => {
                assert!(was_killed && code.is_none(), "it ended with {code:?}: {}", read(&self.log));
                false
            }
        }
    }

    /// `kill -9`, in the middle of a run.
    fn kill(&self) {
        eventually("`publish` runs and is killed", || {
            let mut running = self.running();
            let Running { process: Some(process), was_killed } = &mut *running else { return false };
            if process.has_ended().is_some() {
                return false;
            }
            process.kill();
            *was_killed = true;
            true
        });
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().expect("nothing panics with it")
    }
}

/// Kills both, and waits until each has had more receipts since.
pub(super) fn kill(agent: &Agent, publish: &Publish) {
    let sealed = || [&agent.sealed, &publish.sealed].map(|count| count.load(Ordering::Acquire));
    agent.kill();
    publish.kill();
    let before = sealed();
    eventually("agent and `publish` go on", || sealed().iter().zip(before).all(|(now, then)| *now > then));
    let said = agent.running().0.log_text() + &read(&publish.log);
    assert!(!said.contains("panicked at"), "{said}");
}

fn read(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

/// Starts `goldenthread agent` over NATS or HTTP.
pub(super) fn agent(home: &Home, key: &str, servers: &str, log: &Path) -> Process {
    Process::start(agent_arguments(home, key, servers), log)
}

/// An agent, and where it listens.
fn started(arguments: &[String], log: &Path) -> (Process, String) {
    let process = Process::start(arguments, log);
    let url = process.listening();
    (process, url)
}

fn agent_arguments(home: &Home, key: &str, servers: &str) -> Vec<String> {
    arguments(&["agent", "--json", "--listen", "127.0.0.1:0"], home, key, servers)
}

/// The arguments of `goldenthread publish`.
pub(super) fn publish_arguments(home: &Home, key: &str, servers: &str) -> Vec<String> {
    arguments(&["publish", "--json", "--patience", "20"], home, key, servers)
}

fn arguments(command: &[&str], home: &Home, key: &str, servers: &str) -> Vec<String> {
    let (key, pin) = (home.key_file(key), home.pin_file());
    let to = ["--to", servers, "--key", path(&key), "--pin", path(&pin)];
    command.iter().chain(&to).map(|word| (*word).to_owned()).collect()
}

/// Keeps the receipt of a draft that is sealed; says whether it is.
pub(super) fn keep_sealed(receipts: &Receipts, outcome: &Value) -> bool {
    if outcome["status"] == "queued" {
        return false;
    }
    assert_eq!(outcome["status"], "sealed", "{outcome}");
    let hash = Hash::parse(outcome["statement"].as_str().expect("a hash")).expect("a hash");
    receipts.keep(hash, outcome["receipt"].as_str().expect("a receipt"));
    true
}
