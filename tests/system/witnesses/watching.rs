//! `goldenthread witness serve`, which can end and come back at the same address.

use std::path::PathBuf;

use gt_core::policy::Policy;
use serde_json::Value;

use crate::nats::free_port;
use crate::partnership::{Client, Home, Process, Server, path, run};

/// A witness with a folder of its own.
pub(crate) struct Watching {
    pub(crate) data: PathBuf,
    policy: String,
    listen: String,
    log: PathBuf,
    pub(crate) process: Option<Process>,
}

impl Watching {
    /// Makes a witness that signs for this ledger, and starts it.
    pub(crate) fn start(home: &Home, name: &str) -> Self {
        let data = home.at(name);
        // The witness comes back to it after each of its ends.
        let listen = format!("127.0.0.1:{}", free_port());
        let (signs_as, url) = (format!("witness.example/{name}"), format!("http://{listen}"));
        let init = ["witness", "init", "--json", "--data", path(&data), "--name", &signs_as, "--url", &url];
        let made = run(init).succeeded().json();
        let policy = made["policy"].as_str().expect("lines").to_owned();
        let pin = home.pin_file();
        let added = run(["witness", "add", "--json", "--data", path(&data), path(&pin)]).succeeded().json();
        assert_eq!(added["new_keys"].as_u64(), Some(home.pin.verifier_keys.len() as u64));
        let log = home.at(&format!("{name}.log"));
        let mut watching = Self { data, policy, listen, log, process: None };
        watching.come_back();
        watching
    }

    pub(crate) fn come_back(&mut self) {
        let arguments = ["witness", "serve", "--json", "--data", path(&self.data), "--listen", &self.listen];
        let process = Process::start(arguments, &self.log);
        assert_eq!(process.listening(), self.url());
        self.process = Some(process);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// The size of the checkpoint that it signed last of this ledger.
    pub(crate) fn seen(&self) -> u64 {
        seen(&self.client())
    }

    /// The forks that it has evidence of.
    pub(crate) fn forks(&self) -> Vec<Value> {
        let forks = self.client().get("/forks").json();
        assert_eq!(forks["count"].as_u64(), forks["forks"].as_array().map(|list| list.len() as u64));
        forks["forks"].as_array().expect("a list").clone()
    }

    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// The policy by which all of these have to have signed, written to a file and read as a verifier does.
pub(crate) fn policy_of_all(home: &Home, all: &[&Watching]) -> (PathBuf, Policy) {
    let keys: Vec<String> = home.pin.verifier_keys.iter().map(|key| format!("log {key}\n")).collect();
    let keys = keys.concat();
    let lines: String = all.iter().map(|one| one.policy.as_str()).collect();
    let names: Vec<String> = all
        .iter()
        .map(|one| format!("witness.example/{}", one.data.file_name().expect("a name").display()))
        .collect();
    let text = format!("{keys}{lines}group all {} {}\nquorum all\n", all.len(), names.join(" "));
    let file = home.at("witnesses.policy");
    std::fs::write(&file, &text).expect("written");
    (file, Policy::parse(text.as_bytes()).expect("the lines of `witness init` are a policy's"))
}

/// Serves the ledger with these witnesses, and receipts under cosigned checkpoints only: an answer waits for so many seconds for them.
pub(crate) fn serve(home: &Home, policy: &std::path::Path, wait: &str) -> Server {
    Server::start_with(home, &["--witnesses", path(policy), "--require-quorum", "--quorum-wait", wait])
}

/// The size of the checkpoint that a witness signed last of this ledger; 0 if there is none.
pub(crate) fn seen(witness: &Client) -> u64 {
    let hash = gt_core::witness::origin_hash(crate::partnership::ORIGIN);
    let reply = witness.get(&format!("/{hash}/checkpoint"));
    match reply.status {
        404 => 0,
        _ => reply.text().lines().nth(1).and_then(|size| size.parse().ok()).expect("a checkpoint"),
    }
}
