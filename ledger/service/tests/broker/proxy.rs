//! A line between a node and its server that can be cut and held up at the very message that matters.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// What the line does to the next batch whose last message comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The last message goes through; the line is cut before the acknowledgement comes back.
    CutAfterCommit,
    /// The last message goes through, the acknowledgement is lost, and the line stays.
    SwallowAcknowledgement,
    /// The line is cut, and the last message is lost.
    CutBeforeCommit,
    /// The last message is held up while the node's side of the line is cut, and goes through when it is let go.
    HoldCommit,
}

const MASKED: &[u8] = b"Xats-Batch-";

/// By which a message of an answer names the one before it.
const BEFORE: &str = "Nats-Last-Sequence: ";

/// A stored message that is to be lost on its way from the server, by two of its headers.
struct Losing {
    headers: [String; 2],
    /// What comes next does not tell, as if the server did not have it.
    untold: bool,
}

#[derive(Default)]
struct Faults {
    next: Option<Fault>,
    /// Acknowledgements that are still to be swallowed.
    swallow: u32,
    /// A message is held up.
    holding: bool,
    let_go: bool,
    lose: Vec<Losing>,
    /// What the next message would name, and what it is to name in its place.
    untold: Option<[String; 2]>,
    /// How many faults have happened.
    happened: u32,
}

#[derive(Default)]
struct Line {
    faults: Mutex<Faults>,
    changed: Condvar,
    /// What was published under masked names is seen by clients as headers of the server's own.
    unmasks: bool,
}

/// The line. It is gone when its server's tests are; its threads end with their connections.
pub(crate) struct Proxy {
    port: u16,
    line: Arc<Line>,
}

impl Proxy {
    /// A line to this server, on a port of its own.
    pub(crate) fn to(server: &str) -> Self {
        Self::with(server, Line::default())
    }

    /// A line by which headers that were published as `Xats-Batch-…` come in as `Nats-Batch-…`: so a stream can hold what no server
    /// of today takes, and older ones did store.
    pub(crate) fn unmasking(server: &str) -> Self {
        Self::with(server, Line { unmasks: true, ..Line::default() })
    }

    fn with(server: &str, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let (line, server) = (Arc::new(line), server.to_owned());
        let shared = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Refusing is what a server that is down does.
                let Ok(server) = TcpStream::connect(&server) else { continue };
                join(client, server, &shared);
            }
        });
        Self { port, line }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The next batch meets this fault.
    pub(crate) fn fault(&self, fault: Fault) {
        let mut faults = self.faults();
        (faults.next, faults.let_go) = (Some(fault), false);
    }

    /// The next time that the server sends this message of a stream's, it is lost, and the line stays.
    pub(crate) fn lose(&self, stream: &str, sequence: u64) {
        self.losing(stream, sequence, false);
    }

    /// The next time that the server sends this message of a stream's, it answers like a replica that does not have it.
    pub(crate) fn hide(&self, stream: &str, sequence: u64) {
        self.losing(stream, sequence, true);
    }

    fn losing(&self, stream: &str, sequence: u64, untold: bool) {
        let headers = [format!("Nats-Stream: {stream}\r\n"), format!("Nats-Sequence: {sequence}\r\n")];
        self.faults().lose.push(Losing { headers, untold });
    }

    /// How many faults have happened so far.
    pub(crate) fn happened(&self) -> u32 {
        self.faults().happened
    }

    /// Lets go of what is held up.
    pub(crate) fn let_go(&self) {
        self.faults().let_go = true;
        self.line.changed.notify_all();
    }

    /// Whether a message is held up.
    pub(crate) fn is_holding(&self) -> bool {
        self.faults().holding
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.line.faults.lock().expect("not poisoned")
    }
}

impl Faults {
    fn loses(&mut self, payload: &[u8]) -> bool {
        let has = |text: &String| find(payload, text).is_some();
        let found = self.lose.iter().position(|losing| losing.headers.iter().all(has));
        if let Some(at) = found {
            let Losing { headers: [_, own], untold } = self.lose.remove(at);
            if untold {
                let own = own.replace("Nats-Sequence: ", BEFORE);
                self.untold = Some([own, before(payload).expect("an answer of several messages")]);
            }
            self.happened += 1;
        }
        found.is_some()
    }

    /// Has the message that follows one that is hidden follow the one before that.
    fn leaves_untold(&mut self, payload: &mut [u8]) {
        let Some([named, before]) = &self.untold else { return };
        let Some(at) = find(payload, named) else { return };
        // As long as what stood there, since the length of the frame is told.
        let width = named.len() - BEFORE.len() - 2;
        let header = format!("{BEFORE}{before:0>width$}\r\n");
        payload[at..at + named.len()].copy_from_slice(header.as_bytes());
        self.untold = None;
    }
}

