//! What somebody asks for.

use gt_core::agency::AgencyCode;
use gt_core::statement::Pseudonym;
use gt_core::time::Timestamp;
use gt_core::{LeafIndex, TreeSize};
use gt_schemas::{EventType, Place, members_at};

use super::MakeBundleError;
use crate::record::OwnerId;

/// What a bundle is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleRequest {
    /// Which entries.
    pub selection: Selection,
    /// What is withheld from it.
    pub withhold: Withhold,
    /// Sizes that checkpoints which others hold have: for each, a consistency proof is put in.
    pub known: Vec<TreeSize>,
    /// When it is made, which nothing vouches for.
    pub made_at: Timestamp,
}

/// Which entries a bundle holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every entry about a child, under every pseudonym to which a readable `identifier.linked` leads.
    Child(Subject),
    /// All from the first to the last.
    Entries {
        /// The first.
        first: LeafIndex,
        /// The last, included.
        last: LeafIndex,
    },
    /// Every statement that an agency signed.
    Agency(AgencyCode),
    /// The entries behind an alert.
    Alert {
        /// The alert's id.
        alert: String,
        /// The pattern's name.
        pattern: String,
        /// The entries. The registrar's, which every bundle holds, are left out of its records.
        entries: Vec<LeafIndex>,
    },
}

/// The child that a bundle is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// By a pseudonym.
    Pseudonym(Pseudonym),
    /// By the opaque id under which views know the child.
    Owner(OwnerId),
}

/// What is withheld from a copy. Everything withheld is listed in the bundle as withheld.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Withhold {
    /// The disclosures of these members, in every statement.
    pub members: Vec<String>,
    /// All disclosures.
    pub disclosures: bool,
    /// The statements too: the entries alone are shown. The registrar's statements are never withheld.
    pub statements: bool,
}

impl BundleRequest {
    /// A request that withholds nothing.
    pub fn new(selection: Selection, made_at: Timestamp) -> Self {
        Self { selection, withhold: Withhold::default(), known: Vec::new(), made_at }
    }
}

impl Withhold {
    /// Refuses names that no event's disclosable member has: what somebody meant to withhold by one would be disclosed.
    pub(super) fn check(&self) -> Result<(), MakeBundleError> {
        match self.members.iter().position(|name| !is_disclosable(name)) {
            None => Ok(()),
            Some(position) => Err(MakeBundleError::UnknownMember { position: position + 1 }),
        }
    }
}

fn is_disclosable(name: &str) -> bool {
    let versions = EventType::ALL.iter().flat_map(|event_type| {
        event_type.versions().iter().filter_map(|version| members_at(*event_type, *version).ok())
    });
    versions.flatten().any(|member| member.name == name && member.place != Place::Clear)
}
