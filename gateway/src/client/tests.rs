//! A ledger over a real NATS server, as its publisher sees it.

use std::thread::JoinHandle;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::keyfile;
use crate::nats::test_server::TestServer;
use crate::nats::{NatsArgs, new_user_seed};
use crate::outbox::tests::model_ledger::{ModelLedger, agency, sound_draft};
use crate::outbox::{Identity, Outbox, UnclaimedOutbox};
use model_intake::{Fault, ModelIntake};

mod delivering;
mod model_intake;

const NOW: i64 = 1_770_000_000;

/// As in earnest, but for how long a lost reply is awaited.
fn patience() -> Patience {
    Patience { reply: Duration::from_millis(250), ..Patience::default() }
}

/// A folder with a publisher's key, and the ledger that has it.
fn folder() -> (TempDir, ModelLedger) {
    let dir = TempDir::new().unwrap();
    let public = keyfile::generate(&dir.path().join("key.jwk")).unwrap();
    (dir, ModelLedger::new(public))
}

fn client(url: &str, ledger: &ModelLedger, patience: Patience) -> LedgerClient {
    let options = NatsOptions::new(url, &NatsArgs::default(), "test").unwrap();
    LedgerClient::over_nats(options, agency(), ledger.publisher(), patience).unwrap()
}

fn outbox(dir: &TempDir, ledger: &ModelLedger) -> Outbox {
    let identity = Identity { publisher: ledger.publisher(), agency: agency(), pin: ledger.pin() };
    let key = keyfile::read_private(&dir.path().join("key.jwk")).unwrap();
    UnclaimedOutbox::open(&dir.path().join("outbox")).unwrap().claim(identity, key, None).unwrap()
}

/// So many statements of a chain that begins, none of them sent.
fn statements(dir: &TempDir, ledger: &ModelLedger, count: usize) -> Vec<Arc<str>> {
    let mut outbox = outbox(dir, ledger);
    for id in 0..count {
        let draft = outbox.signatory().check(&sound_draft(&id.to_string())).unwrap();
        outbox.accept(&[draft]).unwrap();
    }
    outbox.next_batch(NOW).unwrap()
}

fn are_sealed(answers: &[Answer]) -> Vec<bool> {
    answers.iter().map(|answer| matches!(answer, Answer::Sealed { .. })).collect()
}

#[test]
fn only_this_machine_is_loopback() {
    assert!(
        is_loopback("localhost") && is_loopback("127.0.0.9") && is_loopback("[::1]") && is_loopback("::1")
    );
    assert!(!is_loopback("ledger.example") && !is_loopback("10.0.0.1"));
}

#[test]
fn questions_and_statements_are_answered() {
    let ((dir, ledger), server) = (folder(), TestServer::start(""));
    let intake = ModelIntake::start(&server.url(), ledger.clone());
    let client = client(&server.url(), &ledger, Patience::default());
    let id = ledger.publisher();
    assert_eq!(client.describe().unwrap(), LedgerDescription { pin: ledger.pin(), size: 1 });
    assert_eq!((client.agency(&id).unwrap(), client.head(&id).unwrap()), (agency(), ledger.head()));
    let batch = statements(&dir, &ledger, 10);
    let receipts = client.submit(&batch).unwrap();
    assert_eq!(are_sealed(&receipts), [true; 10]);
    assert_eq!(are_sealed(&client.submit(&batch).unwrap()), [true; 10], "duplicates bring their receipts");
    assert_eq!(client.head(&id).unwrap().next_seq, 10);
    let none: Vec<Answer> = client.submit::<&str>(&[]).unwrap();
    assert!(none.is_empty());

    intake.ledger.lock().unwrap().registered = false;
    assert_eq!(client.head(&id).unwrap_err().code(), Some("unknown_publisher"));
    let refused = client.submit(&batch[..2]).unwrap();
    assert!(matches!(&refused[0], Answer::Refused(problem) if problem.code() == "unknown_publisher"));
    assert_eq!(
        refused[1],
        Answer::Unanswered(None),
        "what follows the first that is no receipt is not waited for"
    );
}

#[test]
fn lost_and_unreadable_replies_end_a_batch_where_they_are() {
    let ((dir, ledger), server) = (folder(), TestServer::start(""));
    let intake = ModelIntake::start(&server.url(), ledger.clone());
    let of_patience = |patience| client(&server.url(), &ledger, patience);
    // Replies that come may take a while on a busy machine.
    let hasty = of_patience(Patience { reply: Duration::from_secs(1), ..Patience::default() });
    let patient = of_patience(Patience::default());
    let batch = statements(&dir, &ledger, 3);
    let submit = |faults: &[Option<Fault>]| {
        intake.faults.lock().unwrap().clear();
        intake.faults.lock().unwrap().extend(faults);
        let is_lost = faults.iter().flatten().any(|fault| matches!(fault, Fault::Lost | Fault::ReplyLost));
        if is_lost { &hasty } else { &patient }.submit(&batch)
    };
    let silent = submit(&[Some(Fault::Lost)]);
    assert!(matches!(silent, Err(ClientError::Nats(IntakeError::Silent))), "{silent:?}");
    let busy = submit(&[Some(Fault::Busy); 3]).unwrap();
    assert!(matches!(&busy[0], Answer::Unanswered(Some(problem)) if problem.code() == "busy"), "{busy:?}");
    for fault in [Fault::Gibberish, Fault::TooLong] {
        let unreadable = submit(&[Some(fault); 3]);
        assert!(matches!(unreadable, Err(ClientError::Malformed { .. })), "{unreadable:?}");
    }
    for fault in [Fault::Lost, Fault::ReplyLost, Fault::Gibberish] {
        let answers = submit(&[None, Some(fault)]).unwrap();
        assert_eq!(are_sealed(&answers), [true, false, false], "{fault:?}");
        assert_eq!(answers[1..], [Answer::Unanswered(None), Answer::Unanswered(None)], "{fault:?}");
    }
    assert_eq!(are_sealed(&submit(&[]).unwrap()), [true; 3]);
    assert_eq!(intake.ledger.lock().unwrap().sealed_ids(), ["0", "1", "2"]);
}