fn find(payload: &[u8], text: &str) -> Option<usize> {
    payload.windows(text.len()).position(|window| window == text.as_bytes())
}

/// The sequence of the message before, as the server wrote it.
fn before(payload: &[u8]) -> Option<String> {
    let rest = &payload[find(payload, BEFORE)? + BEFORE.len()..];
    let end = rest.iter().position(|byte| *byte == b'\r')?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

fn join(client: TcpStream, server: TcpStream, line: &Arc<Line>) {
    for side in [&client, &server] {
        // Frames are small, and each is waited for.
        side.set_nodelay(true).expect("a socket");
    }
    let streams = |one: &TcpStream, other: &TcpStream| {
        (one.try_clone().expect("a socket"), other.try_clone().expect("a socket"))
    };
    let ((from_client, to_server), (from_server, to_client)) =
        (streams(&client, &server), streams(&server, &client));
    let (up, down) = (Arc::clone(line), Arc::clone(line));
    // An error is the end of the connection, on whichever side.
    std::thread::spawn(move || {
        let _ = upwards(&from_client, to_server, &up);
        let _ = client.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let _ = downwards(&from_server, to_client, &down);
        let _ = server.shutdown(Shutdown::Both);
    });
}

/// From the node to the server.
fn upwards(client: &TcpStream, mut server: TcpStream, line: &Line) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while let Some((command, payload)) = read_frame(&mut reader)? {
        let whole = [command.as_slice(), &payload].concat();
        if !closes_a_batch(&command, &payload) {
            server.write_all(&whole)?;
            continue;
        }
        let mut faults = line.faults.lock().expect("not poisoned");
        let fault = faults.next.take();
        faults.happened += u32::from(fault.is_some());
        match fault {
            None => drop(faults),
            Some(Fault::SwallowAcknowledgement) => {
                faults.swallow += 1;
                drop(faults);
            }
            Some(Fault::CutBeforeCommit) => {
                server.shutdown(Shutdown::Both)?;
                return Ok(());
            }
            Some(Fault::CutAfterCommit) => {
                drop(faults);
                client.shutdown(Shutdown::Both)?;
                // The server reads it all the same.
                server.write_all(&whole)?;
                return server.shutdown(Shutdown::Write);
            }
            Some(Fault::HoldCommit) => {
                faults.holding = true;
                client.shutdown(Shutdown::Both)?;
                let mut held =
                    line.changed.wait_while(faults, |faults| !faults.let_go).expect("not poisoned");
                server.write_all(&whole)?;
                held.holding = false;
                return server.shutdown(Shutdown::Write);
            }
        }
        server.write_all(&whole)?;
    }
    server.shutdown(Shutdown::Both)
}

/// From the server to the node.
fn downwards(server: &TcpStream, mut client: TcpStream, line: &Line) -> std::io::Result<()> {
    let mut reader = BufReader::new(server.try_clone()?);
    while let Some((command, mut payload)) = read_frame(&mut reader)? {
        if line.unmasks {
            let masked: Vec<usize> =
                (0..payload.len()).filter(|at| payload[*at..].starts_with(MASKED)).collect();
            for at in masked {
                payload[at] = b'N';
            }
        }
        if payload.starts_with(br#"{"stream":"LEDGER""#) {
            let mut faults = line.faults.lock().expect("not poisoned");
            if faults.swallow > 0 {
                faults.swallow -= 1;
                continue;
            }
        }
        let mut faults = line.faults.lock().expect("not poisoned");
        faults.leaves_untold(&mut payload);
        if faults.loses(&payload) {
            continue;
        }
        drop(faults);
        if client.write_all(&[command, payload].concat()).is_err() {
            // The node's side is cut: what the server says from here on is lost, and the server can go on speaking.
            std::io::copy(&mut reader, &mut std::io::sink())?;
            return Ok(());
        }
    }
    client.shutdown(Shutdown::Both)
}

/// A line of the protocol, with its end, and the payload that it announces, with its end.
fn read_frame(reader: &mut impl BufRead) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut command = Vec::new();
    if reader.read_until(b'\n', &mut command)? == 0 {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&command).into_owned();
    let mut words = text.split_whitespace();
    let has_payload = matches!(words.next(), Some("PUB" | "HPUB" | "MSG" | "HMSG"));
    let length = words.last().and_then(|word| word.parse::<usize>().ok()).filter(|_| has_payload);
    let mut payload = vec![0; length.map_or(0, |length| length + 2)];
    reader.read_exact(&mut payload)?;
    Ok(Some((command, payload)))
}

fn closes_a_batch(command: &[u8], payload: &[u8]) -> bool {
    command.starts_with(b"HPUB gt.ledger.") && payload.windows(8).any(|window| window == b"Gt-Head:")
}
