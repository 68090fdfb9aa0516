//! The model ledger behind NATS, as the only sealer: it answers requests in order, with the faults that lines and sealers have.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_nats::{Client, HeaderMap, Message};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::client::Answer;
use crate::nats::{NatsArgs, NatsOptions, STATUS_HEADER};
use crate::outbox::Problem;
use crate::outbox::tests::model_ledger::{AGENCY, ModelLedger};

/// What goes wrong with one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The statement is lost.
    Lost,
    /// It is sealed, and the reply is lost.
    ReplyLost,
    /// The ledger is too busy.
    Busy,
    /// Something that is no ledger answers.
    Gibberish,
    /// The reply is longer than any receipt.
    TooLong,
}

pub(super) struct ModelIntake {
    pub(super) ledger: Arc<Mutex<ModelLedger>>,
    /// What happens to the next statements.
    pub(super) faults: Arc<Mutex<VecDeque<Option<Fault>>>>,
    /// How many statements have come.
    pub(super) came: watch::Receiver<usize>,
    runtime: Option<Runtime>,
}

impl ModelIntake {
    /// Listens at this server, and comes back to it when it was away.
    pub(super) fn start(url: &str, ledger: ModelLedger) -> Self {
        let ledger = Arc::new(Mutex::new(ledger));
        let faults = Arc::new(Mutex::new(VecDeque::new()));
        let (seen, came) = watch::channel(0);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = NatsOptions::new(url, &NatsArgs::default(), "model").unwrap();
        let (client, mut requests) = runtime.block_on(async {
            let client = options.connect().await.unwrap();
            let requests = client.subscribe("gt.intake.>").await.unwrap();
            client.flush().await.unwrap();
            (client, requests)
        });
        let (served, failing) = (Arc::clone(&ledger), Arc::clone(&faults));
        runtime.spawn(async move {
            while let Some(request) = requests.next().await {
                let answer = if request.payload.is_empty() {
                    Some(chain_end(&served.lock().unwrap(), &request))
                } else {
                    let fault = failing.lock().unwrap().pop_front().flatten();
                    seen.send_modify(|count| *count += 1);
                    receive(&mut served.lock().unwrap(), &request, fault)
                };
                if let Some((status, kind, text)) = answer {
                    reply(&client, request, &status, kind, text).await;
                }
            }
        });
        Self { ledger, faults, came, runtime: Some(runtime) }
    }
}

impl Drop for ModelIntake {
    fn drop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

type Reply = (String, &'static str, String);

const PROBLEM: &str = "application/problem+json";

fn chain_end(ledger: &ModelLedger, request: &Message) -> Reply {
    let id = ledger.publisher();
    if !ledger.registered || request.subject.as_str() != format!("gt.intake.{AGENCY}.{id}") {
        let unknown = Problem::new(404, "unknown_publisher", "Unknown", "not registered");
        return ("404".to_owned(), PROBLEM, unknown.to_json().to_string());
    }
    let head = ledger.head();
    let mut text: serde_json::Value = serde_json::from_str(&ledger.pin().to_json()).unwrap();
    let facts = json!({
        "registrar": "x", "size": ledger.size(), "publisher": id.to_string(), "agency": AGENCY,
        "next_seq": head.next_seq, "head": head.head.to_string(),
    });
    text.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    ("200".to_owned(), "application/json", text.to_string())
}

fn receive(ledger: &mut ModelLedger, request: &Message, fault: Option<Fault>) -> Option<Reply> {
    let text = str::from_utf8(&request.payload).unwrap();
    match fault {
        None => {}
        Some(Fault::Lost) => return None,
        Some(Fault::ReplyLost) => {
            ledger.submit(&[text]);
            return None;
        }
        Some(Fault::Busy) => {
            let busy = Problem::new(503, "busy", "Busy", "send the same statement again");
            return Some(("503".to_owned(), PROBLEM, busy.to_json().to_string()));
        }
        Some(Fault::Gibberish) => {
            return Some(("hello".to_owned(), "text/html", "<h1>Hello</h1>".to_owned()));
        }
        Some(Fault::TooLong) => return Some(("201".to_owned(), "text/plain", "x".repeat(65_537))),
    }
    match ledger.submit(&[text]).remove(0) {
        Answer::Sealed { receipt } => Some(("201".to_owned(), "text/plain; charset=utf-8", receipt)),
        Answer::Refused(problem) => {
            Some((problem.status().unwrap().to_string(), PROBLEM, problem.to_json().to_string()))
        }
        Answer::Unanswered(_) => unreachable!("the model answers everything"),
    }
}

async fn reply(client: &Client, request: Message, status: &str, kind: &str, text: String) {
    let mut headers = HeaderMap::new();
    headers.insert(STATUS_HEADER, status);
    headers.insert("Content-Type", kind);
    client.publish_with_headers(request.reply.unwrap(), headers, text.into()).await.unwrap();
}
