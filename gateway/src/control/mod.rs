//! How the machine's operator speaks to a running ledger: over a socket in the data folder, `state/control`.
//!
//! Renewing the key-encryption key and erasing are the operator's, as opening the folder itself is. Whoever can connect to this socket
//! can read and write the folder anyway: the operating system lets in nobody else (the folder is 0700, the socket 0600). So no token
//! is needed, nothing listens on the network, and an answer says that it is done. A signal could say neither what nor whether.
//!
//! One request a connection: one line of JSON, and one line comes back.

mod ask;
mod serve;

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use gt_core::LeafIndex;
use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::erasure::{Scope, ground};
use gt_core::statement::Pseudonym;
use gt_core::time::Timestamp;
use gt_ledger::Ledger;
use gt_ledger::erasure::{EraseRequest, ErasureReceipt, Whom};
use gt_ledger::jetstream::NodeState;
use gt_ledger::keyring::{ConfirmError, Confirmed, RetiredKek};
use gt_ledger::record::OwnerId;
use gt_projections::Queries;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::retention::{self, Run};

use crate::access::recorder::ReadingAtRest;

pub(crate) use ask::ask;
pub(crate) use serve::{Control, Recording};

/// The longest request, in bytes.
const MAX_REQUEST: u64 = 64 * 1024;
/// The longest answer, in bytes: a list of ten thousand people.
const MAX_ANSWER: u64 = 256 << 20;
/// Longer paths do not fit into the address of a socket everywhere.
const MAX_PATH: usize = 100;

/// What is asked of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Request {
    /// Erase somebody.
    Erase {
        /// A pseudonym or an opaque id.
        whom: String,
        scope: String,
        authority: String,
        ground: String,
    },
    /// Put another key-encryption key in force.
    RotateKek,
    /// Note that the copies of a retired key are destroyed.
    Confirm {
        /// Its fingerprint, or the entry of its erasure.
        what: String,
    },
    /// List the retired keys.
    Retired,
    /// Seal that a bundle is made out of the folder.
    RecordReading(ReadingAtRest),
    /// List what is due to end by the rules of retention.
    RetentionDue {
        /// At what time.
        at: String,
        /// The most people.
        limit: usize,
        /// Where an earlier list ended.
        cursor: Option<String>,
    },
    /// End what is due.
    RetentionRun {
        /// Up to when periods must have ended; this machine's time if nothing is said.
        at: Option<String>,
        authority: String,
        /// The most people.
        limit: usize,
    },
}

/// Why a request was not carried out: a stable code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Request {
    /// Whether the views are asked.
    pub(crate) const fn asks_views(&self) -> bool {
        matches!(self, Self::RetentionDue { .. } | Self::RetentionRun { .. })
    }

    /// Whether something is erased, so that views from before hold what was derived from it.
    pub(crate) const fn erases(&self) -> bool {
        matches!(self, Self::Erase { .. } | Self::RetentionRun { .. })
    }

    /// Carries it out; a reading is for the recorder to seal. Blocks. What asks the views takes views that stand where the log does.
    pub(crate) fn carry_out(&self, ledger: &Ledger, views: Option<&Queries>) -> Result<Value, Refused> {
        let io = |error: &dyn std::fmt::Display| Refused::new("refused", error.to_string());
        match self {
            Self::Erase { whom, scope, authority, ground } => {
                let request = erasure(whom, scope, authority, ground)?;
                let done = ledger.erase(&request);
                done.map(|done| receipt(&done)).map_err(|error| Refused::new(error.code(), error.to_string()))
            }
            Self::RotateKek => ledger
                .rotate_kek()
                .map(|retired| json!({"retired": shown(&retired)}))
                .map_err(|error| io(&error)),
            Self::Confirm { what } => {
                ledger.confirm_destroyed(&confirmed(what)).map(|kek| shown(&kek)).map_err(|error| io(&error))
            }
            Self::Retired => retired(ledger).map_err(|error| io(&error)),
            Self::RetentionDue { at, limit, cursor } => {
                let views = views.ok_or_else(no_views)?;
                let due = retention::due(ledger, views, time(at)?, *limit, cursor.clone());
                due.map_err(|error| io(&crate::problem::chain(&error)))
            }
            Self::RetentionRun { at, authority, limit } => {
                let run = Run {
                    authority: agency(authority)?,
                    at: at.as_deref().map_or_else(|| Ok(retention::now()), time)?,
                    limit: *limit,
                };
                let ended = retention::run(ledger, views.ok_or_else(no_views)?, &run);
                ended.map_err(|error| Refused::new(error.code(), error.to_string()))
            }
            Self::RecordReading(_) => Err(Refused::new("not_recorded", "nothing here seals who reads")),
        }
    }
}

