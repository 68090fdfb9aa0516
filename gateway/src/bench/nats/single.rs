use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::Client;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::super::BenchError;
use super::replay::{PATIENCE, Replay, STREAM, Stored, failed};

/// What came of publishing messages one by one.
#[derive(Debug)]
pub(super) struct Singles {
    /// From the first message to the last acknowledgement.
    pub(super) took: Duration,
    /// From each message to its acknowledgement.
    pub(super) latencies: Vec<Duration>,
}

impl Replay {
    /// Publishes these messages, each for itself, as a client does that knows nothing of batches; up to so many are unacknowledged.
    pub(super) async fn publish_singly(
        mut self,
        messages: &[Stored],
        unacknowledged: usize,
    ) -> Result<(Self, Singles), BenchError> {
        let client = self.client.clone();
        let inbox = client.new_inbox();
        let subscribed = client.subscribe(format!("{inbox}.*")).await;
        let mut replies = subscribed.map_err(|error| failed(STREAM, &error.to_string()))?;
        let started = Instant::now();
        let (mut sent, mut latencies) = (VecDeque::new(), Vec::with_capacity(messages.len()));
        let mut waiting = messages.iter();
        while latencies.len() < messages.len() {
            let room = unacknowledged.max(1) - sent.len();
            for (number, message) in (latencies.len() + sent.len()..).zip(waiting.by_ref().take(room)) {
                sent.push_back(Instant::now());
                send(&client, message, format!("{inbox}.{number}")).await?;
            }
            let reply = timeout(PATIENCE, replies.next()).await.ok().flatten();
            let reply = reply.ok_or_else(|| failed(STREAM, "a message was not acknowledged in time"))?;
            let answer: Value = serde_json::from_slice(&reply.payload).unwrap_or_default();
            self.last += 1;
            // What is sent over one connection is stored, and answered, in that order.
            let expected = format!("{inbox}.{}", latencies.len());
            if answer["seq"].as_u64() != Some(self.last) || reply.subject.as_str() != expected {
                return Err(failed(STREAM, &format!("a message was answered with {answer}")));
            }
            latencies.extend(sent.pop_front().map(|at| at.elapsed()));
        }
        Ok((self, Singles { took: started.elapsed(), latencies }))
    }
}

async fn send(client: &Client, message: &Stored, reply: String) -> Result<(), BenchError> {
    let Stored { subject, headers, payload, .. } = message.clone();
    let sent = client.publish_with_reply_and_headers(subject, reply, headers, payload).await;
    sent.map_err(|error| failed(STREAM, &error.to_string()))
}
