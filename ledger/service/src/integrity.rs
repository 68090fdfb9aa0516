//! Integrity alerts: kept in a file of their own beside the log, which they cannot be rebuilt from.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gt_core::base64url;
use gt_core::registry::Registry;
use gt_core::statement::PublisherId;
use gt_core::{Hash, LeafIndex};
use serde_json::Value;
use tokio::sync::broadcast;

use crate::disk::{private, sync_name};
use crate::layout;

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
    known: Mutex<HashSet<String>>,
    raised: broadcast::Sender<Value>,
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
    pub(crate) fn open(root: &Path) -> Self {
        let log = Self {
            file: root.join(layout::integrity()),
            known: Mutex::default(),
            raised: broadcast::Sender::new(64),
        };
        let ids = log.alerts().into_iter().filter_map(|alert| Some(alert.get("id")?.as_str()?.to_owned()));
        log.known.lock().unwrap_or_else(PoisonError::into_inner).extend(ids);
        log
    }

    /// Tells of each alert as it is raised.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Value> {
        self.raised.subscribe()
    }

    /// The alerts so far, oldest first.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let bytes = fs::read(&self.file).unwrap_or_default();
        bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// Logs an alert and keeps it, once, and tells who watches.
    pub(crate) fn raise(&self, alert: &IntegrityAlert) {
        if self.keep(alert) {
            // Nobody may be listening.
            let _ = self.raised.send(alert.to_json());
        }
    }

    /// Logs an alert and keeps it, once; true if it was not known, and is kept.
    pub(crate) fn keep(&self, alert: &IntegrityAlert) -> bool {
        let (id, json) = (alert.id(), alert.to_json());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&id) {
            return false;
        }
        tracing::error!(alert = %json, "integrity alert");
        match self.append(&json.to_string()) {
            Ok(()) => known.insert(id),
            Err(error) => {
                tracing::error!(%error, "the integrity alert could not be kept");
                false
            }
        }
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = private().read(true).append(true).create(true).open(&self.file)?;
        // A line that a power cut tore must not swallow this one.
        let torn = file.seek(SeekFrom::End(0))? > 0 && {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            last != *b"\n"
        };
        let text = if torn { format!("\n{line}\n") } else { format!("{line}\n") };
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        sync_name(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(seq: u64, refused: &[u8]) -> IntegrityAlert {
        let (publisher, refused) = (Hash::of(b"publisher"), Hash::of(refused));
        IntegrityAlert::ChainFork { publisher, seq, sealed: LeafIndex(7), refused }
    }

    #[test]
    fn one_place_is_one_alert_and_a_torn_line_swallows_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("state")).expect("made");
        let log = IntegrityLog::open(folder.path());
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
        let log = IntegrityLog::open(folder.path());
        log.raise(&fork(1, b"three"));
        log.raise(&fork(2, b"four"));
        let seqs: Vec<_> = log.alerts().iter().map(|alert| alert["seq"].clone()).collect();
        assert_eq!(seqs, ["1", "2"]);
    }
}
