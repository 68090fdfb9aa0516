//! The way in for an agency's system: drafts handed to `goldenthread agent` or `publish` are sealed once, in order, or
//! reported, whatever happens to the agent, to the line and to the ledger.

mod identity;
mod interruptions;
mod outcomes;
mod plain;
mod publishing;

use std::path::Path;

use gt_core::Hash;
use serde_json::Value;

use crate::partnership::{Client, Home, Line, Process, Reply, path};

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// `goldenthread agent`, running.
struct Agent {
    process: Process,
    url: String,
}

impl Agent {
    fn start(home: &Home, key: &str, to: &str) -> Self {
        let process = Self::launch(home, key, to, &home.at(&format!("{key}.jwk.outbox")));
        Self { url: process.listening(), process }
    }

    /// Starts the process without waiting for anything.
    fn launch(home: &Home, key: &str, to: &str, outbox: &Path) -> Process {
        Self::launch_pinned(home, key, to, outbox, &home.pin_file())
    }

    /// The same with this pin file.
    fn launch_pinned(home: &Home, key: &str, to: &str, outbox: &Path, pin: &Path) -> Process {
        let key = home.key_file(key);
        let mut arguments = vec!["agent", "--json", "--listen", "127.0.0.1:0", "--to", to];
        arguments.extend(["--key", path(&key), "--pin", path(pin), "--outbox", path(outbox)]);
        // What agents know already is not asked for, so that they start while the ledger is away.
        arguments.extend(["--agency", "gss:E06000999"]);
        let partnership_key = home.at("partnership.json");
        if partnership_key.exists() {
            arguments.extend(["--partnership-key", path(&partnership_key)]);
        }
        Process::start(arguments, &home.at("agent.log"))
    }

    fn client(&self) -> Client {
        Client::new(&self.url)
    }

    fn post(&self, draft: &str, wait: u64) -> Reply {
        self.client().post(&format!("/v1/drafts?wait={wait}"), JSON, draft.as_bytes())
    }

    fn health(&self) -> Value {
        self.client().get("/healthz").json()
    }

    /// SIGTERM, and an orderly end.
    fn stop(mut self) {
        self.process.signal("TERM");
        assert_eq!(self.process.ended().code(), Some(0), "{}", self.process.log_text());
    }
}

/// A ledger with a council that is enrolled, a server, and the line between the two.
fn connected() -> (Home, crate::partnership::Publisher, crate::partnership::Server, Line) {
    let home = Home::new();
    let council = home.enrol("council", "gss:E06000999", None);
    let (server, line) = (home.serve(), Line::new());
    line.lead_to(&server.url);
    (home, council, server, line)
}

/// The outcome of a sealed draft: its place in the chain and in the log. Its receipt must hold.
fn sealed(home: &Home, outcome: &Value) -> (u64, u64) {
    assert_eq!(outcome["status"], "sealed", "{outcome}");
    let hash = Hash::parse(outcome["statement"].as_str().expect("a hash")).expect("a hash");
    let verdict = home.prove(outcome["receipt"].as_str().expect("a receipt"), hash);
    let index = outcome["index"].as_u64().expect("an index");
    assert_eq!(verdict.entry.index.0, index);
    (outcome["seq"].as_u64().expect("a seq"), index)
}

/// A draft that passes every check of the agent's and is refused by the ledger: its publisher may not speak for that
/// agency, which only the registry knows.
fn refused_draft(id: &str) -> String {
    let data = crate::partnership::missing_text(&crate::partnership::child(1), 5);
    format!(r#"{{"id":"{id}","type":"missing.started","on_behalf_of":"ods:RX1","data":{data}}}"#)
}
