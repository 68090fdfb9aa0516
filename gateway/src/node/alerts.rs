//! Alerts go out on `gt.alert.<pattern>`, so that other systems can subscribe.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt;
use gt_ledger::Ledger;
use gt_ledger::jetstream::{Outgoing, Prefix, alert_subject, past_alerts};
use gt_projections::{AlertChange, ChangeKind};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::UnboundedSender;

/// By which the stream of alerts knows that two nodes speak of the same.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// Publishes what a node finds.
#[derive(Clone)]
pub(crate) struct AlertPublisher {
    outgoing: UnboundedSender<Outgoing>,
    /// Alerts that rest on entries below this index were published when they were new.
    from: u64,
}

impl AlertPublisher {
    /// For a full node; `None` for any other ledger. `from` is the size up to which the views had come before.
    pub(crate) fn new(ledger: &Ledger, from: u64) -> Option<Self> {
        if ledger.only_follows() {
            return None;
        }
        Some(Self { outgoing: ledger.outgoing()?, from })
    }

    /// Publishes a change of an alert.
    pub(crate) fn publish(&self, change: &AlertChange) {
        if change.index.0 < self.from {
            return;
        }
        self.send(change.alert.pattern.as_str(), message_id(change), &json!(change));
    }

    /// Publishes integrity alerts as they are raised, for as long as the ledger is there.
    pub(crate) fn publish_integrity(self, ledger: &Ledger) {
        let mut raised = ledger.watch_integrity();
        tokio::spawn(async move {
            loop {
                match raised.recv().await {
                    Ok(alert) => self.integrity(&alert),
                    Err(RecvError::Lagged(missed)) => {
                        tracing::warn!(
                            missed,
                            "integrity alerts were not published; the node's own list has them"
                        );
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    fn integrity(&self, alert: &Value) {
        let text = |member: &str| alert[member].as_str().unwrap_or_default().to_owned();
        self.send(&text("pattern"), text("id"), &json!({"change": "raised", "alert": alert}));
    }

    fn send(&self, pattern: &str, id: String, value: &Value) {
        let payload = Bytes::from(value.to_string());
        let headers = vec![(MESSAGE_ID, id)];
        // Nobody sends any more once the node closes.
        let _ = self.outgoing.send(Outgoing { subject: alert_subject(pattern), headers, payload });
    }
}

/// The same on every node, whether it told of a deadline when it passed or with the entry that came after: a raising is named by the entry
/// that made it or started its clock, everything else by the entry that caused it.
fn message_id(change: &AlertChange) -> String {
    let entry = match change.change {
        ChangeKind::Raised => change.alert.raised_by,
        _ => change.index,
    };
    format!("{}.{}.{}.{entry}", change.alert.id, change.change.as_str(), change.at.as_millis())
}

/// The pattern of which every node keeps the alerts of the others: what was refused is not in the log, so only the sealer that
/// refused it has seen it.
const FORKS: &str = "chain-fork";
/// How many of those that have come are kept together.
const TOGETHER: usize = 1000;

/// How long it takes at most until a fork is asked for that was not heard of: while a connection is away, what is published is not heard.
const ASK_AGAIN: Duration = Duration::from_mins(10);

/// Keeps the forks that other nodes have seen or see, for as long as the connection is there, and publishes those of this node that are not
/// on the stream: it may have been killed, or the stream without a leader, when they were new.
pub(crate) async fn keep_forks(ledger: Arc<Ledger>, client: Client, prefix: Prefix) {
    let forks = match client.subscribe(alert_subject(FORKS)).await {
        Ok(forks) => forks,
        Err(error) => return tracing::warn!(%error, "other nodes' alerts cannot be subscribed to"),
    };
    let (mut forks, mut are_published) = (forks.ready_chunks(TOGETHER), false);
    loop {
        match past_alerts(&client, &prefix, FORKS).await {
            Ok(past) => {
                // Once: the stream may be too small for all, and would be filled again and again.
                if !std::mem::replace(&mut are_published, true) {
                    publish_missing(&ledger, &past);
                }
                keep(&ledger, past).await;
            }
            Err(error) => tracing::warn!(%error, "alerts of before cannot be read"),
        }
        let again = tokio::time::Instant::now() + ASK_AGAIN;
        while let Ok(heard) = tokio::time::timeout_at(again, forks.next()).await {
            let Some(messages) = heard else { return };
            let read = messages.iter().filter_map(|message| serde_json::from_slice(&message.payload).ok());
            let alerts: Vec<Value> = read.collect();
            if alerts.len() < messages.len() {
                tracing::warn!("what was published as an alert is none");
            }
            keep(&ledger, alerts).await;
        }
    }
}

/// Publishes the latest of the forks that this node has and the stream has not.
fn publish_missing(ledger: &Ledger, past: &[Value]) {
    let Some(publisher) = AlertPublisher::new(ledger, 0) else { return };
    let known: HashSet<&str> = past.iter().filter_map(|one| one["alert"]["id"].as_str()).collect();
    let own = ledger.integrity_alerts();
    let is_missing = |alert: &&Value| {
        alert["pattern"] == FORKS && alert["id"].as_str().is_some_and(|id| !known.contains(id))
    };
    own.iter().rev().filter(is_missing).take(TOGETHER).for_each(|alert| publisher.integrity(alert));
}

/// Waits for the disk, on a thread that may.
async fn keep(ledger: &Arc<Ledger>, alerts: Vec<Value>) {
    let ledger = Arc::clone(ledger);
    let kept = tokio::task::spawn_blocking(move || {
        ledger.keep_forks(alerts.iter().map(|alert| &alert["alert"]));
    });
    if let Err(error) = kept.await {
        tracing::error!(%error, "other nodes' alerts could not be kept");
    }
}

#[cfg(test)]
mod tests {
    use gt_core::position::LeafIndex;
    use gt_core::time::Timestamp;
    use gt_projections::{Alert, AlertId, AlertStatus, Pattern, Subject, Window};

    use super::*;

    /// DESIGN section 5: of what several nodes find, the stream of alerts keeps one.
    #[test]
    fn a_deadline_has_one_message_id_whichever_entry_comes_after_it() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000).expect("a time");
        let alert = Alert {
            id: AlertId::parse("AAAAAAAAAAAAAAAAAAAAAA").expect("an id"),
            pattern: Pattern::RhiOverdue,
            version: 1,
            thresholds: Value::Null,
            window: Window { from: at(0), to: at(0) },
            subject: Subject::Agency("police:32".into()),
            entries: vec![LeafIndex(3)],
            sentence: String::new(),
            raised_at: at(10),
            raised_by: LeafIndex(3),
            status: AlertStatus::Open,
            handling: Vec::new(),
            retraction: None,
        };
        let change = |change, index, seconds| AlertChange {
            index: LeafIndex(index),
            at: at(seconds),
            change,
            alert: alert.clone(),
        };
        let raised = message_id(&change(ChangeKind::Raised, 4, 10));
        assert_eq!(raised, "AAAAAAAAAAAAAAAAAAAAAA.raised.10000.3");
        assert_eq!(message_id(&change(ChangeKind::Raised, 5, 10)), raised, "a node that was behind");
        assert_ne!(message_id(&change(ChangeKind::Raised, 4, 11)), raised, "another deadline");
        let reviewed = message_id(&change(ChangeKind::Reviewed, 5, 12));
        assert_ne!(reviewed, message_id(&change(ChangeKind::Reviewed, 6, 12)), "two reviews of one moment");
        assert_ne!(reviewed, message_id(&change(ChangeKind::Assigned, 5, 12)));
    }
}
