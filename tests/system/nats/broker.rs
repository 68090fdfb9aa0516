//! A client of the servers that may do everything: what an operator, an agency's own client, or an intruder would send.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, HeaderMap, Message, Subscriber};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::partnership::check_problem;

/// A connection, for threads that wait.
pub(super) struct Broker {
    runtime: Runtime,
    client: Client,
}

/// The reply to a request at the intake.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Messages of a subject, in the order in which they come.
pub(super) struct Subscription<'b> {
    broker: &'b Broker,
    /// It is only taken out when this is dropped.
    messages: Option<Subscriber>,
}

impl Broker {
    pub(super) fn connect(url: &str) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let servers: Vec<&str> = url.split(',').collect();
        let connecting = ConnectOptions::new()
            .ping_interval(Duration::from_secs(1))
            .max_reconnects(None)
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .ignore_discovered_servers()
            .connect(servers);
        let client = runtime.block_on(connecting).expect("a server that can be reached");
        Self { runtime, client }
    }

    /// Sends a request once, and waits for its reply. `None` if none comes, or nobody listens.
    pub(super) fn ask(&self, subject: &str, payload: &[u8], patience: Duration) -> Option<Answer> {
        let message = self.request(subject, payload, patience)?;
        let header = |name: &str| {
            let headers = message.headers.as_ref()?;
            headers.get(name).map(|value| value.as_str().to_owned())
        };
        let status = header("Gt-Status").unwrap_or_else(|| panic!("a status: {message:?}"));
        let status = status.parse().expect("a number");
        let content_type = header("Content-Type").expect("a type");
        Some(Answer { status, content_type, body: message.payload.to_vec() })
    }

    /// Asks the servers' own interface, again if it does not answer in time: it is idempotent in what these tests ask.
    pub(super) fn api(&self, operation: &str, body: &Value) -> Value {
        let payload = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut answers = (0..20).filter_map(|_| {
            let message = self.request(&format!("$JS.API.{operation}"), &payload, Duration::from_secs(2))?;
            let answer: Value = serde_json::from_slice(&message.payload).expect("JSON");
            let passes = answer["error"]["code"] == 503;
            if passes {
                std::thread::sleep(Duration::from_millis(100));
            }
            (!passes).then_some(answer)
        });
        answers.next().unwrap_or_else(|| panic!("{operation} is not answered"))
    }

    /// A stream's description.
    pub(super) fn stream(&self, name: &str) -> Value {
        let info = self.api(&format!("STREAM.INFO.{name}"), &Value::Null);
        assert!(info["error"].is_null(), "{name}: {info}");
        info
    }

    /// The server that leads a stream, once there is one.
    pub(super) fn leader(&self, stream: &str) -> String {
        self.stream(stream)["cluster"]["leader"].as_str().unwrap_or_default().to_owned()
    }

    /// Changes members of a stream's configuration.
    pub(super) fn update(&self, stream: &str, members: &[(&str, Value)]) -> Value {
        let mut config = self.stream(stream)["config"].clone();
        for (name, value) in members {
            config[*name] = value.clone();
        }
        self.api(&format!("STREAM.UPDATE.{stream}"), &config)
    }

    /// Publishes as anybody could who were let. Returns the acknowledgement of the stream that stores it.
    pub(super) fn put(&self, subject: &str, headers: &[(&str, &str)], payload: &[u8]) -> Value {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, *value);
        }
        let request = async_nats::Request::new().headers(map).payload(payload.to_vec().into());
        let sent = self.client.send_request(subject.to_owned(), request);
        let message = self.runtime.block_on(sent).expect("an acknowledgement");
        serde_json::from_slice(&message.payload).expect("JSON")
    }

    /// A message of a stream, read from its leader.
    pub(super) fn stored(&self, stream: &str, sequence: u64) -> Value {
        self.api(&format!("STREAM.MSG.GET.{stream}"), &json!({"seq": sequence}))["message"].clone()
    }

    pub(super) fn subscribe(&self, subject: &str) -> Subscription<'_> {
        let messages = self.runtime.block_on(async {
            let messages = self.client.subscribe(subject.to_owned()).await.expect("a subscription");
            self.client.flush().await.expect("a connection");
            messages
        });
        Subscription { broker: self, messages: Some(messages) }
    }

    fn request(&self, subject: &str, payload: &[u8], patience: Duration) -> Option<Message> {
        self.runtime.block_on(async {
            let inbox = self.client.new_inbox();
            let mut replies = self.client.subscribe(inbox.clone()).await.ok()?;
            let sent = self.client.publish_with_reply(subject.to_owned(), inbox, payload.to_vec().into());
            sent.await.ok()?;
            let reply = timeout(patience, replies.next()).await.ok()??;
            reply.status.is_none().then_some(reply)
        })
    }
}

impl Subscription<'_> {
    /// The next message, if one comes in time.
    pub(super) fn next(&mut self, patience: Duration) -> Option<Message> {
        let messages = self.messages.as_mut().expect("it is taken out by drop alone");
        self.broker.runtime.block_on(async { timeout(patience, messages.next()).await.ok()? })
    }
}

impl Drop for Subscription<'_> {
    fn drop(&mut self) {
        // It says goodbye to the server from within the runtime.
        let _within = self.broker.runtime.enter();
        drop(self.messages.take());
    }
}

impl Answer {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in UTF-8")
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The receipt.
    pub(super) fn receipt(&self) -> &str {
        assert_eq!(self.content_type, "text/plain; charset=utf-8", "{}", self.text());
        self.text()
    }

    /// The problem's code.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{}", self.text());
        assert_eq!(self.json()["status"], self.status);
        check_problem(&self.json())
    }
}
