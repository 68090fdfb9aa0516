//! Integrity alerts: kept in a file of their own beside the log, which they cannot be rebuilt from.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use gt_core::base64url;
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use gt_core::{Hash, LeafIndex};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::disk::Disk;
use crate::layout;
use crate::sealer::MAX_BATCH;

/// Something that shows that a key was copied, a system restored from a backup, or worse. A person must look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrityAlert {
    /// Two different statements with one `seq`, both with a valid signature.
    ChainFork {
        /// Whose chain.
        publisher: PublisherId,
        /// The `seq` that both have.
        seq: u64,
        /// Where the first one is sealed.
        sealed: LeafIndex,
        /// The hash of the one that was refused.
        refused: Hash,
    },
    /// The stream of sealed entries holds messages that are no part of the ledger.
    StreamVoid {
        /// The stream's sequence of the first.
        first: u64,
        /// The stream's sequence of the last.
        last: u64,
        /// Why they are none.
        fault: String,
    },
    /// The stream of sealed entries contradicts what this node knows to be sealed. The node has stopped.
    StreamContradiction {
        /// What does.
        reason: String,
    },
    /// What a witness has seen contradicts the log. The ledger has stopped, or not started.
    WitnessContradiction {
        /// What does.
        reason: String,
    },
}

/// The alerts that the registry itself gives rise to, at every reading of the log again: keys that came in by recovery alone, and
/// publishers whose statements are in doubt since some time (DESIGN section 4).
pub(crate) fn of_registry(registry: &Registry) -> Vec<Value> {
    let mut alerts = Vec::new();
    for (id, publisher) in registry.publishers() {
        let about = |pattern: &str, entry: LeafIndex| {
            let anchor = Hash::of_parts(&[
                b"gt/integrity/1\0",
                pattern.as_bytes(),
                id.as_bytes(),
                &entry.0.to_be_bytes(),
            ]);
            serde_json::json!({
                "id": base64url::encode(&anchor.as_bytes()[..16]),
                "pattern": pattern,
                "publisher": id.to_string(),
                "agency": publisher.agency.as_str(),
                "entry": entry.to_string(),
            })
        };
        alerts.extend(publisher.recovered.iter().map(|entry| about("key-by-recovery", *entry)));
        if let Some((entry, Some(since))) = publisher.revoked {
            let mut alert = about("publisher-suspect", entry);
            alert["suspect_from"] = Value::from(since.to_string());
            alerts.push(alert);
        }
    }
    alerts
}

/// The alerts' file.
pub(crate) struct IntegrityLog {
    file: PathBuf,
    kept: Mutex<Kept>,
    raised: broadcast::Sender<Value>,
}

/// What is in the file, to whoever may write to it.
struct Kept {
    disk: Disk,
    ids: HashSet<String>,
    /// The file may end within a line: the power was cut, or the disk was full.
    torn: bool,
}

impl IntegrityAlert {
    /// The pattern's name.
    pub const fn pattern(&self) -> &'static str {
        match self {
            Self::ChainFork { .. } => "chain-fork",
            Self::StreamVoid { .. } => "stream-void",
            Self::StreamContradiction { .. } => "stream-contradiction",
            Self::WitnessContradiction { .. } => "witness-contradiction",
        }
    }

    /// A fork is anchored to the place in the chain: whoever holds a key can sign forks of one place without end, and they are one alert.
    fn id(&self) -> String {
        let domain = b"gt/integrity/1\0".as_slice();
        let anchor = match self {
            Self::ChainFork { publisher, seq, .. } => {
                Hash::of_parts(&[domain, publisher.as_bytes(), &seq.to_be_bytes()])
            }
            Self::StreamVoid { first, .. } => {
                Hash::of_parts(&[domain, self.pattern().as_bytes(), &first.to_be_bytes()])
            }
            Self::StreamContradiction { reason } | Self::WitnessContradiction { reason } => {
                Hash::of_parts(&[domain, self.pattern().as_bytes(), reason.as_bytes()])
            }
        };
        base64url::encode(&anchor.as_bytes()[..16])
    }

    /// Reads a fork that another node has seen. `None` if it is none.
    pub fn fork_from_json(alert: &Value) -> Option<Self> {
        let text = |member: &str| alert.get(member)?.as_str();
        let fork = Self::ChainFork {
            publisher: Hash::parse(text("publisher")?).ok()?,
            seq: text("seq")?.parse().ok()?,
            sealed: LeafIndex(text("sealed")?.parse().ok()?),
            refused: Hash::parse(text("refused")?).ok()?,
        };
        (fork.to_json() == *alert).then_some(fork)
    }

    /// The alert as JSON: texts, by name.
    pub fn to_json(&self) -> Value {
        let mut members = BTreeMap::from([("id", self.id()), ("pattern", self.pattern().to_owned())]);
        match self {
            Self::ChainFork { publisher, seq, sealed, refused } => members.extend([
                ("publisher", publisher.to_string()),
                ("seq", seq.to_string()),
                ("sealed", sealed.to_string()),
                ("refused", refused.to_string()),
            ]),
            Self::StreamVoid { first, last, fault } => members.extend([
                ("first", first.to_string()),
                ("last", last.to_string()),
                ("fault", fault.clone()),
            ]),
            Self::StreamContradiction { reason } | Self::WitnessContradiction { reason } => {
                members.extend([("reason", reason.clone())]);
            }
        }
        serde_json::json!(members)
    }
}

