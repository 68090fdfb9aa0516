use std::sync::Arc;

use async_nats::Event;
use tokio::sync::watch;

/// The most characters of a server's sentence that are kept and shown.
const MAX_COMPLAINT_CHARS: usize = 300;

/// What has become of a connection, as its events tell. Clones are of the same connection.
#[derive(Debug, Clone)]
pub(crate) struct Line(Arc<watch::Sender<LineState>>);

/// The state of a [`Line`]. The counts only rise, so that whoever kept one sees that something happened since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LineState {
    /// How often the connection broke.
    pub(crate) breaks: u64,
    /// How often the server denied a subject.
    pub(crate) denials: u64,
    /// What the server or the client said last that was wrong, until a connection succeeds.
    pub(crate) complaint: Option<String>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Takes note of an event, and logs it.
    pub(crate) fn record(&self, event: &Event) {
        match event {
            Event::Connected => {
                if self.0.borrow().breaks == 0 {
                    tracing::debug!("connected to NATS");
                } else {
                    tracing::info!("connected to NATS again");
                }
                self.0.send_modify(|state| state.complaint = None);
            }
            Event::Disconnected => {
                tracing::warn!("the connection to NATS broke; it is being made again");
                self.0.send_modify(|state| state.breaks += 1);
            }
            Event::SlowConsumer(subscription) => {
                tracing::error!(
                    subscription,
                    "messages from NATS were dropped: they came faster than they were taken"
                );
            }
            Event::ServerError(error) => self.complain(&error.to_string()),
            Event::ClientError(error) => self.complain(&error.to_string()),
            Event::LameDuckMode => tracing::info!("the NATS server is about to stop"),
            Event::Draining | Event::Closed => tracing::debug!("the connection to NATS is closed: {event}"),
        }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LineState> {
        self.0.subscribe()
    }

    /// Waits until the server denies a subject, and tells what it said.
    pub(crate) async fn denial(&self) -> String {
        let mut line = self.watch();
        let denied = line.wait_for(|state| state.denials > 0).await.expect("this is its sender");
        denied.complaint.clone().unwrap_or_default()
    }

    fn complain(&self, text: &str) {
        let text: String = text
            .trim_start_matches("nats: ")
            .chars()
            .map(|character| if character.is_control() { ' ' } else { character })
            .take(MAX_COMPLAINT_CHARS)
            .collect();
        // A server that stays away brings the same complaint every second.
        if self.0.borrow().complaint.as_ref() == Some(&text) {
            tracing::debug!("NATS: {text}");
        } else {
            tracing::warn!("NATS: {text}");
        }
        let denied = text.to_ascii_lowercase().starts_with("permissions violation");
        self.0.send_modify(|state| {
            state.denials += u64::from(denied);
            state.complaint = Some(text);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_nats::{ClientError, ServerError};

    #[test]
    fn counts_rise_and_a_success_ends_a_complaint() {
        let line = Line::new();
        let watch = line.watch();
        let denied = "Permissions Violation for Publish to \"gt.intake.a.b\"\r\n".to_owned();
        for event in [
            Event::Connected,
            Event::Disconnected,
            Event::ClientError(ClientError::Other("IO error".to_owned())),
            Event::ServerError(ServerError::Other(denied)),
        ] {
            line.record(&event);
        }
        let complaint = "Permissions Violation for Publish to \"gt.intake.a.b\"  ".to_owned();
        let expected = LineState { breaks: 1, denials: 1, complaint: Some(complaint) };
        assert_eq!(*watch.borrow(), expected);
        line.record(&Event::ServerError(ServerError::Other("é".repeat(400))));
        assert_eq!(watch.borrow().complaint, Some("é".repeat(MAX_COMPLAINT_CHARS)));
        line.record(&Event::Connected);
        assert_eq!(*watch.borrow(), LineState { complaint: None, ..expected });
    }
}
