//! Records whose keys are gone, bundles that would be too long, and the checkpoint that witnesses have cosigned.

use std::fs;

use gt_core::bundle::{BundleRecord, MAX_BUNDLE_BYTES, Why};
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::json::Value;
use gt_core::statement::DraftMember;
use gt_ledger::bundle::{MakeBundleError, ReadOnlyLedger};

use crate::filled::{FILLED, Filled, ask, child, range};
use crate::partnership::{self, Home, fold_keys};

/// Every other shard of the keyring is lost, as after an erasure of all who have their keys there.
#[test]
fn what_has_ended_is_told_and_the_rest_is_sound() {
    let filled = Filled::new(60);
    filled.ledger.close();
    drop(filled.ledger);
    fold_keys(&filled.home.data(), &filled.home.secrets());
    let (home, children) = (filled.home, filled.children);
    let filled = Filled { ledger: home.open(), home, children, ..filled };
    for shard in (0..256).step_by(2) {
        let _ = fs::remove_file(filled.home.data().join(format!("keyring/{shard:02x}")));
    }
    let folder = ReadOnlyLedger::open(&filled.home.data(), &filled.home.secrets()).unwrap();

    let whole = folder.bundle(&ask(range(0, filled.size().0 - 1))).unwrap();
    filled.assert_sound(&whole);
    let ended = |record: &BundleRecord| match record {
        BundleRecord::Absent { why, .. } => *why == Why::Ended,
        BundleRecord::Stated(record) => record.left_out.iter().any(|left_out| left_out.why == Why::Ended),
    };
    assert!(whole.records.iter().any(|record| matches!(record, BundleRecord::Absent { .. })));
    assert!(whole.records.iter().any(|record| matches!(record, BundleRecord::Stated(_)) && ended(record)));
    assert!(!whole.records.iter().all(ended));

    let mut gone = 0;
    for pseudonym in &filled.children {
        match folder.bundle(&ask(child(pseudonym))) {
            Ok(bundle) => assert!(filled.verify(&bundle, None).faults.is_empty()),
            Err(error) => {
                assert_eq!(error.code(), "unknown_child");
                gone += 1;
            }
        }
    }
    assert!((1..filled.children.len()).contains(&gone), "{gone}");
}

#[test]
fn a_bundle_that_would_be_too_long_is_refused_with_where_to_split_it() {
    let home = Home::new();
    let ledger = home.open();
    let mut publisher = home.register(&ledger, "gss:E06000999", 1);
    let about = partnership::child(1);
    // Thirty kilobytes of references each: some 2,200 of them fill a bundle.
    let label = "x".repeat(200);
    let labels: Vec<String> = (0..110).map(|_| format!("{label:?}")).collect();
    let refs = Value::parse(format!(r#"{{"joined":[{}]}}"#, labels.join(",")).as_bytes()).unwrap();
    let mut answers = Vec::new();
    for _ in 0..2_300 {
        let mut draft = publisher.draft(&about);
        draft.members.push(("refs".into(), DraftMember::Disclosed(vec![refs.clone()])));
        let statement = publisher.sign(&draft);
        publisher.seq += 1;
        publisher.prev = statement.hash();
        let prepared = gt_ledger::prepare::Prepared::of(statement).unwrap();
        answers.push(ledger.submit(prepared));
    }
    for answer in answers {
        answer.blocking_recv().unwrap().unwrap();
    }
    let last = ledger.log().size().0 - 1;
    let error = ledger.bundle(&ask(range(0, last))).expect_err("too long");
    assert_eq!(error.code(), "bundle_too_large");
    let MakeBundleError::TooLarge { fits, of, last_fitting: Some(split), is_range: true } = error else {
        panic!("{error}")
    };
    assert!(fits > 1_000 && fits < of, "{fits} of {of}");
    let text = ledger.bundle(&ask(range(0, split.0))).unwrap().to_string();
    assert!(text.len() <= MAX_BUNDLE_BYTES && text.len() > MAX_BUNDLE_BYTES / 100 * 98, "{}", text.len());
    assert!(ledger.bundle(&ask(range(split.0 + 1, last))).is_ok());
}

#[test]
fn the_cosigned_checkpoint_is_taken_if_it_is_the_logs_and_covers_what_is_asked_for() {
    let filled = &*FILLED;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("data");
    copy_folder(&filled.home.data(), &copy);
    let secrets = filled.home.secrets();
    let signer = secrets.log_signer().unwrap();
    let newest = filled.ledger.published().checkpoint.to_string();
    let older = filled.held.last().unwrap();
    let cosigned = signer.sign(older.clone()).unwrap();
    let under = |at: u64, note: &SignedCheckpoint| {
        fs::write(copy.join("state/cosigned"), note.to_string()).unwrap();
        let made = ReadOnlyLedger::open(&copy, &secrets).unwrap().bundle(&ask(range(at, at))).unwrap();
        filled.assert_sound(&made);
        made.checkpoint
    };
    let within = older.size().0 - 1;
    assert_eq!(under(within, &cosigned), cosigned.to_string());
    assert_eq!(under(within + 1, &cosigned), newest, "it does not cover the entry");
    let early = signer.sign(filled.held[1].clone()).unwrap();
    assert_eq!(under(0, &early), newest, "the registrar has enrolled others since");
    let other = gt_core::checkpoint::Checkpoint::new(older.origin(), older.size(), filled.held[0].root());
    assert_eq!(under(0, &signer.sign(other.unwrap()).unwrap()), newest, "another history");
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        if item.file_type().unwrap().is_dir() {
            copy_folder(&item.path(), &to.join(item.file_name()));
        } else {
            fs::copy(item.path(), to.join(item.file_name())).unwrap();
        }
    }
}
