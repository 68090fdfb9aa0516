//! Trust policies (C2SP tlog-policy): which logs, which witnesses, and how many of these make a quorum.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::SignedCheckpoint;
use crate::note::{VerifierKey, VerifierKeyError};

/// The longest policy that is read, in bytes.
pub const MAX_POLICY_LEN: usize = 64 * 1024;
/// The most logs, the most witnesses, and the most groups of a policy. C2SP asks for at least 32.
pub const MAX_OF_A_KIND: usize = 64;

/// A policy, as somebody wrote it who decides whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A log that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLog {
    /// One of its keys; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it is.
    pub url: Option<String>,
}

/// A witness. The name has a meaning in its policy only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// What the policy calls it.
    pub name: String,
    /// The key by which it cosigns.
    pub key: VerifierKey,
    /// Where checkpoints are submitted to it: C2SP's submission prefix.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// The position of a witness or of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Whose cosignature makes a checkpoint valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    /// Nobody's is asked for.
    None,
    Of(Member),
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`MAX_POLICY_LEN`].
    #[error("{len} bytes; a policy has at most 65536")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not UTF-8, which is more than C2SP asks for.
    #[error("not UTF-8")]
    NotUtf8,
    /// A line is wrong.
    #[error("line {line}: {fault}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// No line says what makes a quorum.
    #[error("there is no quorum line; 'quorum none' asks for no cosignature")]
    NoQuorum,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// It holds a control character.
    #[error("a control character other than a tab")]
    ControlCharacter,
    /// It begins with none of C2SP's four words.
    #[error("not a log, witness, group or quorum line")]
    UnknownWord,
    /// It has too few or too many items.
    #[error("too few or too many items for such a line")]
    Items,
    /// The key does not read.
    #[error("the key is refused: {0}")]
    Key(VerifierKeyError),
    /// The key is of a type that those who are named here do not sign with.
    #[error("the key is of a type that logs (0x01, 0x06) or witnesses (0x04, 0x06) do not sign with")]
    KeyType,
    /// The same public key stands in an earlier line.
    #[error("the same public key stands in an earlier line")]
    KeyRepeated,
    /// The name is taken, or is `none`.
    #[error("the name is taken, or is none")]
    NameTaken,
    /// The name stands in no earlier line.
    #[error("a name that no earlier line defines")]
    UnknownName,
    /// A member is in two groups, or twice in one.
    #[error("a name that is a member of a group already")]
    MemberRepeated,
    /// The threshold is not `all`, `any` or a number from 1 to the number of members.
    #[error("the threshold is not all, any or a number from 1 to the number of members")]
    Threshold,
    /// A second quorum line.
    #[error("a second quorum line")]
    QuorumRepeated,
    /// More than [`MAX_OF_A_KIND`].
    #[error("more than 64 logs, witnesses or groups")]
    TooMany,
}

/// Why a checkpoint does not satisfy a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// None of the logs that are listed signed it under its origin.
    #[error("none of the policy's logs signed the checkpoint")]
    OtherLog,
    /// A signature that bears a witness's name and id does not verify.
    #[error("the cosignature of the witness {witness} does not verify")]
    BadCosignature {
        /// What the policy calls the witness.
        witness: String,
    },
    /// Too few of the witnesses cosigned.
    #[error("too few witnesses cosigned the checkpoint: {} of those that count towards the quorum", .cosigned.len())]
    NoQuorum {
        /// What the policy calls those that did.
        cosigned: Vec<String>,
    },
}

impl PolicyFault {
    /// The stable code of this fault, as verdicts and test vectors name it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherLog => "policy_other_log",
            Self::BadCosignature { .. } => "cosignature_bad",
            Self::NoQuorum { .. } => "quorum_not_met",
        }
    }
}

