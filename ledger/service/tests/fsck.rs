//! What an audit finds in a data folder that was damaged, cut, mixed up or put back, and that it finds nothing in a sound one.

mod fsck_sample;
mod partnership;

use fsck_sample::{
    CHILDREN, Copy, DECISIONS, ENTRIES, OWNERS_OF_A_DECISION, REGISTRARS, files, sample, small, snapshot,
};
use std::error::Error;
use std::fs;

use gt_core::Hash;
use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};
use gt_core::tile::{FULL_WIDTH, TileKind, TilePath, index_path, whole_entries};
use gt_core::verify::Pin;
use gt_ledger::Ledger;
use gt_ledger::audit::{Counts, DataFolder, Fault, Mirror, Report, Verdict, check_log, fsck, read_pin};
use gt_ledger::clock::SystemClock;
use partnership::{Home, ORIGIN, child};

/// Whether a fault names the file, or an entry that it holds.
fn names(report: &Report, file: &str) -> bool {
    let entries = |bundle: u64| bundle * 256..(bundle + 1) * 256;
    let bundle = file.rsplit('/').next().and_then(|name| name.parse().ok()).map(entries);
    let in_keyring = file.starts_with("keyring/");
    report.faults.iter().any(|fault| {
        let at = fault.place.rsplit("entry ").next().and_then(|n| n.parse::<u64>().ok());
        fault.place.starts_with(file)
            || (!in_keyring && at.zip(bundle.clone()).is_some_and(|(at, bundle)| bundle.contains(&at)))
            // Keys that are gone show in what they opened, or in later ones that build on them.
            || (in_keyring && (fault.code == "keys_gone" || fault.place == "keyring/journal"))
    })
}

#[track_caller]
fn assert_found(report: &Report, file: &str, how: &str) {
    assert_eq!(report.verdict(), Verdict::NotSound, "{how}");
    assert!(names(report, file), "{how}: {:?}", report.faults);
}

/// Positions spread over a file, its first and last bytes among them.
fn spread(len: usize, count: usize) -> Vec<usize> {
    let mut positions: Vec<usize> =
        (0..count).map(|n| n * len / count).chain([len.saturating_sub(1)]).collect();
    positions.dedup();
    positions
}

type Audit = fn(&Copy) -> Report;

/// The large ledger with the files of its log and vault, to be audited without keys; the small one with its keyring's.
fn folders() -> [(Copy, Vec<String>, Audit); 2] {
    let (large, small) = (sample().copy(), small().copy());
    let in_keyring = |file: &String| file.starts_with("keyring/");
    let public = files(&large).into_iter().filter(|file| !in_keyring(file)).collect();
    let keyring = files(&small).into_iter().filter(in_keyring).collect();
    [(large, public, Copy::fsck_without_keys), (small, keyring, Copy::fsck)]
}

#[test]
fn a_sound_folder_is_sound_and_stays_as_it_is() {
    let copy = sample().copy();
    let before = snapshot(&copy.data());
    let report = copy.fsck();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    let statements = ENTRIES - REGISTRARS as u64;
    let disclosures = 2 * (statements - DECISIONS) + 13 * DECISIONS;
    let expected = Counts {
        entries: ENTRIES,
        links: (statements - DECISIONS) + OWNERS_OF_A_DECISION * DECISIONS,
        vault_records: ENTRIES,
        registrar_statements: REGISTRARS as u64,
        publishers: 4,
        statements_read: ENTRIES,
        statements_unreadable: 0,
        disclosures_read: disclosures,
        disclosures_unreadable: 0,
        owners: CHILDREN + OWNERS_OF_A_DECISION - 1,
        children: CHILDREN,
    };
    assert_eq!(report.counts, expected);
    assert_eq!(report.size, Some(ENTRIES));
    assert_eq!(report.root, Some(sample().checkpoint().root().to_string()));
    assert!(report.notes.is_empty(), "{:?}", report.notes);
    assert_eq!(copy.fsck_without_keys().verdict(), Verdict::Sound);
    assert_eq!(snapshot(&copy.data()), before);
}

#[test]
fn any_changed_byte_is_found_in_its_place() {
    let mut tried = 0;
    for (copy, files, audit) in folders() {
        for file in &files {
            let bytes = copy.read(file);
            for at in spread(bytes.len(), if file.starts_with("keyring/") { 4 } else { 14 }) {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                copy.write(file, &changed);
                assert_found(&audit(&copy), file, &format!("byte {at} of {file}"));
                tried += 1;
            }
            copy.write(file, &bytes);
        }
        assert_eq!(copy.fsck().verdict(), Verdict::Sound);
    }
    assert!(tried >= 150, "{tried} bytes were tried");
}

