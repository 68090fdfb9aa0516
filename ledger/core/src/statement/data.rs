use core::fmt;
use core::ops::Range;
use std::sync::Arc;

use super::error::StatementError;
use crate::agency::AgencyCode;
use crate::hash::Hash;
use crate::json::{Document, Lent, Members, ValueRef};

/// The disclosable members that are lists of people, one element per person. Every other one has exactly one element.
pub const MANY_ELEMENTS: [&str; 3] = ["others", "recipient_names", "identifiers"];

/// The members that name an owner and so cannot be kept at home.
pub const NEVER_KEPT: [&str; 6] = ["child", "others", "practitioner", "authoriser", "person", "identifiers"];

/// The event: members in the clear, and the digests of disclosable ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// An object.
    clear: Document,
    members: Vec<DisclosableMember>,
    kept: Vec<String>,
}

/// A disclosable member: its name, and a digest per element.
#[derive(Clone)]
pub struct DisclosableMember {
    /// The names of all members, among them this one's: one piece of memory for a statement's.
    names: Arc<str>,
    name: Range<usize>,
    digests: Digests,
}

/// Most members have one element.
#[derive(Clone)]
enum Digests {
    One(Hash),
    /// Any other number of them.
    Many(Vec<Hash>),
}

impl DisclosableMember {
    /// The member's name.
    pub fn name(&self) -> &str {
        &self.names[self.name.clone()]
    }

    /// The digests of its elements, in order.
    pub fn digests(&self) -> &[Hash] {
        match &self.digests {
            Digests::One(digest) => core::slice::from_ref(digest),
            Digests::Many(digests) => digests,
        }
    }
}

/// Where its name stands among those of the others does not matter.
impl PartialEq for DisclosableMember {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.digests() == other.digests()
    }
}

impl Eq for DisclosableMember {}

impl fmt::Debug for DisclosableMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digests = self.digests();
        f.debug_struct("DisclosableMember").field("name", &self.name()).field("digests", &digests).finish()
    }
}

impl Data {
    /// The members in the clear, without `kept`.
    pub fn clear(&self) -> Members<'_> {
        self.clear.root().as_object().expect("it was made of members")
    }

    /// The disclosable members in the payload's order.
    pub fn members(&self) -> &[DisclosableMember] {
        &self.members
    }

    /// The names of the members whose disclosures the publisher keeps at home.
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    /// Whether the publisher keeps this member's disclosure at home.
    pub fn is_kept(&self, member: &str) -> bool {
        self.kept.iter().any(|name| name == member)
    }

    /// Where a digest stands: the member's position and the element's.
    pub fn find(&self, digest: &Hash) -> Option<(usize, usize)> {
        self.members.iter().enumerate().find_map(|(position, member)| {
            member.digests().iter().position(|d| d == digest).map(|element| (position, element))
        })
    }

    /// Reads the payload's `data`. The ledger's own types (`ledgers_own`) have schemas of their own and no disclosures.
    pub(super) fn read(data: Members<'_>, ledgers_own: bool) -> Result<Self, StatementError> {
        let mut reading = Reading::of(data, ledgers_own);
        let first_fault = data.iter().try_for_each(|(name, value)| reading.take(name, value));
        let Reading { clear, mut members, kept, .. } = reading;
        // A digest that stands twice is the fault of a member that was taken, and so comes before that of a later one.
        check_digests_distinct(&members)?;
        first_fault?;
        members.shrink_to_fit();
        // Most of a payload is digests, which are held as such: so its text is not kept.
        let read = Self { clear: Document::of_members(clear.into_iter()), members, kept };
        let may_be_kept = |name: &String| {
            !NEVER_KEPT.contains(&name.as_str()) && read.members.iter().any(|member| member.name() == name)
        };
        if !read.kept.iter().all(may_be_kept) {
            return Err(StatementError::KeptBad);
        }
        Ok(read)
    }
}

/// The members of a payload's `data` as far as they have been looked at.
struct Reading<'d> {
    ledgers_own: bool,
    clear: Vec<(&'d str, ValueRef<'d>)>,
    members: Vec<DisclosableMember>,
    kept: Vec<String>,
    /// The names of all members.
    names: Arc<str>,
    /// Where the next member's name stands among them.
    start: usize,
}

