use gt_core::key::PrivateKey;

use super::*;
use crate::draft::{ChainPosition, Signatory};
use crate::outbox::tests::model_ledger::{ModelLedger, agency, sound_draft};
use crate::outbox::tests::model_server::{Fault, ModelServer};

/// A ledger with these faults, and a statement that belongs at the end of its chain.
fn scene(faults: [Fault; 5]) -> (ModelServer, Pin, Statement) {
    let key = PrivateKey::from_seed(&[3; 32]);
    let ledger = ModelLedger::new(key.public());
    let (pin, head) = (ledger.pin(), ledger.head());
    let signatory = Signatory::new(key, ledger.publisher(), agency(), pin.origin.clone());
    let draft = signatory.check(&sound_draft("a")).unwrap();
    let place = ChainPosition { seq: head.next_seq, prev: head.head, iat: 1_770_000_000 };
    let statement = signatory.sign(&draft, place).unwrap().statement;
    let server = ModelServer::start(ledger);
    server.faults.lock().unwrap().extend(faults);
    (server, pin, statement)
}

fn sent(server: &ModelServer, pin: &Pin, statement: &Statement) -> Result<u64, String> {
    let key: Box<dyn Signer> = Box::new(PrivateKey::from_seed(&[3; 32]));
    let signing = Signing { key, file: "registrar.jwk".into(), role: Role::Registrar };
    let client = LedgerClient::new(&server.url).unwrap();
    send(&client, pin, statement, &signing, Duration::ZERO).map_err(|failure| failure.message)
}

#[test]
fn the_same_statement_is_sent_until_there_is_an_answer_and_is_sealed_once() {
    let faults = [Fault::BreakBefore, Fault::BreakAfter, Fault::Busy, Fault::Proxy, Fault::BreakWithin];
    let (server, pin, statement) = scene(faults);
    assert_eq!(sent(&server, &pin, &statement), Ok(1));
    assert!(server.faults.lock().unwrap().is_empty());
    assert_eq!(server.ledger.lock().unwrap().sealed.len(), 1);
}

#[test]
fn where_no_answer_comes_it_is_said_what_shows_whether_it_is_sealed() {
    let (server, pin, statement) = scene([Fault::Busy; 5]);
    server.faults.lock().unwrap().push_back(Fault::BreakAfter);
    let said = sent(&server, &pin, &statement).unwrap_err();
    let look = format!("`goldenthread query publishers --url {}`", server.url);
    assert!(said.contains("may still seal") && said.contains(&look), "{said}");
    assert_eq!(server.ledger.lock().unwrap().sealed.len(), 1, "it was sealed after all");
    // What is no answer of a ledger's at first is said as before.
    server.faults.lock().unwrap().push_back(Fault::Proxy);
    let said = sent(&server, &pin, &statement).unwrap_err();
    assert!(said.contains("is it a ledger's?"), "{said}");
}
