//! One shard's keys in memory: rows of fixed lengths, so that an owner costs little more than its keys. 104 bytes an owner, 72 for each
//! agency that it is known to, and some 8 for the table by which it is found.

use std::collections::HashMap;

use gt_core::agency::AgencyCode;
use gt_core::base64url;
use gt_core::link::LinkKey;
use gt_core::statement::{Owner, Pseudonym};
use hashbrown::HashTable;

use super::records::{Take, Taken};
use super::{AgencyKeys, OwnerTag};

/// That an owner has no further agency.
const NONE: u32 = u32::MAX;

/// What an owner takes in a file, and what a further agency of one does, in bytes.
const OWNER_IN_FILE: usize = 116;
const AGENCY_IN_FILE: usize = 76;

/// The owners of one shard.
#[derive(Default)]
pub(super) struct Rows {
    owners: Vec<OwnerRow>,
    agencies: Vec<AgencyRow>,
    /// Rows by their tags.
    by_tag: HashTable<u32>,
    codes: Codes,
    schemes: Schemes,
}

struct OwnerRow {
    tag: OwnerTag,
    link: LinkKey,
    who: Who,
    /// Where its agencies begin.
    first: u32,
}

#[derive(Clone, Copy)]
enum Who {
    Person {
        scheme: Scheme,
        hmac: [u8; 32],
    },
    Agency(u16),
    /// What was disclosed about the owner is erased, and its name is gone.
    Ended,
    /// The row is nobody's any more.
    Gone,
}

struct AgencyRow {
    next: u32,
    code: u16,
    keys: AgencyKeys,
}

/// The codes of agencies, each once.
#[derive(Default)]
struct Codes {
    all: Vec<AgencyCode>,
    numbers: HashMap<AgencyCode, u16>,
}

/// The first halves of pseudonyms, `scheme.epoch`, each once. A partnership has few of them, but nothing keeps a publisher from making
/// them up, so there may be as many as there are owners.
#[derive(Default)]
struct Schemes {
    all: Vec<Box<str>>,
    numbers: HashMap<Box<str>, Scheme>,
}

/// The number of a scheme, little-endian. A fourth byte would make every owner's row longer, and is not needed: as many owners as three
/// can count fit into the memory of no machine 256 times.
type Scheme = [u8; 3];

/// What the keyring holds of one owner.
#[derive(Clone, Copy)]
pub struct OwnerKeys<'k> {
    /// The key of its links.
    pub link: &'k LinkKey,
    rows: &'k Rows,
    row: &'k OwnerRow,
}

impl<'k> OwnerKeys<'k> {
    /// Who it is; `None` once what was disclosed about the owner is erased, and only records are left.
    pub fn owner(&self) -> Option<Owner> {
        let owner = match self.row.who {
            Who::Person { scheme, hmac } => {
                let scheme = self.rows.schemes.text(scheme);
                let text = format!("{scheme}:{}", base64url::encode(&hmac));
                Owner::Person(Pseudonym::parse(&text).expect("it was taken from a pseudonym"))
            }
            Who::Agency(code) => Owner::Agency(self.rows.codes.all[usize::from(code)].clone()),
            Who::Ended | Who::Gone => return None,
        };
        Some(owner)
    }

    /// The owner's keys for an agency.
    pub fn agency(&self, agency: &AgencyCode) -> Option<&'k AgencyKeys> {
        let code = *self.rows.codes.numbers.get(agency)?;
        self.rows.agencies_of(self.row).find(|row| row.code == code).map(|row| &row.keys)
    }

    /// Every agency that the owner is known to, and its keys.
    pub(super) fn agencies(&self) -> impl Iterator<Item = (&'k AgencyCode, &'k AgencyKeys)> + use<'k> {
        let rows = self.rows;
        rows.agencies_of(self.row).map(|row| (&rows.codes.all[usize::from(row.code)], &row.keys))
    }

    /// Whether the data keys are destroyed: those that are there open nothing.
    pub const fn is_ended(&self) -> bool {
        matches!(self.row.who, Who::Ended)
    }
}

