//! Which ledger an outbox is bound to, and what is said where that cannot be.

use super::*;
use crate::outbox::tests::model_ledger::agency;

/// A port of a service that nobody runs.
const NOBODY: &str = "http://127.0.0.1:1";

/// A pin file of another ledger.
fn other_pin(dir: &Path) -> std::path::PathBuf {
    let key = keyfile::read_private(&dir.join("key.jwk")).unwrap();
    let file = dir.join("other.json");
    let pin = ModelLedger::of_origin("other.example/thread", key.public()).pin();
    std::fs::write(&file, pin.to_json()).unwrap();
    file
}

fn right_pin(dir: &Path, server: &ModelServer) -> std::path::PathBuf {
    let file = dir.join("pin.json");
    std::fs::write(&file, server.ledger.lock().unwrap().pin().to_json()).unwrap();
    file
}

/// Why the outbox is not connected, with its causes.
fn refusal(options: &Connection) -> String {
    crate::problem::chain(&Courier::establish(options).err().expect("it is refused"))
}

#[test]
fn a_pin_of_another_ledger_binds_nothing() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    for agency in [None, Some(agency())] {
        let wrong =
            Connection { pin: Some(other_pin(dir.path())), agency, ..connection(dir.path(), &server) };
        assert_eq!(
            refusal(&wrong),
            format!(
                "the ledger at {} is log.example/thread, and the pin is of other.example/thread: name the address of \
                 other.example/thread, or the pin file of log.example/thread; nothing was queued",
                server.url
            )
        );
    }
    let right = Connection { pin: Some(right_pin(dir.path(), &server)), ..connection(dir.path(), &server) };
    let mut courier = Courier::establish(&right).unwrap();
    assert_eq!(run(&mut courier, &lines(&[sound_draft("a")])).0, Summary { sealed: 1, refused: 0 });
}

#[test]
fn an_outbox_that_has_signed_nothing_goes_over_to_the_right_ledger_with_its_drafts() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let wrong = Connection {
        to: NOBODY.to_owned(),
        pin: Some(other_pin(dir.path())),
        agency: Some(agency()),
        ..connection(dir.path(), &server)
    };
    let right = Connection { pin: Some(right_pin(dir.path(), &server)), ..connection(dir.path(), &server) };
    let mut courier = Courier::establish(&wrong).unwrap();
    gives_up(&mut courier, &lines(&[sound_draft("a")]));
    drop(courier);

    // Without a pin nothing says that it may go over.
    let mut courier = Courier::establish(&connection(dir.path(), &server)).unwrap();
    let halt = courier.step().unwrap_err().to_string();
    let expected = "is log.example/thread, and this outbox belongs to other.example/thread: name the address of \
                    other.example/thread, or, as nothing is signed yet, the pin file of log.example/thread";
    assert!(halt.ends_with(expected), "{halt}");
    drop(courier);
    // A ledger that is not asked gets no drafts that were meant for another.
    let away = Connection { to: NOBODY.to_owned(), agency: Some(agency()), ..right.clone() };
    let said = refusal(&away);
    assert!(said.contains("key.jwk.outbox") && said.contains("can be asked: the ledger at"), "{said}");

    let mut courier = Courier::establish(&right).unwrap();
    assert_eq!(courier.outbox().lock().unwrap().queued(), 1, "the draft is kept");
    run(&mut courier, b"");
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), ["a"]);
    drop(courier);
    let said = refusal(&wrong);
    assert!(said.contains("key.jwk.outbox belongs to the ledger log.example/thread"), "{said}");
    assert!(said.contains("the pin is of other.example/thread"), "{said}");
}

#[test]
fn what_was_signed_for_a_ledger_stays_its_own() {
    let dir = TempDir::new().unwrap();
    let first = server(dir.path());
    let mut courier = Courier::establish(&connection(dir.path(), &first)).unwrap();
    first.faults.lock().unwrap().push_back(Fault::BreakBefore);
    gives_up(&mut courier, &lines(&[sound_draft("a")]));
    drop(courier);
    let key = keyfile::read_private(&dir.path().join("key.jwk")).unwrap();
    let other = ModelServer::start(ModelLedger::of_origin("other.example/thread", key.public()));
    let over = Connection { pin: Some(other_pin(dir.path())), ..connection(dir.path(), &other) };
    assert!(matches!(Courier::establish(&over), Err(EstablishError::OtherLedger { .. })));
}

#[test]
fn a_ledger_that_is_away_and_one_that_does_not_know_the_key_are_told_apart() {
    let dir = TempDir::new().unwrap();
    let server = server(dir.path());
    let pin = Some(right_pin(dir.path(), &server));
    let away = Connection { to: NOBODY.to_owned(), pin: pin.clone(), ..connection(dir.path(), &server) };
    let said = refusal(&away);
    assert!(said.contains("the agency of this key, unless --agency CODE says it: the ledger at"), "{said}");
    let said = refusal(&Connection { pin: None, ..away });
    assert!(said.contains("unless --pin FILE says it"), "{said}");

    server.ledger.lock().unwrap().registered = false;
    let said = refusal(&Connection { pin, ..connection(dir.path(), &server) });
    assert!(said.contains("its registrar must enrol the key first, with `goldenthread register`"), "{said}");
    assert!(!said.contains("--agency"), "{said}");
}
