//! The model ledger behind a loopback socket, with the faults that lines and servers have.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::json;

use super::model_ledger::{AGENCY, ModelLedger};
use crate::client::Answer;
use crate::outbox::Problem;

/// What goes wrong with one post of statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The line breaks before the ledger reads anything.
    BreakBefore,
    /// The ledger seals, and the line breaks before its answer.
    BreakAfter,
    /// The ledger seals, and the line breaks in the middle of its answer.
    BreakWithin,
    /// The ledger is too busy.
    Busy,
    /// The ledger seals the first one alone, and says of the others that it is too busy.
    FirstOnly,
    /// A proxy answers in the ledger's place.
    Proxy,
}

/// The ledger behind a loopback socket.
pub(crate) struct ModelServer {
    pub(crate) url: String,
    pub(crate) ledger: Arc<Mutex<ModelLedger>>,
    /// The faults of the next posts.
    pub(crate) faults: Arc<Mutex<VecDeque<Fault>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    pub(crate) fn start(ledger: ModelLedger) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let ledger = Arc::new(Mutex::new(ledger));
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (served, failing, stopped) = (Arc::clone(&ledger), Arc::clone(&faults), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                // A connection that breaks is the client's affair.
                let _ = serve_one(stream.unwrap(), &served, &failing);
            }
        });
        Self { url, ledger, faults, stop, thread: Some(thread) }
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let address = self.url.trim_start_matches("http://").to_owned();
        // Wakes the accepting thread, which then sees that it is to stop.
        drop(TcpStream::connect(address));
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve_one(
    mut stream: TcpStream,
    ledger: &Mutex<ModelLedger>,
    faults: &Mutex<VecDeque<Fault>>,
) -> io::Result<()> {
    let (line, body) = read_request(&stream)?;
    let mut ledger = ledger.lock().unwrap();
    let id = ledger.publisher();
    let unknown = Problem::new(404, "unknown_publisher", "Unknown", "not registered");
    let (status, kind, text) = match line.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/v1/ledger", _] => {
            let mut description: serde_json::Value = serde_json::from_str(&ledger.pin().to_json()).unwrap();
            description["size"] = ledger.size().into();
            (200, "application/json", description.to_string())
        }
        ["GET", path, _] if path.starts_with(&format!("/v1/publishers/{id}")) && ledger.registered => {
            let head = ledger.head();
            let text = json!({
                "publisher": id.to_string(), "agency": AGENCY, "name": "A fictional force", "kind": "police",
                "next_seq": head.next_seq, "head": head.head.to_string(),
            });
            (200, "application/json", text.to_string())
        }
        ["POST", "/v1/statements", _] => {
            let statements: Vec<String> =
                body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            match answer_post(&mut ledger, &statements, faults.lock().unwrap().pop_front()) {
                Some(answer) => answer,
                None => return Ok(()),
            }
        }
        _ => (404, "application/problem+json", unknown.to_json().to_string()),
    };
    let length = text.len();
    // An answer that is cut promises more than comes.
    let promised = length + usize::from(kind.is_empty()) * 100;
    write!(
        stream,
        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {promised}\r\nconnection: close\r\n\r\n{text}"
    )
}

/// The answer's status, content type and text. The type of an answer that is cut is empty; `None` if there is no answer.
fn answer_post(
    ledger: &mut ModelLedger,
    statements: &[String],
    fault: Option<Fault>,
) -> Option<(u16, &'static str, String)> {
    let busy = Problem::new(503, "busy", "Busy", "send the same statement again");
    let lines = |answers: &[Answer]| answers.iter().map(answer_line).collect::<String>();
    let whole = |text| Some((200, "application/x-ndjson", text));
    match fault {
        None => whole(lines(&ledger.submit(statements))),
        Some(Fault::BreakBefore) => None,
        Some(Fault::BreakAfter) => {
            ledger.submit(statements);
            None
        }
        Some(Fault::BreakWithin) => {
            let text = lines(&ledger.submit(statements));
            Some((200, "", text[..text.len() / 2].to_owned()))
        }
        Some(Fault::Busy) => Some((503, "application/problem+json", busy.to_json().to_string())),
        Some(Fault::FirstOnly) => {
            let mut answers = ledger.submit(&statements[..1]);
            answers.resize(statements.len(), Answer::Unanswered(Some(busy)));
            whole(lines(&answers))
        }
        Some(Fault::Proxy) => Some((404, "text/html", "<h1>Not found</h1>".to_owned())),
    }
}

fn answer_line(answer: &Answer) -> String {
    let value = match answer {
        Answer::Sealed { receipt } => json!({"status": 201, "receipt": receipt}),
        Answer::Refused(problem) => json!({"status": problem.status(), "problem": problem.to_json()}),
        Answer::Unanswered(problem) => {
            json!({"status": 503, "problem": problem.as_ref().map(Problem::to_json)})
        }
    };
    format!("{value}\n")
}

fn read_request(stream: &TcpStream) -> io::Result<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap();
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok((first.trim_end().to_owned(), String::from_utf8(body).unwrap()))
}
