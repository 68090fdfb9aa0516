use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use gt_core::base64url;
use gt_core::key::{PrivateKey, PublicKey, Signer, SignerError};
use gt_core::statement::Statement;
use tempfile::TempDir;

use super::*;
use model_ledger::{ModelLedger, agency, refused_draft, sound_draft};
use model_server::ModelServer;

mod crash;
pub(crate) mod model_ledger;
pub(crate) mod model_server;

const NOW: i64 = 1_770_000_000;

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[3; 32])
}

fn ledger() -> ModelLedger {
    ModelLedger::new(key().public())
}

fn identity(ledger: &ModelLedger) -> Identity {
    Identity { publisher: key().public().thumbprint(), agency: agency(), pin: ledger.pin() }
}

fn open(folder: &Path, ledger: &ModelLedger) -> Outbox {
    UnclaimedOutbox::open(folder).unwrap().claim(identity(ledger), key(), None).unwrap()
}

fn accept(outbox: &mut Outbox, draft: &[u8]) -> Acceptance {
    let draft = outbox.signatory().check(draft).unwrap();
    outbox.accept(&[draft]).unwrap()[0]
}

/// Does what a courier does, without faults, until nothing waits.
fn drain(outbox: &mut Outbox, ledger: &mut ModelLedger) {
    outbox.compare(&ledger.head()).unwrap();
    while outbox.queued() > 0 {
        let batch = outbox.next_batch(NOW).unwrap();
        let answers = ledger.submit(&batch);
        settle(outbox, ledger, &answers);
    }
}

fn settle(outbox: &mut Outbox, ledger: &ModelLedger, answers: &[Answer]) {
    if let Some(Verdict::Refused(problem)) = outbox.record(answers).unwrap().rest {
        assert!(outbox.refuse(&problem, &ledger.head()).unwrap());
    }
}

/// Each accepted draft is sealed once, in order, with a receipt that holds, or reported as refused.
fn assert_settled(outbox: &mut Outbox, ledger: &ModelLedger, accepted: &[(String, bool)]) {
    let sound: Vec<&String> = accepted.iter().filter(|(_, sound)| *sound).map(|(id, _)| id).collect();
    assert_eq!(ledger.sealed_ids().iter().collect::<Vec<_>>(), sound);
    let mut next_seq = 0;
    for (id, is_sound) in accepted {
        match outbox.outcome(id).unwrap().unwrap() {
            Outcome::Sealed { seq, index, statement, receipt } => {
                assert!(is_sound, "{id}");
                assert_eq!((seq, index), (next_seq, next_seq + 1));
                assert_eq!(ledger.pin().check_receipt(&receipt, &statement).unwrap().0, index);
                assert_eq!(ledger.sealed[usize::try_from(seq).unwrap()].hash(), statement);
                next_seq += 1;
            }
            Outcome::Refused { problem } => assert_eq!((problem.code(), *is_sound), ("unknown_type", false)),
            Outcome::Queued { .. } => panic!("{id} is still queued"),
        }
    }
}

#[test]
fn the_same_draft_again_is_the_same_statement() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    assert_eq!(accept(&mut outbox, &sound_draft("a")), Acceptance::New);
    assert_eq!(accept(&mut outbox, &sound_draft("a")), Acceptance::Known);
    assert_eq!(outbox.outcome("a").unwrap(), Some(Outcome::Queued { seq: 0 }));
    drain(&mut outbox, &mut ledger);
    let outcome = outbox.outcome("a").unwrap();
    assert!(matches!(outcome, Some(Outcome::Sealed { seq: 0, index: 1, .. })));
    drop(outbox);
    let mut outbox = open(dir.path(), &ledger);
    assert_eq!(accept(&mut outbox, &sound_draft("a")), Acceptance::Known);
    assert_eq!((outbox.queued(), outbox.outcome("a").unwrap()), (0, outcome));
    assert_eq!(outbox.outcome("b").unwrap(), None);
}

#[test]
fn another_draft_under_a_used_id_is_refused_also_beside_it() {
    let (dir, ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    let other = String::from_utf8(sound_draft("a")).unwrap().replace("\"Suspected\"", "\"NotKnown\"");
    let check = |text: &[u8]| outbox.signatory().check(text).unwrap();
    let drafts = [check(&sound_draft("a")), check(other.as_bytes()), check(&sound_draft("a"))];
    let expected = [Acceptance::New, Acceptance::IdReused, Acceptance::Known];
    assert_eq!(outbox.accept(&drafts).unwrap(), expected);
    assert_eq!(accept(&mut outbox, other.as_bytes()), Acceptance::IdReused);
}

#[test]
fn what_followed_a_refused_statement_is_signed_anew_and_sealed() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    let accepted = [("a", true), ("b", false), ("c", true), ("d", false), ("e", false), ("f", true)];
    for (id, sound) in accepted {
        accept(&mut outbox, &if sound { sound_draft(id) } else { refused_draft(id) });
    }
    drain(&mut outbox, &mut ledger);
    assert_settled(&mut outbox, &ledger, &accepted.map(|(id, sound)| (id.to_owned(), sound)));
}