impl Policy {
    /// Reads a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_POLICY_LEN {
            return Err(PolicyError::TooLong { len: bytes.len() });
        }
        let text = core::str::from_utf8(bytes).map_err(|_| PolicyError::NotUtf8)?;
        let mut reader = Reader::default();
        for (at, line) in text.split('\n').enumerate() {
            reader.line(line).map_err(|fault| PolicyError::Line { line: at + 1, fault })?;
        }
        let quorum = reader.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(Self { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }

    /// The logs that are accepted. None: whichever log it is, is known from elsewhere.
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The witnesses, whether or not the quorum counts them.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Checks a checkpoint, and tells which witnesses cosigned it. Cosignatures of others are ignored.
    pub fn check(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<&Witness>, PolicyFault> {
        if !self.logs.is_empty() && !self.logs.iter().any(|log| log.signed(checkpoint)) {
            return Err(PolicyFault::OtherLog);
        }
        let mut cosigned = Vec::new();
        let mut by = vec![false; self.witnesses.len()];
        for (position, witness) in self.witnesses.iter().enumerate() {
            match checkpoint.note().is_signed_by(&witness.key) {
                Some(true) => {
                    by[position] = true;
                    cosigned.push(witness);
                }
                Some(false) => return Err(PolicyFault::BadCosignature { witness: witness.name.clone() }),
                None => {}
            }
        }
        let met = match self.quorum {
            Quorum::None => true,
            Quorum::Of(member) => self.witnessed(member, &by),
        };
        if met {
            return Ok(cosigned);
        }
        Err(PolicyFault::NoQuorum { cosigned: cosigned.iter().map(|witness| witness.name.clone()).collect() })
    }

    /// Groups name earlier lines only, so this ends.
    fn witnessed(&self, member: Member, by: &[bool]) -> bool {
        match member {
            Member::Witness(position) => by[position],
            Member::Group(position) => {
                let group = &self.groups[position];
                group.members.iter().filter(|member| self.witnessed(**member, by)).count() >= group.threshold
            }
        }
    }
}

impl PolicyLog {
    fn signed(&self, checkpoint: &SignedCheckpoint) -> bool {
        self.key.name() == checkpoint.checkpoint().origin()
            && checkpoint.note().is_signed_by(&self.key) == Some(true)
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    names: BTreeMap<String, Member>,
    grouped: BTreeSet<String>,
    quorum: Option<Quorum>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), LineFault> {
        if line.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7F) {
            return Err(LineFault::ControlCharacter);
        }
        let items: Vec<&str> = line.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
        match items.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, members @ ..] if !members.is_empty() => {
                self.group(name, threshold, members)
            }
            ["quorum", name] => self.quorum(name),
            ["log" | "witness" | "group" | "quorum", ..] => Err(LineFault::Items),
            _ => Err(LineFault::UnknownWord),
        }
    }

    fn log(&mut self, key: &str, url: Option<&&str>) -> Result<(), LineFault> {
        let key = VerifierKey::parse(key).map_err(LineFault::Key)?;
        if !key.signature_type().is_of_logs() {
            return Err(LineFault::KeyType);
        }
        refuse_repeated(&key, self.logs.iter().map(|log| &log.key))?;
        self.logs.push(PolicyLog { key, url: url.map(|url| (*url).to_owned()) });
        bounded(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&&str>) -> Result<(), LineFault> {
        let key = VerifierKey::parse(key).map_err(LineFault::Key)?;
        if !key.signature_type().is_of_witnesses() {
            return Err(LineFault::KeyType);
        }
        refuse_repeated(&key, self.witnesses.iter().map(|witness| &witness.key))?;
        self.name(name, Member::Witness(self.witnesses.len()))?;
        self.witnesses.push(Witness { name: name.to_owned(), key, url: url.map(|url| (*url).to_owned()) });
        bounded(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), LineFault> {
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => decimal(number).ok_or(LineFault::Threshold)?,
        };
        if !(1..=members.len()).contains(&threshold) {
            return Err(LineFault::Threshold);
        }
        let mut read = Vec::with_capacity(members.len());
        for member in members {
            read.push(*self.names.get(*member).ok_or(LineFault::UnknownName)?);
            // So that no witness counts twice.
            if !self.grouped.insert((*member).to_owned()) {
                return Err(LineFault::MemberRepeated);
            }
        }
        self.name(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members: read });
        bounded(self.groups.len())
    }

    fn quorum(&mut self, name: &str) -> Result<(), LineFault> {
        if self.quorum.is_some() {
            return Err(LineFault::QuorumRepeated);
        }
        let of = match name {
            "none" => Quorum::None,
            name => Quorum::Of(*self.names.get(name).ok_or(LineFault::UnknownName)?),
        };
        self.quorum = Some(of);
        Ok(())
    }

    fn name(&mut self, name: &str, member: Member) -> Result<(), LineFault> {
        if name == "none" || self.names.contains_key(name) {
            return Err(LineFault::NameTaken);
        }
        self.names.insert(name.to_owned(), member);
        Ok(())
    }
}

/// C2SP: the same public key under another name or id is a duplicate all the same.
fn refuse_repeated<'k>(
    key: &VerifierKey,
    earlier: impl IntoIterator<Item = &'k VerifierKey>,
) -> Result<(), LineFault> {
    let repeated = earlier.into_iter().any(|other| other.public_key() == key.public_key());
    if repeated { Err(LineFault::KeyRepeated) } else { Ok(()) }
}

fn bounded(count: usize) -> Result<(), LineFault> {
    if count > MAX_OF_A_KIND { Err(LineFault::TooMany) } else { Ok(()) }
}

fn decimal(text: &str) -> Option<usize> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
