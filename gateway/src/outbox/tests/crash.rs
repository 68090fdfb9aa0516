use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tempfile::TempDir;

use super::super::*;
use super::model_ledger::{ModelLedger, refused_draft, sound_draft};
use super::{NOW, accept, assert_settled, drain, ledger, open, settle};

/// At each step of a run the last line of the journal is torn, as by a power cut. A torn line was not synced, so what
/// follows it in the run has not happened: the ledger is as it was before.
#[test]
fn a_power_cut_in_any_write_loses_nothing_and_doubles_nothing() {
    let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
    let journal = dir.path().join("journal");
    let mut outbox = open(dir.path(), &ledger);
    let mut before = fs::read(&journal).unwrap();
    let mut accepted = Vec::new();
    for (id, sound) in [("a", true), ("b", false), ("c", true)] {
        accept(&mut outbox, &if sound { sound_draft(id) } else { refused_draft(id) });
        check_torn(&journal, &mut before, &ledger, &accepted);
        accepted.push((id.to_owned(), sound));
    }
    while outbox.queued() > 0 {
        let batch = outbox.next_batch(NOW).unwrap();
        check_torn(&journal, &mut before, &ledger, &accepted);
        let answers = ledger.submit(&batch);
        let rest = outbox.record(&answers).unwrap().rest;
        check_torn(&journal, &mut before, &ledger, &accepted);
        if let Some(Verdict::Refused(problem)) = rest {
            outbox.refuse(&problem, &ledger.head()).unwrap();
            check_torn(&journal, &mut before, &ledger, &accepted);
        }
    }
    assert_settled(&mut outbox, &ledger, &accepted);
}

/// That every byte boundary is a torn line like any other is the journal's own test; here some are enough.
fn check_torn(journal: &Path, before: &mut Vec<u8>, ledger: &ModelLedger, accepted: &[(String, bool)]) {
    let after = fs::read(journal).unwrap();
    for cut in (before.len()..after.len()).step_by(397).chain([after.len() - 1]) {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("journal"), &after[..cut]).unwrap();
        let mut ledger = ledger.clone();
        let mut outbox = open(dir.path(), &ledger);
        drain(&mut outbox, &mut ledger);
        assert_settled(&mut outbox, &ledger, accepted);
    }
    *before = after;
}

/// One thing that happens in a run.
#[derive(Debug, Clone)]
enum Event {
    Accept {
        sound: bool,
    },
    AcceptAgain {
        which: prop::sample::Index,
    },
    /// A request, and what comes of it.
    Send {
        fate: Fate,
    },
    /// The process ends and starts again, behind whatever it was about to write.
    Restart {
        torn: Vec<u8>,
    },
}

#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered,
    NotSent,
    AnswerLost,
    /// The ledger seals some, and is too busy for the others.
    Some(usize),
    /// The process ends after it recorded the answers and before it records a refusal.
    KilledBeforeRefusal,
}

fn event() -> impl Strategy<Value = Event> {
    let fate = prop_oneof![
        4 => Just(Fate::Answered),
        2 => Just(Fate::NotSent),
        2 => Just(Fate::AnswerLost),
        2 => (0_usize..4).prop_map(Fate::Some),
        1 => Just(Fate::KilledBeforeRefusal),
    ];
    prop_oneof![
        4 => prop::bool::weighted(0.75).prop_map(|sound| Event::Accept { sound }),
        1 => any::<prop::sample::Index>().prop_map(|which| Event::AcceptAgain { which }),
        4 => fate.prop_map(|fate| Event::Send { fate }),
        // Base64url and a space look most like the beginning of a line.
        1 => "[A-Za-z0-9_ \\[{-]{0,80}".prop_map(|torn| Event::Restart { torn: torn.into_bytes() }),
    ]
}

fn send(outbox: &mut Outbox, ledger: &mut ModelLedger, fate: Fate) {
    let batch = outbox.next_batch(NOW).unwrap();
    assert_eq!(outbox.next_batch(NOW + 60).unwrap(), batch, "what was signed is not signed again");
    match fate {
        Fate::NotSent => {}
        Fate::AnswerLost => drop(ledger.submit(&batch)),
        Fate::Some(count) => {
            let mut answers = ledger.submit(&batch[..count.min(batch.len())]);
            answers.resize(batch.len(), Answer::Unanswered(None));
            settle(outbox, ledger, &answers);
        }
        Fate::Answered => {
            let answers = ledger.submit(&batch);
            settle(outbox, ledger, &answers);
        }
        Fate::KilledBeforeRefusal => {
            let answers = ledger.submit(&batch);
            outbox.record(&answers).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_draft_is_sealed_once_in_order_or_reported(events in prop::collection::vec(event(), 1..40)) {
        let (dir, mut ledger) = (TempDir::new().unwrap(), ledger());
        let mut outbox = Some(open(dir.path(), &ledger));
        let mut accepted: Vec<(String, bool)> = Vec::new();
        let text = |id: &str, sound: bool| if sound { sound_draft(id) } else { refused_draft(id) };
        for event in events {
            let open_now = outbox.as_mut().unwrap();
            match event {
                Event::Accept { sound } => {
                    let id = format!("draft {}", accepted.len());
                    prop_assert_eq!(accept(open_now, &text(&id, sound)), Acceptance::New);
                    accepted.push((id, sound));
                }
                Event::AcceptAgain { which } if !accepted.is_empty() => {
                    let (id, sound) = &accepted[which.index(accepted.len())];
                    prop_assert_eq!(accept(open_now, &text(id, *sound)), Acceptance::Known);
                }
                Event::AcceptAgain { .. } => {}
                Event::Send { fate } => {
                    send(open_now, &mut ledger, fate);
                    if matches!(fate, Fate::KilledBeforeRefusal) {
                        drop(outbox.take());
                        outbox = Some(open(dir.path(), &ledger));
                    }
                }
                Event::Restart { torn } => {
                    drop(outbox.take());
                    let path = dir.path().join("journal");
                    let whole = fs::read(&path).unwrap();
                    fs::write(&path, [whole, torn].concat()).unwrap();
                    outbox = Some(open(dir.path(), &ledger));
                }
            }
            prop_assert_eq!(outbox.as_ref().unwrap().compare(&ledger.head()), Ok(()));
        }
        let mut outbox = outbox.unwrap();
        drain(&mut outbox, &mut ledger);
        assert_settled(&mut outbox, &ledger, &accepted);
    }
}
