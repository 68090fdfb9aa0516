use std::fs;

use bytes::Bytes;
use gt_core::Hash;
use gt_core::agency::AgencyCode;
use gt_core::key::PrivateKey;
use gt_ledger::clock::SystemClock;
use gt_ledger::create::create;
use gt_ledger::secrets::Secrets;
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

fn message(Request { reply, payload, sender }: Request) -> Message {
    let sender = sender.expect("it says who sends");
    let subject = format!("gt.intake.{}.{}", sender.agency, sender.publisher);
    Message {
        subject: subject.into(),
        reply: Some(reply.into()),
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
    let statement = unknown();
    let question =
        Request { reply: "_INBOX.question".to_owned(), payload: Bytes::new(), ..statement.clone() };
    for request in [statement, question] {
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
    let replies: Vec<_> = std::iter::from_fn(|| sent.blocking_recv()).collect();
    let mut codes: Vec<_> = replies.iter().map(code).collect();
    codes.sort_by_key(|(subject, _)| *subject);
    let unknown = Value::from("unknown_publisher");
    let statement = ("_INBOX.statement", unknown.clone());
    assert_eq!(codes, [("_INBOX.question", unknown), statement.clone(), statement], "each time once");
}
