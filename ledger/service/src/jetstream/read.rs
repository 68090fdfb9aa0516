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
        const OPERATION: &str = "DIRECT.GET";
        let unreachable = |reason: String| StreamError::Unreachable {
            stream: self.name.clone(),
            operation: OPERATION,
            reason,
        };
        let inbox = self.client.new_inbox();
        let mut answers =
            self.client.subscribe(inbox.clone()).await.map_err(|error| unreachable(error.to_string()))?;
        let subject = self.prefix.subject(OPERATION, &self.name);
        self.client
            .publish_with_reply(subject, inbox, Bytes::from(request.to_string()))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let mut messages = Vec::new();
        loop {
            let next = tokio::time::timeout(PATIENCE, answers.next()).await;
            let answer = next
                .map_err(|_| unreachable("no answer in time".into()))?
                .ok_or_else(|| unreachable("the connection is closed".into()))?;
            match answer.status.map(|status| status.as_u16()) {
                None => messages.push(self.stored(answer)?),
                Some(204 | 404) => return Ok(messages),
                Some(503) => return Err(unreachable("nobody answers for it".into())),
                Some(code) => {
                    let description = answer.description.unwrap_or_default();
                    return Err(self.refused(OPERATION, code.into(), description));
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
        let malformed = || StreamError::Malformed { stream: self.name.clone(), operation: "DIRECT.GET" };
        let headers = answer.headers.ok_or_else(malformed)?;
        // The server adds its own behind those that the message was published with.
        let text = |name: &str| headers.get_last(name).map(|value| value.as_str().to_owned());
        let sequence = text("Nats-Sequence").and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        Ok(StoredMessage {
            sequence,
            subject: text("Nats-Subject").ok_or_else(malformed)?,
            headers: all_known(&headers),
            payload: answer.payload.to_vec(),
        })
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
