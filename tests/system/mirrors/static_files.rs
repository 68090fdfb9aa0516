//! A web server that hands out the files of a folder and knows nothing of them. It can be made to fall silent, or to hang up.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::partnership::eventually;

/// What the server does once it has answered so many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Answers no request, and keeps the connection.
    FallsSilent,
    /// Ends every connection.
    HangsUp,
}

pub(super) struct StaticFiles {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    root: PathBuf,
    compresses: bool,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    asked: u64,
    limit: Option<(u64, Then)>,
    closed: bool,
}

impl StaticFiles {
    pub(super) fn serve(root: &Path) -> Self {
        Self::start(root, false)
    }

    /// Sends every file compressed, whatever is asked for.
    pub(super) fn serve_compressed(root: &Path) -> Self {
        Self::start(root, true)
    }

    fn start(root: &Path, compresses: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Mutex::new(State { asked: 0, limit: None, closed: false });
        let shared = Arc::new(Shared { root: root.to_owned(), compresses, state, changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.state.lock().expect("nothing panics with it").closed {
                    return;
                }
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.answer(stream));
            }
        });
        Self { address, shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on answers so many requests and no more, or all of them.
    pub(super) fn limit(&self, limit: Option<(u64, Then)>) {
        let mut state = self.shared.state.lock().expect("nothing panics with it");
        (state.asked, state.limit) = (0, limit);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Waits until a request stands that is not answered.
    pub(super) fn waits_for_an_answer(&self) {
        eventually("the server is asked once more", || {
            let state = self.shared.state.lock().expect("nothing panics with it");
            state.limit.is_some_and(|(limit, _)| state.asked > limit)
        });
    }
}

impl Drop for StaticFiles {
    fn drop(&mut self) {
        self.shared.state.lock().expect("nothing panics with it").closed = true;
        self.shared.changed.notify_all();
        // Wakes the thread that accepts, so that it sees.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn answer(&self, stream: TcpStream) {
        let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
        let Some(request) = lines.next() else { return };
        // The rest of the request's head says nothing that matters here.
        let _ = lines.find(String::is_empty);
        if self.may_answer() {
            let file = request.split(' ').nth(1).and_then(|path| self.file(path));
            // Whoever asked may be gone.
            let _ = match file {
                Some(file) if self.compresses => {
                    reply(stream, Some(&gzip(&file)), "content-encoding: gzip\r\n")
                }
                file => reply(stream, file.as_deref(), ""),
            };
        }
    }

    fn may_answer(&self) -> bool {
        let mut state = self.state.lock().expect("nothing panics with it");
        state.asked += 1;
        let over = |state: &State| state.limit.filter(|(limit, _)| state.asked > *limit);
        if matches!(over(&state), Some((_, Then::FallsSilent))) {
            let silent = |state: &mut State| !state.closed && over(state).is_some();
            drop(self.changed.wait_while(state, silent).expect("nothing panics with it"));
            return false;
        }
        over(&state).is_none()
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let below = Path::new(path.strip_prefix('/')?);
        let plain = below.components().all(|part| matches!(part, Component::Normal(_)));
        if plain { fs::read(self.root.join(below)).ok() } else { None }
    }
}

fn reply(mut stream: TcpStream, file: Option<&[u8]>, header: &str) -> std::io::Result<()> {
    let (status, body) = file.map_or(("404 Not Found", &b"nothing is there"[..]), |file| ("200 OK", file));
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(body)
}

/// A file in the format of gzip (RFC 1952), in blocks that are stored as they are.
fn gzip(file: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    for block in file.chunks(1000) {
        let length = u16::try_from(block.len()).expect("1000 at most");
        bytes.push(0);
        bytes.extend(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(block);
    }
    // The last one is empty.
    bytes.extend([1, 0, 0, 0xFF, 0xFF]);
    let mut crc = u32::MAX;
    for byte in file {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    bytes.extend((!crc).to_le_bytes());
    bytes.extend(u32::try_from(file.len()).expect("short").to_le_bytes());
    bytes
}