#[test]
fn that_nobody_listens_or_the_server_denies_is_known_at_once() {
    let (dir, ledger) = folder();
    let batch = statements(&dir, &ledger, 2);
    let (seed, public) = new_user_seed().unwrap();
    let file = dir.path().join("agency.nk");
    gt_ledger::secrets::write_secret(&file, &seed).unwrap();
    let since = Instant::now();
    let patience = for_ever();

    let server = TestServer::start("");
    let nobody = client(&server.url(), &ledger, patience).submit(&batch).unwrap_err();
    assert!(matches!(nobody, ClientError::Nats(IntakeError::NoResponder)), "{nobody}");
    for permissions in ["publish: [\"gt.other\"]", "subscribe: [\"gt.other\"]"] {
        let server = TestServer::start(&format!(
            "authorization {{ users = [ {{ nkey: {public}, permissions: {{ {permissions} }} }} ] }}"
        ));
        let arguments = NatsArgs { nats_credentials: Some(file.clone()), ..NatsArgs::default() };
        let options = NatsOptions::new(&server.url(), &arguments, "test").unwrap();
        let client = LedgerClient::over_nats(options, agency(), ledger.publisher(), patience).unwrap();
        let denied = client.submit(&batch).unwrap_err();
        assert!(matches!(denied, ClientError::Nats(IntakeError::Denied { .. })), "{permissions}: {denied}");
        assert!(!denied.ledger_answered());
    }
    assert!(since.elapsed() < Duration::from_mins(5));
}

#[test]
fn a_statement_that_the_server_would_not_take_is_not_sent() {
    let ((dir, ledger), server) = (folder(), TestServer::start("max_payload: 1024"));
    let intake = ModelIntake::start(&server.url(), ledger.clone());
    let client = client(&server.url(), &ledger, Patience::default());
    let answers = client.submit(&statements(&dir, &ledger, 2)).unwrap();
    assert!(
        matches!(&answers[..], [Answer::Unanswered(Some(problem)), Answer::Unanswered(None)] if problem.code() == "nats_max_payload"),
        "{answers:?}"
    );
    assert_eq!(*intake.came.borrow(), 0);
    assert_eq!(client.head(&ledger.publisher()).unwrap(), ledger.head(), "the connection is unharmed");
}

#[test]
fn a_server_that_dies_is_noticed_while_waiting_and_found_again() {
    let ((dir, ledger), mut server) = (folder(), TestServer::start(""));
    let mut intake = ModelIntake::start(&server.url(), ledger.clone());
    let patience = Patience { reconnect: Duration::from_millis(100), ..for_ever() };
    let client = client(&server.url(), &ledger, patience);
    let batch = statements(&dir, &ledger, 2);
    let waiting = submit_unanswered(&client, &batch, &mut intake);
    server.kill();
    let broken = waiting.join().unwrap();
    assert!(matches!(broken, Err(ClientError::Nats(IntakeError::Broken))), "{broken:?}");
    let down = client.submit(&batch);
    assert!(matches!(down, Err(ClientError::Nats(IntakeError::Down { .. }))), "{down:?}");
    server.run();
    let mut attempts = 0;
    // The server is back before its clients are: until then nobody listens, or nobody asks.
    while client.submit(&batch).is_err() {
        attempts += 1;
        assert!(attempts < 500, "the connection is never made again");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(are_sealed(&client.submit(&batch).unwrap()), [true; 2]);
}

#[test]
fn a_line_that_is_dead_and_not_closed_is_noticed_in_seconds() {
    let ((dir, ledger), server) = (folder(), TestServer::start(""));
    let mut intake = ModelIntake::start(&server.url(), ledger.clone());
    let client = client(&server.url(), &ledger, for_ever());
    let waiting = submit_unanswered(&client, &statements(&dir, &ledger, 1), &mut intake);
    server.freeze();
    let since = Instant::now();
    let broken = waiting.join().unwrap();
    assert!(matches!(broken, Err(ClientError::Nats(IntakeError::Broken))), "{broken:?}");
    assert!(since.elapsed() < Duration::from_mins(1), "by pings, and not by TCP's own time-outs");
}

/// Far longer than a test may take: an answer that had to be waited for would be noticed.
fn for_ever() -> Patience {
    Patience { reply: Duration::from_mins(10), call: Duration::from_mins(10), ..Patience::default() }
}

/// Begins to submit a batch whose first statement gets lost, and returns once the intake has seen it all.
fn submit_unanswered(
    client: &LedgerClient,
    batch: &[Arc<str>],
    intake: &mut ModelIntake,
) -> JoinHandle<Result<Vec<Answer>, ClientError>> {
    intake.faults.lock().unwrap().push_back(Some(Fault::Lost));
    let (client, batch) = (client.clone(), batch.to_owned());
    let count = batch.len();
    let waiting = std::thread::spawn(move || client.submit(&batch));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(intake.came.wait_for(|came| *came == count)).unwrap();
    waiting
}
