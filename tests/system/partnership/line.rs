//! The line between an agency and its ledger: an address that stays, behind which the ledger comes and goes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A relay to wherever the ledger listens now. While it is cut, connections end at once.
pub(crate) struct Line {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    ledger: Option<SocketAddr>,
    open: Vec<TcpStream>,
    closed: bool,
}

impl Line {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let relaying = Arc::clone(&shared);
        thread::spawn(move || {
            for agency in listener.incoming().flatten() {
                if relaying.lock().expect("nothing panics with it").closed {
                    return;
                }
                relay(&agency, &relaying);
            }
        });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Leads to the ledger at this address from now on.
    pub(crate) fn lead_to(&self, url: &str) {
        let address = url.strip_prefix("http://").and_then(|address| address.parse().ok());
        self.shared.lock().expect("nothing panics with it").ledger = Some(address.expect("an address"));
    }

    /// Breaks every connection, in the middle of whatever it carries, and lets none through.
    pub(crate) fn cut(&self) {
        let mut shared = self.shared.lock().expect("nothing panics with it");
        shared.ledger = None;
        for stream in shared.open.drain(..) {
            // One that has ended already is as good.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.cut();
        self.shared.lock().expect("nothing panics with it").closed = true;
        // Wakes the thread that accepts, so that it sees.
        let _ = TcpStream::connect(self.address);
    }
}

fn relay(agency: &TcpStream, shared: &Mutex<Shared>) {
    let mut shared = shared.lock().expect("nothing panics with it");
    let Some(ledger) = shared.ledger.and_then(|address| TcpStream::connect(address).ok()) else { return };
    for (from, to) in [(agency, &ledger), (&ledger, agency)] {
        let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone()) else {
            return;
        };
        shared.open.push(kept);
        thread::spawn(move || carry(from, to));
    }
}

/// Carries bytes one way until either end has enough.
fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
