//! A real NATS server with `JetStream`, on a free port of the loopback address, with a folder of its own, killed when dropped.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl Server {
    /// A running server that syncs before it acknowledges.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let port = free_port();
        let text = format!(
            "server_name: \"test\"\nlisten: \"127.0.0.1:{port}\"\nmax_payload: 1MB\njetstream {{\n  store_dir: \"{}\"\n  \
             sync_interval: always\n  max_file_store: 1GB\n  max_memory_store: 16MB\n}}\n",
            folder.path().join("store").display()
        );
        fs::write(folder.path().join("nats.conf"), text).expect("written");
        let mut server = Self { port, folder, process: None };
        server.run();
        server
    }

    /// Starts it, on the same port and folder each time, and waits until it takes connections.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.log()).expect("made");
        let mut command = Command::new(program());
        command.arg("-c").arg(self.folder.path().join("nats.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut process = command.spawn().expect("the server starts");
        let since = Instant::now();
        while !self.answers() {
            let ended = process.try_wait().expect("a process");
            if ended.is_some() || since.elapsed() > START_TIMEOUT {
                let _ = process.kill();
                panic!("nats-server does not listen: {}", fs::read_to_string(self.log()).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.process = Some(process);
    }

    /// Kills it, as an operating system that is out of memory would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("waited for");
        }
    }

    /// Stops it from running while its connections stay open, as a machine that hangs would.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it run again.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Where it keeps its streams.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().expect("kill runs").success());
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn answers(&self) -> bool {
        let Ok(stream) = TcpStream::connect(self.address()) else { return false };
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

/// The server's program: `GT_NATS_SERVER`, or where `deploy/nats/install` puts it, or on the search path.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("GT_NATS_SERVER") {
        return named.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nats/nats-server");
    let search = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search).map(|folder| folder.join("nats-server"));
    [installed].into_iter().chain(on_path).find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("these tests need a nats-server: `deploy/nats/install` gets it, or name one by GT_NATS_SERVER")
    })
}