impl Refused {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// Reads what is to be erased. What it says of a fault repeats nothing of it.
pub(crate) fn erasure(whom: &str, scope: &str, authority: &str, why: &str) -> Result<EraseRequest, Refused> {
    let bad = |what: &str| Refused::new("bad_request", what);
    let whom = match Pseudonym::parse(whom) {
        Ok(pseudonym) => Whom::Pseudonym(pseudonym),
        Err(_) => Whom::Owner(
            OwnerId::parse(whom)
                .ok_or_else(|| bad("the child is named by a pseudonym, or an opaque id of 22 characters"))?,
        ),
    };
    Ok(EraseRequest {
        whom,
        scope: Scope::parse(scope).ok_or_else(|| bad("the scope is data or records"))?,
        authority: agency(authority)?,
        ground: ground(why).ok_or_else(|| bad("no ground of that name"))?,
        known: None,
    })
}

fn agency(code: &str) -> Result<AgencyCode, Refused> {
    AgencyCode::parse(code).map_err(|error| Refused::new("bad_request", error.to_string()))
}

fn time(text: &str) -> Result<Timestamp, Refused> {
    Timestamp::parse(text).map_err(|error| Refused::new("bad_request", error.to_string()))
}

fn no_views() -> Refused {
    Refused::new("no_views", "this asks the views, and there are none here")
}

/// What an erasure has come to, for whoever asked: over the socket, over HTTP, or at the folder.
pub(crate) fn receipt(done: &ErasureReceipt) -> Value {
    json!({
        "status": if done.retired.confirmed_at.is_some() { "complete" } else { "pending" },
        "index": done.index.0,
        "owners": done.owners.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "entries": done.entries,
        "scope": done.scope.as_str(),
        "kek": done.kek,
        "retired": shown(&done.retired),
        "receipt": base64url::encode(done.receipt.to_string().as_bytes()),
    })
}

/// What is confirmed: the copies of the key of this fingerprint, or of the key that was retired for the erasure in this entry.
pub(crate) fn confirmed(what: &str) -> Confirmed {
    match what.parse() {
        Ok(index) if what.len() < 16 => Confirmed::Erasure(index),
        _ => Confirmed::Kek(what.to_owned()),
    }
}

/// The retired keys, oldest first, each with the erasure for which it was retired, as its entry says it.
pub(crate) fn retired(ledger: &Ledger) -> Result<Value, ConfirmError> {
    let (keks, nodes) = ledger.retired_keks_and_nodes()?;
    let listed = |kek: RetiredKek| {
        let erased = kek.erasure.and_then(|index| sealed(ledger, index));
        let pending = nodes.as_ref().map(|nodes| pending_nodes(&kek, nodes));
        let waits = pending.as_ref().is_some_and(|pending| !pending.is_empty());
        let status = if kek.confirmed_at.is_some() && !waits { "complete" } else { "pending" };
        let mut one = shown(&kek);
        (one["status"], one["erased"]) = (json!(status), json!(erased));
        one["pending_nodes"] = json!(pending);
        one
    };
    Ok(keks.into_iter().map(listed).collect())
}

/// A retired key for people, to whom the number of an epoch says nothing.
pub(crate) fn shown(kek: &RetiredKek) -> Value {
    let RetiredKek { kek, retired_at, erasure, confirmed_at, .. } = kek;
    json!({"kek": kek, "retired_at": retired_at, "erasure": erasure, "confirmed_at": confirmed_at})
}

/// The nodes that are still waited for.
fn pending_nodes(kek: &RetiredKek, nodes: &[NodeState]) -> Vec<Value> {
    let pending = nodes.iter().filter(|node| kek.is_pending_at(node));
    pending.map(|node| json!({"node": node.node, "name": node.name})).collect()
}

/// What a `subject.erased` says; none if it cannot be read.
pub(crate) fn sealed(ledger: &Ledger, index: u64) -> Option<Map<String, Value>> {
    let records = ledger.records(LeafIndex(index), 1).ok()?;
    let record = records.into_iter().next()?;
    let is_erasure = record.event_type.as_str() == gt_core::erasure::TYPE;
    record.statement.filter(|_| is_erasure).map(|statement| statement.clear)
}

/// The socket's address. A long path is reached through the folder's own descriptor, which must be held as long as the address is used.
fn address(data: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let folder = data.join("state");
    let path = folder.join("control");
    if path.as_os_str().len() <= MAX_PATH {
        return Ok((path, None));
    }
    let folder = File::open(folder)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/control", folder.as_raw_fd())), Some(folder)))
}

/// One line of at most so many bytes, without its end.
fn read_line(mut from: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while (line.len() as u64) < most && from.read(&mut byte)? == 1 {
        match byte {
            [b'\n'] => return Ok(line),
            [byte] => line.push(byte),
        }
    }
    Err(io::Error::from(io::ErrorKind::UnexpectedEof))
}

#[cfg(test)]
mod tests;
