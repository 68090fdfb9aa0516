//! Those who read while a ledger comes and goes, and those who listen and do not read what they hear.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::partnership::{Client, eventually};

const PACE: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(20);

/// What is read, in turn.
const PATHS: [&str; 4] = ["/v1/decisions", "/checkpoint", "/v1/alerts", "/v1/ledger"];
/// What needs neither the views nor a read to be sealed: it is answered whatever the disk does.
const OPEN: [&str; 2] = ["/checkpoint", "/v1/ledger"];

/// Reads views and the open log, again and again.
pub(crate) struct Readers {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the reading thread is told, and tells.
#[derive(Default)]
struct Shared {
    stopping: AtomicBool,
    clock_is_moved: AtomicBool,
    /// How often each path was answered with what was asked for.
    answers: [AtomicUsize; PATHS.len()],
}

impl Readers {
    pub(crate) fn start(url: &str, token: &str) -> Self {
        let shared: Arc<Shared> = Arc::default();
        let (theirs, client) = (Arc::clone(&shared), Client::impatient(url, PATIENCE).with_token(token));
        let read = move || {
            for (path, answers) in PATHS.iter().zip(&theirs.answers).cycle() {
                if theirs.stopping.load(Ordering::Acquire) {
                    return;
                }
                thread::sleep(PACE);
                let was_moved = theirs.clock_is_moved();
                // One that is down answers nobody.
                let Ok(reply) = client.try_get(path) else { continue };
                match reply.status {
                    200 => _ = answers.fetch_add(1, Ordering::AcqRel),
                    // While the clock is set back the token is from the future.
                    401 if was_moved || theirs.clock_is_moved() => {}
                    // A read of people's data that cannot be sealed is not answered, nor is one of views that cannot be read.
                    500 | 503 if !OPEN.contains(path) => {}
                    status => panic!("{path}: {status}: {}", reply.text()),
                }
            }
        };
        Self { shared, thread: Some(thread::spawn(read)) }
    }

    /// Says that the ledger's clock is not the readers' from now on, or that it is again.
    pub(crate) fn clock_is_moved(&self, is_moved: bool) {
        self.shared.clock_is_moved.store(is_moved, Ordering::Release);
    }

    /// Ends them once the ledger, which serves, has answered each of their questions once more. Returns how many were answered.
    pub(crate) fn stop(mut self) -> usize {
        let (before, thread) = (self.shared.answers(), self.thread.take().expect("stopped once"));
        let answered = || self.shared.answers().iter().zip(before).all(|(now, then)| *now > then);
        eventually("readers are answered", || thread.is_finished() || answered());
        self.shared.stopping.store(true, Ordering::Release);
        thread.join().expect("no reader panics");
        self.shared.answers().iter().sum()
    }
}

impl Shared {
    fn clock_is_moved(&self) -> bool {
        self.clock_is_moved.load(Ordering::Acquire)
    }

    fn answers(&self) -> [usize; PATHS.len()] {
        self.answers.each_ref().map(|count| count.load(Ordering::Acquire))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // The test has failed already.
            let _ = thread.join();
        }
    }
}

/// Somebody who opens the stream of events, and does not read.
pub(crate) struct Listener(TcpStream);

impl Listener {
    pub(crate) fn open(url: &str, token: &str) -> Self {
        let address = url.strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let request =
            format!("GET /v1/stream HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        Self(stream)
    }

    /// Reads at last: until what the views have come to is told, or that too much was missed. Says which.
    pub(crate) fn catch_up(self, size: u64) -> &'static str {
        let mut name = String::new();
        for line in BufReader::new(self.0).lines() {
            let line = line.expect("a stream that is there");
            if let Some(event) = line.strip_prefix("event: ") {
                event.clone_into(&mut name);
            }
            let Some(data) = line.strip_prefix("data: ") else { continue };
            match name.as_str() {
                "lost" => return "was told that it is too slow",
                "tree" => {
                    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
                    if data["tree_size"].as_u64() >= Some(size) {
                        return "heard everything later";
                    }
                }
                _ => {}
            }
        }
        panic!("the stream ended before {size} entries were told");
    }
}
