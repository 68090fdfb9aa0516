use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gt_ledger::jetstream::Prefix;
use serde_json::Value;
use tempfile::TempDir;

use super::super::{BenchError, Within};
use crate::nats::{NatsOptions, parse_servers};
use crate::node::NodeConfig;

/// Names the server's program, if `--nats-server` does not.
const PROGRAM_VARIABLE: &str = "GT_NATS_SERVER";
/// How long a server may take to listen.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether it does.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Which broker is measured with.
#[derive(Debug, Clone)]
pub enum Servers {
    /// One server of the measurement's own, of this program or of the one that is found.
    Own(Option<PathBuf>),
    /// These, which keep no ledger yet, and run on this machine in these processes, as far as they are known.
    Given(Box<NodeConfig>, Vec<u32>),
}

/// Why there is no broker to measure with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// There is no program.
    #[error(
        "there is no nats-server on the search path: `deploy/nats/install` gets one and prints where it is; name it by --nats-server \
         or {PROGRAM_VARIABLE}"
    )]
    NoProgram,
    /// It does not start.
    #[error("{} does not start: {source}", .program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ends at once, or does not listen.
    #[error("{} does not listen: {said}", .program.display())]
    Silent {
        /// Which program.
        program: PathBuf,
        /// The last line of its log.
        said: String,
    },
    /// There is a ledger already.
    #[error(
        "these servers hold stream {stream} already: a measurement fills streams of its own, so it takes servers without a ledger"
    )]
    InUse {
        /// Which stream.
        stream: String,
    },
    /// The API has another name.
    #[error(
        "a measurement makes and removes streams, so it needs the JetStream API under its own name, $JS.API"
    )]
    OtherPrefix,
    /// The stream cannot be asked, or refuses.
    #[error("stream {stream}: {reason}")]
    Stream {
        /// Which stream.
        stream: &'static str,
        /// Why.
        reason: String,
    },
}

/// A broker, and how it is reached.
pub(super) struct Broker {
    pub(super) node: NodeConfig,
    /// Its processes, as far as they are known.
    pub(super) processes: Vec<u32>,
    own: Option<OwnServer>,
}

/// A server with a folder of its own, killed when dropped.
struct OwnServer {
    program: PathBuf,
    process: Child,
    folder: TempDir,
}

impl Broker {
    /// Whether it is the measurement's own.
    pub(super) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Starts a server with its files in a folder of its own, or takes the given ones.
    pub(super) fn find(servers: &Servers, within: &Within) -> Result<Self, BenchError> {
        match servers {
            Servers::Given(node, _) if node.prefix != Prefix::default() => {
                Err(BrokerError::OtherPrefix.into())
            }
            Servers::Given(node, processes) => {
                Ok(Self { node: (**node).clone(), processes: processes.clone(), own: None })
            }
            Servers::Own(program) => {
                let named = || std::env::var_os(PROGRAM_VARIABLE).map(PathBuf::from);
                let program = program.clone().or_else(named).unwrap_or_else(|| "nats-server".into());
                let mut server = OwnServer::start(program, within)?;
                let (client, monitor) = server.addresses()?;
                let nats = NatsOptions {
                    servers: parse_servers(&client)?,
                    credentials: None,
                    ca: None,
                    name: "goldenthread bench".into(),
                };
                let node = NodeConfig {
                    nats,
                    prefix: Prefix::default(),
                    system_subject: "gt.sys.JSZ".into(),
                    monitors: vec![monitor],
                    only_follows: false,
                };
                Ok(Self { node, processes: vec![server.process.id()], own: Some(server) })
            }
        }
    }
}

impl OwnServer {
    fn start(program: PathBuf, within: &Within) -> Result<Self, BenchError> {
        let folder = within.make("goldenthread-bench-nats.")?;
        std::fs::write(folder.path().join("server.conf"), CONFIGURATION)?;
        let log = File::create(folder.path().join("log"))?;
        // Relative to its folder, so that no path needs to be quoted. The program's own path is meant from here.
        let found = if program.components().count() > 1 { std::path::absolute(&program)? } else { program };
        let mut command = Command::new(&found);
        command.current_dir(folder.path()).args(["-c", "server.conf"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        match command.spawn() {
            Ok(process) => Ok(Self { program: found, process, folder }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && found.components().count() == 1 => {
                Err(BrokerError::NoProgram.into())
            }
            Err(source) => Err(BrokerError::Start { program: found, source }.into()),
        }
    }

    /// Waits until it has written down where it listens: for clients, and for questions about itself.
    fn addresses(&mut self) -> Result<(String, String), BenchError> {
        let since = Instant::now();
        loop {
            if let Some(found) = self.read_ports() {
                return Ok(found);
            }
            if self.process.try_wait()?.is_some() || since.elapsed() > START_PATIENCE {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let said = log.lines().last().unwrap_or("it says nothing").to_owned();
                return Err(BrokerError::Silent { program: self.program.clone(), said }.into());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn read_ports(&self) -> Option<(String, String)> {
        let files = std::fs::read_dir(self.folder.path()).ok()?.filter_map(Result::ok);
        let file =
            files.map(|file| file.path()).find(|file| file.extension().is_some_and(|it| it == "ports"));
        // Half a file does not read yet.
        let ports: Value = serde_json::from_slice(&std::fs::read(file?).ok()?).ok()?;
        let first = |of: &str| Some(ports[of][0].as_str()?.to_owned());
        Some((first("nats")?, first("monitoring")?))
    }
}

/// As a ledger needs its servers (DESIGN section 5); ports that are free, which the server itself writes down.
const CONFIGURATION: &str = r#"listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
ports_file_dir: "."
max_payload: 1MB
jetstream { store_dir: "jetstream", sync_interval: always, max_file_store: 1TB }
"#;

impl Drop for OwnServer {
    fn drop(&mut self) {
        // What it stored is removed next, or of no more use.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_no_server_is_named_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        for (program, expected) in [("/no/such/program", "does not start"), ("/bin/cat", "does not listen")] {
            let found = Broker::find(&Servers::Own(Some(program.into())), &folder.path().into());
            let said = found.err().unwrap().to_string();
            assert!(said.contains(program) && said.contains(expected), "{said}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