#[test]
fn a_missing_a_cut_and_a_longer_file_are_found() {
    for (copy, files, audit) in folders() {
        for file in &files {
            let bytes = copy.read(file);
            copy.remove(file);
            assert_found(&audit(&copy), file, &format!("without {file}"));
            for len in spread(bytes.len(), 3) {
                copy.write(file, &bytes[..len]);
                assert_found(&audit(&copy), file, &format!("{file} cut to {len} of {} bytes", bytes.len()));
            }
            // Whole records of a shard may stand in it twice, after a crash while the journal was folded in.
            for tail in [&b"\0"[..], &bytes[..(bytes.len() - 1).min(400)]] {
                copy.write(file, &[&bytes, tail].concat());
                assert_found(&audit(&copy), file, &format!("{file} with {} more bytes", tail.len()));
            }
            copy.write(file, &bytes);
        }
    }
}

#[test]
fn files_that_change_places_are_found() {
    let kind = |file: &str| match file.split('/').collect::<Vec<_>>()[..] {
        ["tile" | "open", "entries", ..] => "bundle",
        ["tile" | "open", ..] => "tile",
        ["vault", ..] => "vault",
        ["keyring", name] if name.len() == 2 => "shard",
        _ => "the only one of its kind",
    };
    for (copy, files, audit) in folders() {
        let pairs =
            files.iter().enumerate().flat_map(|(at, one)| files[..at].iter().map(move |two| (one, two)));
        let alike: Vec<_> = pairs.filter(|(one, two)| kind(one) == kind(two)).collect();
        assert!(alike.len() >= 10, "there are {} pairs", alike.len());
        for (one, two) in alike.iter().step_by(alike.len().div_ceil(30)) {
            let (first, second) = (copy.read(one), copy.read(two));
            copy.write(one, &second);
            copy.write(two, &first);
            let report = audit(&copy);
            assert_found(&report, one, &format!("{one} and {two}"));
            assert_found(&report, two, &format!("{one} and {two}"));
            copy.write(one, &first);
            copy.write(two, &second);
        }
    }
}

#[test]
fn anybody_finds_what_was_changed_in_the_public_log() {
    let copy = sample().copy();
    let mirror = || Mirror::new(serve(&copy));
    let pin = Some(&sample().pin);
    assert_eq!(check_log(&mirror(), pin, None).verdict(), Verdict::Sound);
    for file in
        files(&copy).iter().filter(|file| !file.starts_with("vault/") && !file.starts_with("keyring/"))
    {
        let bytes = copy.read(file);
        for at in spread(bytes.len(), 3) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            copy.write(file, &changed);
            let report = check_log(&DataFolder::new(&copy.data()), pin, None);
            assert_found(&report, file, &format!("byte {at} of {file}"));
        }
        copy.write(file, &bytes);
    }
    let mut entries = copy.read("tile/entries/001");
    entries[1000] ^= 1;
    copy.write("tile/entries/001", &entries);
    let report = check_log(&mirror(), pin, None);
    assert_found(&report, "tile/entries/001", "over the wire");
    copy.remove("tile/0/000");
    assert_found(&check_log(&mirror(), pin, None), "tile/0/000", "over the wire");
    let down = Mirror::new(|_: &str, _: usize| Err("connection refused".into()));
    assert_eq!(check_log(&down, pin, None).verdict(), Verdict::CouldNotTell);
}

#[test]
fn an_older_checkpoint_is_told_from_damage_and_changes_nothing() {
    for handed_out in [true, false] {
        let copy = sample().copy();
        copy.write("checkpoint", &sample().older);
        if !handed_out {
            copy.remove("state/handed-out");
        }
        let before = snapshot(&copy.data());
        let report = copy.fsck();
        assert_eq!(report.verdict(), Verdict::NotSound);
        let older = |fault: &&Fault| fault.what.contains("older checkpoint was put back");
        assert!(report.faults.iter().all(|fault| older(&fault)), "{:?}", report.faults);
        assert_eq!(report.faults.iter().any(|fault| fault.code == "checkpoint_older"), handed_out);
        for file in ["tile/entries/001", "tile/0/001", "vault/002"] {
            assert!(report.faults.iter().any(|fault| fault.place == file), "{file}: {:?}", report.faults);
        }
        assert_eq!(snapshot(&copy.data()), before);
        let opened = Ledger::open(&copy.data(), &sample().secrets(), Box::new(SystemClock::default()), None);
        assert!(opened.is_err(), "a ledger does not open behind what it handed out");
        let log = |snapshot: Vec<(std::path::PathBuf, std::time::SystemTime, Vec<u8>)>| -> Vec<_> {
            snapshot.into_iter().filter(|(path, ..)| !path.starts_with(copy.data().join("keyring"))).collect()
        };
        assert_eq!(log(snapshot(&copy.data())), log(before), "the log is as it was");
    }
}

