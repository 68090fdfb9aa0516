//! The power goes, or the process is killed, at every change that an erasure or a renewal makes to the data folder and to the key's own
//! folder: it is all there afterwards or none of it, and `subject.erased` is sealed exactly once.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use gt_core::erasure::Scope;
use gt_ledger::Ledger;
use gt_ledger::audit::{Verdict, fsck};
use gt_ledger::clock::SystemClock;
use gt_ledger::disk::Change;
use gt_ledger::keyring::{KekSource, KeyEncryptionKey};
use gt_ledger::secrets::{Secrets, SecretsAt, file};

use crate::partnership::Home;
use crate::scene::{Scene, owner, records, request, secrets_of};
use crate::state_opened::{OpenedState, Traces, index_files};
use crate::surviving_disk::tape::{self, Tape, scratch};
use crate::surviving_disk::{Chance, Survival, SurvivingDisk};

/// What was there before, and what happened.
struct Run {
    home: Home,
    before: SurvivingDisk,
    changes: Vec<Change>,
    /// How many changes opening the folder made.
    opening: usize,
    old_kek: KeyEncryptionKey,
    what: What,
    /// Of child 1.
    traces: Traces,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Erasure(Scope),
    Renewal,
}

fn open_recorded(root: &Path, secrets: &Secrets, tape: &Arc<Tape>) -> Ledger {
    let clock = Box::new(SystemClock::default());
    Ledger::open(&root.join("data"), secrets, clock, Some(tape.of("data"))).expect("opens")
}

fn recorded_secrets(root: &Path, tape: &Arc<Tape>) -> Secrets {
    let folder = root.join("data.secrets");
    let kek = KekSource::file(folder.join(file::KEK)).recorded(tape.of("data.secrets"));
    Secrets::load_at(&SecretsAt { kek: Some(kek), ..SecretsAt::from(&folder) }).expect("sound secrets")
}

/// Children 1 and 2 are one person, and their keys are partly in the journal.
fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.link("identifier.linked", 1, 2, "2026-03-02T09:00:00Z");
    scene.restart();
    scene.note(40, "its keys are in the journal");
    scene
}

fn record(what: What) -> Run {
    record_in(scene(), what)
}

fn record_in(scene: Scene, what: What) -> Run {
    scene.ledger.close();
    let Scene { home, ledger, .. } = scene;
    drop(ledger);
    let (root, tape) = (home.folder.path().to_owned(), Arc::new(Tape::default()));
    let secrets = recorded_secrets(&root, &tape);
    let old_kek = KeyEncryptionKey::from_bytes(secrets.kek().as_bytes());
    let traces = Traces::of(&home.data(), &old_kek, &owner(1), 3);
    assert!(traces.are_all_in(&OpenedState::of(&home.data(), &old_kek).expect("opens")));
    let before = SurvivingDisk::of(&root);
    let ledger = open_recorded(&root, &secrets, &tape);
    let opening = tape.changes().len();
    match what {
        What::Erasure(scope) => drop(ledger.erase(&request(1, scope)).expect("erased")),
        What::Renewal => drop(ledger.rotate_kek().expect("renewed")),
    }
    ledger.close();
    Run { home, before, changes: tape.changes(), opening, old_kek, what, traces }
}

/// What a survivor turned out to be.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Everything,
}

fn found(run: &Run, ledger: &Ledger, secrets: &Secrets) -> Found {
    let renewed = secrets.kek().epoch() != run.old_kek.epoch();
    let known = [1, 2].map(|n| ledger.owner_id(&owner(n)).is_some());
    let erasures = records(ledger).iter().filter(|one| one.event_type.as_str() == "subject.erased").count();
    let listed = ledger.retired_keks().expect("reads");
    assert_eq!(listed.len(), usize::from(renewed), "the old key is listed once another is in force");
    assert!(ledger.owner_id(&owner(3)).is_some() && ledger.owner_id(&owner(40)).is_some());
    match run.what {
        What::Renewal => {
            assert_eq!((known, erasures), ([true; 2], 0));
            if renewed { Found::Everything } else { Found::Nothing }
        }
        What::Erasure(_) => match (known, erasures, renewed) {
            ([false, false], 1, true) => Found::Everything,
            ([true, true], 0, false) => Found::Nothing,
            torn => panic!("torn: {torn:?}"),
        },
    }
}

