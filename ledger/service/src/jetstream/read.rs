//! Reading a stream by direct gets: many messages an answer, from any replica, and no consumer to be made for it.

use std::time::Duration;

use async_nats::{Client, HeaderMap};
use base64ct::{Base64, Encoding};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::assemble::StoredMessage;
use super::message::header;
use super::names::Prefix;

/// How long one answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// The most messages and bytes of one read.
const MAX_MESSAGES: u64 = 1000;
const MAX_BYTES: u64 = 16 << 20;
const DIRECT_GET: &str = "DIRECT.GET";

/// A request to the servers did not bring what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// No answer came.
    #[error("{stream} cannot be asked ({operation}): {reason}")]
    Unreachable {
        /// Which stream.
        stream: String,
        /// What was asked.
        operation: &'static str,
        /// Why.
        reason: String,
    },
    /// The server refused.
    #[error("{stream}: {operation} was refused: {description} ({code})")]
    Refused {
        /// Which stream.
        stream: String,
        /// What was asked.
        operation: &'static str,
        /// The server's own error code.
        code: u64,
        /// What it said.
        description: String,
    },
    /// The answer does not read.
    #[error("{stream}: the answer to {operation} does not read")]
    Malformed {
        /// Which stream.
        stream: String,
        /// What was asked.
        operation: &'static str,
    },
}

/// One stream, as something to ask about.
#[derive(Clone)]
pub(super) struct Stream {
    pub(super) client: Client,
    pub(super) prefix: Prefix,
    pub(super) name: String,
}

impl Stream {
    /// Up to a thousand messages from a sequence on; none at the stream's end.
    pub(super) async fn read(&self, from: u64) -> Result<Vec<StoredMessage>, StreamError> {
        self.direct_get(&json!({"seq": from, "batch": MAX_MESSAGES, "max_bytes": MAX_BYTES})).await
    }

    /// The same for a stream that loses nothing. A message that is missing in it counts as missing only once the stream's leader has it no
    /// more either: the replica that answered may be the one that has lost it.
    pub(super) async fn read_whole(&self, from: u64) -> Result<Vec<StoredMessage>, StreamError> {
        let messages = self.read(from).await?;
        let mut sequences = (from..).zip(messages.iter().map(|message| message.sequence));
        if let Some((expected, found)) = sequences.find(|(expected, found)| expected != found) {
            // Not by `STREAM.MSG.GET`, to which a follower has no right.
            if !Held::read(&self.info().await?).is_some_and(|held| held.has_lost(expected, found)) {
                return Err(StreamError::Unreachable {
                    stream: self.name.clone(),
                    operation: DIRECT_GET,
                    reason: format!("who answered does not have message {expected}, and the leader may"),
                });
            }
        }
        Ok(messages)
    }

    /// Whether somebody answers for the stream.
    pub(super) async fn probe(&self) -> Result<(), StreamError> {
        self.direct_get(&json!({"seq": 1, "batch": 1})).await.map(drop)
    }

    /// Up to a thousand messages of one subject from a sequence on; none at the stream's end.
    pub(super) async fn read_subject(
        &self,
        subject: &str,
        from: u64,
    ) -> Result<Vec<StoredMessage>, StreamError> {
        self.direct_get(&json!({"seq": from, "next_by_subj": subject, "batch": MAX_MESSAGES})).await
    }

    /// The newest message of a subject.
    pub(super) async fn last_of(&self, subject: &str) -> Result<Option<StoredMessage>, StreamError> {
        // As a batch, so that an end is said.
        let request = json!({"multi_last": [subject], "batch": 1});
        Ok(self.direct_get(&request).await?.pop())
    }

