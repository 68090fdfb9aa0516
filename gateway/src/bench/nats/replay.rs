use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap, Message, Subject};
use bytes::Bytes;
use futures_util::StreamExt;
use gt_ledger::jetstream::LEDGER_STREAM;
use gt_ledger::jetstream::assemble::MAX_BATCH_MESSAGES;
use gt_ledger::jetstream::message::header;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::BenchError;
use super::broker::BrokerError;

/// The stream into which the messages go again.
pub(super) const STREAM: &str = "REPLAY";
/// Its subjects are as long as the ledger's own.
const SUBJECTS: (&str, &str) = ("gt.ledger.", "gt.replay.");
/// How long an answer of the server's may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of one answer.
const MAX_READ_BYTES: u64 = 16 << 20;
/// What the program itself writes into headers, apart from the fence.
const OWN_HEADERS: [&str; 4] = [header::BATCH, header::HEAD, header::KEYS, header::CHECKPOINT];

/// A message of the stream of sealed entries, as it is to be published again.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// The batch in which the sealer published it; none if it was the only one.
    batch: Option<String>,
    pub(super) subject: Subject,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

/// Where batches begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// As many messages as a batch can have.
    Full,
    /// As the sealer's.
    AsSealed,
}

/// Publishes the sealer's messages again, into a stream of the same configuration.
#[derive(Debug, Clone)]
pub(super) struct Replay {
    pub(super) client: Client,
    /// The sequence of the last message there.
    pub(super) last: u64,
    batches: u64,
}

impl Replay {
    /// Makes the stream.
    pub(super) async fn create(client: Client) -> Result<Self, BenchError> {
        let mut config = ask(&client, "STREAM.INFO", LEDGER_STREAM, &json!({})).await?["config"].take();
        config["name"] = json!(STREAM);
        config["subjects"] = json!([format!("{}>", SUBJECTS.1)]);
        ask(&client, "STREAM.CREATE", STREAM, &config).await?;
        Ok(Self { client, last: 0, batches: 0 })
    }

    /// The sequence of the last message of sealed entries.
    pub(super) async fn end(&self) -> Result<u64, BenchError> {
        let info = ask(&self.client, "STREAM.INFO", LEDGER_STREAM, &json!({})).await?;
        info["state"]["last_seq"].as_u64().ok_or_else(|| failed(LEDGER_STREAM, "its size is not said"))
    }

    /// Reads everything that was sealed after this sequence.
    pub(super) async fn read_after(&self, sequence: u64) -> Result<Vec<Stored>, BenchError> {
        let (mut next, mut all) = (sequence + 1, Vec::new());
        loop {
            let before = all.len();
            let inbox = self.client.new_inbox();
            let subscribed = self.client.subscribe(inbox.clone()).await;
            let mut answers = subscribed.map_err(|error| failed(LEDGER_STREAM, &error.to_string()))?;
            let request =
                json!({"seq": next, "batch": MAX_BATCH_MESSAGES, "max_bytes": MAX_READ_BYTES}).to_string();
            let asked =
                self.client.publish_with_reply("$JS.API.DIRECT.GET.LEDGER", inbox, request.into()).await;
            asked.map_err(|error| failed(LEDGER_STREAM, &error.to_string()))?;
            while let Some(answer) = timeout(PATIENCE, answers.next()).await.ok().flatten() {
                match answer.status.map(|status| status.as_u16()) {
                    None => all.push(Stored::of(answer)?),
                    Some(204 | 404) => break,
                    Some(code) => return Err(failed(LEDGER_STREAM, &format!("reading ended with {code}"))),
                }
            }
            if all.len() == before {
                return Ok(all);
            }
            next += (all.len() - before) as u64;
        }
    }

    /// Publishes these messages, a batch after the other, each acknowledged before the next. Returns how long that took.
    pub(super) async fn publish(
        mut self,
        messages: &[Stored],
        cut: Cut,
    ) -> Result<(Self, Duration), BenchError> {
        let batches: Vec<Vec<Stored>> = cut.batches(messages).map(|batch| self.prepare(batch)).collect();
        let started = Instant::now();
        for batch in batches {
            self.commit(batch).await?;
        }
        Ok((self, started.elapsed()))
    }

    /// Copies a batch's messages, with the headers of an atomic batch.
    fn prepare(&mut self, batch: &[Stored]) -> Vec<Stored> {
        self.batches += 1;
        let mut messages = batch.to_vec();
        if batch.len() > 1 {
            let id = format!("replay-{:08}-of-the-benchmark.0", self.batches);
            for (number, message) in (1..).zip(&mut messages) {
                message.headers.insert(header::BATCH_ID, id.as_str());
                message.headers.insert(header::BATCH_SEQUENCE, u64::to_string(&number));
            }
            if let Some(last) = messages.last_mut() {
                last.headers.insert(header::BATCH_COMMIT, "1");
            }
        }
        messages
    }

