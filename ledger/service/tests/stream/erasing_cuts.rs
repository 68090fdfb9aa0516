//! A node is killed, or its machine loses power, at every change that another epoch of the key-encryption key makes to its folder and to
//! its key's: the sealer that began it, and a follower. What it left starts, and comes to the same as every other node.

use std::path::Path;
use std::sync::Arc;

use gt_core::erasure::Scope;
use gt_ledger::Ledger;
use gt_ledger::audit::{Verdict, fsck, read_pin};
use gt_ledger::clock::SystemClock;
use gt_ledger::disk::Change;
use gt_ledger::keyring::KekSource;
use gt_ledger::secrets::{Secrets, SecretsAt, file};

use crate::broker::{open, wait_for_size};
use crate::epochs::{Epochs, Site, wait_for_key};
use crate::scene::{owner, records, request, secrets_of};
use crate::state_opened::{OpenedState, Traces};
use crate::surviving_disk::tape::{self, Tape, scratch};
use crate::surviving_disk::{Chance, Survival, SurvivingDisk};

/// What one node's folders went through, and what they must come to.
struct Run {
    epochs: Epochs,
    before: SurvivingDisk,
    changes: Vec<Change>,
    /// How many changes there were before the epoch began.
    opening: usize,
    /// The folder's and the secrets' names.
    names: [String; 2],
    follows: bool,
    next: String,
    size: u64,
    erases: bool,
    /// Of child 1.
    traces: Traces,
}

fn open_recorded(
    epochs: &Epochs,
    root: &Path,
    names: &[String; 2],
    follows: bool,
    tape: &Arc<Tape>,
) -> Ledger {
    let folder = root.join(&names[1]);
    let kek = KekSource::file(folder.join(file::KEK)).recorded(tape.of(&names[1]));
    let at = SecretsAt { kek: Some(kek), ..SecretsAt::from(&folder) };
    let options = epochs.broker.options(epochs.broker.client(), follows);
    let (data, secrets) = (root.join(&names[0]), Secrets::load_at(&at).expect("sound secrets"));
    let clock = Box::new(SystemClock::default());
    Ledger::open_node_recorded(&data, &secrets, clock, &options, Some(tape.of(&names[0]))).expect("opens")
}

/// Records what happens to one of two nodes: the one that asks, or one that follows.
fn record(follows: bool, erases: bool) -> Run {
    let mut epochs = Epochs::new();
    let first = epochs.first();
    let second = epochs.site(&first, true);
    let other = epochs.open(if follows { &first } else { &second });
    // A folder that the follower has from the start.
    if follows {
        epochs.open(&second).close();
    }
    let next = epochs.prepare(&first, &[&first, &second]);
    let site = if follows { &second } else { &first };
    let root = epochs.broker.home.folder.path().to_owned();
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let names = [name(&site.data), name(&site.secrets)];
    let (before, tape) = (SurvivingDisk::of(&root), Arc::new(Tape::default()));
    let traces = Traces::of(&site.data, site.secrets().kek(), &owner(1), 2);
    let node = open_recorded(&epochs, &root, &names, follows, &tape);
    // Keys that the journal has, and a child that the node has read of.
    epochs.note(if follows { &other } else { &node }, 9);
    wait_for_size(&node, node.log().size().0.max(other.log().size().0));
    let opening = tape.changes().len();
    let asked = if follows { &other } else { &node };
    if erases {
        drop(asked.erase(&request(1, Scope::Data)).expect("erased"));
    } else {
        drop(asked.rotate_kek().expect("renewed"));
    }
    let reached = asked.log().size().0;
    wait_for_size(&node, reached);
    wait_for_key(site, &node, &next);
    node.close();
    other.close();
    Run {
        epochs,
        before,
        changes: tape.changes(),
        opening,
        names,
        follows,
        next,
        size: reached,
        erases,
        traces,
    }
}

