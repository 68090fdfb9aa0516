//! What a witness signs, what it keeps, and what it says of forks.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gt_core::TreeSize;
use gt_core::checkpoint::SignedCheckpoint;
use gt_core::fork::ForkEvidence;
use gt_core::witness::{AddCheckpoint, origin_hash, read_cosignatures};
use gt_ledger::witness::{Witness, WitnessError, WitnessFolder};

use crate::network::{NOW, Watching, copy_folder, request};
use crate::partnership::{Home, ORIGIN, child};

fn status(witness: &Witness, request: &[u8]) -> u16 {
    witness.add_checkpoint(request, NOW).expect_err("to be refused").status()
}

fn size(witness: &Witness) -> Option<u64> {
    let seen = witness.checkpoint(&origin_hash(ORIGIN)).expect("readable");
    seen.map(|signed| signed.checkpoint().size().0)
}

#[test]
fn what_was_signed_outlives_the_process_and_binds_the_next() {
    let home = Home::new();
    let (watching, ledger) = (Watching::new("w1", &home.pin), home.open());
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let early = request(&ledger, 0);
    let witness = watching.open();
    assert_eq!(size(&witness), None);
    let answer = witness.add_checkpoint(&early, NOW).expect("signed");
    let checkpoint = ledger.published().checkpoint.clone();
    let cosigned =
        read_cosignatures(answer.as_bytes(), &checkpoint, &witness.verifier_keys()).expect("valid");
    assert_eq!(cosigned.len(), 2);
    assert!(cosigned.iter().all(|one| one.cosigned_at() == Some(NOW)));
    let first = checkpoint.checkpoint().size().0;

    let said_again = status(&witness, &early);
    assert_eq!(said_again, 409, "it has signed more than nothing");
    assert!(witness.add_checkpoint(&request(&ledger, first), NOW).is_ok(), "the same checkpoint, once more");
    drop(witness);

    ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
    let witness = watching.open();
    assert_eq!(size(&witness), Some(first));
    assert_eq!(status(&witness, &request(&ledger, 0)), 409);
    witness.add_checkpoint(&request(&ledger, first), NOW - 1000).expect("signed");
    let shown = witness.checkpoint(&origin_hash(ORIGIN)).expect("readable").expect("signed");
    assert_eq!(shown.checkpoint().size().0, first + 1);
    let times = shown.note().signatures().iter().filter(|one| one.name() != ORIGIN);
    let times: Vec<_> = times.map(gt_core::note::NoteSignature::cosigned_at).collect();
    assert_eq!(times, [Some(NOW), Some(NOW)], "a clock that was put back is not believed");
    shown.verify(ORIGIN, &home.pin.parse().expect("keys").0).expect("the log's signatures are there too");
}