impl IntegrityLog {
    /// Reads what the folder's file has, and appends to it through this.
    pub(crate) fn open(disk: Disk) -> Self {
        let file = disk.root().join(layout::integrity());
        let bytes = fs::read(&file).unwrap_or_default();
        let id = |alert: Value| Some(alert.get("id")?.as_str()?.to_owned());
        let ids = read(&bytes).filter_map(id).collect();
        let torn = bytes.last().is_some_and(|last| *last != b'\n');
        // A batch may be forks throughout, and other nodes are to be told of each.
        let raised = broadcast::Sender::new(MAX_BATCH);
        Self { file, kept: Mutex::new(Kept { disk, ids, torn }), raised }
    }

    /// Tells of each alert as it is raised.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Value> {
        self.raised.subscribe()
    }

    /// The alerts so far, oldest first.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        read(&fs::read(&self.file).unwrap_or_default()).collect()
    }

    /// Logs an alert and keeps it, once, and tells who watches.
    pub(crate) fn raise(&self, alert: &IntegrityAlert) {
        self.raise_all(std::slice::from_ref(alert));
    }

    /// The same for several, with one wait for the disk. When this returns they are kept, or the log says why they are not.
    pub(crate) fn raise_all(&self, alerts: &[IntegrityAlert]) {
        for alert in self.keep_all(alerts) {
            // Nobody may be listening.
            let _ = self.raised.send(alert);
        }
    }

    /// Logs and keeps those that were not known, each once, and returns them.
    pub(crate) fn keep_all(&self, alerts: &[IntegrityAlert]) -> Vec<Value> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids = HashSet::new();
        let mut is_new = |alert: &IntegrityAlert| {
            let id = alert.id();
            !kept.ids.contains(&id) && ids.insert(id)
        };
        let new = alerts.iter().filter(|alert| is_new(alert)).map(IntegrityAlert::to_json);
        let new: Vec<Value> = new.collect();
        if new.is_empty() {
            return new;
        }
        for alert in &new {
            tracing::error!(%alert, "integrity alert");
        }
        match kept.append(&new) {
            Ok(()) => {
                kept.ids.extend(ids);
                new
            }
            Err(error) => {
                tracing::error!(%error, alerts = new.len(), "integrity alerts could not be kept");
                Vec::new()
            }
        }
    }
}

impl Kept {
    fn append(&mut self, alerts: &[Value]) -> io::Result<()> {
        // A line that was torn must not swallow the first of these.
        let mut text = if self.torn { "\n".to_owned() } else { String::new() };
        for alert in alerts {
            text.push_str(&alert.to_string());
            text.push('\n');
        }
        let file = layout::integrity();
        // A crash from here on leaves some of the lines, and perhaps a part of one.
        let appended = self.disk.append(&file, text.as_bytes()).and_then(|()| self.disk.sync(&file));
        self.torn = appended.is_err();
        if self.torn {
            // Its name may not be durable: the next time it is opened, and that is made good.
            self.disk.close(&file);
        }
        appended
    }
}

