//! The catalogue of legal bases (DOMAIN section 2): what each provision is called, when it was in force, and which
//! agencies the law treats how. All of it is data, so that a change of the law is a change of configuration.

mod agencies;
mod day;
mod reading;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub use agencies::{AgencyGroup, AgencyScheme, CatalogueAgencies};
pub use day::{Commencement, Day};
pub use reading::{CatalogueError, CatalogueFault};

use crate::lawful_basis::{
    Article6, Article9, Article10, Confidence, Gateway, LawfulBasis, Part3, RecognisedInterest,
    Schedule1Ground, Schedule1Paragraph, Schedule8Paragraph,
};
use crate::time::Time;
use crate::words::{Label, Text};

/// The legal bases and who may rely on them. Every basis that a decision can name is in it.
///
/// It serialises as what [`Catalogue::read`] reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    sources: BTreeMap<String, ProfessionalSource>,
    agencies: CatalogueAgencies,
    bases: BTreeMap<String, CatalogueItem>,
}

/// One legal basis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = reading::without_null)]
pub struct CatalogueItem {
    /// What it is called.
    pub title: Label,
    /// The provision.
    pub source: Label,
    /// The first day on which it was in force. Left out if that was before any record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force_from: Option<Commencement>,
    /// The last day on which it was in force. Left out if it still is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force_to: Option<Day>,
    /// What to know when relying on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<Text>,
    /// The professional sources that speak of it: names in `sources`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub see: Option<Vec<Label>>,
}

/// Guidance that professionals work by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = reading::without_null)]
pub struct ProfessionalSource {
    /// Its title.
    pub title: Label,
    /// Who issues it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Label>,
    /// The agencies whose professionals it addresses, by scheme. Left out if it addresses everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schemes: Option<Vec<AgencyScheme>>,
}

/// The codes of each kind of basis, under the first part of their keys.
const KEYS: &[(&str, &[&str])] = &[
    ("Article6", Article6::CODES),
    ("Article6.ea", RecognisedInterest::CODES),
    ("Article9", Article9::CODES),
    ("Article10", Article10::CODES),
    ("Schedule1", Schedule1Paragraph::CODES),
    ("Schedule1.P18", Schedule1Ground::CODES),
    ("Part3", Part3::CODES),
    ("Schedule8", Schedule8Paragraph::CODES),
    ("Gateway", Gateway::CODES),
    ("Confidence", Confidence::CODES),
];

impl Catalogue {
    /// The catalogue that comes with this crate. What stands in it from memory or as our own default, such as who is
    /// within section 16LA, is for a partnership to check and replace.
    pub fn standard() -> Self {
        let data = serde_json::from_str(include_str!("../data/legal.json")).expect("the data is JSON");
        Self::read(&data).expect("the data is a catalogue, as its test shows")
    }

    /// Every key, in the order of DOMAIN section 2: the kind of the basis and its code, `Article6.ea`; the conditions of
    /// `ea` and the grounds of paragraph 18 follow theirs, `Article6.ea.Safeguarding`.
    pub fn keys() -> impl Iterator<Item = String> {
        KEYS.iter().flat_map(|(kind, codes)| codes.iter().map(move |code| format!("{kind}.{code}")))
    }

    /// The item of this key.
    pub fn item(&self, key: &str) -> Option<&CatalogueItem> {
        self.bases.get(key)
    }

    /// The items of a basis: its own, and that of its condition or ground, if it names one.
    pub fn items_of(&self, basis: LawfulBasis) -> impl Iterator<Item = &CatalogueItem> {
        basis.keys().filter_map(|key| self.bases.get(&key))
    }

    /// Every item with its key, in the order of the keys as text.
    pub fn items(&self) -> impl Iterator<Item = (&str, &CatalogueItem)> {
        self.bases.iter().map(|(key, item)| (key.as_str(), item))
    }

    /// The professional source of this name, as `see` names it.
    pub fn source(&self, name: &str) -> Option<&ProfessionalSource> {
        self.sources.get(name)
    }

    /// Who is who among agencies.
    pub fn agencies(&self) -> &CatalogueAgencies {
        &self.agencies
    }
}

impl CatalogueItem {
    /// Whether it was in force at this moment. What is not known to be in force was not. Without a moment there is an
    /// answer only if it is the same at every moment.
    pub fn in_force(&self, at: Option<Time>) -> Option<bool> {
        let begun = match self.in_force_from {
            Some(Commencement::NotKnown) => return Some(false),
            Some(Commencement::On(day)) => at.map(|at| day.begins() <= at),
            None => Some(true),
        };
        let not_ended = self.in_force_to.map_or(Some(true), |day| at.map(|at| !day.is_over(at)));
        Some(begun? && not_ended?)
    }
}

impl LawfulBasis {
    /// Its keys in the catalogue: its own, and that of its condition or ground, if it names one.
    pub fn keys(self) -> impl Iterator<Item = String> {
        let (code, further) = match self {
            Self::Article6 { code, condition } => (code.as_str(), condition.map(RecognisedInterest::as_str)),
            Self::Article9 { code } => (code.as_str(), None),
            Self::Article10 { code } => (code.as_str(), None),
            Self::Schedule1 { paragraph, ground } => {
                (paragraph.as_str(), ground.map(Schedule1Ground::as_str))
            }
            Self::Part3 { code } => (code.as_str(), None),
            Self::Schedule8 { paragraph } => (paragraph.as_str(), None),
            Self::Gateway { code } => (code.as_str(), None),
            Self::Confidence { code } => (code.as_str(), None),
        };
        let key = format!("{}.{code}", self.kind().as_str());
        let further = further.map(|further| format!("{key}.{further}"));
        std::iter::once(key).chain(further)
    }
}

#[cfg(test)]
mod tests;
