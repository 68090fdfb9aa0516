//! Everything by which somebody might get at what is not theirs, in one list: what it is called, what is sent, and what must come.
//!
//! Whatever comes holds nothing of what anybody said of anybody, and what is refused is not sealed as a read.

mod agencies;
mod approvals;
mod grounds;
mod requests;
mod tokens;

use std::io::{Read, Write};
use std::net::TcpStream;

use grounds::Grounds;
use serde_json::Value;

/// One thing that nobody may do.
struct Forbidden {
    name: String,
    attempt: Attempt,
    must: Must,
}

/// The bytes of a request.
struct Attempt(Vec<u8>);

/// What must come.
enum Must {
    /// One of these statuses, and the problem with this code; any, if it is empty.
    Refuse(&'static [u16], &'static str),
    /// A list with nothing in it, and no next page.
    BeEmpty,
    /// Exactly what comes for this.
    BeAs(Attempt),
    /// Counts, none of them under 5.
    BeCountsOfMany,
}

impl Attempt {
    /// A request with these lines in its head, and this body.
    fn new(method: &str, target: &str, lines: &[&str], body: &str) -> Self {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\n");
        for line in lines {
            head.push_str(line);
            head.push_str("\r\n");
        }
        if !body.is_empty() {
            head.push_str("content-type: application/json\r\n");
            head = format!("{head}content-length: {}\r\n", body.len());
        }
        Self(format!("{head}\r\n{body}").into_bytes())
    }

    /// `GET` with a token.
    fn get(target: &str, token: &str) -> Self {
        Self::new("GET", target, &[&bearer(token)], "")
    }

    /// `POST` of JSON with a token.
    fn post(target: &str, token: &str, body: &str) -> Self {
        Self::new("POST", target, &[&bearer(token)], body)
    }

    /// Sends it. The status, or 0 if there is no answer, and all that came.
    fn make(&self, url: &str) -> (u16, String) {
        let address = url.strip_prefix("http://").expect("an address");
        let mut stream = TcpStream::connect(address).expect("a connection");
        // A server that refuses early may reset the connection; what it had said by then counts.
        let _ = stream.write_all(&self.0);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text)
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

fn refused(
    name: impl Into<String>,
    attempt: Attempt,
    statuses: &'static [u16],
    code: &'static str,
) -> Forbidden {
    Forbidden { name: name.into(), attempt, must: Must::Refuse(statuses, code) }
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn json(answer: &str) -> Value {
    serde_json::from_str(body(answer)).unwrap_or(Value::Null)
}

impl Forbidden {
    /// What is wrong with what came, if anything is.
    fn fault(&self, grounds: &Grounds) -> Option<String> {
        let url = &grounds.scene.server.url;
        let before = grounds.scene.server.client().size();
        let (status, text) = self.attempt.make(url);
        let json = json(&text);
        if let Some(private) = grounds.private.iter().find(|private| text.contains(*private)) {
            return Some(format!("it says {private:?}"));
        }
        // No other origin is let in, and nothing that was asked for goes over into another protocol.
        if text.to_lowercase().contains("access-control-allow") || status == 101 {
            return Some(text);
        }
        let fault = match &self.must {
            Must::Refuse(statuses, code) => {
                let sealed = grounds.scene.server.client().size() != before;
                let other = !code.is_empty() && json["code"] != *code;
                !statuses.contains(&status) || other || sealed || json.get("items").is_some()
            }
            Must::BeEmpty => {
                status != 200 || json["items"] != serde_json::json!([]) || !json["next"].is_null()
            }
            Must::BeAs(other) => {
                let (other, other_text) = other.make(url);
                status != other || body(&text) != body(&other_text)
            }
            Must::BeCountsOfMany => status != 200 || holds_few(&json["items"]),
        };
        fault.then(|| format!("{status} {}", text.chars().take(600).collect::<String>()))
    }
}

/// Whether a number in it is a count of few.
fn holds_few(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0 && number < 5.0),
        Value::Array(all) => all.iter().any(holds_few),
        Value::Object(all) => all.values().any(holds_few),
        _ => false,
    }
}

#[test]
fn nothing_that_is_forbidden_is_answered() {
    let grounds = Grounds::new();
    let table: Vec<Forbidden> = [
        tokens::list(&grounds),
        agencies::list(&grounds),
        approvals::list(&grounds),
        requests::paths(&grounds),
        requests::queries(&grounds),
        requests::methods(&grounds),
        requests::headers(&grounds),
        requests::protocols(&grounds),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(table.len() > 150, "{}", table.len());
    let faults: Vec<String> = table
        .iter()
        .filter_map(|one| one.fault(&grounds).map(|fault| format!("{}: {fault}", one.name)))
        .collect();
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), table.len(), faults.join("\n"));
    // The same things are there for those whose they are, so that the list above means something.
    for (target, token) in [
        ("/v1/decisions".to_owned(), &grounds.mash),
        (grounds.timeline(), &grounds.mash),
        (format!("/v1/entries/{}", grounds.scene.entry), &grounds.council),
    ] {
        let (status, text) = Attempt::get(&target, token).make(&grounds.scene.server.url);
        assert_eq!(status, 200, "{target}: {text}");
    }
    let lower = format!("authorization: bearer {}", grounds.mash);
    let (status, text) = Attempt::new("GET", "/v1/decisions", &[&lower], "").make(&grounds.scene.server.url);
    assert_eq!(status, 200, "the scheme's case means nothing: {text}");
    assert!(!grounds.scene.server.process.log_text().contains(&grounds.mash));
}