impl<'d> Reading<'d> {
    fn of(data: Members<'d>, ledgers_own: bool) -> Self {
        let mut names = String::with_capacity(16 * data.len());
        names.extend(data.iter().map(|(name, _)| name));
        let (clear, members) = (Vec::with_capacity(data.len()), Vec::with_capacity(data.len()));
        Self { ledgers_own, clear, members, kept: Vec::new(), names: names.into(), start: 0 }
    }

    fn take(&mut self, name: &'d str, value: ValueRef<'d>) -> Result<(), StatementError> {
        let place = self.start..self.start + name.len();
        self.start = place.end;
        if !is_member_name(name) {
            return Err(StatementError::DataMemberName);
        }
        if name == "kept" && !self.ledgers_own {
            self.kept = read_kept(value)?;
        } else if !self.ledgers_own && is_clear(value) {
            self.clear.push((name, value));
        } else if holds_digest(value) {
            if self.ledgers_own {
                return Err(StatementError::DigestMisplaced { member: name.to_owned() });
            }
            let digests = read_digests(name, value)?;
            self.members.push(DisclosableMember { names: Arc::clone(&self.names), name: place, digests });
        } else if !self.ledgers_own {
            return Err(StatementError::PersonalDataInClear { member: name.to_owned() });
        } else {
            self.clear.push((name, value));
        }
        Ok(())
    }
}

fn check_digests_distinct(members: &[DisclosableMember]) -> Result<(), StatementError> {
    let mut seen: Vec<&Hash> = members.iter().flat_map(DisclosableMember::digests).collect();
    seen.sort_unstable();
    let Some(pair) = seen.windows(2).find(|pair| pair[0] == pair[1]) else {
        return Ok(());
    };
    let repeating = members.iter().rfind(|member| member.digests().contains(pair[0]));
    let member = repeating.map_or_else(String::new, |member| member.name().to_owned());
    Err(StatementError::DigestRepeated { member })
}

/// Whether the text is a code: a closed enumeration's value or an agency code.
pub(crate) fn is_code(text: &str) -> bool {
    let word = text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word || AgencyCode::is_one(text)
}

fn is_member_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether the value says nothing but codes. One that holds a digest never is: no member of a clear value has a name like `...` or `_sd`.
fn is_clear(value: ValueRef<'_>) -> bool {
    match value.lent() {
        Lent::Bool(_) => true,
        Lent::String(text) => is_code(text),
        Lent::Array(mut elements) => elements.all(is_clear),
        Lent::Object(members) => members.iter().all(|(name, value)| is_member_name(name) && is_clear(value)),
        Lent::Null | Lent::Integer(_) => false,
    }
}

/// Whether `...`, `_sd` or `_sd_alg` is a member anywhere in the value. Strict JSON is at most 16 deep, so the recursion ends.
pub(super) fn holds_digest(value: ValueRef<'_>) -> bool {
    match value.lent() {
        Lent::Array(mut elements) => elements.any(holds_digest),
        Lent::Object(members) => members
            .iter()
            .any(|(name, value)| ["...", "_sd", "_sd_alg"].contains(&name) || holds_digest(value)),
        _ => false,
    }
}

fn read_digests(name: &str, value: ValueRef<'_>) -> Result<Digests, StatementError> {
    let misplaced = || StatementError::DigestMisplaced { member: name.to_owned() };
    let mut elements = value.as_array().ok_or_else(misplaced)?;
    let digest = |element: ValueRef<'_>| {
        let members = element.as_object().filter(|members| members.len() == 1)?;
        Hash::parse(members.get("...")?.as_str()?).ok()
    };
    if elements.len() == 1 {
        return elements.next().and_then(digest).map(Digests::One).ok_or_else(misplaced);
    }
    let digests: Vec<Hash> =
        elements.map(|element| digest(element).ok_or_else(misplaced)).collect::<Result<_, _>>()?;
    if digests.len() > 1 && !MANY_ELEMENTS.contains(&name) {
        return Err(StatementError::TooManyElements { member: name.to_owned(), elements: digests.len() });
    }
    Ok(Digests::Many(digests))
}

fn read_kept(value: ValueRef<'_>) -> Result<Vec<String>, StatementError> {
    let mut kept: Vec<String> = Vec::new();
    for name in value.as_array().ok_or(StatementError::KeptBad)? {
        let name = name.as_str().ok_or(StatementError::KeptBad)?;
        if kept.iter().any(|earlier| earlier == name) {
            return Err(StatementError::KeptBad);
        }
        kept.push(name.to_owned());
    }
    Ok(kept)
}
