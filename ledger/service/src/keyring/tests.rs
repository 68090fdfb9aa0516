use super::*;
use gt_core::statement::Pseudonym;
use std::fs;

fn owner(n: u8) -> Owner {
    let text = format!("nhs.1:{}", base64url::encode(&[n; 32]));
    Owner::Person(Pseudonym::parse(&text).expect("a pseudonym"))
}

fn agency() -> AgencyCode {
    AgencyCode::parse("gss:E06000005").expect("a code")
}

struct Made {
    folder: tempfile::TempDir,
    disk: Disk,
    kek: KeyEncryptionKey,
    keyring: Keyring,
}

fn made(owners: u8) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let mut disk = Disk::new(folder.path(), None);
    let kek = KeyEncryptionKey::generate();
    let mut keyring = Keyring::create(&mut disk, &kek).expect("made");
    let mut new = Vec::new();
    for n in 0..owners {
        keyring.ensure(&owner(n), &agency(), &mut new);
    }
    Keyring::persist(&mut disk, &new).expect("written");
    Made { folder, disk, kek, keyring }
}

fn same(one: &Keyring, other: &Keyring) -> bool {
    one.shards.iter().zip(&other.shards).all(|(one, other)| one.is(other))
}

#[test]
fn keys_come_back_from_the_journal_and_from_the_shards() {
    let mut made = made(40);
    assert!(same(&made.keyring, &Keyring::open(made.folder.path(), &made.kek).expect("opens")));
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    assert_eq!(fs::metadata(made.folder.path().join("keyring/journal")).expect("there").len(), 0);
    assert!(same(&made.keyring, &Keyring::open(made.folder.path(), &made.kek).expect("opens")));
}

#[test]
fn an_owner_gets_its_keys_once() {
    let mut made = made(1);
    let mut new = Vec::new();
    let tag = made.keyring.ensure(&owner(0), &agency(), &mut new);
    assert!(new.is_empty());
    let link = made.keyring.owner(&tag).expect("there").link.clone();
    made.keyring.ensure(&owner(0), &AgencyCode::parse("ods:RX1").expect("a code"), &mut new);
    assert!(!new.is_empty());
    assert_eq!(*made.keyring.owner(&tag).expect("there").link, link);
}

#[test]
fn neither_pseudonyms_nor_keys_are_in_the_files() {
    let mut made = made(3);
    let check = |folder: &Path| {
        for file in fs::read_dir(folder.join("keyring")).expect("a folder") {
            let bytes = fs::read(file.expect("a file").path()).expect("readable");
            for (_, keys) in made.keyring.owners() {
                let found = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
                assert!(
                    !found(keys.owner().expect("named").key_text().as_bytes())
                        && !found(keys.link.as_bytes())
                );
            }
        }
    };
    check(made.folder.path());
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    check(made.folder.path());
}

#[test]
fn another_key_encryption_key_opens_nothing() {
    let made = made(1);
    let other = KeyEncryptionKey::generate();
    assert!(matches!(Keyring::open(made.folder.path(), &other), Err(KeyringError::WrongKey)));
}

#[test]
fn a_torn_journal_loses_its_last_batch_and_a_flipped_byte_is_named() {
    let mut made = made(2);
    let mut new = Vec::new();
    made.keyring.ensure(&owner(9), &agency(), &mut new);
    Keyring::persist(&mut made.disk, &new).expect("written");
    let journal = made.folder.path().join("keyring/journal");
    let whole = fs::read(&journal).expect("readable");
    fs::write(&journal, &whole[..whole.len() - 3]).expect("writable");
    let opened = Keyring::open(made.folder.path(), &made.kek).expect("opens");
    assert_eq!(opened.len(), 2);
    opened.fold_journal(&mut made.disk).expect("folds");
    assert!(made.folder.path().join("keyring/torn").exists());
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    fs::write(&journal, &flipped).expect("writable");
    assert!(matches!(Keyring::open(made.folder.path(), &made.kek), Err(KeyringError::Damaged { at: 0, .. })));
    fs::write(&journal, &whole).expect("writable");
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    let shard = fs::read_dir(made.folder.path().join("keyring"))
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .find(|path| path.file_name().is_some_and(|name| name.len() == 2))
        .expect("a shard");
    let mut bytes = fs::read(&shard).expect("readable");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&shard, bytes).expect("writable");
    assert!(matches!(Keyring::open(made.folder.path(), &made.kek), Err(KeyringError::Damaged { .. })));
}

#[test]
fn a_last_batch_whose_sectors_were_lost_is_torn_and_no_damage() {
    let mut made = made(2);
    let whole = fs::metadata(made.folder.path().join("keyring/journal")).expect("there").len();
    let mut new = Vec::new();
    made.keyring.ensure(&owner(9), &agency(), &mut new);
    Keyring::persist(&mut made.disk, &new).expect("written");
    let journal = made.folder.path().join("keyring/journal");
    let mut bytes = fs::read(&journal).expect("readable");
    bytes[usize::try_from(whole).expect("small")..].fill(0);
    fs::write(&journal, &bytes).expect("writable");
    assert_eq!(Keyring::open(made.folder.path(), &made.kek).expect("opens").len(), 2);
}