    async fn commit(&mut self, mut batch: Vec<Stored>) -> Result<(), BenchError> {
        let expected = self.last + batch.len() as u64;
        if let Some(first) = batch.first_mut() {
            first.headers.insert(header::FENCE, self.last.to_string());
        }
        let Some(last) = batch.pop() else { return Ok(()) };
        for Stored { subject, headers, payload, .. } in batch {
            let sent = self.client.publish_with_headers(subject, headers, payload).await;
            sent.map_err(|error| failed(STREAM, &error.to_string()))?;
        }
        let request =
            async_nats::Request::new().headers(last.headers).payload(last.payload).timeout(Some(PATIENCE));
        let answer = self.client.send_request(last.subject, request).await;
        let answer = answer.map_err(|error| failed(STREAM, &error.to_string()))?;
        let answer: Value = serde_json::from_slice(&answer.payload).unwrap_or_default();
        if answer["seq"].as_u64() == Some(expected) {
            self.last = expected;
            Ok(())
        } else {
            Err(failed(STREAM, &format!("a batch was answered with {answer}")))
        }
    }
}

impl Cut {
    fn batches<'m>(self, messages: &'m [Stored]) -> Box<dyn Iterator<Item = &'m [Stored]> + 'm> {
        let most = usize::try_from(MAX_BATCH_MESSAGES).unwrap_or(usize::MAX);
        match self {
            Self::Full => Box::new(messages.chunks(most)),
            Self::AsSealed => {
                Box::new(messages.chunk_by(|one, next| one.batch.is_some() && one.batch == next.batch))
            }
        }
    }
}

impl Stored {
    fn of(answer: Message) -> Result<Self, BenchError> {
        let headers = answer.headers.unwrap_or_default();
        let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
        let subject = text("Nats-Subject")
            .and_then(|subject| Some(format!("{}{}", SUBJECTS.1, subject.strip_prefix(SUBJECTS.0)?)));
        let subject = subject.ok_or_else(|| failed(LEDGER_STREAM, "a message is none of the ledger's"))?;
        let mut own = HeaderMap::new();
        for (name, value) in OWN_HEADERS.into_iter().filter_map(|name| Some((name, text(name)?))) {
            own.insert(name, value);
        }
        Ok(Self {
            batch: text(header::BATCH_ID),
            subject: Subject::from(subject),
            headers: own,
            payload: answer.payload,
        })
    }
}

/// Removes a stream of the measurement's.
pub(super) async fn remove(client: &Client, stream: &str) -> Result<(), BenchError> {
    ask(client, "STREAM.DELETE", stream, &json!({})).await.map(drop)
}

async fn ask(client: &Client, operation: &str, stream: &str, request: &Value) -> Result<Value, BenchError> {
    let subject = format!("$JS.API.{operation}.{stream}");
    let request = async_nats::Request::new().payload(request.to_string().into()).timeout(Some(PATIENCE));
    let refused = |reason: String| failed(STREAM, &format!("{operation} of {stream}: {reason}"));
    let answer = client.send_request(subject, request).await.map_err(|error| refused(error.to_string()))?;
    let answer: Value =
        serde_json::from_slice(&answer.payload).map_err(|error| refused(error.to_string()))?;
    match answer.get("error") {
        None => Ok(answer),
        Some(error) => Err(refused(error["description"].to_string())),
    }
}

pub(super) fn failed(stream: &'static str, reason: &str) -> BenchError {
    BrokerError::Stream { stream, reason: reason.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_full_or_as_they_were_sealed() {
        let message = |batch: Option<usize>| Stored {
            batch: batch.map(|number| number.to_string()),
            subject: Subject::from_static("gt.replay.x"),
            headers: HeaderMap::new(),
            payload: Bytes::new(),
        };
        let sealed = [(Some(1), 700), (None, 1), (None, 1), (Some(2), 900)];
        let messages: Vec<_> =
            sealed.iter().flat_map(|(batch, count)| std::iter::repeat_n(message(*batch), *count)).collect();
        let lengths = |cut: Cut| cut.batches(&messages).map(<[Stored]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(Cut::AsSealed), [700, 1, 1, 900]);
        assert_eq!(lengths(Cut::Full), [1000, 602]);
    }
}
