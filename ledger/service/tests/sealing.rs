//! Sealing, refusing, and coming back after a restart, with a real data folder.

mod partnership;

use std::fs;

use gt_core::Hash;
use gt_core::LeafIndex;
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::statement::DraftMember;
use gt_core::tree;
use gt_ledger::Ledger;
use gt_ledger::clock::SystemClock;
use gt_ledger::log::{ReadError, RecoverError};
use gt_ledger::open::OpenLedgerError;
use gt_ledger::record::SignedRecord;
use gt_ledger::refusal::Refusal;
use gt_ledger::sealer::Sealed;
use partnership::{Home, Publisher, child};

fn seal(ledger: &Ledger, statement: &gt_core::statement::Statement) -> Result<Sealed, Refusal> {
    ledger.seal_blocking(statement.to_compact().as_bytes())
}

fn code(result: Result<Sealed, Refusal>) -> &'static str {
    result.expect_err("must be refused").code()
}

fn check_receipt(home: &Home, sealed: &Sealed) {
    let (keys, _) = home.pin.parse().expect("a pin");
    let bytes = sealed.receipt.extra.as_ref().expect("the entry");
    let entry = Entry::parse(bytes).expect("an entry");
    assert_eq!((entry.index, entry.statement), (sealed.index, sealed.statement));
    sealed.receipt.verify(&tree::leaf_hash(bytes), &home.pin.origin, &keys).expect("the receipt verifies");
}

#[test]
fn statements_are_sealed_proven_and_read_again_after_a_restart() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let mut police = home.register(&ledger, "police:32", 2);
    let mut sealed = Vec::new();
    for n in 0..300_u32 {
        let publisher = if n % 3 == 0 { &mut police } else { &mut council };
        let statement = publisher.next(&child(u8::try_from(n % 7).expect("small")));
        sealed.push((seal(&ledger, &statement).expect("sealed"), statement));
    }
    for (receipt, _) in &sealed {
        check_receipt(&home, receipt);
    }
    let before: Vec<_> = ledger.records(LeafIndex(0), 256).expect("reads");
    let mut with_times = before.clone();
    for open in with_times.iter_mut().filter_map(|record| record.statement.as_mut()) {
        let others = open.disclosed.iter_mut().filter(|(member, _)| *member != "times");
        for element in others.flat_map(|(_, elements)| elements) {
            element.value = serde_json::Value::Null;
        }
    }
    let read = ledger.records_with(LeafIndex(0), 256, |member| member == "times").expect("reads");
    let read: Vec<_> = read.into_iter().map(SignedRecord::into_values).collect();
    assert_eq!(read, with_times);
    assert_ne!(with_times, before);
    ledger.close();
    drop(ledger);

    let ledger = home.open();
    assert_eq!(ledger.removed_entries(), 0);
    assert_eq!(ledger.records(LeafIndex(0), 256).expect("reads"), before);
    for (receipt, statement) in &sealed {
        let text = ledger.presentation(receipt.index).expect("reads").expect("readable");
        assert_eq!(text, statement.to_compact());
        let again = seal(&ledger, statement).expect("a duplicate");
        assert!(again.duplicate);
        assert_eq!(again.index, receipt.index);
        check_receipt(&home, &again);
    }
    assert_eq!(ledger.log().size().0, 305);
    let next = seal(&ledger, &council.next(&child(1))).expect("the chain goes on");
    assert_eq!(next.index, LeafIndex(305));
    let records = ledger.records(LeafIndex(256), 256).expect("reads");
    let owner = records.last().and_then(|r| r.statement.as_ref()).and_then(|s| s.primary).expect("a child");
    let first = before.iter().find(|r| r.statement.as_ref().is_some_and(|s| s.primary == Some(owner)));
    assert!(first.is_some(), "the owner keeps its opaque id over a restart");
}