#[test]
fn a_folder_is_one_process_and_its_keys_are_its_own() {
    let home = Home::new();
    let watching = Watching::new("w1", &home.pin);
    for name in ["cosigner.jwk", "cosigner-ml-dsa-44.jwk", "witness.json"] {
        let mode = watching.path().join(name).metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let open = || Witness::open(watching.path());
    let first = open().expect("opens");
    assert!(matches!(open(), Err(WitnessError::Locked { .. })));
    drop(first);
    let again = WitnessFolder::new(watching.path()).init("witness.example/w2");
    assert!(matches!(again, Err(WitnessError::NotEmpty { .. })));
    let nowhere = home.folder.path().join("nowhere");
    assert!(matches!(Witness::open(&nowhere), Err(WitnessError::NoWitness { .. })));
    assert!(WitnessFolder::new(&nowhere).init("no spaces").is_err() && !nowhere.exists());
    // Another witness's key under this one's name.
    let other = Watching::new("w2", &home.pin);
    std::fs::copy(other.path().join("cosigner.jwk"), watching.path().join("cosigner.jwk")).expect("copied");
    assert!(matches!(open(), Err(WitnessError::Secrets(_))));
}

#[test]
fn what_it_does_not_know_it_does_not_sign() {
    let (home, other) = (Home::new(), Home::new());
    let ledger = home.open();
    let mut pin = other.pin.clone();
    pin.origin = "ledger.example/other".to_owned();
    let watching = Watching::new("w1", &other.pin);
    let witness = watching.open();
    assert_eq!(status(&witness, &request(&ledger, 0)), 403, "another key of the same origin");
    let stranger = std::fs::write(watching.path().join("logs"), "# nobody\n");
    stranger.expect("written");
    assert_eq!(status(&witness, &request(&ledger, 0)), 404, "the list is read again");
    assert_eq!(witness.checkpoint(&origin_hash(ORIGIN)).expect("readable"), None);
    let keys = home.pin.parse().expect("keys").0;
    WitnessFolder::new(watching.path()).add(keys).expect("added while it runs");
    witness.add_checkpoint(&request(&ledger, 0), NOW).expect("signed");
    let text = String::from_utf8(request(&ledger, 0)).expect("text");
    assert_eq!(status(&witness, text.replacen("old 0", "old 00", 1).as_bytes()), 400);
    assert_eq!(status(&witness, &vec![b'a'; 70_000]), 413);
}

#[test]
fn what_it_cannot_make_durable_it_does_not_sign() {
    let home = Home::new();
    let (watching, ledger) = (Watching::new("w1", &home.pin), home.open());
    let witness = watching.open();
    let obstacle = watching.path().join("seen").join(origin_hash(ORIGIN)).with_extension("new");
    std::fs::create_dir_all(&obstacle).expect("made");
    assert_eq!(status(&witness, &request(&ledger, 0)), 500);
    assert_eq!(size(&witness), None);
    std::fs::remove_dir(&obstacle).expect("removed");
    witness.add_checkpoint(&request(&ledger, 0), NOW).expect("signed");
    assert_eq!(size(&witness), Some(ledger.log().size().0));
}

#[test]
fn a_file_that_it_did_not_write_keeps_it_from_signing() {
    let home = Home::new();
    let (watching, ledger) = (Watching::new("w1", &home.pin), home.open());
    watching.open().add_checkpoint(&request(&ledger, 0), NOW).expect("signed");
    let good = std::fs::read_to_string(watching.seen()).expect("a file");
    // The log's own checkpoint, without this witness's signatures; and bytes that are none.
    for bad in [ledger.published().checkpoint.to_string(), good[..good.len() / 2].to_owned(), String::new()] {
        std::fs::write(watching.seen(), &bad).expect("written");
        assert!(matches!(Witness::open(watching.path()), Err(WitnessError::Seen { .. })), "{bad}");
    }
    std::fs::write(watching.seen(), good).expect("written");
    assert!(Witness::open(watching.path()).is_ok());
}

#[test]
fn requests_at_once_never_take_it_back() {
    let home = Home::new();
    let (watching, ledger) = (Watching::new("w1", &home.pin), home.open());
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let mut checkpoints = vec![ledger.published().checkpoint.clone()];
    for n in 0..12 {
        ledger.seal_blocking(council.next(&child(n)).to_compact().as_bytes()).expect("sealed");
        checkpoints.push(ledger.published().checkpoint.clone());
    }
    let (witness, largest) = (watching.open(), AtomicU64::new(0));
    let ask = |checkpoint: &SignedCheckpoint| {
        let to = checkpoint.checkpoint().size();
        for old in (0..=to.0).map(TreeSize) {
            let proof = gt_core::prove::consistency(ledger.log(), old, to).expect("a proof").path;
            let request = AddCheckpoint { old, proof, checkpoint: checkpoint.clone() }.to_string();
            let before = largest.load(Ordering::SeqCst);
            if witness.add_checkpoint(request.as_bytes(), NOW).is_ok() {
                assert!(to.0 >= before, "{} was signed after {before}", to.0);
                largest.fetch_max(to.0, Ordering::SeqCst);
            }
        }
    };
    thread::scope(|scope| {
        for turn in 0..4 {
            let (ask, checkpoints) = (&ask, &checkpoints);
            scope.spawn(move || {
                let mine = checkpoints.iter().skip(turn).chain(checkpoints.iter().take(turn));
                mine.for_each(ask);
            });
        }
    });
    assert_eq!(size(&witness), Some(largest.into_inner()));
    let kept = std::fs::read(watching.seen()).expect("a file");
    let kept = SignedCheckpoint::parse(&kept).expect("a checkpoint");
    assert_eq!(Some(kept.checkpoint().size().0), size(&witness));
}

#[test]
fn forks_are_refused_and_their_evidence_is_kept() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    ledger.close();
    drop(ledger);
    copy_folder(&home.data(), &home.folder.path().join("other"));
    let other = Home { folder: tempfile::tempdir().expect("a folder"), pin: home.pin.clone() };
    copy_folder(&home.folder.path().join("other"), &other.data());
    copy_folder(&home.secrets_folder(), &other.secrets_folder());

    let (ledger, forked) = (home.open(), other.open());
    let mut copied = home_publisher(&council);
    let seal = |ledger: &gt_ledger::Ledger, statement: &gt_core::statement::Statement| {
        ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealed");
    };
    // Five entries each, of which the last differs.
    seal(&ledger, &council.next(&child(1)));
    seal(&forked, &copied.next(&child(2)));
    let watching = Watching::new("w1", &home.pin);
    let witness = watching.open();
    witness.add_checkpoint(&request(&ledger, 0), NOW).expect("signed");
    let seen = ledger.log().size().0;
    assert_eq!(seen, 5);
    assert_eq!(status(&witness, &request(&forked, seen)), 422);
    assert_eq!(witness.forks().len(), 1);
    assert_eq!(status(&witness, &request(&forked, seen)), 422);
    assert_eq!(witness.forks().len(), 1, "once");
    for n in 0..4 {
        seal(&forked, &copied.next(&child(n)));
    }
    assert_eq!(status(&witness, &request(&forked, seen)), 422);
    let forks = witness.forks();
    assert_eq!(forks.len(), 2);
    let grown = forks.iter().find(|fork| fork["sizes"][1] == 9).expect("the larger one");
    let evidence = &grown["evidence"];
    assert_eq!((&evidence["format"], &grown["origin"]), (&"gt/fork/1".into(), &ORIGIN.into()));
    let root = gt_core::prove::root(forked.log(), TreeSize(seen)).expect("a root");
    assert_eq!(evidence["other_root"], root.to_string());
    assert!(evidence["consistency"].as_str().expect("a proof").starts_with("old 5\n"));
    let keys = home.pin.parse().expect("keys");
    let pin =
        gt_core::verify::Pin { origin: ORIGIN.to_owned(), verifier_keys: keys.0, genesis: Some(keys.1) };
    for fork in &forks {
        let evidence = ForkEvidence::parse(fork["evidence"].to_string().as_bytes()).expect("it reads");
        assert_eq!(evidence.verify(&pin).expect("it proves a fork").differ_at.0, seen);
    }
    let same = forks.iter().find(|fork| fork["sizes"][1] == 5).expect("the other one");
    assert!(same["evidence"]["other_root"].is_null() && same["evidence"]["consistency"].is_null());

    // A proof that does not hold proves nothing, whoever sent it.
    seal(&ledger, &council.next(&child(3)));
    let mut wrong = String::from_utf8(request(&ledger, seen)).expect("text");
    let proof = wrong.lines().nth(1).expect("a hash").to_owned();
    wrong = wrong.replacen(&proof, &format!("{}=", "A".repeat(43)), 1);
    assert_eq!(status(&witness, wrong.as_bytes()), 422);
    assert_eq!((witness.forks().len(), size(&witness)), (2, Some(seen)));
    let unproven = watching.path().join("forks/unproven/000-request");
    assert!(unproven.exists());
    witness.add_checkpoint(&request(&ledger, seen), NOW).expect("the ledger itself is as good as before");
    assert!(!unproven.exists(), "what was asked about is no fork: it is signed now");
    drop(witness);
    assert_eq!(watching.open().forks(), forks, "read again");
}

