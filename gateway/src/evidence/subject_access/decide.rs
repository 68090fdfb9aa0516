//! Taking a worksheet back with its decisions.

use std::collections::{BTreeMap, BTreeSet};

use gt_core::bundle::Bundle;
use serde_json::Value;

use super::catalogue::{CATALOGUE, Exemption, Kind};
use super::worksheet::{Decision, FORMAT, Item, Worksheet, WorksheetError};

/// The longest worksheet that is read, in bytes: it says everything that a bundle says, and its marks.
pub(crate) const MAX_BYTES: usize = 256 << 20;

/// Why the decisions are not taken. Items are named by their ids, which say nothing of anybody.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecideError {
    #[error("the worksheet has more than {MAX_BYTES} bytes")]
    TooLong,
    #[error(
        "the worksheet does not read: it is no JSON of a worksheet's form (line {line}, column {column})"
    )]
    Form { line: usize, column: usize },
    #[error(
        "the decision of item {id} is none: it is one of {}, in quotation marks, or null as long as nobody has decided",
        Decision::SPELLINGS.join(", ")
    )]
    NoDecision { id: String },
    #[error("the worksheet is of the format {FORMAT} no more: another program has changed it, or made it")]
    Format,
    #[error(
        "the worksheet is of another bundle than the one beside it; decide on the worksheet that was made with this bundle"
    )]
    OtherBundle,
    #[error(
        "item {id} {what}; only decision, exemption and note may be written into a worksheet, and a worksheet of another version of this program must be made anew"
    )]
    Changed { id: String, what: &'static str },
    #[error("{}", undecided(ids))]
    Undecided { ids: Vec<String> },
    #[error(
        "item {id} is withheld, and no exemption is named: write one of the worksheet's codes into its exemption"
    )]
    NoExemption { id: String },
    #[error("item {id} is withheld under an exemption of which the worksheet has no code")]
    UnknownExemption { id: String },
    #[error("item {id} is withheld in silence, and its exemption does not allow that; write withhold")]
    NotSilent { id: String },
    #[error("item {id} is disclosed, and an exemption is named; empty the one or change the other")]
    DisclosedUnderExemption { id: String },
    #[error(
        "item {id} is disclosed, and the statement in which it stands is withheld; change one of the two"
    )]
    WithinWithheld { id: String },
    #[error(transparent)]
    Worksheet(#[from] WorksheetError),
}

/// Decisions that were all made.
pub(crate) struct Decided {
    pub(crate) worksheet: Worksheet,
    /// The statements, by entry, and disclosures, by their items' ids, that are withheld.
    pub(super) statements: BTreeSet<u64>,
    pub(super) disclosures: BTreeSet<String>,
    /// The exemptions that are named to who asked, in the catalogue's order.
    pub(crate) stated: Vec<&'static Exemption>,
    /// How many items are withheld in silence.
    pub(crate) silent: usize,
}

impl Decided {
    /// How many items are not in the copy, those that go with their statements among them.
    pub(crate) fn withheld(&self) -> usize {
        let is_out = |item: &&Item| is_withheld(item) || self.statements.contains(&item.entry);
        self.worksheet.items.iter().filter(is_out).count()
    }
}

/// Reads a worksheet with its decisions, of this bundle.
pub(crate) fn decided(bytes: &[u8], bundle: &Bundle) -> Result<Decided, DecideError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecideError::TooLong);
    }
    let worksheet: Worksheet = serde_json::from_slice(bytes).map_err(|error| {
        let form = DecideError::Form { line: error.line(), column: error.column() };
        mistyped(bytes).map_or(form, |id| DecideError::NoDecision { id })
    })?;
    if worksheet.format != FORMAT {
        return Err(DecideError::Format);
    }
    let made = Worksheet::of(bundle)?;
    if worksheet.bundle != made.bundle {
        return Err(DecideError::OtherBundle);
    }
    unchanged(&made.items, &worksheet.items)?;
    let statements = worksheet.items.iter().filter(|item| item.kind == Kind::Statement && is_withheld(item));
    let statements: BTreeSet<u64> = statements.map(|item| item.entry).collect();
    complete(&worksheet.items, &statements)?;
    let disclosures =
        worksheet.items.iter().filter(|item| item.kind == Kind::Disclosure && is_withheld(item));
    let disclosures = disclosures.map(|item| item.id.clone()).collect();
    let named = |exemption: &&Exemption| {
        let states = |item: &Item| {
            item.decision == Some(Decision::Withhold) && item.exemption.as_ref() == Some(&exemption.code)
        };
        worksheet.items.iter().any(states)
    };
    let stated = CATALOGUE.exemptions.iter().filter(named).collect();
    let is_silent = |item: &&Item| item.decision == Some(Decision::WithholdSilently);
    let silent = worksheet.items.iter().filter(is_silent).count();
    Ok(Decided { worksheet, statements, disclosures, stated, silent })
}