#[test]
fn many_at_once_keep_their_order() {
    let home = Home::new();
    let ledger = home.open();
    let mut agencies =
        [("gss:E06000005", 1), ("police:32", 2)].map(|(agency, seed)| home.register(&ledger, agency, seed));
    // Children are new to both agencies, to one, or to none; several times in a batch.
    let statements: Vec<_> = (0..700_usize)
        .map(|n| agencies[n / 3 % 2].next(&child(u8::try_from(n % 50).expect("small"))))
        .collect();
    let waiting: Vec<_> = statements
        .iter()
        .map(|s| ledger.submit(gt_ledger::prepare::Prepared::new(s.to_compact().as_bytes()).expect("sound")))
        .collect();
    let mut last = LeafIndex(0);
    for answer in waiting {
        let sealed = answer.blocking_recv().expect("answered").expect("sealed");
        assert!(sealed.index > last);
        last = sealed.index;
        check_receipt(&home, &sealed);
    }
    ledger.close();
    home.assert_sound();
}

/// As they were written before their checksum was another one.
#[test]
fn vault_records_of_the_version_before_are_read_beside_newer_ones() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    for n in 0..6 {
        seal(&ledger, &council.next(&child(n))).expect("sealed");
    }
    let before = ledger.records(LeafIndex(0), 256).expect("reads");
    ledger.close();
    drop(ledger);
    let file = home.data().join(gt_ledger::layout::vault(0));
    let (now, mut then) = (fs::read(&file).expect("readable"), Vec::new());
    let mut rest = now.as_slice();
    for leaf_hash in before.iter().map(|record| record.entry.leaf_hash()) {
        let len = gt_ledger::vault::frame_len(rest).expect("a record");
        let (record, later) = rest.split_at(len);
        let mut body = record[4..len - 16].to_vec();
        body[0] = 1;
        let sum = Hash::of_parts(&[b"gt/vault-record/1\0", leaf_hash.as_bytes(), &body]);
        then.extend([&record[..4], &body, sum.as_bytes()].concat());
        rest = later;
    }
    assert!(rest.is_empty());
    fs::write(&file, then).expect("writable");
    home.assert_sound();

    for round in 1..3 {
        let ledger = home.open();
        assert_eq!(ledger.records(LeafIndex(0), before.len() as u64).expect("reads"), before);
        seal(&ledger, &council.next(&child(round))).expect("sealed");
        assert_eq!(
            ledger.records(LeafIndex(0), 256).expect("reads").len(),
            before.len() + usize::from(round)
        );
        ledger.close();
        drop(ledger);
        home.assert_sound();
    }
}

#[test]
fn a_publisher_is_bound_to_its_chain() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let first = council.next(&child(1));
    let size = ledger.log().size();
    let second = council.next(&child(1));
    assert_eq!(code(seal(&ledger, &second)), "chain_gap");
    seal(&ledger, &first).expect("sealed");

    let mut copied = Publisher::new("gss:E06000005", 1, home.genesis());
    let fork = copied.next(&child(2));
    let refusal = seal(&ledger, &fork).expect_err("a fork");
    assert_eq!(refusal.code(), "chain_fork");
    assert_eq!(refusal.chain_head().expect("a head").head, first.hash());
    assert_eq!(ledger.integrity_alerts().len(), 1);
    assert_eq!(code(seal(&ledger, &fork)), "chain_fork");
    assert_eq!(ledger.integrity_alerts().len(), 1, "the same fork is one alert");
    assert_eq!(code(seal(&ledger, &copied.next(&child(2)))), "chain_prev");

    seal(&ledger, &second).expect("nothing was lost");
    assert_eq!(ledger.log().size().0, size.0 + 2);
}

