//! `nats-server` processes: one, or a cluster of several, which are killed, frozen and started again one by one.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::partnership::{Client, Process, path, within};

/// How long a server may take until it answers for its streams.
const PATIENCE: Duration = Duration::from_secs(40);

/// Servers that know each other.
pub(super) struct Cluster {
    folder: tempfile::TempDir,
    servers: Vec<Server>,
}

struct Server {
    name: String,
    client: u16,
    monitor: u16,
    route: u16,
    process: Option<Process>,
}

/// When a server tells its disk to keep what it acknowledges.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// Before it acknowledges.
    Always,
    /// Some time after, as servers do unless they are told otherwise.
    Later,
}

impl Cluster {
    /// Starts so many servers, and waits until all of them are ready.
    pub(super) fn start(count: usize) -> Self {
        Self::start_with(count, Sync::Always)
    }

    pub(super) fn start_with(count: usize, sync: Sync) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = |n| Server {
            name: format!("n{n}"),
            client: free_port(),
            monitor: free_port(),
            route: free_port(),
            process: None,
        };
        let mut cluster = Self { folder, servers: (1..=count).map(server).collect() };
        for at in 0..count {
            let config = cluster.configuration(at, sync);
            std::fs::write(cluster.file(at, "conf"), config).expect("a writable folder");
            cluster.launch(at);
        }
        cluster.until_ready();
        cluster
    }

    pub(super) const fn count(&self) -> usize {
        self.servers.len()
    }

    /// The addresses, as `--nats` takes them.
    pub(super) fn url(&self) -> String {
        let urls: Vec<String> =
            self.servers.iter().map(|server| format!("nats://127.0.0.1:{}", server.client)).collect();
        urls.join(",")
    }

    /// The monitoring addresses.
    pub(super) fn monitors(&self) -> Vec<String> {
        self.servers.iter().map(|server| format!("http://127.0.0.1:{}", server.monitor)).collect()
    }

    /// Which server has this name.
    pub(super) fn named(&self, name: &str) -> usize {
        // A server without a cluster calls itself by an id.
        self.servers.iter().position(|server| server.name == name).unwrap_or(0)
    }

    /// The folder in which a server keeps its streams.
    pub(super) fn store(&self, at: usize) -> PathBuf {
        self.file(at, "store")
    }

    /// A server's process.
    pub(super) fn id(&self, at: usize) -> u32 {
        self.servers[at].process.as_ref().expect("it runs").id()
    }

    /// Starts a server that does not run, without waiting for it.
    pub(super) fn launch(&mut self, at: usize) {
        let (config, log) = (self.file(at, "conf"), self.file(at, "log"));
        let mut command = Command::new(program());
        command.arg("-c").arg(config);
        self.servers[at].process = Some(Process::of(command, &log));
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self, at: usize) {
        let mut process = self.servers[at].process.take().expect("it runs");
        process.kill();
    }

    /// SIGSTOP: its connections stay, and it says nothing.
    pub(super) fn freeze(&self, at: usize) {
        self.servers[at].process.as_ref().expect("it runs").signal("STOP");
    }

    /// SIGCONT: it goes on as if no time had passed.
    pub(super) fn thaw(&self, at: usize) {
        self.servers[at].process.as_ref().expect("it runs").signal("CONT");
    }

    /// Waits until every server says that its streams are as they should be, and their leader that all servers are there.
    pub(super) fn until_ready(&self) {
        for (at, monitor) in self.monitors().iter().enumerate() {
            let client = Client::impatient(monitor, Duration::from_secs(2));
            let ready = || client.try_get("/healthz").is_ok_and(|reply| reply.status == 200);
            if !within(PATIENCE, ready) {
                let log = std::fs::read_to_string(self.file(at, "log")).unwrap_or_default();
                panic!("server {} is not ready:\n{log}", self.servers[at].name);
            }
        }
        let monitors = self.monitors();
        let complete = || monitors.iter().any(|monitor| self.is_complete(monitor));
        assert!(self.count() == 1 || within(PATIENCE, complete), "the servers do not find each other");
    }

    /// Whether this server leads, and has all others.
    fn is_complete(&self, monitor: &str) -> bool {
        let Ok(reply) = Client::impatient(monitor, Duration::from_secs(2)).try_get("/jsz") else {
            return false;
        };
        let others = &reply.json()["meta_cluster"]["replicas"];
        others.as_array().is_some_and(|others| {
            let is_there = |other: &Value| other["current"] == true && other["offline"] != true;
            others.len() + 1 == self.count() && others.iter().all(is_there)
        })
    }

    fn file(&self, at: usize, kind: &str) -> PathBuf {
        self.folder.path().join(format!("{}.{kind}", self.servers[at].name))
    }

    fn configuration(&self, at: usize, sync: Sync) -> String {
        let Server { name, client, monitor, route, .. } = &self.servers[at];
        let sync = if sync == Sync::Always { "sync_interval: always, " } else { "" };
        let store = self.store(at);
        let store = path(&store);
        let mut text = format!(
            "server_name: {name}\nlisten: 127.0.0.1:{client}\nhttp: 127.0.0.1:{monitor}\n\
             jetstream {{ store_dir: \"{store}\", {sync}max_file_store: 4G }}\n"
        );
        if self.count() > 1 {
            let others = self.servers.iter().filter(|server| server.name != *name);
            let routes: Vec<String> =
                others.map(|server| format!("nats://127.0.0.1:{}", server.route)).collect();
            let routes = routes.join(", ");
            writeln!(text, "cluster {{ name: system, listen: 127.0.0.1:{route}, routes: [{routes}] }}")
                .expect("a string takes everything");
        }
        text
    }
}

/// The server's program: `GT_NATS_SERVER`, else the one in the target folder's Python environment, else the first on the path.
fn program() -> PathBuf {
    if let Some(given) = std::env::var_os("GT_NATS_SERVER") {
        return given.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie below the root");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [root.join("target/venv/bin"), root.join("target/nats")];
    let mut programs =
        folders.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join("nats-server"));
    programs.find(|program| program.is_file()).expect(
        "these tests need nats-server 2.15.1 or later: deploy/nats/install gets it, and GT_NATS_SERVER may name another one",
    )
}

/// A loopback port that nobody has, outside the range from which the system gives ports to outgoing connections: so it stays free
/// while a server is down.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let of_this_process = std::process::id().wrapping_mul(7919) % u32::from(COUNT);
    let start = u16::try_from(of_this_process).expect("less than the count");
    for _ in 0..COUNT {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + n % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no loopback port is free");
}
