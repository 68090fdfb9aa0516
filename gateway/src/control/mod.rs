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

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::erasure::{Scope, ground};
use gt_core::statement::Pseudonym;
use gt_ledger::Ledger;
use gt_ledger::erasure::{EraseRequest, ErasureReceipt, Whom};
use gt_ledger::keyring::Confirmed;
use gt_ledger::record::OwnerId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::recorder::ReadingAtRest;

pub(crate) use ask::ask;
pub(crate) use serve::{Control, Recording};

/// The longest line, in bytes.
const MAX_LINE: u64 = 64 * 1024;
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
}

/// Why a request was not carried out: a stable code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Request {
    /// Carries it out; a reading is for the recorder to seal. Blocks.
    pub(crate) fn carry_out(&self, ledger: &Ledger) -> Result<Value, Refused> {
        let io = |error: &dyn std::fmt::Display| Refused::new("refused", error.to_string());
        match self {
            Self::Erase { whom, scope, authority, ground } => {
                let request = erasure(whom, scope, authority, ground)?;
                let done = ledger.erase(&request);
                done.map(|done| receipt(&done)).map_err(|error| Refused::new(error.code(), error.to_string()))
            }
            Self::RotateKek => {
                ledger.rotate_kek().map(|retired| json!({"retired": retired})).map_err(|error| io(&error))
            }
            Self::Confirm { what } => {
                let what = match what.parse() {
                    Ok(index) if what.len() < 16 => Confirmed::Erasure(index),
                    _ => Confirmed::Kek(what.clone()),
                };
                ledger.confirm_destroyed(&what).map(|kek| json!(kek)).map_err(|error| io(&error))
            }
            Self::RecordReading(_) => Err(Refused::new("not_recorded", "nothing here seals who reads")),
            Self::Retired => ledger.retired_keks().map(|keks| json!(keks)).map_err(|error| io(&error)),
        }
    }
}

impl Refused {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

fn erasure(whom: &str, scope: &str, authority: &str, why: &str) -> Result<EraseRequest, Refused> {
    let bad = |what: &str| Refused::new("bad_request", what);
    let whom = match Pseudonym::parse(whom) {
        Ok(pseudonym) => Whom::Pseudonym(pseudonym),
        Err(_) => Whom::Owner(
            OwnerId::parse(whom)
                .ok_or_else(|| bad("--child takes a pseudonym, or an opaque id of 22 characters"))?,
        ),
    };
    Ok(EraseRequest {
        whom,
        scope: Scope::parse(scope).ok_or_else(|| bad("the scope is data or records"))?,
        authority: AgencyCode::parse(authority).map_err(|error| bad(&error.to_string()))?,
        ground: ground(why).ok_or_else(|| bad("no ground of that name"))?,
    })
}

fn receipt(done: &ErasureReceipt) -> Value {
    json!({
        "status": if done.retired.confirmed_at.is_some() { "complete" } else { "pending" },
        "index": done.index.0,
        "owners": done.owners.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "entries": done.entries,
        "scope": done.scope.as_str(),
        "kek": done.kek,
        "retired": done.retired,
        "receipt": base64url::encode(done.receipt.to_string().as_bytes()),
    })
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

/// One line, without its end.
fn read_line(mut from: impl Read) -> io::Result<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while (line.len() as u64) < MAX_LINE && from.read(&mut byte)? == 1 {
        match byte {
            [b'\n'] => return Ok(line),
            [byte] => line.push(byte),
        }
    }
    Err(io::Error::from(io::ErrorKind::UnexpectedEof))
}

#[cfg(test)]
mod tests;
