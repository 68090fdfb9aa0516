use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use gt_core::entry::Entry;
use gt_core::link::LinkName;
use rayon::prelude::*;

use super::report::Fault;
use crate::keyring::{Keyring, OwnerKeys, OwnerTag};

/// How far beyond the links that are looked for one looks, in the end, for the rest of an owner's record.
const AHEAD: u64 = 8;
/// How far lost entries can move the search on.
const MAX_REACH: u64 = 512;

/// Which links each owner whose keys live may have in its next entry: the one that is due, and as many after it as entries were lost,
/// and one more, which shows that the one that was due was left out.
pub(super) struct OwnerLinks {
    names: HashMap<LinkName, (OwnerTag, u64), ByFirstBytes>,
    due: HashMap<OwnerTag, u64, ByFirstBytes>,
    lost: u64,
}

/// For maps whose keys are HMACs under keys of the keyring, and so as good as random whatever a log says.
type ByFirstBytes = BuildHasherDefault<FirstBytes>;

#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length, which all keys of a map share.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A link of an entry, with its owner.
pub(super) struct OwnedLink {
    pub(super) name: LinkName,
    pub(super) tag: OwnerTag,
    /// Its number in the owner's record.
    pub(super) n: u64,
    /// The number that was due, if it is another and no entry was lost.
    pub(super) due: Option<u64>,
}

impl OwnerLinks {
    pub(super) fn new(keyring: Option<&Keyring>) -> Self {
        let mut links = Self { names: HashMap::default(), due: HashMap::default(), lost: 0 };
        let reach = links.reach();
        let owners: Vec<_> = keyring.into_iter().flat_map(Keyring::owners).collect();
        let names = |(tag, keys): &(&OwnerTag, OwnerKeys<'_>)| {
            let (tag, key) = (**tag, keys.link.clone());
            (0..=reach).map(move |n| (key.name(n), (tag, n)))
        };
        let names: Vec<_> = owners.par_iter().flat_map_iter(names).collect();
        links.names.extend(names);
        links.due.extend(owners.into_iter().map(|(tag, _)| (*tag, 0)));
        links
    }

    fn reach(&self) -> u64 {
        1 + self.lost
    }

    /// Says that entries were lost, so that an owner's next link may be a later one.
    pub(super) fn lose(&mut self, entries: u64, keyring: &Keyring) {
        let before = self.reach();
        self.lost = (self.lost + entries).min(MAX_REACH);
        for (tag, due) in &self.due {
            let Some(keys) = keyring.owner(tag) else { continue };
            let later = due + before + 1..=due + self.reach();
            self.names.extend(later.map(|n| (keys.link.name(n), (*tag, n))));
        }
    }

    /// Finds the owners of an entry's links, and steps past the entry in their records. An owner has one link in an entry; links of
    /// nobody who is known are left out.
    pub(super) fn take(&mut self, entry: &Entry, keyring: &Keyring) -> Vec<OwnedLink> {
        let mut first: Vec<(OwnerTag, u64, LinkName)> = Vec::with_capacity(entry.links.len());
        for link in &entry.links {
            if let Some((tag, n)) = self.names.get(&link.name) {
                match first.iter_mut().find(|(earlier, ..)| earlier == tag) {
                    Some(earlier) if *n < earlier.1 => *earlier = (*tag, *n, link.name),
                    Some(_) => {}
                    None => first.push((*tag, *n, link.name)),
                }
            }
        }
        let mut owned = Vec::with_capacity(first.len());
        for (tag, n, name) in first {
            let Some(keys) = keyring.owner(&tag) else { continue };
            let due = self.due.insert(tag, n + 1).unwrap_or(0);
            for passed in due..n {
                self.names.remove(&keys.link.name(passed));
            }
            self.names.remove(&name);
            let later = due + self.reach() + 1..=n + 1 + self.reach();
            self.names.extend(later.map(|n| (keys.link.name(n), (tag, n))));
            owned.push(OwnedLink { name, tag, n, due: (due < n && self.lost == 0).then_some(due) });
        }
        owned
    }

    /// Looks for records that go on far behind a link that is in no entry. Returns how many owners have entries.
    pub(super) fn finish(
        &self,
        keyring: &Keyring,
        names: &HashMap<LinkName, u64>,
        faults: &mut Vec<Fault>,
    ) -> u64 {
        let mut owners = 0;
        for (tag, due) in &self.due {
            owners += u64::from(*due > 0);
            let Some(keys) = keyring.owner(tag) else { continue };
            let mut later = due + self.reach() + 1..=due + self.reach() + AHEAD;
            let found = later.find_map(|later| names.get(&keys.link.name(later)).map(|at| (later, at)));
            if let Some((later, at)) = found {
                let what = format!(
                    "one of its links is number {later} of an owner's record, and number {due} was due"
                );
                faults.push(Fault::new(format!("entry {at}"), "link_out_of_order", what));
            }
        }
        owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::keyring::KeyEncryptionKey;
    use gt_core::agency::AgencyCode;
    use gt_core::statement::{Owner, Pseudonym};
    use gt_core::time::Timestamp;
    use gt_core::{Hash, LeafIndex};

    fn keyring() -> (tempfile::TempDir, Keyring, OwnerTag) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut disk = Disk::new(folder.path(), None);
        let mut keyring = Keyring::create(&mut disk, &KeyEncryptionKey::generate()).expect("made");
        let owner =
            Owner::Person(Pseudonym::parse(&format!("nhs.1:{}", "A".repeat(43))).expect("a pseudonym"));
        let tag = keyring.ensure(&owner, &AgencyCode::parse("ods:RX1").expect("a code"), &mut Vec::new());
        (folder, keyring, tag)
    }

    fn entry(keyring: &Keyring, tag: &OwnerTag, numbers: &[u64]) -> Entry {
        let link = |n: &u64| keyring.owner(tag).expect("there").link.link(*n);
        Entry {
            index: LeafIndex(0),
            prev: Hash::ZERO,
            received_at: Timestamp::EPOCH,
            registry: 0,
            links: numbers.iter().map(link).collect(),
            statement: Hash::ZERO,
        }
    }

    #[test]
    fn a_number_left_out_is_told_from_a_lost_entry() {
        let (_folder, keyring, tag) = keyring();
        let taken = |links: &mut OwnerLinks, numbers: &[u64]| -> Vec<(u64, Option<u64>)> {
            links
                .take(&entry(&keyring, &tag, numbers), &keyring)
                .iter()
                .map(|owned| (owned.n, owned.due))
                .collect()
        };
        let mut links = OwnerLinks::new(Some(&keyring));
        assert_eq!(taken(&mut links, &[0]), [(0, None)]);
        assert_eq!(taken(&mut links, &[0]), []);
        assert_eq!(taken(&mut links, &[2]), [(2, Some(1))]);
        assert_eq!(taken(&mut links, &[4, 3]), [(3, None)]);
        links.lose(3, &keyring);
        assert_eq!(taken(&mut links, &[7]), [(7, None)]);
        assert_eq!(taken(&mut links, &[8]), [(8, None)]);
        assert_eq!(taken(&mut links, &[14]), []);
        let names = HashMap::from([(keyring.owner(&tag).expect("there").link.name(14), 77)]);
        let mut faults = Vec::new();
        assert_eq!(links.finish(&keyring, &names, &mut faults), 1);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].place, "entry 77");
    }
}
