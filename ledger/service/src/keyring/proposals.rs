use std::collections::HashSet;

/// New keys, wrapped, each under the opaque name by which nodes that share a keyring find that they made the same ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// `o.` and the owner's tag, or `a.` and an HMAC of tag and agency: it says nothing to who lacks the index key.
    pub name: String,
    /// The wrapped record, framed.
    pub bytes: Vec<u8>,
}

/// Key records that are proposed together, each name once.
#[derive(Default)]
pub struct Proposals {
    records: Vec<KeyRecord>,
    names: HashSet<String>,
}

impl Proposals {
    pub(super) fn add(&mut self, name: String, bytes: impl FnOnce() -> Vec<u8>) {
        if self.names.insert(name.clone()) {
            self.records.push(KeyRecord { name, bytes: bytes() });
        }
    }

    /// The records, owners before their agencies' keys.
    pub fn into_records(self) -> Vec<KeyRecord> {
        self.records
    }
}
