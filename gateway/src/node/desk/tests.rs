use std::fs;
use std::path::Path;

use bytes::Bytes;
use gt_core::agency::AgencyCode;
use gt_core::key::PrivateKey;
use gt_ledger::clock::SystemClock;
use gt_ledger::create::{configuration, create};
use gt_ledger::secrets::{Secrets, file, read_key};
use gt_schemas::Configuration;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::*;
use crate::draft::{ChainPosition, CheckedDraft, Signatory};

const ORIGIN: &str = "ledger.example/desk";

/// A clerk of a ledger that is active, which needs no broker; what it sends, and what comes back from the sealer.
struct Scene {
    clerk: Clerk,
    sent: UnboundedReceiver<Outgoing>,
    back: UnboundedReceiver<Outcome>,
    _folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let created = create(&data, &folder.path().join("keys"), ORIGIN).expect("made");
    let secrets = Secrets::load(&created.secrets).expect("sound secrets");
    let opened = Ledger::open(&data, &secrets, Box::new(SystemClock::default()), None);
    let ledger = Arc::new(opened.expect("opens"));
    let ((outgoing, sent), (outcomes, back)) = (unbounded_channel(), unbounded_channel());
    let clerk = Clerk::new(ledger, outgoing, outcomes, Duration::from_hours(1));
    Scene { clerk, sent, back, _folder: folder }
}

/// A statement of a publisher that the ledger does not know: the sealer says so.
fn unknown() -> Request {
    let (key, agency) = (PrivateKey::from_seed(&[3; 32]), AgencyCode::parse("police:32").expect("a code"));
    let publisher = key.public().thumbprint();
    let signatory = Signatory::new(key, publisher, agency.clone(), ORIGIN.to_owned());
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/examples/rhi.declined.json");
    let data: Value = serde_json::from_slice(&fs::read(example).expect("an example")).expect("JSON");
    let draft = json!({"id": "a", "type": "rhi.declined", "data": data}).to_string();
    let draft = CheckedDraft::parse(draft.as_bytes()).expect("a draft");
    let place = ChainPosition { seq: 0, prev: Hash::ZERO, iat: 1_770_000_000 };
    let statement = signatory.sign(&draft, place).expect("signed").statement;
    Request {
        sender: Some(Sender { agency, publisher }),
        reply: "_INBOX.statement".to_owned(),
        payload: Bytes::from(statement.to_compact()),
    }
}

/// A question of the same publisher.
fn question() -> Request {
    Request { reply: "_INBOX.question".to_owned(), payload: Bytes::new(), ..unknown() }
}

/// A statement of the registrar's, which belongs at the end of its chain.
fn configured(clerk: &Clerk, folder: &Path, iat: i64) -> Request {
    let key = read_key(&folder.join("keys").join(file::REGISTRAR)).expect("a key");
    let (publisher, agency) = (clerk.ledger.registry().registrar_id(), AgencyCode::registrar());
    let head = clerk.ledger.head(&publisher);
    let new = Configuration::standard();
    let statement = configuration(&key, publisher, ORIGIN, head.next_seq, head.head, iat, &new);
    Request {
        sender: Some(Sender { agency, publisher }),
        reply: format!("_INBOX.{iat}"),
        payload: Bytes::from(statement.expect("signed").to_compact()),
    }
}

fn message(Request { reply, payload, sender }: Request) -> Message {
    let sender = sender.expect("it says who sends");
    let subject = format!("gt.intake.{}.{}", sender.agency, sender.publisher);
    heard(subject, Some(reply), payload)
}

fn heard(subject: String, reply: Option<String>, payload: Bytes) -> Message {
    Message {
        subject: subject.into(),
        reply: reply.map(Into::into),
        payload,
        headers: None,
        status: None,
        description: None,
        length: 0,
    }
}

fn code(sent: &Outgoing) -> (&str, Value) {
    let said: Value = serde_json::from_slice(&sent.payload).expect("a problem");
    (&sent.subject, said["code"].clone())
}

/// Answers are heard of one after the other, and may be many behind: what they count for is no reason to let go of what is to be sealed.
#[test]
fn who_seals_lets_go_of_nothing_that_comes() {
    let Scene { mut clerk, mut sent, mut back, _folder } = scene();
    let big = Request { payload: Bytes::from(vec![b'x'; 1 << 20]), ..unknown() };
    for _ in 0..100 {
        clerk.held.add(big.clone(), Instant::now());
    }
    assert_eq!(clerk.held.take().len(), 100, "all are with the sealer, as far as the clerk knows");
    let came = unknown();
    Runtime::new().expect("a runtime").block_on(async {
        clerk.take(vec![message(came)]).await;
        assert!(matches!(back.recv().await, Some(Outcome::Answered(100))));
    });
    let reply = sent.try_recv().expect("an answer");
    assert_eq!(code(&reply), ("_INBOX.statement", Value::from("unknown_publisher")));
}

