//! One atomic publish of a batch, and how its outcome is settled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_nats::{HeaderMap, RequestErrorKind};
use bytes::Bytes;
use serde_json::Value;

use super::message::{self, Closing, header};
use super::read::Stream;
use crate::log::SealedEntry;
use crate::random;

/// The server's error for a fence that does not hold.
const WRONG_LAST_SEQUENCE: u64 = 10071;
/// How long the acknowledgement of a batch may take.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(5);
/// How long an attempt may take, acknowledgement included.
const ATTEMPTED_WITHIN: Duration = Duration::from_secs(10);
/// How long a batch that the server refuses is tried again.
const REFUSED_FOR: Duration = Duration::from_secs(6);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One message of a batch, as it goes out.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub(super) subject: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Bytes,
}

/// What one attempt has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is stored, and this is the sequence of its last message.
    Acknowledged(u64),
    /// The server says that the fence does not hold.
    FenceBroken,
    /// The server refused it, and nothing of it is stored.
    Refused(String),
    /// It may be stored or not.
    Unknown(String),
}

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is in the stream, and this is the sequence of its last message.
    Committed(u64),
    /// Another batch has its place: it is not in the stream, and never will be.
    Superseded,
    /// No attempt was stored, and none is on its way.
    Refused(String),
    /// It is not known, and there was an end to asking.
    Closed,
}

/// A name for a batch, that no other has.
pub(super) fn new_name() -> String {
    format!("{:032x}", u128::from_be_bytes(random::bytes()))
}

/// The messages of a batch. One without entries begins an epoch of the key-encryption key.
pub(super) fn messages(batch: &[SealedEntry], closing: &Closing) -> Vec<OutgoingMessage> {
    let mut messages: Vec<OutgoingMessage> = batch
        .iter()
        .map(|entry| OutgoingMessage {
            subject: message::subject(entry).expect("the vault record was framed by this program"),
            headers: Vec::new(),
            payload: message::encode(entry).into(),
        })
        .collect();
    if messages.is_empty() {
        let subject = message::KEYS_SUBJECT.to_owned();
        messages.push(OutgoingMessage { subject, headers: Vec::new(), payload: Bytes::new() });
    }
    if let Some(last) = messages.last_mut() {
        last.headers = closing.to_headers();
    }
    messages
}