impl Rows {
    /// With room for what a shard's file of so many bytes holds: rows that grow one by one are moved again and again. What is left over is
    /// given back by [`Self::shrink`].
    pub(super) fn with_room_for(bytes: usize) -> Self {
        Self {
            owners: Vec::with_capacity(bytes / OWNER_IN_FILE),
            agencies: Vec::with_capacity(bytes / AGENCY_IN_FILE),
            ..Self::default()
        }
    }

    pub(super) fn get(&self, tag: &OwnerTag) -> Option<OwnerKeys<'_>> {
        let row = &self.owners[self.find(tag)? as usize];
        Some(OwnerKeys { link: &row.link, rows: self, row })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&OwnerTag, OwnerKeys<'_>)> {
        let rows = self.owners.iter().filter(|row| !matches!(row.who, Who::Gone));
        rows.map(|row| (&row.tag, OwnerKeys { link: &row.link, rows: self, row }))
    }

    /// Takes what a record says; what is held already stays as it is. `None` if it is of an owner who is not held.
    pub(super) fn take(&mut self, says: Taken) -> Option<OwnerTag> {
        match says {
            Taken::Owner { tag, owner, link } => {
                self.owner(tag, owner.as_ref().map(Owner::key_text).as_deref(), link)?;
                Some(tag)
            }
            Taken::Agency { tag, agency, keys } => {
                let owner = self.find(&tag)?;
                self.agency(owner, agency.as_str(), keys)?;
                Some(tag)
            }
        }
    }

    /// Forgets an owner's keys, but for its link key and record keys if these go on under another tag of this shard.
    pub(super) fn forget(&mut self, tag: &OwnerTag, goes_on: Option<OwnerTag>) {
        let Some(owner) = self.find(tag) else { return };
        if let Ok(found) = self.by_tag.find_entry(hash(tag), |row| *row == owner) {
            found.remove();
        }
        let gone = OwnerRow { tag: [0; 32], link: LinkKey::from_bytes([0; 32]), who: Who::Gone, first: NONE };
        let mut held = std::mem::replace(&mut self.owners[owner as usize], gone);
        let mut at = held.first;
        while let Some(row) = self.agencies.get_mut(at as usize) {
            row.keys.data = [0; 32];
            if goes_on.is_none() {
                row.keys.record = [0; 32];
            }
            at = row.next;
        }
        if let Some(new) = goes_on {
            (held.tag, held.who) = (new, Who::Ended);
            self.add(held);
        }
    }

    /// How many owners there are.
    pub(super) fn len(&self) -> usize {
        self.by_tag.len()
    }

    /// Whether the other one holds the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        let same = |held: OwnerKeys<'_>, there: OwnerKeys<'_>| {
            held.link == there.link
                && held.owner() == there.owner()
                && held.agencies().count() == there.agencies().count()
                && held.agencies().all(|(agency, keys)| {
                    let there = there.agency(agency);
                    there.is_some_and(|there| there.data == keys.data && there.record == keys.record)
                })
        };
        self.len() == other.len()
            && self.all().all(|(tag, held)| other.get(tag).is_some_and(|there| same(held, there)))
    }

    /// Gives back what is left over after many were taken.
    pub(super) fn shrink(&mut self) {
        self.owners.shrink_to_fit();
        self.agencies.shrink_to_fit();
        let owners = &self.owners;
        self.by_tag.shrink_to_fit(|row| hash(&owners[*row as usize].tag));
    }

    fn find(&self, tag: &OwnerTag) -> Option<u32> {
        self.by_tag.find(hash(tag), |row| self.owners[*row as usize].tag == *tag).copied()
    }

    fn add(&mut self, row: OwnerRow) -> u32 {
        let (at, hashed) = (place(self.owners.len()), hash(&row.tag));
        push(&mut self.owners, row);
        let owners = &self.owners;
        self.by_tag.insert_unique(hashed, at, |row| hash(&owners[*row as usize].tag));
        at
    }

    fn agencies_of<'k>(&'k self, owner: &OwnerRow) -> impl Iterator<Item = &'k AgencyRow> + use<'k> {
        let mut at = owner.first;
        core::iter::from_fn(move || {
            let row = self.agencies.get(at as usize)?;
            at = row.next;
            Some(row)
        })
    }

    /// Whom a name names, as [`Owner::key_text`] writes it; `None` if that is nobody.
    fn who(&mut self, name: &str) -> Option<Who> {
        if let Some(code) = name.strip_prefix("agency:") {
            return self.codes.number(code).map(Who::Agency);
        }
        let (scheme, hmac) = name.split_once(':')?;
        let scheme = match self.schemes.numbers.get(scheme) {
            Some(known) => *known,
            None => self.schemes.add(Pseudonym::parse(name).ok().map(|_| scheme)?)?,
        };
        Some(Who::Person { scheme, hmac: base64url::decode_public(hmac).ok()? })
    }
}

