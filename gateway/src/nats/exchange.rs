use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::{OnceCell, watch};
use tokio::time::{sleep, timeout};

use super::intake::is_no_responder;
use super::line::{Line, LineState};
use super::{ConnectError, NatsOptions};
use crate::client::CALL_TIMEOUT;

/// How often it is looked whether a connection that broke is up again.
const RECONNECT_POLL: Duration = Duration::from_millis(10);

/// How long an exchange waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection that broke to be up again, before anything is sent.
    pub reconnect: Duration,
    /// For the next reply. A sealer that takes over from another does so in less.
    pub reply: Duration,
    /// For the whole exchange.
    pub call: Duration,
}

/// Why NATS brought no answer, or not all of them. What was sent has perhaps arrived: the same bytes may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// There is no connection yet.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There was a connection, and there is none now.
    #[error("the connection to NATS is lost, and is being made again{}", .complaint.as_ref().map_or_else(String::new, |c| format!(": {c}")))]
    Down {
        /// What the last attempt ended with.
        complaint: Option<String>,
    },
    /// The connection broke while answers were awaited.
    #[error("the connection to NATS broke before an answer came")]
    Broken,
    /// Nobody is subscribed to the subject.
    #[error(
        "no ledger listens on NATS for this publisher: no node that seals is running, or this account does not import the \
         agency's intake"
    )]
    NoResponder,
    /// No reply came in time.
    #[error("no answer came over NATS in time")]
    Silent,
    /// The server denied publishing, or listening for replies.
    #[error("NATS does not permit this user to ask this ledger: {complaint}")]
    Denied {
        /// What the server said.
        complaint: String,
    },
}

/// Requests over a connection that is made with the first of them.
#[derive(Debug)]
pub(crate) struct Exchange {
    options: NatsOptions,
    patience: Patience,
    line: Line,
    client: OnceCell<Client>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { reconnect: Duration::from_secs(2), reply: Duration::from_secs(10), call: CALL_TIMEOUT }
    }
}

impl Exchange {
    pub(crate) fn new(options: NatsOptions, patience: Patience) -> Self {
        Self { options, patience, line: Line::new(), client: OnceCell::new() }
    }

    /// The longest message that the server takes, in bytes.
    pub(crate) async fn max_payload(&self) -> Result<usize, IntakeError> {
        Ok(self.client().await?.max_payload())
    }

    /// Sends these payloads in order, each with an inbox of its own, and hands every reply, with the position of its request,
    /// to `take`, which says when nothing more is needed. Ends with an error as soon as it is known that what is missing will
    /// not come.
    pub(crate) async fn run(
        &self,
        subject: &str,
        payloads: &[Bytes],
        take: impl FnMut(usize, &Message) -> bool,
    ) -> Result<(), IntakeError> {
        let exchange = async {
            let client = self.client().await?;
            // Before the look at the connection, so that a break right after it is not missed.
            let mut line = self.line.watch();
            let before = line.borrow_and_update().clone();
            self.until_up(client).await?;
            let lost = |complaint: Option<String>| IntakeError::Down { complaint };
            let inbox = client.new_inbox();
            let mut replies =
                client.subscribe(format!("{inbox}.*")).await.map_err(|_| lost(before.complaint.clone()))?;
            for (at, payload) in payloads.iter().enumerate() {
                let sent =
                    client.publish_with_reply(subject.to_owned(), format!("{inbox}.{at}"), payload.clone());
                sent.await.map_err(|_| lost(before.complaint.clone()))?;
            }
            let collected = self.collect(&mut replies, &inbox, take);
            let ended = tokio::select! {
                ended = collected => ended,
                error = trouble(&mut line, &before) => Err(error),
            };
            // Replies that are still to come would find nobody; that the server hears of it is a courtesy.
            let _ = replies.unsubscribe().await;
            ended
        };
        timeout(self.patience.call, exchange).await.unwrap_or(Err(IntakeError::Silent))
    }

    async fn collect(
        &self,
        replies: &mut Subscriber,
        inbox: &str,
        mut take: impl FnMut(usize, &Message) -> bool,
    ) -> Result<(), IntakeError> {
        loop {
            let next = timeout(self.patience.reply, replies.next()).await.map_err(|_| IntakeError::Silent)?;
            let message = next.ok_or(IntakeError::Broken)?;
            // Nobody listens any more, so whatever else is missing will not come either.
            if is_no_responder(&message) {
                return Err(IntakeError::NoResponder);
            }
            let position = message.subject.strip_prefix(inbox).and_then(|rest| rest.strip_prefix('.'));
            if let Some(at) = position.and_then(|at| at.parse().ok())
                && take(at, &message)
            {
                return Ok(());
            }
        }
    }

    async fn client(&self) -> Result<&Client, IntakeError> {
        Ok(self.client.get_or_try_init(|| self.options.connect_on(&self.line)).await?)
    }

    /// Waits for a connection that broke. What is published meanwhile would be kept, and sent when nobody waits for it.
    async fn until_up(&self, client: &Client) -> Result<(), IntakeError> {
        let up = async {
            while client.connection_state() != State::Connected {
                sleep(RECONNECT_POLL).await;
            }
        };
        let waited = timeout(self.patience.reconnect, up).await;
        waited.map_err(|_| IntakeError::Down { complaint: self.line.watch().borrow().complaint.clone() })
    }
}

/// Ends when replies can no longer come: the connection breaks, or the server denies a subject.
async fn trouble(line: &mut watch::Receiver<LineState>, before: &LineState) -> IntakeError {
    loop {
        if line.changed().await.is_err() {
            return IntakeError::Broken;
        }
        let now = line.borrow_and_update().clone();
        if now.breaks != before.breaks {
            return IntakeError::Broken;
        }
        if now.denials != before.denials {
            return IntakeError::Denied { complaint: now.complaint.unwrap_or_default() };
        }
    }
}