/// Opens what survived, says what it is, checks it, and seals on.
fn examine(run: &Run, root: &Path, (again, last): (bool, bool)) -> Found {
    let folder = root.join("data.secrets");
    let secrets = secrets_of(&folder);
    let under_old = OpenedState::of(&root.join("data"), &run.old_kek).is_some();
    let clock = || Box::new(SystemClock::default());
    let ledger = Ledger::open(&root.join("data"), &secrets, clock(), None).expect("the survivor opens");
    let secrets = secrets_of(&folder);
    let what = found(run, &ledger, &secrets);
    ledger.close();
    drop(ledger);
    let pin = gt_ledger::audit::read_pin(&run.home.pin).expect("a pin");
    let report = fsck(&root.join("data"), Some(&secrets), Some(&pin));
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    assert!(!root.join("data/keyring/erasure").exists());
    if what == Found::Everything {
        assert!(!folder.join("kek.next").exists());
        let state = OpenedState::of(&root.join("data"), secrets.kek()).expect("opens under the new key");
        match run.what {
            What::Erasure(Scope::Records) => assert!(!run.traces.is_any_in(&state)),
            What::Erasure(Scope::Data) => assert!(!run.traces.is_tag_in(&state)),
            What::Renewal => assert!(run.traces.are_all_in(&state)),
        }
        assert!(OpenedState::of(&root.join("data"), &run.old_kek).is_none());
        assert!(!(last && under_old), "whoever was told that it is done finds nothing under the old key");
    }
    // Whatever it is, it can be done now.
    if let What::Erasure(scope) = run.what
        && again
    {
        let ledger = Ledger::open(&root.join("data"), &secrets, clock(), None).expect("opens again");
        assert_eq!(ledger.erase(&request(1, scope)).is_ok(), what == Found::Nothing);
        assert!(ledger.erase(&request(3, scope)).is_ok());
    }
    what
}

const SURVIVALS: [Survival; 3] = [Survival::None, Survival::All, Survival::Chance];

/// Cuts after each change, with each way of surviving.
fn cut_everywhere(
    run: &Run,
    before: &SurvivingDisk,
    (changes, from): (&[Change], usize),
    ways: &[Survival],
    seed: u64,
) {
    let mut came_to = Vec::new();
    tape::cut_everywhere(before, (changes, from), ways, seed, |root, after, way| {
        let what = examine(run, root, (after % 4 == way, after == changes.len()));
        if after == changes.len() {
            came_to.push(what);
        }
    });
    // Whoever was told that it is done finds it done.
    assert!(came_to.iter().all(|what| *what == Found::Everything), "{came_to:?}");
}

#[test]
fn an_erasure_of_data_is_whole_or_nothing_wherever_the_power_goes() {
    let run = record(What::Erasure(Scope::Data));
    assert!(run.changes.len() - run.opening > 30, "{}", run.changes.len());
    cut_everywhere(&run, &run.before, (&run.changes, run.opening), &SURVIVALS, 1);
}

#[test]
fn an_erasure_of_records_is_whole_or_nothing_wherever_the_power_goes() {
    let run = record(What::Erasure(Scope::Records));
    cut_everywhere(&run, &run.before, (&run.changes, run.opening), &SURVIVALS, 2);
}

#[test]
fn a_renewal_of_the_key_is_whole_or_nothing_wherever_the_power_goes() {
    let run = record(What::Renewal);
    cut_everywhere(&run, &run.before, (&run.changes, run.opening), &SURVIVALS, 3);
}

/// A process is killed in the middle, and the next one, which completes the erasure, loses its power in the middle.
#[test]
fn an_erasure_that_is_being_completed_can_be_interrupted_again() {
    let run = record(What::Erasure(Scope::Data));
    let is_journal =
        |change: &Change| matches!(change, Change::Rename(_, to) if to.ends_with("keyring/erasure"));
    let decided = run.changes.iter().position(is_journal).expect("a journal") + 2;
    let mut disk = run.before.clone();
    run.changes[..decided].iter().for_each(|change| disk.apply(change));
    for kill in (decided..run.changes.len()).step_by(9) {
        let folder = scratch();
        disk.survivor(folder.path(), Survival::All, &mut Chance(kill as u64));
        secrets_of(&folder.path().join("data.secrets"));
        let before = SurvivingDisk::of(folder.path());
        let tape = Arc::new(Tape::default());
        let secrets = recorded_secrets(folder.path(), &tape);
        open_recorded(folder.path(), &secrets, &tape).close();
        let ways = [Survival::None, Survival::Chance];
        cut_everywhere(&run, &before, (&tape.changes(), 0), &ways, kill as u64);
        for change in &run.changes[kill..(kill + 9).min(run.changes.len())] {
            disk.apply(change);
        }
    }
}

