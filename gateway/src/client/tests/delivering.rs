//! Outbox, courier and agent over a real NATS server.

use std::sync::Mutex;

use serde_json::Value;
use tempfile::TempDir;

use super::model_intake::{Fault, ModelIntake};
use super::*;
use crate::delivery::Delivery;
use crate::keyfile::PublicKeyFile;
use crate::outbox::tests::model_ledger::refused_draft;
use crate::outbox::{Connection, Courier, EstablishError, Outcome, Setback, Step};
use crate::publish::{DEFAULT_PATIENCE, Summary, publish};

fn connection(dir: &TempDir, to: &str) -> Connection {
    Connection {
        key: dir.path().join("key.jwk"),
        to: to.to_owned(),
        nats: NatsArgs::default(),
        keys: gt_ledger::private_keys::KeyAccess::default(),
        partnership_key: None,
        outbox: None,
        pin: None,
        agency: None,
        publisher: None,
    }
}

#[test]
fn drafts_come_out_sealed_in_order_through_every_fault_and_once() {
    let ((dir, ledger), mut server) = (folder(), TestServer::start(""));
    let intake = ModelIntake::start(&server.url(), ledger.clone());
    let faults = [Fault::Lost, Fault::ReplyLost, Fault::Busy, Fault::Gibberish];
    intake.faults.lock().unwrap().extend(faults.iter().flat_map(|fault| [None, Some(*fault), None]));
    let drafts = |range: std::ops::Range<usize>| -> Vec<u8> {
        let draft =
            |n: usize| if n % 30 == 7 { refused_draft(&n.to_string()) } else { sound_draft(&n.to_string()) };
        range.flat_map(|n| [draft(n), b"\n".to_vec()].concat()).collect()
    };
    let outbox = Arc::new(Mutex::new(outbox(&dir, &ledger)));
    let mut courier = Courier::new(client(&server.url(), &ledger, patience()), outbox);
    let mut output = Vec::new();
    let first = publish(&mut courier, &drafts(0..90)[..], &mut output, DEFAULT_PATIENCE).unwrap();
    assert_eq!(first, Summary { sealed: 87, refused: 3 });
    server.kill();
    let rest = std::thread::spawn(move || {
        let summary = publish(&mut courier, &drafts(90..120)[..], &mut output, DEFAULT_PATIENCE).unwrap();
        (summary, output)
    });
    server.run();
    let (second, output) = rest.join().unwrap();
    assert_eq!(second, Summary { sealed: 29, refused: 1 });
    let lines = String::from_utf8(output).unwrap();
    let printed: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refused: Vec<_> =
        printed.iter().filter(|line| line["status"] == "refused").map(|line| &line["id"]).collect();
    assert_eq!(refused, ["7", "37", "67", "97"]);
    let expected: Vec<String> = (0..120).filter(|n| n % 30 != 7).map(|n| n.to_string()).collect();
    assert_eq!(intake.ledger.lock().unwrap().sealed_ids(), expected);
    assert!(intake.faults.lock().unwrap().is_empty(), "every fault happened");
}

#[test]
fn an_agent_starts_without_the_broker_and_delivers_once_it_is_there() {
    let ((dir, ledger), mut server) = (folder(), TestServer::prepare(""));
    let pin = dir.path().join("pin.json");
    std::fs::write(&pin, ledger.pin().to_json()).unwrap();
    let pinned = Connection { pin: Some(pin), agency: Some(agency()), ..connection(&dir, &server.url()) };
    let delivery = Delivery::start(Courier::establish(&pinned).unwrap()).unwrap();
    let draft = delivery.signatory().check(&sound_draft("a")).unwrap();
    delivery.accept(&[draft]).unwrap();
    assert!(matches!(delivery.outcome("a").unwrap(), Some(Outcome::Queued { .. })));
    let status = loop {
        match delivery.status() {
            status if status.ledger_reachable.is_some() => break status,
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    assert_eq!((status.queued, status.ledger_reachable), (1, Some(false)));
    assert!(status.last_error.unwrap().contains("NATS cannot be reached"));
    drop(delivery);

    // From now on the outbox knows ledger and agency.
    let delivery = Delivery::start(Courier::establish(&connection(&dir, &server.url())).unwrap()).unwrap();
    server.run();
    let intake = ModelIntake::start(&server.url(), ledger);
    let mut progress = delivery.progress();
    let waiting = tokio::runtime::Builder::new_current_thread().build().unwrap();
    waiting.block_on(progress.wait_for(|count| *count > 0)).unwrap();
    assert!(matches!(delivery.outcome("a").unwrap(), Some(Outcome::Sealed { seq: 0, .. })));
    assert_eq!(intake.ledger.lock().unwrap().sealed_ids(), ["a"]);
}

#[test]
fn over_nats_the_agency_is_named_by_an_option_or_the_public_key_file() {
    let ((dir, ledger), server) = (folder(), TestServer::start(""));
    let options = connection(&dir, &server.url());
    let needed = Courier::establish(&options).err().unwrap();
    assert!(matches!(needed, EstablishError::AgencyNeeded), "{needed}");
    assert_eq!(needed.to_string(), "over NATS the agency must be named: --agency CODE");
    let plain = Connection {
        to: "http://127.0.0.1:1".to_owned(),
        nats: NatsArgs { nats_ca: Some("ca.pem".into()), ..NatsArgs::default() },
        ..options.clone()
    };
    assert!(matches!(Courier::establish(&plain), Err(EstablishError::NotNats)));
    let exposed = Connection {
        nats: NatsArgs { nats_credentials: Some(dir.path().join("missing")), ..NatsArgs::default() },
        ..options.clone()
    };
    assert!(matches!(Courier::establish(&exposed), Err(EstablishError::Nats(_))));

    let key = keyfile::read_private(&options.key).unwrap();
    let proof = keyfile::prove(&key, ledger.pin().genesis, &ledger.publisher(), &agency());
    let public = PublicKeyFile { key: key.public(), proof: Some(proof), endorsement: None };
    keyfile::write_public(&dir.path().join("key.public.jwk"), &public).unwrap();
    let unanswered = Courier::establish(&options).err().unwrap();
    assert!(
        matches!(
            &unanswered,
            EstablishError::Ask { source: ClientError::Nats(IntakeError::NoResponder), .. }
        ),
        "{unanswered}"
    );
    let intake = ModelIntake::start(&server.url(), ledger.clone());
    let mut courier = Courier::establish(&options).unwrap();
    let found = courier.outbox().lock().unwrap().identity().clone();
    assert_eq!(found, Identity { publisher: ledger.publisher(), agency: agency(), pin: ledger.pin() });
    assert!(matches!(courier.step().unwrap(), Step::Idle));
    drop(courier);

    intake.ledger.lock().unwrap().registered = false;
    let mut courier = Courier::establish(&options).unwrap();
    let setback = courier.step().unwrap();
    assert!(matches!(setback, Step::Retry(Setback::NotAdmitted(_))), "{setback:?}");
}