#[test]
fn a_refused_statement_that_was_sealed_by_an_earlier_request_is_not_signed_anew() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    accept(&mut outbox, &sound_draft("a"));
    accept(&mut outbox, &sound_draft("b"));
    let batch = outbox.next_batch(NOW).unwrap();
    let problem = Problem::new(422, "not_on_behalf_of", "Refused", "refused");
    let answers = [Answer::Refused(problem.clone()), Answer::Unanswered(None)];
    assert_eq!(outbox.record(&answers).unwrap().rest, Some(Verdict::Refused(problem.clone())));
    ledger.submit(&batch);
    assert!(!outbox.refuse(&problem, &ledger.head()).unwrap());
    assert_eq!(outbox.next_batch(NOW + 9).unwrap(), batch, "the same bytes");
    drain(&mut outbox, &mut ledger);
    assert_settled(&mut outbox, &ledger, &[("a".into(), true), ("b".into(), true)]);
}

#[test]
fn refusals_of_the_publisher_refuse_no_draft() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    accept(&mut outbox, &sound_draft("a"));
    ledger.registered = false;
    let batch = outbox.next_batch(NOW).unwrap();
    let recorded = outbox.record(&ledger.submit(&batch)).unwrap();
    assert!(matches!(recorded, Recorded { sealed: 0, rest: Some(Verdict::NotAdmitted(_)) }));
    ledger.registered = true;
    drain(&mut outbox, &mut ledger);
    assert_settled(&mut outbox, &ledger, &[("a".into(), true)]);
}

#[test]
fn a_receipt_that_does_not_hold_is_no_success() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    for id in ["a", "b", "c"] {
        accept(&mut outbox, &sound_draft(id));
    }
    let batch = outbox.next_batch(NOW).unwrap();
    let mut answers = ledger.submit(&batch);
    // The second statement gets the third's receipt; the first stays sealed, and the third is not looked at.
    answers.swap(1, 2);
    let error = outbox.record(&answers).unwrap_err();
    assert!(
        matches!(error, OutboxError::Receipt { seq: 1, source: ReceiptFault::OtherStatement }),
        "{error}"
    );
    assert!(matches!(outbox.outcome("a").unwrap(), Some(Outcome::Sealed { .. })));
    assert!(matches!(outbox.outcome("b").unwrap(), Some(Outcome::Queued { seq: 1 })));

    // The right entry, under a checkpoint that somebody else signed, or in a tree in which it is not.
    let Some(Answer::Sealed { receipt }) = ledger.submit(&batch[1..2]).pop() else { panic!("it is sealed") };
    let lines: Vec<&str> = receipt.lines().collect();
    let spoil = |line: usize, at: usize| {
        let mut spoilt: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
        let other = if spoilt[line].as_bytes()[at] == b'A' { "B" } else { "A" };
        spoilt[line].replace_range(at..=at, other);
        [Answer::Sealed { receipt: spoilt.concat() }]
    };
    let signature = lines.len() - 1;
    for spoilt in [spoil(3, 9), spoil(signature, lines[signature].len() - 20)] {
        let error = outbox.record(&spoilt).unwrap_err();
        let proof = matches!(error, OutboxError::Receipt { seq: 1, source: ReceiptFault::Proof(_) });
        assert!(proof, "{error:?}");
    }
    drain(&mut outbox, &mut ledger);
    assert_eq!(ledger.sealed_ids(), ["a", "b", "c"]);
}

#[test]
fn a_copied_key_or_a_restored_outbox_is_noticed_before_anything_is_sent() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    accept(&mut outbox, &sound_draft("a"));
    drain(&mut outbox, &mut ledger);
    let backup = fs::read(dir.path().join("journal")).unwrap();
    accept(&mut outbox, &sound_draft("b"));
    drain(&mut outbox, &mut ledger);
    let behind = Head { next_seq: 1, head: ledger.sealed[0].hash() };
    assert_eq!(outbox.compare(&behind), Err(Divergence::LedgerBehind { ledger: 1, outbox: 2 }));
    let other = Head { next_seq: 2, head: Hash::of(b"other") };
    assert_eq!(outbox.compare(&other), Err(Divergence::OtherStatement { seq: 1 }));

    let restored = TempDir::new().unwrap();
    fs::write(restored.path().join("journal"), backup).unwrap();
    let mut outbox = open(restored.path(), &ledger);
    assert_eq!(outbox.compare(&ledger.head()), Err(Divergence::LedgerAhead { ledger: 2, outbox: 1 }));
    // Also with a statement of its own at that place.
    accept(&mut outbox, &sound_draft("c"));
    outbox.next_batch(NOW).unwrap();
    assert_eq!(outbox.compare(&ledger.head()), Err(Divergence::OtherStatement { seq: 1 }));

    let empty = TempDir::new().unwrap();
    let outbox = open(empty.path(), &ledger);
    assert_eq!(outbox.compare(&ledger.head()), Err(Divergence::LedgerAhead { ledger: 2, outbox: 0 }));
}

