//! Those who read while a ledger comes and goes, and those who listen and do not read what they hear.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::partnership::Client;

const PACE: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads views and the open log, again and again.
pub(crate) struct Readers {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Readers {
    pub(crate) fn start(url: &str, token: &str) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, client) = (Arc::clone(&stopping), Client::impatient(url, PATIENCE).with_token(token));
        let read = move || {
            for path in ["/v1/decisions", "/checkpoint", "/v1/alerts", "/v1/ledger"].iter().cycle() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                thread::sleep(PACE);
                // A read of people's data that cannot be sealed is not answered, and while the clock is set back the token is from the future.
                if let Ok(reply) = client.try_get(path) {
                    assert!(matches!(reply.status, 200 | 401 | 500 | 503), "{path}: {}", reply.text());
                }
            }
        };
        Self { stopping, thread: Some(thread::spawn(read)) }
    }

    /// Ends them. What they began is answered or given up.
    pub(crate) fn stop(mut self) {
        self.stopping.store(true, Ordering::Release);
        self.thread.take().expect("stopped once").join().expect("no reader panics");
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
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