/// Starts on what survived. It comes to the same, and everything is in order.
fn examine(run: &Run, root: &Path, thoroughly: bool) {
    let site =
        Site { data: root.join(&run.names[0]), secrets: root.join(&run.names[1]), follows: run.follows };
    let options = run.epochs.broker.options(run.epochs.broker.client(), run.follows);
    let node = open(&site.data, &secrets_of(&site.secrets), &options).expect("the survivor opens");
    wait_for_size(&node, run.size);
    wait_for_key(&site, &node, &run.next);
    assert_eq!(node.owner_id(&owner(1)).is_none(), run.erases);
    assert!(node.owner_id(&owner(2)).is_some() && node.owner_id(&owner(9)).is_some());
    let erasures = records(&node).iter().filter(|one| one.event_type.as_str() == "subject.erased").count();
    assert_eq!(erasures, usize::from(run.erases));
    assert_eq!(node.retired_keks().expect("reads").len(), 1);
    assert_eq!(node.integrity_alerts(), [] as [serde_json::Value; 0]);
    node.close();
    drop(node);
    assert!(!site.data.join("keyring/switch").exists() && !site.secrets.join("kek.next").exists());
    let state = OpenedState::of(&site.data, site.secrets().kek()).expect("a snapshot under the next key");
    assert_eq!(run.traces.is_tag_in(&state), !run.erases);
    if thoroughly {
        let pin = read_pin(&run.epochs.broker.home.pin).expect("a pin");
        let report = fsck(&site.data, Some(&site.secrets()), Some(&pin));
        assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.faults);
    }
}

/// Cuts after every change from `from` on.
fn cut_everywhere(run: &Run, before: &SurvivingDisk, changes: &[Change], from: usize, ways: &[Survival]) {
    tape::cut_everywhere(before, (changes, from), ways, 0, |root, after, way| {
        examine(run, root, after % 5 == way);
    });
}

#[test]
fn a_sealer_that_loses_power_anywhere_completes_the_erasure_that_it_began() {
    let run = record(false, true);
    assert!(run.changes.len() - run.opening > 30, "{}", run.changes.len());
    cut_everywhere(&run, &run.before, &run.changes, run.opening, &[Survival::None, Survival::All]);
}

#[test]
fn a_follower_that_loses_power_anywhere_completes_the_erasure() {
    let run = record(true, true);
    assert!(run.changes.len() - run.opening > 30, "{}", run.changes.len());
    cut_everywhere(&run, &run.before, &run.changes, run.opening, &[Survival::Chance, Survival::All]);
}

#[test]
fn a_sealer_that_loses_power_anywhere_completes_the_renewal_that_it_began() {
    let run = record(false, false);
    cut_everywhere(&run, &run.before, &run.changes, run.opening, &[Survival::None]);
}

/// A process is killed in the middle, and the next one, which completes the switch, loses its power in the middle.
#[test]
fn what_completes_a_switch_can_be_interrupted_again() {
    let run = record(true, true);
    let mut disk = run.before.clone();
    run.changes[..run.opening].iter().for_each(|change| disk.apply(change));
    let step = (run.changes.len() - run.opening) / 5;
    for kill in (run.opening + step..run.changes.len()).step_by(step) {
        run.changes[kill - step..kill].iter().for_each(|change| disk.apply(change));
        let folder = scratch();
        disk.survivor(folder.path(), Survival::All, &mut Chance(kill as u64));
        secrets_of(&folder.path().join(&run.names[1]));
        let (before, tape) = (SurvivingDisk::of(folder.path()), Arc::new(Tape::default()));
        let node = open_recorded(&run.epochs, folder.path(), &run.names, true, &tape);
        wait_for_size(&node, run.size);
        node.close();
        let mut at = before;
        for (after, change) in tape.changes().iter().enumerate() {
            at.apply(change);
            if after % 6 == 0 {
                cut_everywhere(&run, &at, &[], 0, &[Survival::Chance]);
            }
        }
    }
}