    async fn direct_get(&self, request: &Value) -> Result<Vec<StoredMessage>, StreamError> {
        let unreachable = |reason: String| StreamError::Unreachable {
            stream: self.name.clone(),
            operation: DIRECT_GET,
            reason,
        };
        let inbox = self.client.new_inbox();
        let mut answers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| unreachable(error.to_string()))?;
        let subject = self.prefix.subject(DIRECT_GET, &self.name);
        self.client
            .publish_with_reply(subject, inbox, Bytes::from(request.to_string()))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let torn = || unreachable("a part of the answer was lost on its way".into());
        let (mut messages, mut last) = (Vec::new(), Last::default());
        loop {
            let next = tokio::time::timeout(PATIENCE, answers.next()).await;
            let answer = next
                .map_err(|_| unreachable("no answer in time".into()))?
                .ok_or_else(|| unreachable("the connection is closed".into()))?;
            match answer.status.map(|status| status.as_u16()) {
                None => {
                    let before = answer.headers.as_ref().and_then(before);
                    let message = self.stored(answer)?;
                    if !last.goes_on(before, message.sequence) {
                        return Err(torn());
                    }
                    messages.push(message);
                }
                Some(204) if !last.is(answer.headers.as_ref().and_then(before)) => return Err(torn()),
                Some(404) if !messages.is_empty() => return Err(torn()),
                Some(204 | 404) => return Ok(messages),
                Some(503) => return Err(unreachable("nobody answers for it".into())),
                Some(code) => {
                    let description = answer.description.unwrap_or_default();
                    return Err(self.refused(DIRECT_GET, code.into(), description));
                }
            }
        }
    }

    /// A message as the stream's leader has it.
    pub(super) async fn leader_message(&self, sequence: u64) -> Result<Option<StoredMessage>, StreamError> {
        const OPERATION: &str = "STREAM.MSG.GET";
        const NOT_FOUND: u64 = 10037;
        let answer = match self.ask(OPERATION, &json!({"seq": sequence})).await {
            Err(StreamError::Refused { code: NOT_FOUND, .. }) => return Ok(None),
            answer => answer?,
        };
        let malformed = || StreamError::Malformed { stream: self.name.clone(), operation: OPERATION };
        let message = answer.get("message").ok_or_else(malformed)?;
        let bytes = |member: &str| match message.get(member) {
            None => Ok(Vec::new()),
            Some(text) => Base64::decode_vec(text.as_str().ok_or_else(malformed)?).map_err(|_| malformed()),
        };
        let headers = String::from_utf8(bytes("hdrs")?).map_err(|_| malformed())?;
        let line = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((known(name)?, value.trim().to_owned()))
        };
        Ok(Some(StoredMessage {
            sequence,
            subject: message["subject"].as_str().ok_or_else(malformed)?.to_owned(),
            headers: headers.lines().filter_map(line).collect(),
            payload: bytes("data")?,
        }))
    }

    /// What the stream's leader says of it.
    pub(super) async fn info(&self) -> Result<Value, StreamError> {
        self.ask("STREAM.INFO", &json!({})).await
    }

    /// Asks the API about this stream. A refusal of the server's is an error.
    pub(super) async fn ask(&self, operation: &'static str, request: &Value) -> Result<Value, StreamError> {
        let subject = self.prefix.subject(operation, &self.name);
        let request = async_nats::Request::new().payload(request.to_string().into()).timeout(Some(PATIENCE));
        let answer = self.client.send_request(subject, request).await.map_err(|error| {
            StreamError::Unreachable { stream: self.name.clone(), operation, reason: error.to_string() }
        })?;
        let answer: Value = serde_json::from_slice(&answer.payload)
            .map_err(|_| StreamError::Malformed { stream: self.name.clone(), operation })?;
        match answer.get("error") {
            None => Ok(answer),
            Some(error) => {
                let description = error["description"].as_str().unwrap_or("no reason given").to_owned();
                Err(self.refused(operation, error["err_code"].as_u64().unwrap_or(0), description))
            }
        }
    }

    fn refused(&self, operation: &'static str, code: u64, description: String) -> StreamError {
        StreamError::Refused { stream: self.name.clone(), operation, code, description }
    }

    fn stored(&self, answer: async_nats::Message) -> Result<StoredMessage, StreamError> {
        let malformed = || StreamError::Malformed { stream: self.name.clone(), operation: DIRECT_GET };
        let headers = answer.headers.ok_or_else(malformed)?;
        let subject = headers.get_last("Nats-Subject").ok_or_else(malformed)?.as_str().to_owned();
        Ok(StoredMessage {
            sequence: number(&headers, "Nats-Sequence").ok_or_else(malformed)?,
            subject,
            headers: all_known(&headers),
            payload: answer.payload.to_vec(),
        })
    }
}

