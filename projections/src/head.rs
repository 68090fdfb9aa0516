//! Where the views stand: the tree head that they reflect, and what of the log they could not read.

use std::collections::BTreeMap;

use gt_core::position::TreeSize;
use gt_core::time::Timestamp;
use gt_core::{Hash, tree};
use serde::{Deserialize, Serialize};

use crate::notation;

/// The state of the log that an answer reflects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// How many entries the answer takes into account.
    #[serde(serialize_with = "notation::size")]
    pub tree_size: TreeSize,
    /// The root of that tree.
    #[serde(serialize_with = "notation::text")]
    pub root: Hash,
    /// When the last of them was received; none while the log is empty.
    #[serde(serialize_with = "notation::text_or_null")]
    pub received_at: Option<Timestamp>,
}

/// What the views left out, counted. Erased statements and members that agencies keep at home are normal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Statements that can no longer be read, of the types that the views interpret.
    pub statements: u64,
    /// Members of readable statements that could not be read: `child` (the event is left out), `times` (it is listed
    /// by its received time and no pattern sees it), `context` (it is listed in the child's timeline only).
    pub members: BTreeMap<String, u64>,
    /// Statements of types or versions that the views do not interpret, by type. From the 65th type on they are
    /// counted together, under `other`.
    pub types: BTreeMap<String, u64>,
}

impl AsOf {
    /// The empty log.
    pub const EMPTY: Self = Self { tree_size: TreeSize(0), root: tree::EMPTY_ROOT, received_at: None };
}

impl Unread {
    pub(crate) fn count_type(&mut self, event_type: &str) {
        const MOST: usize = 64;
        let known = self.types.contains_key(event_type) || self.types.len() < MOST;
        *self.types.entry(if known { event_type } else { "other" }.to_owned()).or_default() += 1;
    }

    pub(crate) fn count_member(&mut self, name: &str) {
        *self.members.entry(name.to_owned()).or_default() += 1;
    }
}

/// The position's row. The counts stand in it because it is written last: a batch that was torn by a crash has then
/// counted nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) as_of: AsOf,
    pub(crate) unread: Unread,
    /// The entry that sealed the rules in force, if one did.
    pub(crate) rules_from: Option<u64>,
    /// The latest erasure that was sealed when the folding began: everything was read without what it ended.
    pub(crate) erased_at: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct StoredHead {
    tree_size: u64,
    root: String,
    received_at: Option<i64>,
    unread: Unread,
    rules_from: Option<u64>,
    erased_at: Option<u64>,
}

impl Head {
    pub(crate) fn empty() -> Self {
        Self { as_of: AsOf::EMPTY, unread: Unread::default(), rules_from: None, erased_at: None }
    }

    /// JSON, and before it the JSON's hash, so that damage shows.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let stored = StoredHead {
            tree_size: self.as_of.tree_size.0,
            root: self.as_of.root.to_string(),
            received_at: self.as_of.received_at.map(Timestamp::as_millis),
            unread: self.unread.clone(),
            rules_from: self.rules_from,
            erased_at: self.erased_at,
        };
        let json = serde_json::to_vec(&stored).expect("texts and numbers serialise");
        [Hash::of(&json).as_bytes().as_slice(), &json].concat()
    }

    /// `None` if the bytes are damaged.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (hash, json) = bytes.split_first_chunk::<32>()?;
        if Hash::of(json).as_bytes() != hash {
            return None;
        }
        let stored: StoredHead = serde_json::from_slice(json).ok()?;
        let received_at = match stored.received_at {
            Some(millis) => Some(Timestamp::from_millis(millis)?),
            None => None,
        };
        let root = Hash::parse(&stored.root).ok()?;
        Some(Self {
            as_of: AsOf { tree_size: TreeSize(stored.tree_size), root, received_at },
            unread: stored.unread,
            rules_from: stored.rules_from,
            erased_at: stored.erased_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_round_trips_and_damage_shows() {
        let mut head = Head::empty();
        head.as_of =
            AsOf { tree_size: TreeSize(7), root: Hash::of(b"root"), received_at: Timestamp::from_millis(-5) };
        head.unread.count_type("meeting.held");
        head.unread.count_member("times");
        head.rules_from = Some(2);
        head.erased_at = Some(5);
        let bytes = head.encode();
        assert_eq!(Head::decode(&bytes), Some(head));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Head::decode(&damaged), None, "byte {at}");
        }
        assert_eq!(Head::decode(b""), None);
    }

    #[test]
    fn the_number_of_counted_types_is_bounded() {
        let mut unread = Unread::default();
        (0..1000).for_each(|i| unread.count_type(&format!("a{i}.b")));
        assert_eq!(unread.types.len(), 65);
        assert_eq!(unread.types["other"], 936);
    }
}
