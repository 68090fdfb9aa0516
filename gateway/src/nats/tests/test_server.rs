//! A real NATS server for tests: on a free port of the loopback address, with a folder of its own, killed when dropped.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct TestServer {
    port: u16,
    dir: TempDir,
    process: Option<Child>,
}

impl TestServer {
    /// A running server with this configuration besides its address.
    pub(crate) fn start(configuration: &str) -> Self {
        let mut server = Self::prepare(configuration);
        server.run();
        server
    }

    /// A server that does not run yet, and whose address is known.
    pub(crate) fn prepare(configuration: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!("listen: \"127.0.0.1:{port}\"\n{configuration}\n");
        fs::write(dir.path().join("nats.conf"), text).unwrap();
        Self { port, dir, process: None }
    }

    /// Starts it, on the same port each time, and waits until it listens.
    pub(crate) fn run(&mut self) {
        let log = fs::File::create(self.log()).unwrap();
        let mut command = Command::new(program());
        command.arg("-c").arg(self.dir.path().join("nats.conf"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        let since = Instant::now();
        while !self.answers() {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && since.elapsed() < START_TIMEOUT,
                "nats-server does not listen: {}",
                fs::read_to_string(self.log()).unwrap()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops it from running while its connections stay open, as a machine that hangs or a line that is cut would. Only
    /// killing it ends this.
    pub(crate) fn freeze(&self) {
        let process = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-STOP", &process]).status().unwrap().success());
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn answers(&self) -> bool {
        let Ok(stream) = TcpStream::connect(self.address()) else { return false };
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO ")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server's program: `GT_NATS_SERVER`, or where `deploy/nats/install` puts it, or on the search path.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("GT_NATS_SERVER") {
        return named.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/nats/nats-server");
    let search = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search).map(|folder| folder.join("nats-server"));
    [installed].into_iter().chain(on_path).find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("these tests need a nats-server: `deploy/nats/install` gets it, or name one by GT_NATS_SERVER")
    })
}
