//! What `fsck` finds in a log whose operator forged it: the entries are chained anew, the vault's checksums are right, tiles and root
//! are the entries', and the checkpoint is signed with the right key.

mod fsck_sample;
mod partnership;

use fsck_sample::forging::{self, Sealed, assert_finds};
use fsck_sample::{Copy, ENTRIES, REGISTRARS, sample, small};
use gt_core::entry::Entry;
use gt_core::json::{Object, Value};
use gt_core::key::PrivateKey;
use gt_core::link::{Link, LinkName};
use gt_core::statement::{Draft, DraftMember, EventType};
use gt_core::time::Timestamp;
use gt_core::{Hash, LeafIndex};
use gt_ledger::Ledger;
use gt_ledger::audit::Verdict;
use gt_ledger::bundle::ReadOnlyLedger;
use gt_ledger::clock::SystemClock;
use gt_ledger::keyring::{Keyring, OwnerKeys};
use gt_ledger::open::OpenLedgerError;
use gt_ledger::secrets::{file, read_key};
use gt_ledger::vault::{self, StatementBlob, VaultKey, VaultRecord};
use partnership::{Publisher, child};

/// An entry about a child of whom there are more before and behind it, by the first publisher.
const MIDDLE: usize = REGISTRARS + 9;
const DECISION: usize = REGISTRARS + 7;

fn forge(edit: impl FnOnce(&mut Vec<Sealed>)) -> Copy {
    forging::forge(small(), edit)
}

fn earlier(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis() - 60_000).expect("in range")
}

#[test]
fn a_log_that_is_written_anew_unchanged_is_sound() {
    let report = forge(|_| {}).fsck();
    assert_eq!(
        (report.verdict(), report.counts.statements_read),
        (Verdict::Sound, 40),
        "{:?}",
        report.faults
    );
}

#[test]
fn what_the_entries_say_is_held_against_the_log() {
    assert_finds(
        &forge(|log| log[MIDDLE].0.received_at = earlier(log[0].0.received_at)),
        "entry_time",
        MIDDLE,
    );
    assert_finds(&forge(|log| log[MIDDLE].0.registry += 1), "entry_registry", MIDDLE);
    assert_finds(&forge(|log| log[3].0.registry -= 1), "entry_registry", 3);
    let again = forge(|log| log[MIDDLE].0.links[0] = log[REGISTRARS + 1].0.links[0]);
    assert_finds(&again, "link_repeated", MIDDLE);
    let keyless = again.fsck_without_keys();
    assert!(keyless.faults.iter().any(|fault| fault.code == "link_repeated"));
    assert_finds(
        &forge(|log| log[MIDDLE].0.statement = log[REGISTRARS + 1].0.statement),
        "statement_altered",
        MIDDLE,
    );
}

#[test]
fn an_omission_by_the_sealer_is_found() {
    let left_out = forge(|log| drop(log.remove(MIDDLE)));
    // Every third statement is the publisher's; those behind it have moved up by one.
    assert_finds(&left_out, "chain_gap", MIDDLE + 2);
    let swapped = forge(|log| log.swap(MIDDLE, MIDDLE + 3));
    assert_finds(&swapped, "chain_gap", MIDDLE);
    assert_finds(&swapped, "chain_fork", MIDDLE + 3);
    let twice = forge(|log| log.push(log[MIDDLE].clone()));
    assert_finds(&twice, "chain_fork", 40);
    assert_finds(&forge(|log| log[MIDDLE].1.seq += 1), "record_differs", MIDDLE);
}

/// The link of an owner who is not the child.
fn somebody_else(entry: &Entry, record: &VaultRecord) -> LinkName {
    let StatementBlob::Sealed { owner: child, .. } = record.statement else { panic!("a child's") };
    entry.links.iter().find(|link| link.name != child).expect("six owners").name
}

#[test]
fn links_are_exactly_those_that_are_due() {
    let missing = forge(|log| {
        let (entry, record) = &mut log[DECISION];
        let hidden = somebody_else(entry, record);
        entry.links.retain(|link| link.name != hidden);
    });
    assert_finds(&missing, "owner_not_linked", DECISION);
    assert_finds(&missing, "link_out_of_order", DECISION + 20);
    // The last that the log holds of somebody: there is no later link to tell.
    let last = forge(|log| {
        let (entry, record) = &mut log[DECISION + 20];
        let hidden = somebody_else(entry, record);
        let link = entry.links.iter_mut().find(|link| link.name == hidden).expect("found above");
        *link = Link { name: [1; 16], commitment: [2; 16] };
        record.disclosures.retain(|blob| blob.owner != hidden);
    });
    assert_eq!(last.fsck_without_keys().verdict(), Verdict::Sound);
    assert_finds(&last, "keys_gone", DECISION + 20);
    let surplus = forge(|log| log[DECISION].0.links.push(Link { name: [1; 16], commitment: [2; 16] }));
    assert_finds(&surplus, "link_surplus", DECISION);
    assert_finds(&forge(|log| log[MIDDLE].0.links[0].commitment[3] ^= 1), "link_commitment", MIDDLE);
    // A child's entry that is hidden from the child's record, with everything that the public can see in order.
    let hidden = forge(|log| {
        let (entry, record) = &mut log[REGISTRARS + 1];
        let name = [9; 16];
        entry.links[0].name = name;
        for blob in &mut record.disclosures {
            blob.owner = name;
        }
        let StatementBlob::Sealed { owner, .. } = &mut record.statement else { panic!("a child's") };
        *owner = name;
    });
    assert_eq!(hidden.fsck_without_keys().verdict(), Verdict::Sound);
    assert_finds(&hidden, "keys_gone", REGISTRARS + 1);
    assert_finds(&hidden, "link_out_of_order", REGISTRARS + 9);
}

