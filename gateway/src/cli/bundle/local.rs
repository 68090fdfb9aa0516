//! Out of a data folder, as it lies there.

use std::collections::BTreeSet;
use std::path::Path;

use gt_core::LeafIndex;
use gt_core::agency::AgencyCode;
use gt_core::bundle::Bundle;
use gt_core::checkpoint::Checkpoint;
use gt_core::time::Timestamp;
use gt_core::verify::Pin;
use gt_ledger::bundle::{BundleRequest, ReadOnlyLedger, Selection, Subject, Withhold};
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::open::need_ledger;
use gt_ledger::secrets::{Secrets, SecretsAt};
use gt_projections::{AlertId, Page};

use super::{BundleCommand, Child, What};
use crate::cli::Failure;
use crate::cli::opening::does_not_open;
use crate::follow::with_views;

impl BundleCommand {
    pub(super) fn make_here(
        &self,
        data: &Path,
        at: &SecretsAt,
        what: &What,
        known: &[Checkpoint],
    ) -> Result<MadeHere, Failure> {
        need_ledger(data)?;
        let secrets = Secrets::load_at(at)?;
        let ledger =
            ReadOnlyLedger::open(data, &secrets).map_err(|error| does_not_open(data, &at.folder, &error))?;
        let made_at =
            Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH);
        let selection = match what {
            What::Child(Child::Pseudonym(child)) => Selection::Child(Subject::Pseudonym(child.clone())),
            What::Child(Child::Owner(id)) => Selection::Child(Subject::Owner(*id)),
            What::Entries(first, last) => {
                Selection::Entries { first: LeafIndex(*first), last: LeafIndex(*last) }
            }
            What::Agency(code) => Selection::Agency(AgencyCode::parse(code)?),
            What::Alert(id) => behind_alert(&ledger, id, made_at)?,
        };
        let withhold = Withhold {
            members: self.without.clone(),
            disclosures: self.bare,
            statements: self.no_statements,
        };
        let known = known.iter().map(Checkpoint::size).collect();
        let bundle = ledger.bundle(&BundleRequest { selection, withhold, known, made_at })?;
        let only_child = only_child(&ledger, &bundle)?;
        Ok(MadeHere { bundle, pin: ledger.pin().clone(), only_child })
    }
}

/// A bundle out of a folder.
pub(super) struct MadeHere {
    pub(super) bundle: Bundle,
    pub(super) pin: Pin,
    /// The pseudonym of the child whom all its entries are about, whatever of them it withholds.
    pub(super) only_child: Option<String>,
}

fn only_child(ledger: &ReadOnlyLedger, bundle: &Bundle) -> Result<Option<String>, Failure> {
    let mut children = BTreeSet::new();
    for index in &bundle.manifest.entries {
        let statement = ledger.records(*index, 1)?.pop().and_then(|record| record.statement);
        let child = statement.as_ref().and_then(|open| open.disclosed.get("child")?.first());
        let pseudonym = child.and_then(|child| child.value.get("pseudonym")?.as_str());
        children.extend(pseudonym.map(ToOwned::to_owned));
    }
    Ok(if children.len() == 1 { children.pop_first() } else { None })
}

/// The entries of an alert, by views that are built for the occasion: a running ledger has its own open.
fn behind_alert(ledger: &ReadOnlyLedger, id: &str, now: Timestamp) -> Result<Selection, Failure> {
    let id = AlertId::parse(id)
        .ok_or_else(|| Failure::new("--alert is an alert's id, 22 characters of base64url"))?;
    let page = Page { now: Some(now), ..Page::default() };
    let alert = with_views(ledger, |views| views.alert(&id, &page))??.items.into_iter().next();
    let alert =
        alert.ok_or_else(|| Failure::new("there is no such alert; `goldenthread alerts` lists them"))?;
    Ok(Selection::Alert {
        alert: id.to_string(),
        pattern: alert.pattern.as_str().to_owned(),
        entries: alert.entries,
    })
}