/// The alerts of a file; a torn line is none.
fn read(bytes: &[u8]) -> impl Iterator<Item = Value> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Change, Recorder};

    #[derive(Default)]
    struct Changes(Mutex<Vec<Change>>);

    impl Recorder for Changes {
        fn record(&self, change: Change) {
            self.0.lock().expect("not poisoned").push(change);
        }
    }

    fn fork(seq: u64, refused: &[u8]) -> IntegrityAlert {
        let (publisher, refused) = (Hash::of(b"publisher"), Hash::of(refused));
        IntegrityAlert::ChainFork { publisher, seq, sealed: LeafIndex(7), refused }
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("state")).expect("made");
        folder
    }

    fn open(folder: &Path) -> IntegrityLog {
        IntegrityLog::open(Disk::new(folder, None))
    }

    fn seqs(log: &IntegrityLog) -> Vec<String> {
        log.alerts().iter().map(|alert| alert["seq"].as_str().expect("a text").to_owned()).collect()
    }

    #[test]
    fn one_place_is_one_alert_and_a_torn_line_swallows_nothing() {
        let folder = folder();
        let log = open(folder.path());
        for refused in [b"one", b"two"] {
            log.raise(&fork(1, refused));
        }
        assert_eq!(log.alerts().len(), 1);
        let kept = IntegrityAlert::fork_from_json(&log.alerts()[0]);
        assert_eq!(kept, Some(fork(1, b"one")));
        let mut other = log.alerts()[0].clone();
        other["seq"] = Value::from("2");
        assert_eq!(IntegrityAlert::fork_from_json(&other), None, "its id is another place's");
        let mut bytes = fs::read(&log.file).expect("readable");
        bytes.extend_from_slice(b"{\"id\":\"torn");
        fs::write(&log.file, &bytes).expect("written");
        let log = open(folder.path());
        log.raise(&fork(1, b"three"));
        log.raise(&fork(2, b"four"));
        assert_eq!(seqs(&log), ["1", "2"]);
    }

    #[test]
    fn many_together_wait_for_the_disk_once_and_are_each_kept_and_told() {
        let (folder, changes) = (folder(), Arc::new(Changes::default()));
        let log = IntegrityLog::open(Disk::new(folder.path(), Some(changes.clone())));
        let mut raised = log.watch();
        log.raise(&fork(0, b"one"));
        let file = layout::integrity();
        let made = std::mem::take(&mut *changes.0.lock().expect("not poisoned"));
        assert!(made.contains(&Change::SyncFolder("state".into())), "its name is durable");
        let last = MAX_BATCH as u64 - 1;
        let mut many: Vec<_> = (0..=last).map(|seq| fork(seq, b"two")).collect();
        many.push(fork(last, b"three"));
        log.raise_all(&many);
        let written = std::mem::take(&mut *changes.0.lock().expect("not poisoned"));
        assert!(
            matches!(&*written, [Change::Append(to, _), Change::SyncFile(synced)] if *to == file && *synced == file),
            "{} changes",
            written.len()
        );
        log.raise_all(&many);
        assert_eq!(changes.0.lock().expect("not poisoned").len(), 0, "they are known");
        let expected: Vec<_> = (0..=last).map(|seq| seq.to_string()).collect();
        for seq in &expected {
            assert_eq!(raised.try_recv().expect("told")["seq"], **seq);
        }
        assert!(raised.try_recv().is_err(), "once each");
        drop(log);
        let log = open(folder.path());
        assert_eq!(seqs(&log), expected);
        assert_eq!(log.keep_all(&[fork(last, b"four"), fork(last + 1, b"four")]).len(), 1);
    }

    #[test]
    fn what_could_not_be_kept_is_kept_the_next_time() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("state"), b"in the way").expect("written");
        let log = open(folder.path());
        let mut raised = log.watch();
        log.raise(&fork(1, b"one"));
        assert!(raised.try_recv().is_err());
        fs::remove_file(folder.path().join("state")).expect("removed");
        log.raise(&fork(1, b"one"));
        assert_eq!((seqs(&log), raised.try_recv().is_ok()), (vec!["1".to_owned()], true));
    }
}
