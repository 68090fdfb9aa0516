use std::collections::HashMap;

use gt_core::link::LinkName;
use gt_core::statement::{Disclosure, Owner, Pseudonym, Statement};

use super::statement::{Check, unsound};
use crate::keyring::{Keyring, OwnerTag};
use crate::vault::StatementBlob;

impl Check<'_> {
    /// With every disclosure at hand: the entry's links are those of the statement's owners, each due, and no other; and each blob
    /// names its owner's.
    pub(super) fn owners_exactly(&mut self, statement: &Statement, keyring: &Keyring) {
        let ownership = match statement.ownership() {
            Ok(ownership) => ownership,
            Err(error) => {
                let (code, what) = unsound(&error);
                return self.fault(code, what);
            }
        };
        let record = self.turn.record;
        let due: HashMap<&Owner, Option<LinkName>> =
            ownership.distinct.iter().map(|owner| (owner, self.link_of(&keyring.tag(owner)))).collect();
        if due.values().any(Option::is_none) {
            self.fault("link_missing", "the entry lacks the link that is due of one of its owners");
        }
        if self.turn.entry.links.len() > ownership.distinct.len() {
            self.fault("link_surplus", "the entry has a link of somebody who owns nothing in its statement");
        }
        let named = |owner: &Owner, name: &LinkName| due.get(owner).copied().flatten() == Some(*name);
        let primary = match &record.statement {
            StatementBlob::Sealed { owner, .. } => named(&ownership.primary, owner),
            StatementBlob::Open(_) => true,
        };
        let blobs = record.disclosures.iter().zip(&ownership.of_disclosures);
        if !primary || blobs.into_iter().any(|(blob, owner)| !named(owner, &blob.owner)) {
            self.fault("other_owner", "the statement or a disclosure is kept under another owner's link");
        }
        let members = statement.payload().data.members();
        if statement
            .disclosures()
            .iter()
            .any(|disclosure| members[disclosure.member_position()].name() == "child")
        {
            self.outcome.child = Some(keyring.tag(&ownership.primary));
        }
    }

    /// With some disclosures gone, whose they were is not known; but one that names a person must be that person's.
    pub(super) fn owners_as_named(&mut self, statement: &Statement, keyring: &Keyring) {
        for disclosure in statement.disclosures() {
            let digest = disclosure.digest();
            let Some(blob) = self.turn.record.disclosures.iter().find(|blob| blob.digest == digest) else {
                continue;
            };
            let held = self.context.links.get(&blob.owner).and_then(|tag| keyring.owner(tag));
            if person_named(disclosure)
                .is_some_and(|owner| held.is_none_or(|held| held.owner() != Some(owner.clone())))
            {
                self.fault("other_owner", "a disclosure is kept under another owner's link");
            }
        }
    }

    fn link_of(&self, tag: &OwnerTag) -> Option<LinkName> {
        self.turn.owned.iter().find(|owned| owned.tag == *tag).map(|owned| owned.name)
    }
}

fn person_named(disclosure: &Disclosure) -> Option<Owner> {
    let name = disclosure.value().as_object()?.get("pseudonym")?.as_str()?;
    Pseudonym::parse(name).ok().map(Owner::Person)
}
