//! Evidence of a fork (`docs/FORMATS.md` section 13): two checkpoints under a ledger's keys that no one log can have.
//!
//! Whoever holds such evidence proves with a pin, and with nothing else, that the ledger has signed two histories.

use crate::checkpoint::{Checkpoint, SignedCheckpoint, SignedCheckpointError, VerifyCheckpointError};
use crate::hash::Hash;
use crate::json::{JsonError, Object, Value};
use crate::note::VerifierKey;
use crate::position::TreeSize;
use crate::proof::{ConsistencyError, ConsistencyProof, consistency_text, parse_consistency};
use crate::verify::{Pin, ReceiptFault};

/// The longest evidence that is read, in bytes.
pub const MAX_FORK_LEN: usize = 1 << 20;

const FORMAT: &str = "gt/fork/1";
const MEMBERS: [&str; 4] = ["format", "checkpoints", "other_root", "consistency"];

/// Two signed heads that contradict each other, as somebody put them together: [`Self::verify`] says whether they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkEvidence {
    /// The head of the smaller tree; of two equal sizes, either.
    pub first: SignedCheckpoint,
    /// The other one.
    pub second: SignedCheckpoint,
    /// For a larger second tree, how it began.
    pub beginning: Option<Beginning>,
}

/// How the second tree stood at the first one's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Its root at that size, which is not the first checkpoint's.
    pub root: Hash,
    /// That the tree with this root grew into the second checkpoint's.
    pub proof: ConsistencyProof,
}

/// What evidence that holds has proven: the keys have signed two histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkVerdict {
    /// The ledger's origin.
    pub origin: String,
    /// The head of one history.
    pub first: Checkpoint,
    /// The head of the other.
    pub second: Checkpoint,
    /// The pinned keys that signed the first.
    pub first_signed_by: Vec<VerifierKey>,
    /// The pinned keys that signed the second.
    pub second_signed_by: Vec<VerifierKey>,
    /// The size at which the two histories differ for certain: the first's. They may part before it.
    pub differ_at: TreeSize,
    /// The root that the second history has at that size.
    pub other_root: Hash,
}

/// Why bytes are no evidence of a fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// Longer than [`MAX_FORK_LEN`].
    #[error("{len} bytes; evidence of a fork has at most 1048576")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// Not strict JSON.
    #[error("not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// A member is missing, unknown or not of its form.
    #[error("{member} is missing, unknown or not what it must be")]
    Member {
        /// The member; of an unknown one only that it is.
        member: &'static str,
    },
    /// Another format.
    #[error("the format is not gt/fork/1")]
    Format,
    /// One of the two notes is no signed checkpoint.
    #[error("checkpoint {position} of the two is malformed: {source}")]
    Checkpoint {
        /// Which, from 1.
        position: usize,
        /// Why.
        #[source]
        source: SignedCheckpointError,
    },
    /// The consistency proof is no such text.
    #[error("the consistency proof is malformed")]
    Consistency,
}

/// Why evidence that reads proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkFault {
    /// A checkpoint is not the pinned ledger's.
    #[error("checkpoint {position} of the two is not the pinned ledger's: {source}")]
    Checkpoint {
        /// Which, from 1.
        position: usize,
        /// Why.
        #[source]
        source: VerifyCheckpointError,
    },
    /// The larger tree comes first.
    #[error(
        "the first checkpoint covers {first} entries and the second {second}; the smaller one belongs first"
    )]
    Order {
        /// The first one's size.
        first: TreeSize,
        /// The second one's size.
        second: TreeSize,
    },
    /// The second tree's beginning is there though the sizes are equal, or missing though they differ.
    #[error("other_root and consistency belong there if the sizes differ, and only then")]
    Beginning,
    /// The two checkpoints agree.
    #[error("both checkpoints are of one history")]
    SameHistory,
    /// The proof is about another size than the first checkpoint's.
    #[error("the consistency proof begins at size {found}, and the first checkpoint has {expected}")]
    ProofSize {
        /// The first checkpoint's size.
        expected: TreeSize,
        /// The proof's.
        found: TreeSize,
    },
    /// The proof does not lead from the other root to the second checkpoint.
    #[error("nothing shows that the second checkpoint's tree began with the other root: {0}")]
    NotProven(#[from] ConsistencyError),
}

impl ForkError {
    /// The stable code of this error, as verdicts and test vectors name it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "fork_too_long",
            Self::Json(source) => source.fault.code(),
            Self::Member { .. } => "fork_member",
            Self::Format => "fork_format",
            Self::Checkpoint { source: SignedCheckpointError::Note(_), .. } => "note_malformed",
            Self::Checkpoint { source: SignedCheckpointError::Checkpoint(_), .. } => "checkpoint_malformed",
            Self::Consistency => "consistency_malformed",
        }
    }
}