/// The folders as a process leaves them that is killed when this name has changed and is not durable yet; and what the disk has of them.
fn killed_at(run: &Run, renamed: &str) -> (tempfile::TempDir, SurvivingDisk) {
    let is_it = |change: &Change| matches!(change, Change::Rename(_, to) if to == Path::new(renamed));
    let kill = run.changes.iter().position(is_it).expect("it is renamed");
    let mut disk = run.before.clone();
    run.changes[..=kill].iter().for_each(|change| disk.apply(change));
    let folder = scratch();
    disk.survivor(folder.path(), Survival::All, &mut Chance(1));
    secrets_of(&folder.path().join("data.secrets"));
    (folder, disk)
}

/// A process is killed there, and the next one, which sees more than the disk has, loses its power at any change. Returns that one's changes.
fn cut_after_a_kill(run: &Run, renamed: &str, then: impl FnOnce(&Ledger)) -> Vec<Change> {
    let (folder, disk) = killed_at(run, renamed);
    let tape = Arc::new(Tape::default());
    let secrets = recorded_secrets(folder.path(), &tape);
    let ledger = open_recorded(folder.path(), &secrets, &tape);
    then(&ledger);
    ledger.close();
    let changes = tape.changes();
    cut_everywhere(run, &disk, (&changes, 0), &[Survival::None, Survival::Chance], 4);
    changes
}

#[test]
fn a_next_key_whose_name_is_not_durable_is_not_relied_on() {
    let run = record(What::Erasure(Scope::Data));
    cut_after_a_kill(&run, "data.secrets/kek.next", |ledger| {
        drop(ledger.erase(&request(1, Scope::Data)).expect("erased"));
    });
}

#[test]
fn shards_are_not_replaced_before_it_is_durable_whose_keys_they_are_under() {
    let run = record(What::Erasure(Scope::Data));
    let changes = cut_after_a_kill(&run, "data/keyring/shards", |_| ());
    let is_named = |change: &Change| *change == Change::SyncFolder("data/keyring".into());
    let is_next = |file: &Path| file.extension().is_some_and(|end| end == "next");
    let replaces = |change: &Change| matches!(change, Change::Rename(from, _) if is_next(from));
    let [durable, gone] = [changes.iter().position(is_named), changes.iter().position(replaces)]
        .map(|at| at.expect("it is done"));
    assert!(durable < gone);
}

/// Else it would be destroyed, and nobody told of the copies that are to be.
#[test]
fn a_key_is_not_destroyed_before_it_is_durably_listed() {
    let mut scene = scene();
    // With keys in the journal an opening that writes that anew would make the list's name durable too.
    scene.restart();
    let run = record_in(scene, What::Renewal);
    cut_after_a_kill(&run, "data/keyring/retired", |_| ());
}

/// As on a full disk: what was derived under the key that was in force does not outlive the erasure.
#[test]
fn what_a_start_cannot_write_anew_is_removed_when_it_completes_an_erasure() {
    let run = record(What::Erasure(Scope::Records));
    let (folder, _) = killed_at(&run, "data/keyring/shards");
    let (data, secrets) = (folder.path().join("data"), folder.path().join("data.secrets"));
    assert!(run.traces.are_all_in(&OpenedState::of(&data, &run.old_kek).expect("opens")));
    let in_the_way = data.join("state/snapshot.new");
    fs::create_dir(&in_the_way).expect("made");
    let clock = Box::new(SystemClock::default());
    let ledger = Ledger::open(&data, &secrets_of(&secrets), clock, None).expect("opens");
    assert_eq!(found(&run, &ledger, &secrets_of(&secrets)), Found::Everything);
    assert!(!data.join("state/snapshot").exists() && index_files(&data).is_empty());
    fs::remove_dir(&in_the_way).expect("removed");
    ledger.close();
    let state = OpenedState::of(&data, secrets_of(&secrets).kek()).expect("written at the stop");
    assert!(!run.traces.is_any_in(&state));
}

/// The new snapshot is in its place, and what the one before knew of is still there.
#[test]
fn blocks_under_the_old_key_do_not_outlive_the_erasure_that_is_completed() {
    let run = record(What::Erasure(Scope::Records));
    let (folder, _) = killed_at(&run, "data/state/snapshot");
    let (data, secrets) = (folder.path().join("data"), folder.path().join("data.secrets"));
    assert_eq!(index_files(&data).len(), 2, "killed before it tidies up");
    let clock = Box::new(SystemClock::default());
    let ledger = Ledger::open(&data, &secrets_of(&secrets), clock, None).expect("opens");
    assert_eq!(found(&run, &ledger, &secrets_of(&secrets)), Found::Everything);
    assert_eq!(index_files(&data).len(), 1);
    assert!(OpenedState::of(&data, secrets_of(&secrets).kek()).is_some());
}
