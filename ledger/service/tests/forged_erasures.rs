//! What `fsck` makes of erasures in a log whose operator forged it: what they ended is no fault, and nothing else is taken for it.

mod fsck_sample;
mod partnership;

use fsck_sample::forging::{self, Sealed, assert_finds};
use fsck_sample::{Copy, REGISTRARS, small};
use gt_core::base64url;
use gt_core::entry::Entry;
use gt_core::json::Value;
use gt_core::link::LinkName;
use gt_core::statement::{DraftMember, EventType, Owner, Pseudonym, Statement};
use gt_ledger::audit::Verdict;
use gt_ledger::keyring::{Keyring, OwnerTag};
use gt_ledger::secrets::{file, read_key};
use gt_ledger::vault::{StatementBlob, VaultRecord};
use partnership::{Publisher, child, fold_keys};

const DECISION: usize = REGISTRARS + 7;

fn forge(edit: impl FnOnce(&mut Vec<Sealed>)) -> Copy {
    forging::forge(small(), edit)
}

/// The ledger's own service seals that a record has ended.
fn erasure(log: &[Sealed], owner: [u8; 16], entries: i64) -> Sealed {
    let of = small();
    let key = read_key(&of.home.secrets_folder().join(file::SERVICE)).expect("a key");
    let mut service = Publisher::new("ledger:service", 0, of.home.genesis());
    (service.id, service.key) = (key.public().thumbprint(), key);
    let mut draft = service.draft(&child(0));
    draft.event_type = EventType::parse("subject.erased").expect("a type");
    let owners = Value::Array(vec![Value::from(base64url::encode(&owner).as_str())]);
    let members = [
        ("owners", owners),
        ("entries", Value::Integer(entries)),
        ("scope", Value::from("records")),
        ("authority", Value::from("ods:RX1")),
        ("ground", Value::from("RetentionEnded")),
    ];
    draft.members =
        members.map(|(name, value)| (name.to_owned(), DraftMember::Clear(value))).into_iter().collect();
    let statement: Statement = service.sign(&draft);
    let (last, _) = log.last().expect("entries");
    let entry = Entry { links: Vec::new(), statement: statement.hash(), ..last.clone() };
    let record = VaultRecord {
        publisher: service.id,
        seq: 0,
        event_type: draft.event_type,
        statement: StatementBlob::Open(statement.jws().as_bytes().to_vec()),
        disclosures: Vec::new(),
    };
    (entry, record)
}

#[test]
fn what_an_erasure_ended_is_counted_and_no_fault_and_nothing_else_is_taken_for_it() {
    let of = small();
    let keyring = Keyring::open(&of.home.data(), of.secrets().kek()).expect("opens");
    // Tags are drawn anew for each ledger: a child is taken whose shard has nobody else.
    let tag_of = |number| keyring.tag(&Owner::Person(Pseudonym::parse(&child(number)).expect("a pseudonym")));
    let alone = |tag: &OwnerTag| keyring.owners().filter(|(other, _)| other[0] == tag[0]).count() == 1;
    let (number, tag) =
        (1..7).map(|number| (number, tag_of(number))).find(|(_, tag)| alone(tag)).expect("one of six");
    let shard = format!("keyring/{:02x}", tag[0]);
    let id = keyring.owner(&tag).expect("there").link.name(0);
    let held = keyring.owner(&tag).expect("there");
    let names: Vec<_> = (0..40).map(|n| held.link.name(n)).collect();
    let about = |(entry, _): &&Sealed| entry.links.iter().any(|link| names.contains(&link.name));
    let mut entries = 0;
    let lost = forge(|log| entries = i64::try_from(log.iter().filter(about).count()).expect("few"));
    assert!(entries >= 2);

    lost.remove(&shard);
    assert_finds(&lost, "keys_gone", REGISTRARS + usize::from(number));

    let erased = forge(|log| log.push(erasure(log, id, entries)));
    assert!(erased.fsck().faults.iter().all(|fault| fault.code == "not_erased"));
    erased.remove(&shard);
    let after = erased.fsck();
    assert_eq!(after.verdict(), Verdict::Sound, "{:?}", after.faults);
    assert!(after.counts.statements_unreadable >= 2);
    assert_eq!(after.counts.statements_read + after.counts.statements_unreadable, 41);
    assert!(after.notes.iter().any(|note| note.contains("keys are gone")));

    // One entry more than was erased, an owner whom nobody erased, an owner who never was.
    for (owner, entries, code) in [
        (id, entries - 1, "keys_gone"),
        (id, entries + 1, "not_erased"),
        ([9; 16], entries, "erased_unknown"),
    ] {
        let forged = forge(|log| log.push(erasure(log, owner, entries)));
        forged.remove(&shard);
        assert_finds(&forged, code, 40);
    }
}

/// An erasure ends keys, and leaves in the vault what they opened. So where the links of an owner who is erased are nobody's, whoever
/// takes out what another one could still read is found out all the same.
#[test]
fn behind_an_erasure_no_disclosure_can_be_dropped() {
    let of = small();
    let keyring = Keyring::open(&of.home.data(), of.secrets().kek()).expect("opens");
    let mut about: Option<(OwnerTag, Vec<LinkName>, Vec<LinkName>)> = None;
    let alone = |tag: &OwnerTag| keyring.owners().filter(|(other, _)| other[0] == tag[0]).count() == 1;
    forge(|log| {
        let (entry, record) = &log[DECISION];
        let StatementBlob::Sealed { owner: child, .. } = &record.statement else { panic!("a child's") };
        let linked = |name: &LinkName| entry.links.iter().any(|link| link.name == *name);
        about = keyring.owners().filter(|(tag, _)| alone(tag)).find_map(|(tag, keys)| {
            let names: Vec<_> = (0..40).map(|n| keys.link.name(n)).collect();
            let somebody_else = names.iter().any(linked) && !names.contains(child);
            let of_others = entry.links.iter().map(|link| link.name).filter(|name| !names.contains(name));
            somebody_else.then(|| (*tag, names.clone(), of_others.collect()))
        });
    });
    let (tag, names, of_others) = about.expect("one of five shares its shard with nobody");
    let entries_of = |log: &[Sealed]| {
        let is_about = |entry: &Entry| entry.links.iter().any(|link| names.contains(&link.name));
        i64::try_from(log.iter().filter(|(entry, _)| is_about(entry)).count()).expect("few")
    };
    let erased = |edit: &dyn Fn(&mut VaultRecord)| {
        let copy = forge(|log| {
            log.push(erasure(log, names[0], entries_of(log)));
            edit(&mut log[DECISION].1);
        });
        // Some of its keys are in the journal.
        fold_keys(&copy.data(), &of.secrets());
        copy.remove(&format!("keyring/{:02x}", tag[0]));
        copy
    };
    let report = erased(&|_| {}).fsck();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    assert!(report.counts.disclosures_unreadable > 0);

    let dropped = erased(&|record| {
        let at = record.disclosures.iter().position(|blob| of_others.contains(&blob.owner));
        record.disclosures.remove(at.expect("somebody else's"));
    });
    assert_finds(&dropped, "disclosure_missing", DECISION);
    let dropped = erased(&|record| record.disclosures.retain(|blob| !names.contains(&blob.owner)));
    assert_finds(&dropped, "disclosure_missing", DECISION);
}