/// What is held already stays as it is.
impl Take for Rows {
    type Row = u32;

    fn owner(&mut self, tag: OwnerTag, name: Option<&str>, link: LinkKey) -> Option<u32> {
        if let Some(held) = self.find(&tag) {
            return Some(held);
        }
        let who = match name {
            Some(name) => self.who(name)?,
            None => Who::Ended,
        };
        Some(self.add(OwnerRow { tag, link, who, first: NONE }))
    }

    fn held(&mut self, tag: OwnerTag) -> Option<u32> {
        self.find(&tag)
    }

    fn agency(&mut self, owner: u32, code: &str, keys: AgencyKeys) -> Option<()> {
        let code = self.codes.number(code)?;
        let is_known = self.agencies_of(&self.owners[owner as usize]).any(|row| row.code == code);
        if !is_known {
            let first = &mut self.owners[owner as usize].first;
            let row = AgencyRow { next: *first, code, keys };
            *first = place(self.agencies.len());
            push(&mut self.agencies, row);
        }
        Some(())
    }
}

impl Codes {
    /// The number of a code; `None` if it is none.
    fn number(&mut self, code: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(code) {
            return Some(*number);
        }
        let code = AgencyCode::parse(code).ok()?;
        let number = u16::try_from(self.all.len()).expect("fewer than 65,536 agencies are registered");
        self.all.push(code.clone());
        self.numbers.insert(code, number);
        Some(number)
    }
}

impl Schemes {
    /// The number of a new one; `None` if there are too many.
    fn add(&mut self, scheme: &str) -> Option<Scheme> {
        let [number @ .., 0] = u32::try_from(self.all.len()).ok()?.to_le_bytes() else { return None };
        self.all.push(scheme.into());
        self.numbers.insert(scheme.into(), number);
        Some(number)
    }

    fn text(&self, [low, middle, high]: Scheme) -> &str {
        &self.all[u32::from_le_bytes([low, middle, high, 0]) as usize]
    }
}

/// Tags are HMACs, or random: their own bytes are as good as a hash of them. The first one is the shard.
fn hash(tag: &OwnerTag) -> u64 {
    let (_, rest) = tag.split_at(8);
    u64::from_le_bytes(*rest.first_chunk().expect("a tag has 32 bytes"))
}

fn place(len: usize) -> u32 {
    u32::try_from(len).ok().filter(|at| *at != NONE).expect("a shard has fewer than 2^32 - 1 rows")
}

/// Doubling would leave up to half of the keyring's memory empty.
fn push<T>(rows: &mut Vec<T>, row: T) {
    if rows.len() == rows.capacity() {
        rows.reserve_exact((rows.len() / 8).max(16));
    }
    rows.push(row);
}

#[cfg(test)]
mod tests;
