//! The child's identities, and the entries of each.

use gt_core::bundle::{MAX_SUBJECTS, SubjectLinks};
use gt_core::link::{LinkKey, LinkOpening};
use gt_core::statement::{Owner, Pseudonym, Statement};
use gt_core::{LeafIndex, TreeSize};

use super::{Held, MakeBundleError, Subject};
use crate::keyring::{Keyring, OwnerTag};
use crate::open::OpenLedgerError;
use crate::record::OwnerId;
use crate::vault;

/// One identity of the child.
pub(super) struct Followed {
    pub(super) pseudonym: Pseudonym,
    pub(super) id: OwnerId,
    /// The entries in which it has a link, by rising index: number n is the identity's n-th entry.
    pub(super) entries: Vec<LeafIndex>,
    tag: OwnerTag,
    key: LinkKey,
}

/// The child, and every identity to which an `identifier.linked` that can be read leads from it, on and on.
pub(super) fn follow(
    held: &impl Held,
    child: &Subject,
    size: TreeSize,
) -> Result<Vec<Followed>, MakeBundleError> {
    let mut followed = vec![begin(held, child).ok_or(MakeBundleError::UnknownChild)?];
    let mut walked = 0;
    while walked < followed.len() {
        walk(held, size, &mut followed[walked..])?;
        let entries: Vec<LeafIndex> =
            followed[walked..].iter().flat_map(|one| one.entries.iter().copied()).collect();
        walked = followed.len();
        for pseudonym in joined(held, entries)? {
            if followed.iter().any(|one| one.pseudonym == pseudonym) {
                continue;
            }
            // An identity whose keys are gone could not be read.
            let Some(further) = begin(held, &Subject::Pseudonym(pseudonym)) else { continue };
            if followed.len() == MAX_SUBJECTS {
                return Err(MakeBundleError::TooManySubjects);
            }
            followed.push(further);
        }
    }
    if followed[0].entries.is_empty() { Err(MakeBundleError::UnknownChild) } else { Ok(followed) }
}

impl Followed {
    /// The identity's links, opened, and never its key.
    pub(super) fn links(&self) -> SubjectLinks {
        let opening = |(n, index): (u64, &LeafIndex)| LinkOpening {
            n,
            name: self.key.name(n),
            blinding: self.key.blinding(n),
            index: *index,
        };
        SubjectLinks {
            subject: self.pseudonym.clone(),
            links: (0..).zip(&self.entries).map(opening).collect(),
            next: self.key.name(self.entries.len() as u64),
        }
    }
}

fn begin(held: &impl Held, subject: &Subject) -> Option<Followed> {
    held.with_keys(|keyring| {
        let tag = match subject {
            Subject::Pseudonym(pseudonym) => keyring.tag(&Owner::Person(pseudonym.clone())),
            Subject::Owner(id) => held.index().tag_of_id(id.as_bytes())?,
        };
        of_tag(keyring, tag)
    })
}

fn of_tag(keyring: &Keyring, tag: OwnerTag) -> Option<Followed> {
    let keys = keyring.owner(&tag)?;
    let Some(Owner::Person(pseudonym)) = keys.owner() else { return None };
    Some(Followed {
        pseudonym: pseudonym.clone(),
        id: OwnerId::from_bytes(keys.link.name(0)),
        entries: Vec::new(),
        tag,
        key: keys.link.clone(),
    })
}

/// Finds the entries of these identities, as far as the log goes at a size, and sees that each has the link that comes next.
fn walk(held: &impl Held, size: TreeSize, followed: &mut [Followed]) -> Result<(), MakeBundleError> {
    for one in followed {
        let entries = held.index().entries_of(&one.tag)?;
        one.entries = entries.into_iter().filter(|index| size.contains(*index)).collect();
        let mut n = 0;
        held.each_record(&one.entries, |entry, _| {
            let name = one.key.name(n);
            n += 1;
            if entry.links.iter().any(|link| link.name == name) {
                Ok(())
            } else {
                Err(MakeBundleError::LinkOutOfOrder { index: entry.index })
            }
        })?;
    }
    Ok(())
}

/// The identities that the `identifier.linked` among these entries name, as far as they can be read.
fn joined(held: &impl Held, mut entries: Vec<LeafIndex>) -> Result<Vec<Pseudonym>, MakeBundleError> {
    entries.sort_unstable();
    entries.dedup();
    let mut joined = Vec::new();
    held.each_record(&entries, |entry, vault| {
        let index = entry.index;
        if vault::event_type_of(&vault).is_none_or(|found| found.as_str() != "identifier.linked") {
            return Ok(());
        }
        let Some(texts) = held.texts(&entry, &vault)? else { return Ok(()) };
        let disclosures = texts.disclosures.iter().map(|(_, text)| text.as_str());
        let statement = Statement::from_parts(texts.jws.text(), disclosures)
            .map_err(|source| OpenLedgerError::Statement { index, source: Some(source) })?;
        let members = statement.payload().data.members();
        for disclosure in statement.disclosures() {
            let is_identifier = members[disclosure.member_position()].name() == "identifiers";
            let named = disclosure.value().as_object().and_then(|value| value.get("pseudonym")?.as_str());
            let pseudonym = named.filter(|_| is_identifier).map(Pseudonym::parse);
            joined.extend(pseudonym.and_then(Result::ok));
        }
        Ok(())
    })?;
    Ok(joined)
}