#[test]
fn no_disclosure_can_be_dropped_or_doubled() {
    assert_finds(&forge(|log| drop(log[DECISION].1.disclosures.remove(3))), "disclosure_missing", DECISION);
    assert_finds(&forge(|log| drop(log[MIDDLE].1.disclosures.pop())), "disclosure_missing", MIDDLE);
    let twice = forge(|log| {
        let blob = log[DECISION].1.disclosures[3].clone();
        log[DECISION].1.disclosures.push(blob);
    });
    assert_finds(&twice, "disclosure_repeated", DECISION);
    // Whoever reads it is told the same, whether it is looked at or not.
    let ledger = ReadOnlyLedger::open(&twice.data(), &small().secrets()).expect("opens");
    for wanted in [false, true] {
        let read =
            ledger.records_with(LeafIndex(DECISION as u64), 1, |_| wanted).map(|records| records.len());
        assert!(matches!(read, Err(OpenLedgerError::Statement { source: None, .. })), "{wanted}: {read:?}");
    }
}

/// Puts another statement in the place of one about a single child, encrypted under that child's own keys.
fn reseal(sealed: &mut Sealed, draft: impl FnOnce(&mut Draft), key: Option<PrivateKey>, linked: bool) {
    let of = small();
    let keyring = Keyring::open(&of.home.data(), of.secrets().kek()).expect("opens");
    let publisher = &of.publishers[0];
    let (entry, record) = sealed;
    assert_eq!(record.publisher, publisher.id);
    let mut signing = Publisher::new(publisher.agency.as_str(), 1, of.home.genesis());
    signing.seq = record.seq;
    signing.prev = Hash::ZERO;
    if let Some(key) = key {
        signing.key = key;
    }
    let about = keyring.owners().find(|(_, keys)| (0..9).any(|n| keys.link.name(n) == entry.links[0].name));
    let (_, about): (_, OwnerKeys<'_>) = about.expect("a child that is known");
    let mut drafted = signing.draft(&about.owner().expect("named").key_text());
    draft(&mut drafted);
    let statement = signing.sign(&drafted);
    let keys = about.agency(&publisher.agency).expect("keys");
    let seal = |key: &[u8; 32], digest: Option<&Hash>, text: &str| {
        VaultKey::new(key, &of.home.genesis()).seal(&vault::place(&statement.hash(), digest), text.as_bytes())
    };
    for (blob, disclosure) in record.disclosures.iter_mut().zip(statement.disclosures()) {
        blob.digest = disclosure.digest();
        blob.bytes = seal(&keys.data, Some(&disclosure.digest()), disclosure.text());
    }
    let StatementBlob::Sealed { bytes, .. } = &mut record.statement else { panic!("a child's") };
    *bytes = seal(&keys.record, None, statement.jws());
    if linked {
        entry.statement = statement.hash();
    }
}

#[test]
fn a_statement_that_its_agency_did_not_sign_is_found() {
    let forged =
        |draft: fn(&mut Draft), key, linked| forge(move |log| reseal(&mut log[MIDDLE], draft, key, linked));
    let strange = Some(PrivateKey::from_seed(&[77; 32]));
    assert_finds(&forged(|_| {}, strange, true), "key_not_in_force", MIDDLE);
    assert_finds(&forged(|_| {}, None, false), "statement_altered", MIDDLE);
    assert_finds(&forged(|_| {}, None, true), "chain_prev", MIDDLE);
    assert_finds(
        &forged(|draft| draft.aud = "ledger.example/else".into(), None, true),
        "wrong_audience",
        MIDDLE,
    );
    assert_finds(&forged(|draft| draft.iat += 3600, None, true), "from_the_future", MIDDLE);
    let agency =
        |draft: &mut Draft| draft.iss = gt_core::agency::AgencyCode::parse("ods:RX1").expect("a code");
    assert_finds(&forged(agency, None, true), "wrong_agency", MIDDLE);
    assert_finds(&forged(agency, None, true), "record_differs", MIDDLE);
    let other = |draft: &mut Draft| {
        let json = format!(r#"{{"pseudonym":"{}","role":"Child"}}"#, child(99));
        let person = Value::parse(json.as_bytes()).expect("test JSON");
        draft.members[2].1 = DraftMember::Disclosed(vec![person]);
    };
    assert_finds(&forged(other, None, true), "link_missing", MIDDLE);
    assert_finds(&forged(other, None, true), "other_owner", MIDDLE);
}

/// More signatures than are checked one by one, and a false one among them.
#[test]
fn a_false_signature_among_hundreds_is_found_in_its_place() {
    let (of, place) = (sample(), 300);
    let keyring = Keyring::open(&of.home.data(), of.secrets().kek()).expect("opens");
    let copy = forging::forge(of, |log| {
        let (entry, record) = &mut log[place];
        let StatementBlob::Sealed { owner, agency, bytes } = &mut record.statement else {
            panic!("a child's")
        };
        let about = keyring.owners().find(|(_, keys)| (0..50).any(|n| keys.link.name(n) == *owner));
        let keys = about.and_then(|(_, keys)| keys.agency(agency)).expect("keys");
        let (before, genesis) = (entry.statement, of.home.genesis());
        let open = |key: &[u8; 32], digest: Option<&Hash>, bytes: &[u8]| {
            VaultKey::new(key, &genesis).open(&vault::place(&before, digest), bytes).expect("opens")
        };
        let mut jws = open(&keys.record, None, bytes);
        let within_r = jws.len() - 80;
        jws[within_r] = if jws[within_r] == b'A' { b'B' } else { b'A' };
        let after = Hash::of(&jws);
        let seal = |key: &[u8; 32], digest: Option<&Hash>, text: &[u8]| {
            VaultKey::new(key, &genesis).seal(&vault::place(&after, digest), text)
        };
        (entry.statement, *bytes) = (after, seal(&keys.record, None, &jws));
        for blob in &mut record.disclosures {
            let text = open(&keys.data, Some(&blob.digest), &blob.bytes);
            blob.bytes = seal(&keys.data, Some(&blob.digest), &text);
        }
    });
    let report = assert_finds(&copy, "bad_signature", place);
    assert_eq!(report.faults.iter().filter(|fault| fault.code == "bad_signature").count(), 1);
    assert_eq!((report.counts.entries, report.counts.statements_read), (ENTRIES, ENTRIES - 1));
}

#[test]
fn the_registrars_own_statements_are_checked() {
    let unsigned = forge(|log| {
        let (entry, record) = &mut log[3];
        let StatementBlob::Open(jws) = &mut record.statement else { panic!("the registrar's") };
        let last = jws.len() - 10;
        jws[last] = if jws[last] == b'A' { b'B' } else { b'A' };
        entry.statement = Hash::of(jws);
    });
    let report = assert_finds(&unsigned, "bad_signature", 3);
    assert!(report.notes.iter().any(|note| note.contains("signatures were not checked")));
    assert_finds(&forge(|log| log[3].0.statement = Hash::ZERO), "statement_altered", 3);
    let twice = forge(|log| {
        let again = log[3].clone();
        log[4] = again;
        log[4].0.registry += 1;
    });
    assert_finds(&twice, "already_registered", 4);
}

/// A configuration that says nothing, signed by the registrar and next in its chain.
fn empty_configuration(log: &[Sealed]) -> Sealed {
    let of = small();
    let key = read_key(&of.home.secrets_folder().join(file::REGISTRAR)).expect("a key");
    let mut registrar = Publisher::new("ledger:registrar", 0, of.home.genesis());
    (registrar.id, registrar.key) = (key.public().thumbprint(), key);
    (registrar.seq, registrar.prev) = (REGISTRARS as u64, log[REGISTRARS - 1].0.statement);
    let mut draft = registrar.draft(&child(0));
    draft.event_type = EventType::parse("ledger.configured").expect("a type");
    let empty = DraftMember::Clear(Value::Object(Object::default()));
    draft.members = ["legal", "thresholds", "calendar"].map(|name| (name.to_owned(), empty.clone())).to_vec();
    let statement = registrar.sign(&draft);
    let (last, _) = log.last().expect("entries");
    let entry = Entry { links: Vec::new(), statement: statement.hash(), ..last.clone() };
    let record = VaultRecord {
        publisher: registrar.id,
        seq: registrar.seq,
        event_type: draft.event_type,
        statement: StatementBlob::Open(statement.jws().as_bytes().to_vec()),
        disclosures: Vec::new(),
    };
    (entry, record)
}

#[test]
fn a_configuration_that_does_not_read_is_found_and_leaves_the_one_before_in_force() {
    let forged = forge(|log| log.push(empty_configuration(log)));
    let report = assert_finds(&forged, "configuration", 40);
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    assert!(report.faults[0].what.contains("/legal/sources"), "{}", report.faults[0].what);
    let opened = Ledger::open(&forged.data(), &small().secrets(), Box::new(SystemClock::default()), None);
    assert_eq!(opened.expect("opens all the same").configured().index, Some(LeafIndex(2)));
}