/// As a power cut leaves it that came after a receipt and before the name of the checkpoint under it was durable.
#[test]
fn a_checkpoint_that_lies_ready_is_told_of_until_a_start_has_taken_it() {
    let copy = small().copy();
    let ready = |report: &Report| report.notes.iter().any(|note| note.starts_with("checkpoint.new"));
    assert!(!ready(&copy.fsck()), "the one before is nothing to tell of");
    let (newest, before) = (copy.read("checkpoint"), copy.read("checkpoint.new"));
    copy.write("checkpoint", &before);
    copy.write("checkpoint.new", &newest);
    copy.remove("state/handed-out");
    let report = copy.fsck();
    assert!(report.faults.iter().all(|fault| fault.code == "beyond_checkpoint"), "{:?}", report.faults);
    assert_eq!((report.verdict(), ready(&report)), (Verdict::NotSound, true));
    let secrets = small().secrets();
    let ledger = Ledger::open(&copy.data(), &secrets, Box::new(SystemClock::default()), None).expect("opens");
    assert_eq!(ledger.published().checkpoint.to_string().as_bytes(), newest);
    drop(ledger);
    let report = copy.fsck();
    assert!(report.verdict() == Verdict::Sound && !ready(&report), "{report:?}");
}

#[test]
fn what_does_not_belong_is_named() {
    let copy = sample().copy();
    let extra = [
        "tile/000",
        "tile/README",
        "tile/0/000.p",
        "tile/00/000",
        "tile/0/007",
        "tile/1/000",
        "tile/entries/002",
        "tile/entries/0",
        "open/entries/001",
        "open/entries/003",
        "open/2/000",
        "open/old/000",
        "vault/003",
        "vault/x001/000",
        "vault/000.bak",
        "keyring/ff.new",
        "keyring/FF",
        "keyring/notes",
    ];
    for file in extra {
        copy.write(file, b"extra");
        for report in [copy.fsck_without_keys(), copy.fsck()] {
            assert_eq!(report.verdict(), Verdict::NotSound, "{file}");
            let named = |fault: &Fault| file.starts_with(&fault.place);
            assert!(report.faults.iter().any(named), "{file}: {:?}", report.faults);
        }
        copy.remove(file);
    }
}

#[test]
fn another_ledgers_pin_does_not_fit_and_without_one_nothing_is_said() {
    let copy = sample().copy();
    let pin = &sample().pin;
    let other = read_pin(&Home::new().pin).expect("a pin");
    let secrets = sample().secrets();
    let codes = |pin: Option<&Pin>| -> (Verdict, Vec<&'static str>) {
        let report = fsck(&copy.data(), Some(&secrets), pin);
        (report.verdict(), report.faults.iter().map(|fault| fault.code).collect())
    };
    assert_eq!(codes(None), (Verdict::CouldNotTell, vec![]));
    assert_eq!(codes(Some(&Pin { genesis: None, ..pin.clone() })), (Verdict::CouldNotTell, vec![]));
    let keys = Pin { verifier_keys: other.verifier_keys.clone(), ..pin.clone() };
    assert_eq!(codes(Some(&keys)), (Verdict::NotSound, vec!["checkpoint_signature"]));
    let origin = Pin { origin: "ledger.example/other".to_owned(), ..pin.clone() };
    assert_eq!(codes(Some(&origin)), (Verdict::NotSound, vec!["checkpoint_signature"]));
    let genesis = Pin { genesis: other.genesis, ..pin.clone() };
    assert_eq!(codes(Some(&genesis)), (Verdict::NotSound, vec!["other_genesis"]));
}