#[test]
fn what_proves_nothing_is_kept_once_and_until_it_is_settled() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let watching = Watching::new("w1", &home.pin);
    let mut witness = watching.open();
    witness.add_checkpoint(&request(&ledger, 0), NOW).expect("signed");
    let seen = ledger.log().size();
    let kept = || {
        let folder = std::fs::read_dir(watching.path().join("forks/unproven"));
        folder.map_or(0, |files| {
            files.filter(|file| file.as_ref().is_ok_and(|file| file.path().is_file())).count()
        })
    };
    let mut wrong = Vec::new();
    for n in 0..34 {
        ledger.seal_blocking(council.next(&child(n)).to_compact().as_bytes()).expect("sealed");
        let mut request = AddCheckpoint::parse(&request(&ledger, seen.0)).expect("a request");
        request.proof[0] = gt_core::Hash::ZERO;
        wrong.push(request.to_string().into_bytes());
    }
    let good = request(&ledger, seen.0);
    for _ in 0..3 {
        assert_eq!(status(&witness, &wrong[0]), 422);
        assert_eq!(kept(), 2, "what was seen, and the request");
        // What it has kept it knows again.
        drop(witness);
        witness = watching.open();
    }
    for request in &wrong[1..31] {
        assert_eq!(status(&witness, request), 422);
    }
    assert_eq!(status(&witness, &wrong[33]), 422);
    assert_eq!(kept(), 64);
    assert_eq!(status(&witness, &wrong[31]), 422);
    assert_eq!((kept(), witness.forks().len()), (64, 0), "no more: anybody can make them");
    // The last one's checkpoint is a sound one, and makes room.
    witness.add_checkpoint(&good, NOW).expect("signed");
    assert_eq!(kept(), 62);
}

/// The same publisher on another machine.
fn home_publisher(publisher: &crate::partnership::Publisher) -> crate::partnership::Publisher {
    let mut copied = crate::partnership::Publisher::new(publisher.agency.as_str(), 1, publisher.prev);
    (copied.seq, copied.prev) = (publisher.seq, publisher.prev);
    copied
}