/// The last message of an answer so far; 0 before the first.
///
/// The messages of one answer come one by one and at most once each: where the connection breaks among them and is made anew, some are
/// lost, and the rest comes with its end all the same. So each says which one the server has sent before it, and so does the end (ADR-31).
#[derive(Default)]
struct Last(u64);

impl Last {
    /// Takes the next message. False if others were lost before it.
    fn goes_on(&mut self, before: Option<u64>, sequence: u64) -> bool {
        let goes_on = self.is(before);
        self.0 = sequence;
        goes_on
    }

    fn is(&self, before: Option<u64>) -> bool {
        before == Some(self.0)
    }
}

fn before(headers: &HeaderMap) -> Option<u64> {
    number(headers, "Nats-Last-Sequence")
}

/// A number of the server's: it adds its own headers behind those that the message was published with.
fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get_last(name)?.as_str().parse().ok()
}

/// What a stream holds, as its leader says.
struct Held {
    first: u64,
    last: u64,
    messages: u64,
}

impl Held {
    fn read(info: &Value) -> Option<Self> {
        let number = |name: &str| info["state"][name].as_u64();
        Some(Self { first: number("first_seq")?, last: number("last_seq")?, messages: number("messages")? })
    }

    /// Whether a stream that loses nothing has lost this message, where one behind it is known. A leader that was frozen may know of neither.
    fn has_lost(&self, expected: u64, known: u64) -> bool {
        let is_whole = self.last.checked_sub(self.first).is_some_and(|behind| behind + 1 == self.messages);
        self.last >= known && (self.first > expected || !is_whole)
    }
}

const KNOWN: [&str; 10] = [
    header::BATCH_ID,
    header::BATCH_SEQUENCE,
    header::BATCH_COMMIT,
    header::FENCE,
    header::BATCH,
    header::HEAD,
    header::KEYS,
    header::CHECKPOINT,
    header::KEY_EPOCH,
    header::SHARDS,
];

fn known(name: &str) -> Option<&'static str> {
    KNOWN.into_iter().find(|known| *known == name)
}

fn all_known(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    KNOWN
        .into_iter()
        .filter_map(|name| headers.get(name).map(|value| (name, value.as_str().to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, *value);
        }
        headers
    }

    /// What the server has sent: each message's sequence with the one before it, and the end.
    fn is_whole(came: &[(u64, u64)], end: u64) -> bool {
        let mut last = Last::default();
        came.iter().all(|(before, sequence)| last.goes_on(Some(*before), *sequence)) && last.is(Some(end))
    }

    #[test]
    fn an_answer_of_which_a_part_was_lost_is_none() {
        // Sequences may be missing in a stream.
        let sent = [(0, 3), (3, 4), (4, 7), (7, 9)];
        assert!(is_whole(&sent, 9));
        assert!(is_whole(&[], 0));
        for lost in 0..sent.len() {
            for behind in lost + 1..=sent.len() {
                let came = [&sent[..lost], &sent[behind..]].concat();
                assert!(!is_whole(&came, 9), "{came:?}");
            }
        }
        assert!(!Last::default().goes_on(None, 1));
    }

    #[test]
    fn the_servers_own_headers_count() {
        let of_server = headers(&[("Nats-Last-Sequence", "7"), ("Nats-Last-Sequence", "4")]);
        assert_eq!(before(&of_server), Some(4));
        assert_eq!(before(&headers(&[])), None);
        assert_eq!(before(&headers(&[("Nats-Last-Sequence", "-1")])), None);
    }

    #[test]
    fn a_message_is_lost_only_if_the_leader_knows_of_a_later_one() {
        let held = |first, last, messages| {
            let state = json!({"state": {"first_seq": first, "last_seq": last, "messages": messages}});
            Held::read(&state).expect("reads")
        };
        assert!(!held(1, 9, 9).has_lost(3, 4), "it has all");
        assert!(held(1, 9, 8).has_lost(3, 4));
        assert!(held(4, 9, 6).has_lost(3, 4));
        assert!(!held(1, 3, 2).has_lost(3, 4), "it does not know of the later one");
        assert!(!held(0, 0, 0).has_lost(3, 4));
        assert!(!held(1, 0, 0).has_lost(3, 4), "an empty stream");
        assert!(Held::read(&json!({"state": {}})).is_none());
    }
}