#[test]
fn another_history_under_the_right_key_is_found() {
    let other = Home::new();
    let ledger = other.open();
    let mut council = other.register(&ledger, "gss:E06000005", 1);
    for n in 0..9 {
        ledger.seal_blocking(council.next(&child(n)).to_compact().as_bytes()).expect("sealed");
    }
    let forked = ledger.published().checkpoint.checkpoint().clone();
    ledger.close();
    drop(ledger);
    // Its own keys' signature is replaced by the pinned ledger's.
    let signer = sample().secrets().log_signer().expect("a signer");
    let resigned = signer.sign(forked.clone()).expect("signed");
    fs::write(other.data().join("checkpoint"), resigned.to_string()).expect("written");
    let report = check_log(&DataFolder::new(&other.data()), Some(&sample().pin), None);
    let codes: Vec<_> = report.faults.iter().map(|fault| fault.code).collect();
    assert_eq!((report.verdict(), codes), (Verdict::NotSound, vec!["other_genesis"]));

    let copy = sample().copy();
    let folder = DataFolder::new(&copy.data());
    let check = |known: &Checkpoint| {
        let report = check_log(&folder, Some(&sample().pin), Some(known));
        (report.verdict(), report.faults.iter().map(|fault| fault.code).collect::<Vec<_>>())
    };
    assert_eq!(check(&forked), (Verdict::NotSound, vec!["other_root"]));
    let older = SignedCheckpoint::parse(&sample().older).expect("a checkpoint");
    assert_eq!(check(older.checkpoint()), (Verdict::Sound, vec![]));
    assert_eq!(check(&sample().checkpoint()), (Verdict::Sound, vec![]));
    copy.write("checkpoint", &sample().older);
    assert_eq!(check(&sample().checkpoint()).0, Verdict::NotSound);
}

#[test]
fn a_running_ledgers_folder_is_checked_up_to_its_checkpoint() {
    let home = Home::new();
    let ledger = home.open();
    let mut council = home.register(&ledger, "gss:E06000005", 1);
    ledger.seal_blocking(council.next(&child(1)).to_compact().as_bytes()).expect("sealed");
    let pin = read_pin(&home.pin).expect("a pin");
    let report = fsck(&home.data(), Some(&home.secrets()), Some(&pin));
    assert_eq!((report.verdict(), report.counts.statements_read), (Verdict::Sound, 5), "{:?}", report.faults);
    assert!(report.notes.iter().any(|note| note.starts_with("a ledger is running")));
    // What it would be writing beyond the checkpoint.
    let vault = home.data().join("vault/000");
    let sound = fs::read(&vault).expect("there");
    fs::write(&vault, [&sound[..], &sound[..99]].concat()).expect("written");
    assert_eq!(fsck(&home.data(), Some(&home.secrets()), Some(&pin)).verdict(), Verdict::Sound);
    ledger.close();
    drop(ledger);
    let report = fsck(&home.data(), Some(&home.secrets()), Some(&pin));
    assert_found(&report, "vault/000", "once nobody is writing");
}

#[test]
fn no_bytes_make_an_audit_panic() {
    let copy = small().copy();
    let mut noise = Hash::of(b"noise");
    for file in files(&copy) {
        let bytes = copy.read(&file);
        let random: Vec<u8> = (0..bytes.len().div_ceil(32))
            .flat_map(|_| {
                noise = Hash::of(noise.as_bytes());
                *noise.as_bytes()
            })
            .collect();
        copy.write(&file, &random);
        assert_eq!(copy.fsck().verdict(), Verdict::NotSound, "{file}");
        copy.write(&file, &bytes);
    }
}

#[test]
fn a_checkpoint_that_claims_too_much_is_not_followed() {
    let copy = small().copy();
    let signed = String::from_utf8(copy.read("checkpoint")).expect("text");
    let signatures = signed.split_once("\n\n").expect("a note").1;
    let claim = format!("{ORIGIN}\n9223372036854775807\n{}=\n\n{signatures}", "A".repeat(43));
    copy.write("checkpoint", claim.as_bytes());
    let report = copy.fsck();
    assert_eq!(report.verdict(), Verdict::NotSound);
    assert!(report.faults.iter().any(|fault| fault.code == "checkpoint_signature"));
    assert!(report.notes.iter().any(|note| note.contains("so many are missing")), "{:?}", report.notes);
}

/// A fetcher that serves a copy's log as C2SP tlog-tiles has it.
fn serve(copy: &Copy) -> impl Fn(&str, usize) -> Result<Option<Vec<u8>>, Box<dyn Error + Send + Sync>> {
    let root = copy.data();
    move |path, _limit| {
        if path == "checkpoint" {
            return Ok(Some(fs::read(root.join(path))?));
        }
        let tile = TilePath::parse(path)?;
        let row = match tile.kind() {
            TileKind::Entries => "entries".to_owned(),
            TileKind::Hashes { level } => level.to_string(),
        };
        let read = |top: &str| fs::read(root.join(top).join(&row).join(index_path(tile.index()))).ok();
        if tile.width() == FULL_WIDTH {
            return Ok(read("tile"));
        }
        let width = usize::from(tile.width());
        let end = |bytes: &[u8]| match tile.kind() {
            TileKind::Hashes { .. } => 32 * width,
            TileKind::Entries => {
                let whole = whole_entries(bytes).expect("entries");
                whole.entries[..width].iter().map(|entry| entry.len() + 2).sum()
            }
        };
        Ok(read("open").map(|bytes| bytes[..end(&bytes)].to_vec()))
    }
}
