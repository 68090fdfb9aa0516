//! The partnership's nodes: `goldenthread serve --nats`, each with a folder and secrets of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::cluster::{Cluster, free_port};
use crate::partnership::{Client, Process, copy_folder, path, within};

/// How long a node may take to answer what it answers by itself.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it may end and be started again while its servers find each other.
const PATIENCE_TO_SERVE: Duration = Duration::from_mins(1);

/// One node. Its address stays the same for as long as it is known.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) data: PathBuf,
    log: PathBuf,
    listen: String,
    arguments: Vec<String>,
    process: Option<Process>,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) role: String,
    pub(super) size: u64,
    pub(super) projected: u64,
}

impl Node {
    /// A node of this cluster whose folder `data` is, or is to be.
    pub(super) fn new(data: &Path, follows: bool, cluster: &Cluster) -> Self {
        let name = data.file_name().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        let listen = format!("127.0.0.1:{}", free_port());
        let mut arguments = vec!["serve".to_owned(), "--json".into(), "--data".into(), path(data).into()];
        arguments.extend(["--listen".into(), listen.clone()]);
        arguments.extend(servers(cluster));
        arguments.extend(follows.then(|| "--follow".to_owned()));
        let log = data.with_extension("log");
        Self { name, data: data.to_owned(), log, listen, arguments, process: None }
    }

    /// Starts the node, and waits until it serves.
    pub(super) fn start(&mut self) {
        let process = Process::start(&self.arguments, &self.log);
        assert_eq!(process.listening(), self.url());
        self.process = Some(process);
    }

    /// Starts the node as a service manager would: again, when it ends because the servers cannot be asked at that moment. Each time it must
    /// say so, and end with status 1.
    pub(super) fn start_until_it_serves(&mut self) {
        let served = within(PATIENCE_TO_SERVE, || {
            let mut process = Process::start(&self.arguments, &self.log);
            let Err(said) = process.listening_or_not() else {
                self.process = Some(process);
                return true;
            };
            let said = if said.is_empty() { process.log_text() } else { said };
            assert_eq!(process.ended().code(), Some(1), "{}: {said}", self.name);
            assert!(
                said.contains("cannot be asked") || said.contains("cannot be reached"),
                "{}: {said}",
                self.name
            );
            false
        });
        assert!(served, "{} does not start: {}", self.name, self.log_text());
    }

    /// What it is started with from its next start on, besides.
    pub(super) fn also(&mut self, more: &[&str]) {
        self.arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    }

    pub(super) const fn runs(&self) -> bool {
        self.process.is_some()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    pub(super) fn client(&self) -> Client {
        Client::new(&self.url())
    }

    /// What it says of itself, if it says anything.
    pub(super) fn status(&self) -> Option<Status> {
        let reply = Client::impatient(&self.url(), PATIENCE).try_get("/readyz").ok()?;
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        Some(Status {
            role: body["role"].as_str()?.to_owned(),
            size: body["tree_size"].as_u64()?,
            projected: body["projected"].as_u64()?,
        })
    }

    pub(super) fn is_sealer(&self) -> bool {
        self.runs() && self.status().is_some_and(|status| status.role == "sealer")
    }

    /// `kill -9`, also of one that is frozen.
    pub(super) fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// The process's number.
    pub(super) fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// SIGSTOP.
    pub(super) fn freeze(&self) {
        self.process.as_ref().expect("it runs").signal("STOP");
    }

    /// SIGCONT.
    pub(super) fn thaw(&self) {
        self.process.as_ref().expect("it runs").signal("CONT");
    }

    /// SIGTERM, and an orderly end.
    pub(super) fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.signal("TERM");
        assert_eq!(process.ended().code(), Some(0), "{}: {}", self.name, process.log_text());
    }

    /// `kill -9` while somebody else is still asking it something; [`Self::kill`] comes after.
    pub(super) fn strike(&self) {
        self.process.as_ref().expect("it runs").signal("KILL");
    }

    /// What it has written so far, in all its lives.
    pub(super) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// The arguments by which a node finds its servers.
pub(super) fn servers(cluster: &Cluster) -> Vec<String> {
    let monitors = cluster.monitors().into_iter().flat_map(|url| ["--nats-monitor".to_owned(), url]);
    ["--nats".to_owned(), cluster.url()].into_iter().chain(monitors).collect()
}

/// Where a node's secrets are, unless it is told.
pub(super) fn secrets_of(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".secrets");
    name.into()
}

/// Gives a node the secrets of another. One that only follows gets no key to sign with.
pub(super) fn share_secrets(from: &Path, to: &Path, follows: bool) {
    copy_folder(&secrets_of(from), &secrets_of(to));
    if follows {
        for key in ["checkpoint.jwk", "checkpoint-ml-dsa-44.jwk", "registrar.jwk"] {
            std::fs::remove_file(secrets_of(to).join(key)).expect("init made it");
        }
    }
}
