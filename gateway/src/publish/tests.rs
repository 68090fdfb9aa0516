use super::*;
use crate::draft::MAX_DRAFT_BYTES;
use crate::keyfile;
use crate::nats::NatsArgs;
use crate::outbox::tests::model_ledger::{ModelLedger, refused_draft, sound_draft};
use crate::outbox::tests::model_server::{Fault, ModelServer};
use crate::outbox::{Connection, Divergence, EstablishError, JournalError};
use std::path::Path;
use tempfile::TempDir;

mod connecting;

fn server(dir: &Path) -> ModelServer {
    ModelServer::start(ModelLedger::new(keyfile::generate(&dir.join("key.jwk")).unwrap()))
}

fn connection(dir: &Path, server: &ModelServer) -> Connection {
    let to = server.url.clone();
    Connection {
        key: dir.join("key.jwk"),
        to,
        nats: NatsArgs::default(),
        keys: gt_ledger::private_keys::KeyAccess::default(),
        partnership_key: None,
        outbox: None,
        pin: None,
        agency: None,
        publisher: None,
    }
}

fn run(courier: &mut Courier, input: &[u8]) -> (Summary, Vec<Value>) {
    let mut output = Vec::new();
    let summary = publish(courier, input, &mut output, DEFAULT_PATIENCE).unwrap();
    let lines = String::from_utf8(output).unwrap();
    (summary, lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn lines(drafts: &[Vec<u8>]) -> Vec<u8> {
    drafts.iter().flat_map(|draft| [draft, &b"\n"[..]].concat()).collect()
}

#[test]
fn drafts_come_out_sealed_in_order_through_every_fault_and_once() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let faults = [
        Fault::BreakBefore,
        Fault::BreakAfter,
        Fault::BreakWithin,
        Fault::Busy,
        Fault::FirstOnly,
        Fault::Proxy,
    ];
    server.faults.lock().unwrap().extend(faults.into_iter().chain([Fault::FirstOnly, Fault::BreakAfter]));
    let drafts: Vec<Vec<u8>> = (0..90)
        .map(|n| if n % 30 == 7 { refused_draft(&format!("{n}")) } else { sound_draft(&format!("{n}")) })
        .collect();
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    let (summary, printed) = run(&mut courier, &lines(&drafts));
    assert_eq!(summary, Summary { sealed: 87, refused: 3 });
    let ids: Vec<_> = printed.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..90).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(printed[7]["problem"]["code"], "unknown_type");
    assert_eq!(
        (&printed[8]["status"], &printed[8]["seq"], &printed[8]["index"]),
        (&json!("sealed"), &json!(7), &json!(8))
    );
    let sealed = server.ledger.lock().unwrap().sealed_ids();
    assert_eq!(sealed.len(), 87);
    assert!(server.faults.lock().unwrap().is_empty(), "every fault happened");

    drop(courier);
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    assert_eq!(run(&mut courier, &lines(&drafts)), (summary, printed), "the same input, the same output");
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), sealed);
}

#[test]
fn bad_lines_are_named_and_the_others_go_on() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    let long = vec![b' '; MAX_DRAFT_BYTES + 10];
    let reused = String::from_utf8(sound_draft("a")).unwrap().replace("\"Suspected\"", "\"NotKnown\"");
    let input =
        lines(&[sound_draft("a"), vec![], b"{".to_vec(), long, reused.into_bytes(), sound_draft("b")]);
    let (summary, printed) = run(&mut courier, &input[..input.len() - 1]);
    assert_eq!(summary, Summary { sealed: 2, refused: 3 });
    let said: Vec<_> =
        printed.iter().map(|line| (line["line"].as_u64(), line["problem"]["code"].as_str())).collect();
    let expected = [
        (None, None),
        (Some(3), Some("json_syntax")),
        (Some(4), Some("draft_too_long")),
        (Some(5), Some("draft_id_reused")),
        (None, None),
    ];
    assert_eq!(said, expected);
    assert_eq!(printed[3]["id"], "a");
}

#[test]
fn out_of_patience_what_was_accepted_waits_for_the_next_run() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    server.ledger.lock().unwrap().registered = false;
    let mut output = Vec::new();
    let input = lines(&[sound_draft("a")]);
    let error = publish(&mut courier, &input[..], &mut output, Duration::ZERO).unwrap_err();
    let not_admitted =
        matches!(error, PublishError::OutOfPatience { queued: 1, last: Setback::NotAdmitted(_) });
    assert!(not_admitted, "{error:?}");
    let printed: Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(printed, json!({"id": "a", "status": "queued", "seq": 0}));
    server.ledger.lock().unwrap().registered = true;
    let (summary, _) = run(&mut courier, b"");
    assert_eq!(summary, Summary::default());
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), ["a"], "an empty input delivers what waits");
}