impl ForkFault {
    /// The stable code of this fault, as verdicts and test vectors name it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Checkpoint { source, .. } => ReceiptFault::Checkpoint(source.clone()).code(),
            Self::Order { .. } => "fork_order",
            Self::Beginning => "fork_beginning",
            Self::SameHistory => "fork_same_history",
            Self::ProofSize { .. } | Self::NotProven(_) => "fork_not_proven",
        }
    }
}

impl ForkEvidence {
    /// Reads evidence; [`Self::verify`] says whether it proves anything.
    pub fn parse(bytes: &[u8]) -> Result<Self, ForkError> {
        if bytes.len() > MAX_FORK_LEN {
            return Err(ForkError::TooLong { len: bytes.len() });
        }
        let json = Value::parse(bytes)?;
        let members = json.as_object().ok_or(ForkError::Member { member: "the evidence" })?;
        let texts = Texts::of(members)?;
        let checkpoint = |position: usize, text: &str| {
            SignedCheckpoint::parse(text.as_bytes())
                .map_err(|source| ForkError::Checkpoint { position, source })
        };
        let (first, second) = (checkpoint(1, texts.first)?, checkpoint(2, texts.second)?);
        let beginning = match texts.beginning {
            None => None,
            Some((root, text)) => {
                let (from, path) = parse_consistency(text).ok_or(ForkError::Consistency)?;
                let proof = ConsistencyProof { from, to: second.checkpoint().size(), path };
                Some(Beginning { root, proof })
            }
        };
        Ok(Self { first, second, beginning })
    }

    /// The evidence as JSON, in one line without a newline.
    pub fn to_json(&self) -> String {
        let checkpoints = [&self.first, &self.second].map(|signed| Value::String(signed.to_string()));
        let (root, proof) = match &self.beginning {
            None => (Value::Null, Value::Null),
            Some(Beginning { root, proof }) => {
                (root.to_string().into(), consistency_text(proof.from, &proof.path).into())
            }
        };
        let values = [FORMAT.into(), Value::Array(checkpoints.into()), root, proof];
        let members: Object = MEMBERS.iter().map(|name| (*name).to_owned()).zip(values).collect();
        Value::Object(members).to_text()
    }

    /// Checks that both checkpoints hold under the pin, and that no log can have both.
    pub fn verify(&self, pin: &Pin) -> Result<ForkVerdict, ForkFault> {
        let signed_by = |position: usize, signed: &SignedCheckpoint| {
            let keys = signed.verify(&pin.origin, &pin.verifier_keys);
            keys.map(|keys| keys.into_iter().cloned().collect())
                .map_err(|source| ForkFault::Checkpoint { position, source })
        };
        let first_signed_by = signed_by(1, &self.first)?;
        let second_signed_by = signed_by(2, &self.second)?;
        let (first, second) = (self.first.checkpoint(), self.second.checkpoint());
        if first.size() > second.size() {
            return Err(ForkFault::Order { first: first.size(), second: second.size() });
        }
        let other_root = match &self.beginning {
            None if first.size() == second.size() => second.root(),
            Some(beginning) if first.size() < second.size() => beginning.root,
            _ => return Err(ForkFault::Beginning),
        };
        if other_root == first.root() {
            return Err(ForkFault::SameHistory);
        }
        if let Some(Beginning { root, proof }) = &self.beginning {
            if proof.from != first.size() {
                return Err(ForkFault::ProofSize { expected: first.size(), found: proof.from });
            }
            proof.verify(root, &second.root())?;
        }
        Ok(ForkVerdict {
            origin: pin.origin.clone(),
            first: first.clone(),
            second: second.clone(),
            first_signed_by,
            second_signed_by,
            differ_at: first.size(),
            other_root,
        })
    }
}

/// The evidence's members, of the right types.
struct Texts<'j> {
    first: &'j str,
    second: &'j str,
    beginning: Option<(Hash, &'j str)>,
}

impl<'j> Texts<'j> {
    fn of(members: &'j Object) -> Result<Self, ForkError> {
        let bad = |member: &'static str| move || ForkError::Member { member };
        let member = |member: &'static str| members.get(member).ok_or(ForkError::Member { member });
        if member("format")?.as_str().ok_or_else(bad("format"))? != FORMAT {
            return Err(ForkError::Format);
        }
        let notes = member("checkpoints")?.as_array().ok_or_else(bad("checkpoints"))?;
        let [Value::String(first), Value::String(second)] = notes else { return Err(bad("checkpoints")()) };
        let root = match member("other_root")? {
            Value::Null => None,
            value => {
                Some(value.as_str().and_then(|text| Hash::parse(text).ok()).ok_or_else(bad("other_root"))?)
            }
        };
        let beginning = match (root, member("consistency")?) {
            (None, Value::Null) => None,
            (Some(root), Value::String(text)) => Some((root, text.as_str())),
            // One without the other says nothing.
            _ => return Err(bad("consistency")()),
        };
        if members.iter().any(|(name, _)| !MEMBERS.contains(&name)) {
            return Err(ForkError::Member { member: "a further member" });
        }
        Ok(Self { first, second, beginning })
    }
}

#[cfg(test)]
mod tests;