/// The first item whose decision is none, where the rest is JSON at least: the one member that a person writes in words of this program.
fn mistyped(bytes: &[u8]) -> Option<String> {
    let worksheet: Value = serde_json::from_slice(bytes).ok()?;
    let is_none = |item: &&Value| {
        item.get("decision").is_some_and(|decision| {
            let spelt = decision.as_str().is_some_and(|text| Decision::SPELLINGS.contains(&text));
            !decision.is_null() && !spelt
        })
    };
    let item = worksheet.get("items")?.as_array()?.iter().find(is_none)?;
    item.get("id")?.as_str().map(ToOwned::to_owned)
}

fn is_withheld(item: &Item) -> bool {
    matches!(item.decision, Some(Decision::Withhold | Decision::WithholdSilently))
}

/// Every item of the bundle is there, as it was made: who decides must have seen what there is.
fn unchanged(made: &[Item], back: &[Item]) -> Result<(), DecideError> {
    let mut by_id: BTreeMap<&str, &Item> = BTreeMap::new();
    for item in back {
        if by_id.insert(&item.id, item).is_some() {
            return Err(DecideError::Changed { id: item.id.clone(), what: "stands twice" });
        }
    }
    for item in made {
        let changed = |what| DecideError::Changed { id: item.id.clone(), what };
        let found = by_id.remove(item.id.as_str()).ok_or_else(|| changed("is missing"))?;
        let as_made = Item { decision: None, exemption: None, note: None, ..found.clone() };
        if as_made != *item {
            return Err(changed("is not as it was made"));
        }
    }
    match by_id.into_keys().next() {
        Some(id) => Err(DecideError::Changed { id: id.to_owned(), what: "is none of this bundle's" }),
        None => Ok(()),
    }
}

fn complete(items: &[Item], withheld: &BTreeSet<u64>) -> Result<(), DecideError> {
    let goes_with_statement = |item: &Item| item.kind == Kind::Disclosure && withheld.contains(&item.entry);
    let open = items.iter().filter(|item| item.decision.is_none() && !goes_with_statement(item));
    let ids: Vec<String> = open.map(|item| item.id.clone()).collect();
    if !ids.is_empty() {
        return Err(DecideError::Undecided { ids });
    }
    items.iter().try_for_each(|item| {
        let id = || item.id.clone();
        let exemption = item.exemption.as_deref().map(|code| CATALOGUE.exemption(code));
        match (item.decision, exemption) {
            (Some(Decision::Disclose), _) if goes_with_statement(item) => {
                Err(DecideError::WithinWithheld { id: id() })
            }
            (Some(Decision::Disclose), Some(_)) => Err(DecideError::DisclosedUnderExemption { id: id() }),
            (Some(Decision::Disclose) | None, _) => Ok(()),
            (Some(_), None) => Err(DecideError::NoExemption { id: id() }),
            (Some(_), Some(None)) => Err(DecideError::UnknownExemption { id: id() }),
            (Some(Decision::WithholdSilently), Some(Some(one))) if !one.may_be_silent => {
                Err(DecideError::NotSilent { id: id() })
            }
            (Some(_), Some(Some(_))) => Ok(()),
        }
    })
}

fn undecided(ids: &[String]) -> String {
    let shown: Vec<&str> = ids.iter().take(5).map(String::as_str).collect();
    let more = if ids.len() > shown.len() {
        format!(", and {} more", ids.len() - shown.len())
    } else {
        String::new()
    };
    let still = if ids.len() == 1 { "1 item is".to_owned() } else { format!("{} items are", ids.len()) };
    format!("{still} not decided yet (decision is null): {}{more}", shown.join(", "))
}
