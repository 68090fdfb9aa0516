//! Somebody who reads server-sent events.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// Longer than anything that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(100);

/// An event of the stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Heard {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) data: Value,
}

/// A stream that is open.
pub(super) struct Listening {
    lines: Receiver<String>,
}

impl Listening {
    /// Opens the stream; the test ends here if it is refused.
    pub(super) fn start(url: &str, query: &str, token: &str, last: Option<&str>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let mut request = Agent::from(config)
            .get(format!("{url}/v1/stream{query}"))
            .header("authorization", format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.call().expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let (line, lines) = channel();
        thread::spawn(move || {
            let reader = BufReader::new(answer.into_body().into_reader());
            for text in reader.lines().map_while(Result::ok) {
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        Self { lines }
    }

    /// The next line; none at the end.
    pub(super) fn line(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("nothing is told"),
        }
    }

    /// The next event; none at the end. Comments are passed over.
    pub(super) fn next(&self) -> Option<Heard> {
        let mut heard = Heard { id: None, name: String::new(), data: Value::Null };
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("id", id)) => heard.id = Some(id.to_owned()),
                Some(("event", name)) => name.clone_into(&mut heard.name),
                Some(("data", data)) => heard.data = serde_json::from_str(data).expect("JSON"),
                _ if line.is_empty() && !heard.name.is_empty() => return Some(heard),
                _ => {}
            }
        }
    }

    /// The next change of an alert.
    pub(super) fn alert(&self) -> Heard {
        loop {
            let heard = self.next().expect("more is told");
            if heard.name == "alert" {
                return heard;
            }
        }
    }

    /// Everything up to the event that says that the views have come this far.
    pub(super) fn until(&self, size: u64) -> Vec<Heard> {
        let mut all = Vec::new();
        loop {
            let heard = self.next().expect("more is told");
            let far = heard.name == "tree" && heard.data["tree_size"].as_u64() >= Some(size);
            all.push(heard);
            if far {
                return all;
            }
        }
    }
}