/// Owners known to many agencies, and to none of them twice.
fn widely_known(owners: u8, agencies: u32) -> Made {
    let mut made = made(0);
    let mut new = Vec::new();
    for n in 0..owners {
        for agency in 0..agencies {
            let agency = AgencyCode::parse(&format!("gias:{agency}")).expect("a code");
            made.keyring.ensure(&owner(n), &agency, &mut new);
        }
    }
    Keyring::persist(&mut made.disk, &new).expect("written");
    made
}

#[test]
fn shards_whose_records_stand_alone_and_shards_of_packs_open_alike() {
    let mut made = widely_known(30, 5);
    for record in made.keyring.to_records() {
        let (_, wrapped) = Wrapped::split(&record.bytes).next().expect("a record");
        made.disk.append(&shard_file(wrapped.shard.into()), &record.bytes).expect("written");
    }
    made.disk.cut(&journal::file(), 0).expect("emptied");
    let alone = Keyring::open(made.folder.path(), &made.kek).expect("opens");
    assert!(same(&alone, &made.keyring));
    let length = |made: &Made| -> u64 {
        let shards =
            (0..SHARDS).filter_map(|shard| fs::metadata(made.folder.path().join(shard_file(shard))).ok());
        shards.map(|there| there.len()).sum()
    };
    // One more for each owner, so that each one's shard is written anew.
    let (before, mut new) = (length(&made), Vec::new());
    for n in 0..30 {
        made.keyring.ensure(&owner(n), &agency(), &mut new);
    }
    Keyring::persist(&mut made.disk, &new).expect("written");
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    assert!(length(&made) < before, "packs are shorter, though there is more in them");
    assert!(same(&Keyring::open(made.folder.path(), &made.kek).expect("opens"), &made.keyring));
}

#[test]
fn an_owner_known_to_more_agencies_than_a_pack_takes_is_in_several() {
    let mut made = widely_known(2, 300);
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    let file = made.folder.path().join(shard_file(made.keyring.tag(&owner(0))[0].into()));
    assert!(Wrapped::split(&fs::read(file).expect("readable")).count() > 1);
    assert!(same(&Keyring::open(made.folder.path(), &made.kek).expect("opens"), &made.keyring));
}

#[test]
fn a_damaged_pack_is_named_and_one_of_another_shard_is_refused() {
    let mut made = widely_known(1, 300);
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    let shard = usize::from(made.keyring.tag(&owner(0))[0]);
    let file = made.folder.path().join(shard_file(shard));
    let whole = fs::read(&file).expect("readable");
    let second = Wrapped::split(&whole).nth(1).expect("two packs").0;
    let mut flipped = whole.clone();
    flipped[second + 100] ^= 1;
    fs::write(&file, &flipped).expect("writable");
    let named = |error: KeyringError| match error {
        KeyringError::Damaged { file, at } => (file, at),
        other => panic!("{other}"),
    };
    let open = || Keyring::open(made.folder.path(), &made.kek).map(drop).expect_err("it is damaged");
    assert_eq!(named(open()), (shard_file(shard).display().to_string(), second));
    let other = (shard + 1) % SHARDS;
    fs::write(&file, &whole).expect("writable");
    fs::rename(&file, made.folder.path().join(shard_file(other))).expect("renamed");
    assert_eq!(named(open()), (shard_file(other).display().to_string(), 0));
}

#[test]
fn a_short_journal_stays_and_goes_on_after_what_was_torn() {
    let mut made = made(3);
    let journal = made.folder.path().join("keyring/journal");
    let whole = fs::read(&journal).expect("readable");
    fs::write(&journal, [whole.as_slice(), &[0; 9]].concat()).expect("writable");
    let mut opened = Keyring::open(made.folder.path(), &made.kek).expect("opens");
    opened.fold_journal_from(whole.len() + 1, &mut made.disk).expect("sets aside");
    assert_eq!(fs::read(&journal).expect("readable"), whole);
    assert_eq!(fs::read(made.folder.path().join("keyring/torn")).expect("there"), [0; 9]);
    let mut new = Vec::new();
    opened.ensure(&owner(9), &agency(), &mut new);
    Keyring::persist(&mut made.disk, &new).expect("written");
    assert!(same(&Keyring::open(made.folder.path(), &made.kek).expect("opens"), &opened));
    opened.fold_journal_from(whole.len() + 1, &mut made.disk).expect("folds");
    assert_eq!(fs::metadata(&journal).expect("there").len(), 0);
    assert!(same(&Keyring::open(made.folder.path(), &made.kek).expect("opens"), &opened));
}

#[test]
fn folding_loses_nothing_whatever_is_held() {
    let mut made = made(20);
    let journal = fs::read(made.folder.path().join("keyring/journal")).expect("readable");
    made.keyring.fold_journal(&mut made.disk).expect("folds");
    fs::write(made.folder.path().join("keyring/journal"), journal).expect("writable");
    let emptied = Keyring {
        index_key: made.keyring.index_key.clone(),
        shard_keys: made.keyring.shard_keys.clone(),
        shards: empty_shards(),
    };
    emptied.fold_journal(&mut made.disk).expect("folds");
    assert!(same(&Keyring::open(made.folder.path(), &made.kek).expect("opens"), &made.keyring));
}