#[test]
fn only_the_right_key_for_the_right_ledger_is_heard() {
    let home = Home::new();
    let ledger = home.open();
    let council = home.register(&ledger, "gss:E06000005", 1);
    let mut stranger = Publisher::new("gss:E06000005", 9, home.genesis());
    assert_eq!(code(seal(&ledger, &stranger.next(&child(1)))), "unknown_publisher");

    let mut imposter = Publisher::new("gss:E06000005", 9, home.genesis());
    imposter.id = council.id;
    assert_eq!(code(seal(&ledger, &imposter.next(&child(1)))), "key_not_in_force");

    let mut elsewhere = Publisher::new("ods:RX1", 1, home.genesis());
    assert_eq!(code(seal(&ledger, &elsewhere.next(&child(1)))), "wrong_agency");

    let mut council = council;
    let mut other = council.draft(&child(1));
    other.aud = "ledger.example/other".into();
    assert_eq!(code(seal(&ledger, &council.sign(&other))), "wrong_audience");
    let mut early = council.draft(&child(1));
    early.iat += 1000;
    assert_eq!(code(seal(&ledger, &council.sign(&early))), "from_the_future");
    let mut unknown = council.draft(&child(1));
    unknown.version = 2;
    assert_eq!(code(seal(&ledger, &council.sign(&unknown))), "unknown_version");
    // Of several members that the type does not have the first by name is told, wherever they stand.
    let mut more = council.draft(&child(1));
    more.members.extend(["zz", "aa"].map(|name| (name.into(), DraftMember::Disclosed(vec!["?".into()]))));
    let refusal = seal(&ledger, &council.sign(&more)).expect_err("must be refused");
    assert_eq!((refusal.code(), refusal.to_string().split(':').next()), ("unknown_member", Some("/aa")));
    let mut coded = council.draft(&child(1));
    coded.members[0].1 = DraftMember::Clear(Value::from("Vanished"));
    assert_eq!(code(seal(&ledger, &council.sign(&coded))), "bad_value");
    let registrars = home.registration(&ledger, &stranger);
    let mut own = council.draft(&child(1));
    own.event_type = registrars.payload().event_type.clone();
    own.members = Vec::new();
    assert_eq!(code(seal(&ledger, &council.sign(&own))), "not_registrar");
    assert_eq!(ledger.log().size().0, 4, "nothing that was refused left a trace");
    seal(&ledger, &council.next(&child(1))).expect("and the chain is where it was");
}

#[test]
fn a_key_works_from_the_entry_after_its_registration_even_within_one_batch() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = Publisher::new("gss:E06000005", 1, home.genesis());
    let prepare = |s: &gt_core::statement::Statement| {
        gt_ledger::prepare::Prepared::new(s.to_compact().as_bytes()).expect("sound")
    };
    let registration = prepare(&home.registration(&ledger, &council));
    let statement = prepare(&council.next(&child(1)));
    let (one, two) = (ledger.submit(registration), ledger.submit(statement));
    one.blocking_recv().expect("answered").expect("registered");
    two.blocking_recv().expect("answered").expect("sealed");
}

#[test]
fn one_folder_has_one_writer() {
    let home = Home::new();
    let _ledger = home.open();
    let clock = Box::new(SystemClock::default());
    let second = Ledger::open(&home.data(), &home.secrets(), clock, None);
    assert!(matches!(second, Err(OpenLedgerError::Locked { .. })));
}

#[test]
fn a_reader_at_the_end_of_a_full_bundle_finds_nothing_yet() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let waiting: Vec<_> = (4..256)
        .map(|_| {
            gt_ledger::prepare::Prepared::new(council.next(&child(1)).to_compact().as_bytes()).expect("sound")
        })
        .map(|prepared| ledger.submit(prepared))
        .collect();
    for answer in waiting {
        answer.blocking_recv().expect("answered").expect("sealed");
    }
    assert_eq!(ledger.log().size().0, 256);
    assert_eq!(ledger.records(LeafIndex(256), 256).expect("reads"), []);
    assert_eq!(ledger.records(LeafIndex(9000), 256).expect("reads"), []);
    assert!(matches!(ledger.log().entry_bytes(LeafIndex(256)), Err(ReadError::NoSuchEntry { .. })));
}

#[test]
fn an_older_checkpoint_is_refused_and_nothing_is_cut() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    let files = ["checkpoint", "state/handed-out"].map(|file| home.data().join(file));
    let keep = || files.clone().map(|file| fs::read(file).expect("readable"));
    let put_back = |kept: &[Vec<u8>; 2]| {
        for (file, bytes) in files.iter().zip(kept) {
            fs::write(file, bytes).expect("writable");
        }
    };
    let older = keep();
    for _ in 0..300 {
        seal(&ledger, &council.next(&child(1))).expect("sealed");
    }
    ledger.close();
    drop(ledger);
    let newer = keep();
    put_back(&older);
    let opened = Ledger::open(&home.data(), &home.secrets(), Box::new(SystemClock::default()), None);
    assert!(matches!(opened, Err(OpenLedgerError::Recover(RecoverError::CheckpointOlder { .. }))));
    put_back(&newer);
    let ledger = home.open();
    assert_eq!((ledger.removed_entries(), ledger.log().size().0), (0, 304));
}