/// It waits for no quiet second, which under load there is none of.
#[test]
fn what_came_before_a_sealer_was_active_is_submitted_at_the_next_look_and_once() {
    let Scene { mut clerk, mut sent, mut back, _folder } = scene();
    for request in [unknown(), question()] {
        clerk.held.add(request, Instant::now());
    }
    Runtime::new().expect("a runtime").block_on(async {
        clerk.look().await;
        assert!(clerk.held.oldest().is_none(), "everything is with the sealer, or answered");
        clerk.look().await;
        let Some(Outcome::Answered(number)) = back.recv().await else { panic!("given back") };
        clerk.held.give_back(number);
        clerk.look().await;
        assert!(matches!(back.recv().await, Some(Outcome::Answered(again)) if again == number));
    });
    drop(clerk);
    let mut replies: Vec<_> = std::iter::from_fn(|| sent.blocking_recv()).collect();
    replies.retain(|sent| sent.subject != ANSWERED_SUBJECT);
    let mut codes: Vec<_> = replies.iter().map(code).collect();
    codes.sort_by_key(|(subject, _)| *subject);
    let unknown = Value::from("unknown_publisher");
    let statement = ("_INBOX.statement", unknown.clone());
    assert_eq!(codes, [("_INBOX.question", unknown), statement.clone(), statement], "each time once");
}

#[test]
fn other_nodes_are_told_what_was_refused_or_only_asked_and_after_the_replies() {
    let Scene { mut clerk, mut sent, mut back, _folder } = scene();
    let requests = [unknown(), question()];
    Runtime::new().expect("a runtime").block_on(async {
        clerk.take(requests.clone().map(message).into()).await;
        clerk.hear(back.recv().await.expect("an outcome"));
        clerk.tell();
    });
    drop(clerk);
    let sent: Vec<_> = std::iter::from_fn(|| sent.blocking_recv()).collect();
    for request in &requests {
        let is_told = |one: &Outgoing| {
            one.subject == ANSWERED_SUBJECT
                && answered::names(&one.payload).any(|name| name == request.name())
        };
        let reply = sent.iter().position(|one| one.subject == request.reply).expect("a reply");
        let told = sent.iter().position(is_told).expect("other nodes are told");
        assert!(reply < told, "{}", request.reply);
    }
}

#[test]
fn a_standby_lets_go_of_what_it_is_told_of() {
    let Scene { mut clerk, sent: _sent, back: _back, _folder } = scene();
    let requests = [unknown(), question()];
    let names = requests.each_ref().map(Request::name);
    clerk.hold(requests.map(message).into());
    let told = answered::messages(&names).map(|told| heard(told.subject, None, told.payload));
    clerk.hold(told.collect());
    clerk.held.announced(0);
    assert!(clerk.held.oldest().is_none());
}

/// A statement that was refused, and whose publisher has signed anew what followed it, is no fork, whether or not the refusal was heard of.
#[test]
fn what_another_sealer_has_overtaken_is_let_go_of_and_what_it_sealed_is_answered() {
    let Scene { mut clerk, mut sent, back: _back, _folder: folder } = scene();
    let ledger = Arc::clone(&clerk.ledger);
    let [refused, sealed] = [1_700_000_000, 1_700_000_001].map(|iat| configured(&clerk, folder.path(), iat));
    for request in [&refused, &sealed] {
        clerk.held.add(request.clone(), Instant::now());
    }
    // As if another node had sealed it.
    ledger.seal_blocking(&sealed.payload).expect("sealed");
    clerk.held.another_has_sealed();
    Runtime::new().expect("a runtime").block_on(clerk.look());
    drop(clerk);
    let replies: Vec<_> = std::iter::from_fn(|| sent.blocking_recv()).collect();
    let replies: Vec<_> = replies.iter().map(|reply| (&reply.subject, reply.headers[0].1.as_str())).collect();
    assert_eq!(replies, [(&sealed.reply, "200")]);
    assert!(ledger.integrity_alerts().is_empty(), "{:?}", ledger.integrity_alerts());
}