/// Publishes a batch by this name after the sequence `fence`, until it is known what became of it: never guessed.
///
/// An attempt whose outcome is unknown is made again with the same fence. If the fence does not hold then, the message after it says by its
/// name whether an earlier attempt was stored or another batch. That there is none proves nothing: a stream leader that was frozen does
/// not know yet what is there.
pub(super) async fn publish_settled(
    stream: &Stream,
    name: &str,
    messages: &[OutgoingMessage],
    fence: u64,
    closing: &AtomicBool,
) -> Settled {
    let (mut certain, began) = (true, Instant::now());
    let mut pause = Duration::from_millis(20);
    for attempt in 0_u32.. {
        match publish(stream, name, attempt, messages, fence).await {
            Attempt::Acknowledged(last) => return Settled::Committed(last),
            // An election or a full disk may pass; what is refused for longer is refused.
            Attempt::Refused(reason) if certain && began.elapsed() > REFUSED_FOR => {
                return Settled::Refused(reason);
            }
            // Nothing of it is stored, and nothing is on its way.
            Attempt::FenceBroken if certain => return Settled::Superseded,
            Attempt::FenceBroken => match stream.leader_message(fence + 1).await {
                Ok(Some(there)) if there.header(header::BATCH) == Some(name) => {
                    return Settled::Committed(fence + messages.len() as u64);
                }
                Ok(Some(_)) => return Settled::Superseded,
                Ok(None) => tracing::warn!(fence, "the fence is broken, and nothing is seen behind it yet"),
                Err(error) => tracing::warn!(fence, %error, "what broke the fence cannot be read"),
            },
            Attempt::Refused(reason) => tracing::warn!(fence, attempt, reason, "a batch was refused"),
            Attempt::Unknown(reason) => {
                certain = false;
                tracing::warn!(fence, attempt, reason, "it is not known yet whether a batch is committed");
            }
        }
        if closing.load(Ordering::Acquire) {
            return Settled::Closed;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Settled::Closed
}

/// Publishes a batch once. A batch of one is a plain publish; what is longer, an atomic batch (ADR-50).
pub(super) async fn publish(
    stream: &Stream,
    name: &str,
    attempt: u32,
    messages: &[OutgoingMessage],
    fence: u64,
) -> Attempt {
    let fenced = [(header::FENCE, fence.to_string()), (header::BATCH, name.to_owned())];
    // Each attempt has an id of its own, so that the server never takes one attempt's messages for another's.
    publish_atomically(stream, &format!("{name}.{attempt}"), messages, &fenced).await
}

/// Publishes messages so that all are stored or none; `of_first` are headers that the first has besides its own.
pub(super) async fn publish_atomically(
    stream: &Stream,
    id: &str,
    messages: &[OutgoingMessage],
    of_first: &[(&'static str, String)],
) -> Attempt {
    // Without a connection what is published waits for one, and the attempt with it.
    let attempt = attempt_to_publish(stream, id, messages, of_first);
    let attempt = tokio::time::timeout(ATTEMPTED_WITHIN, attempt).await;
    attempt.unwrap_or_else(|_| Attempt::Unknown("it could not be sent in time".into()))
}

async fn attempt_to_publish(
    stream: &Stream,
    id: &str,
    messages: &[OutgoingMessage],
    of_first: &[(&'static str, String)],
) -> Attempt {
    let Some((last, before)) = messages.split_last() else {
        return Attempt::Refused("a batch has at least one message".into());
    };
    let headers = |at: usize, message: &OutgoingMessage| {
        let mut headers = HeaderMap::new();
        for (name, value) in of_first.iter().filter(|_| at == 0).chain(&message.headers) {
            headers.insert(*name, value.as_str());
        }
        if messages.len() > 1 {
            headers.insert(header::BATCH_ID, id);
            headers.insert(header::BATCH_SEQUENCE, (at + 1).to_string());
        }
        headers
    };
    for (at, message) in before.iter().enumerate() {
        let sent = stream.client.publish_with_headers(
            message.subject.clone(),
            headers(at, message),
            message.payload.clone(),
        );
        if let Err(error) = sent.await {
            // Without its last message a batch is never stored.
            return Attempt::Refused(error.to_string());
        }
    }
    let mut of_last = headers(before.len(), last);
    if messages.len() > 1 {
        of_last.insert(header::BATCH_COMMIT, "1");
    }
    let request = async_nats::Request::new()
        .headers(of_last)
        .payload(last.payload.clone())
        .timeout(Some(ACKNOWLEDGED_WITHIN));
    match stream.client.send_request(last.subject.clone(), request).await {
        Ok(answer) => acknowledgement(&answer.payload),
        // The broker has nobody who would take the last message, so the batch is never stored.
        Err(error) if error.kind() == RequestErrorKind::NoResponders => {
            Attempt::Refused("no stream answers".into())
        }
        Err(error) => Attempt::Unknown(error.to_string()),
    }
}

fn acknowledgement(payload: &[u8]) -> Attempt {
    let Ok(answer) = serde_json::from_slice::<Value>(payload) else {
        return Attempt::Unknown("the acknowledgement does not read".into());
    };
    if let Some(error) = answer.get("error") {
        let code = error["err_code"].as_u64().unwrap_or(0);
        if code == WRONG_LAST_SEQUENCE {
            return Attempt::FenceBroken;
        }
        let description = error["description"].as_str().unwrap_or("no reason given");
        return Attempt::Refused(format!("{description} ({code})"));
    }
    match answer["seq"].as_u64() {
        Some(last) if last > 0 => Attempt::Acknowledged(last),
        _ => Attempt::Unknown("the acknowledgement names no sequence".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_says_is_known() {
        let of = |text: &str| acknowledgement(text.as_bytes());
        assert_eq!(of(r#"{"stream":"LEDGER","seq":7,"batch":"x","count":2}"#), Attempt::Acknowledged(7));
        let broken = r#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"LEDGER","seq":0}"#;
        assert_eq!(of(broken), Attempt::FenceBroken);
        let full = r#"{"error":{"code":400,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"LEDGER","seq":0}"#;
        assert_eq!(of(full), Attempt::Refused("maximum bytes exceeded (10077)".into()));
        for unknown in ["", "{}", r#"{"stream":"LEDGER","seq":0}"#, "+OK"] {
            assert!(matches!(of(unknown), Attempt::Unknown(_)), "{unknown}");
        }
    }
}