#[test]
fn a_journal_that_lost_its_beginning_is_not_taken_for_new() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let journal = dir.path().join("journal");
    let mut outbox = open(dir.path(), &ledger);
    accept(&mut outbox, &sound_draft("a"));
    drop(outbox);
    let whole = fs::read(&journal).unwrap();
    for cut in [0, 30] {
        fs::write(&journal, &whole[..cut]).unwrap();
        let refused = UnclaimedOutbox::open(dir.path()).err().expect("it is refused");
        assert!(matches!(refused, OutboxError::Journal(JournalError::Lost { .. })), "{refused}");
        assert!(refused.to_string().contains(&*dir.path().to_string_lossy()), "{refused}");
        assert_eq!(fs::read(&journal).unwrap(), whole[..cut], "it is left as it was");
    }
    fs::remove_file(&journal).unwrap();
    assert!(UnclaimedOutbox::open(dir.path()).is_err(), "one that is gone was lost as well");
    fs::write(&journal, whole).unwrap();
    drain(&mut open(dir.path(), &ledger), &mut ledger);
    assert_eq!(ledger.sealed_ids(), ["a"]);
}

#[test]
fn kept_disclosures_stay_in_the_outbox() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    let text = String::from_utf8(sound_draft("a")).unwrap();
    let text = text.replace("\"harm\"", "\"kept\":[\"place\"],\"harm\"");
    accept(&mut outbox, text.as_bytes());
    drain(&mut outbox, &mut ledger);
    drop(outbox);
    let stored = open(dir.path(), &ledger).statement("a").unwrap().unwrap();
    assert_eq!(ledger.sealed[0].to_compact(), stored.statement);
    let [(member, disclosure)] = &stored.kept[..] else { panic!("one is kept") };
    assert_eq!(member, "place");
    assert!(!stored.statement.contains(disclosure.as_str()));
    let opened = String::from_utf8(base64url::decode(disclosure).unwrap()).unwrap();
    assert!(opened.contains("uprn.1:"), "the place is what was kept");
    let shown = Statement::parse(format!("{}{disclosure}~", stored.statement).as_bytes());
    assert!(shown.is_ok(), "its digest is in the statement");
}

#[test]
fn a_batch_is_bounded_and_the_rest_follows() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let mut outbox = open(dir.path(), &ledger);
    let ids: Vec<(String, bool)> = (0..150).map(|n| (format!("draft {n}"), true)).collect();
    let check = |(id, _): &(String, bool)| outbox.signatory().check(&sound_draft(id)).unwrap();
    let drafts: Vec<CheckedDraft> = ids.iter().map(check).collect();
    outbox.accept(&drafts).unwrap();
    assert_eq!(outbox.next_batch(NOW).unwrap().len(), MAX_BATCH_STATEMENTS);
    drain(&mut outbox, &mut ledger);
    assert_settled(&mut outbox, &ledger, &ids);
}

/// A key on a token that is out, now and then.
#[derive(Debug)]
struct Removable {
    key: PrivateKey,
    out: Arc<AtomicBool>,
}

impl Signer for Removable {
    fn public_key(&self) -> PublicKey {
        self.key.public()
    }

    fn try_sign(&self, message: &[u8]) -> Result<[u8; 64], SignerError> {
        if self.out.load(Ordering::Acquire) {
            return Err(SignerError::new("the token is out"));
        }
        Ok(self.key.sign(message))
    }
}

#[test]
fn what_was_accepted_waits_while_a_token_is_out() {
    let (dir, out) = (TempDir::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let server = ModelServer::start(ledger());
    let key: Box<dyn Signer> = Box::new(Removable { key: key(), out: Arc::clone(&out) });
    let unclaimed = UnclaimedOutbox::open(dir.path()).unwrap();
    let mut outbox = unclaimed.claim(identity(&ledger()), key, None).unwrap();
    assert_eq!(accept(&mut outbox, &sound_draft("a")), Acceptance::New);
    let client = crate::client::LedgerClient::new(&server.url).unwrap();
    let mut courier = Courier::new(client, Arc::new(Mutex::new(outbox)));
    out.store(true, Ordering::Release);
    for _ in 0..2 {
        assert!(matches!(courier.step(), Ok(Step::Retry(Setback::Key(_)))));
    }
    let outbox = courier.outbox();
    let signatory = outbox.lock().unwrap().signatory();
    let refused = signatory.check(&sound_draft("b")).err().expect("it cannot be signed").problem();
    assert_eq!((refused.code(), refused.status()), ("key_unavailable", Some(503)));
    out.store(false, Ordering::Release);
    assert!(matches!(courier.step(), Ok(Step::Progress)));
    assert_eq!(outbox.lock().unwrap().queued(), 0);
}
