//! Out of a data folder, as it lies there.

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
    ) -> Result<(Bundle, Pin), Failure> {
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
        Ok((bundle, ledger.pin().clone()))
    }
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