#[test]
fn a_ledger_is_trusted_on_first_use_and_no_other_after_it() {
    let dir = TempDir::new().unwrap();
    let first = server(dir.path());
    let mut courier = Courier::establish(&connection(dir.path(), &first)).unwrap();
    run(&mut courier, &lines(&[sound_draft("a")]));
    let in_use = Courier::establish(&connection(dir.path(), &first)).err().unwrap();
    assert!(matches!(in_use, EstablishError::Outbox(OutboxError::Journal(JournalError::InUse))), "{in_use}");
    drop(courier);

    let key = keyfile::read_private(&dir.path().join("key.jwk")).unwrap();
    let other = ModelServer::start(ModelLedger::of_origin("other.example/thread", key.public()));
    let mut courier = Courier::establish(&connection(dir.path(), &other)).unwrap();
    let halt = courier.step().unwrap_err();
    assert!(matches!(halt, Halt::OtherLedger { .. }), "{halt}");
    drop(courier);
    let pin = dir.path().join("pin.json");
    std::fs::write(&pin, other.ledger.lock().unwrap().pin().to_json()).unwrap();
    let pinned = Connection { pin: Some(pin), ..connection(dir.path(), &other) };
    assert!(matches!(Courier::establish(&pinned), Err(EstablishError::OtherLedger { .. })));

    // A second outbox of the same key: to go on would fork the chain.
    let second = Connection { outbox: Some(dir.path().join("second")), ..connection(dir.path(), &first) };
    let mut courier = Courier::establish(&second).unwrap();
    let mut output = Vec::new();
    let halted = publish(&mut courier, &lines(&[sound_draft("b")])[..], &mut output, DEFAULT_PATIENCE);
    let ahead = Divergence::LedgerAhead { ledger: 1, outbox: 0 };
    let noticed = matches!(
        &halted,
        Err(PublishError::Halted(Halt::Outbox(OutboxError::Divergence(found)))) if *found == ahead
    );
    assert!(noticed, "{halted:?}");
    assert_eq!(first.ledger.lock().unwrap().sealed_ids(), ["a"]);
}

fn gives_up(courier: &mut Courier, input: &[u8]) -> PublishError {
    publish(courier, input, &mut Vec::new(), Duration::ZERO).unwrap_err()
}

#[test]
fn what_helps_is_said_of_drafts_that_wait() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let old = server.ledger.lock().unwrap().clone();
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    run(&mut courier, &lines(&[sound_draft("a")]));
    server.ledger.lock().unwrap().registered = false;
    let said = gives_up(&mut courier, &lines(&[sound_draft("b")])).to_string();
    assert_eq!(said, "1 draft waits in the outbox; run this again to go on");

    *server.ledger.lock().unwrap() = old;
    drop(courier);
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    let behind = gives_up(&mut courier, &lines(&[sound_draft("c")]));
    let said = crate::problem::chain(&behind);
    assert!(said.starts_with("2 drafts wait in the outbox; running this again helps only once"), "{said}");
    assert!(said.contains("put back to an older state") && said.contains("tell its operator"), "{said}");

    let revoked = Problem::new(403, "publisher_revoked", "Revoked", "the publisher is revoked");
    let revoked = PublishError::OutOfPatience { queued: 1, last: Setback::NotAdmitted(revoked) }.to_string();
    assert!(revoked.contains("1 draft waits") && revoked.contains("make a new key"), "{revoked}");
    assert!(!revoked.contains("run this again"), "{revoked}");
}

#[test]
fn a_draft_over_several_lines_is_said_once() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    let draft: Value = serde_json::from_slice(&sound_draft("a")).unwrap();
    let printed = serde_json::to_string_pretty(&draft).unwrap();
    let list = serde_json::to_string_pretty(&[&draft, &draft]).unwrap();
    let long = serde_json::to_string_pretty(&vec![&draft; 1000]).unwrap();
    for (input, filter) in [
        (format!("\n{printed}\n"), "`jq -c . FILE`"),
        (format!("{printed}\n{printed}"), "`jq -c . FILE`"),
        (list, "`jq -c '.[]' FILE`"),
        (long, "`jq -c '.[]' FILE`"),
    ] {
        let mut output = Vec::new();
        let error = publish(&mut courier, input.as_bytes(), &mut output, Duration::ZERO).unwrap_err();
        assert!(matches!(error, PublishError::OverSeveralLines { .. }), "{error}");
        assert!(error.to_string().contains(filter), "{error}");
        assert!(output.is_empty());
    }
    // Lines that are damaged are lines all the same.
    for damaged in [&b"{"[..], b"{\n\n", b"{\n{\"id\":1}\n", b"{\"id\":\n{\"id\":1}\n", b"[1]\n{\n}\n"] {
        let mut output = Vec::new();
        let summary = publish(&mut courier, damaged, &mut output, Duration::ZERO).unwrap();
        assert!(summary.refused > 0, "{summary:?}");
    }
}
