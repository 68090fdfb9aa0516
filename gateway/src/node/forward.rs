//! HTTP publishing on a node: statements go to the intake, where the active sealer answers, wherever it runs.

use std::time::Duration;

use async_nats::{Client, Message};
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use gt_core::entry::Entry;
use gt_core::receipt::Receipt;
use gt_ledger::jetstream::intake_subject;
use gt_ledger::prepare::Prepared;
use gt_ledger::sealer::Sealed;
use serde_json::{Map, Value};

use crate::nats::STATUS_HEADER;
use crate::problem::Problem;

/// How long HTTP publishing waits for the next reply. A sealer that takes over from another answers in less.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the active sealer said of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Forwarded {
    /// It is sealed.
    Sealed {
        /// It had been sealed before.
        duplicate: bool,
        /// Where it stands.
        index: u64,
        /// The statement's hash.
        statement: String,
        /// The receipt's text.
        receipt: String,
    },
    /// It is not.
    Problem(Problem),
}

impl From<&Sealed> for Forwarded {
    fn from(sealed: &Sealed) -> Self {
        Self::Sealed {
            duplicate: sealed.duplicate,
            index: sealed.index.0,
            statement: sealed.statement.to_string(),
            receipt: sealed.receipt.to_string(),
        }
    }
}

/// Sends statements to the intake.
#[derive(Clone)]
pub(crate) struct Forwarder {
    client: Client,
}

impl Forwarder {
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Sends statements in order, and returns as many answers.
    pub(crate) async fn forward(&self, statements: &[(Prepared, Bytes)]) -> Vec<Forwarded> {
        let mut answers: Vec<Option<Forwarded>> = vec![None; statements.len()];
        let inbox = self.client.new_inbox();
        if let Ok(mut replies) = self.client.subscribe(format!("{inbox}.*")).await
            && self.send(statements, &inbox).await
        {
            let mut missing = statements.len();
            while missing > 0
                && let Ok(Some(reply)) = tokio::time::timeout(PATIENCE, replies.next()).await
            {
                if reply.status.is_some() {
                    // Nobody listens at the intake.
                    break;
                }
                let at = reply.subject.rsplit('.').next().and_then(|at| at.parse::<usize>().ok());
                let Some(slot) = at.and_then(|at| answers.get_mut(at)) else { continue };
                if slot.is_none() {
                    *slot = Some(read(&reply));
                    missing -= 1;
                }
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Forwarded::Problem(nobody()))).collect()
    }

    async fn send(&self, statements: &[(Prepared, Bytes)], inbox: &str) -> bool {
        for (at, (prepared, compact)) in statements.iter().enumerate() {
            let payload = prepared.statement().payload();
            let subject = intake_subject(&payload.iss, &payload.publisher);
            let sent = self.client.publish_with_reply(subject, format!("{inbox}.{at}"), compact.clone());
            if let Err(error) = sent.await {
                tracing::warn!(%error, "a statement could not be sent to the intake");
                return false;
            }
        }
        true
    }
}

fn nobody() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "no sealer has answered in time; send the same statement again",
    )
}

fn read(reply: &Message) -> Forwarded {
    let malformed =
        || Problem::new(StatusCode::BAD_GATEWAY, "bad_reply", "the sealer's answer does not read");
    let header = reply.headers.as_ref().and_then(|headers| headers.get(STATUS_HEADER));
    let status = header.and_then(|status| status.as_str().parse::<u16>().ok());
    match status {
        Some(status @ (200 | 201)) => {
            read_receipt(&reply.payload, status == 200).unwrap_or_else(|| Forwarded::Problem(malformed()))
        }
        Some(_) => {
            let read: Option<Map<String, Value>> = serde_json::from_slice(&reply.payload).ok();
            Forwarded::Problem(read.and_then(Problem::from_json).unwrap_or_else(malformed))
        }
        None => Forwarded::Problem(malformed()),
    }
}

fn read_receipt(payload: &[u8], duplicate: bool) -> Option<Forwarded> {
    let receipt = Receipt::parse(payload).ok()?;
    let entry = Entry::parse(receipt.extra.as_deref()?).ok()?;
    Some(Forwarded::Sealed {
        duplicate,
        index: receipt.index.0,
        statement: entry.statement.to_string(),
        receipt: String::from_utf8(payload.to_vec()).ok()?,
    })
}
