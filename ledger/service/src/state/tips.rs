//! The link that each owner's next entry will have, by which an entry that somebody else sealed is known as that owner's.

use std::collections::{HashMap, HashSet};

use gt_core::link::LinkName;
use rayon::prelude::*;

use crate::keyring::{Keyring, OwnerTag};

/// Of so many owners at a time they are worked out, so that little is in memory twice.
const AT_A_TIME: usize = 16_384;

/// Those links of all owners whose keys are there.
pub(super) struct Tips {
    by_name: HashMap<LinkName, OwnerTag>,
    /// Owners whose next link has not been worked out.
    stale: HashSet<OwnerTag>,
}

impl Tips {
    /// Works all of them out, on all cores. `next` says how many entries an owner has.
    pub(super) fn of(keyring: &Keyring, next: impl Fn(&OwnerTag) -> u64 + Sync) -> Self {
        let owners: Vec<_> = keyring.owners().collect();
        let mut by_name = HashMap::with_capacity(owners.len());
        for some in owners.chunks(AT_A_TIME) {
            let named = some.par_iter().map(|(tag, keys)| (keys.link.name(next(tag)), **tag));
            by_name.par_extend(named);
        }
        Self { by_name, stale: HashSet::new() }
    }

    /// The owner's next link is another one now, or its keys have come in.
    pub(super) fn look_again(&mut self, tag: OwnerTag) {
        self.stale.insert(tag);
    }

    pub(super) fn refresh(&mut self, keyring: &Keyring, next: impl Fn(&OwnerTag) -> u64) {
        for tag in self.stale.drain() {
            if let Some(keys) = keyring.owner(&tag) {
                self.by_name.insert(keys.link.name(next(&tag)), tag);
            }
        }
    }

    /// Whose link it is; that owner's next one is then another.
    pub(super) fn take(&mut self, name: &LinkName) -> Option<OwnerTag> {
        self.by_name.remove(name)
    }

    pub(super) fn forget(&mut self, tag: &OwnerTag) {
        self.by_name.retain(|_, owner| owner != tag);
        self.stale.remove(tag);
    }
}
