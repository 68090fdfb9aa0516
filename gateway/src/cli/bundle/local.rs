//! Out of a data folder, as it lies there.

use std::path::Path;

use gt_core::agency::AgencyCode;
use gt_core::bundle::Bundle;
use gt_core::checkpoint::Checkpoint;
use gt_core::prove;
use gt_core::time::Timestamp;
use gt_core::verify::Pin;
use gt_core::{LeafIndex, TreeSize};
use gt_ledger::bundle::{BundleRequest, ReadOnlyLedger, Selection, Subject, Withhold};
use gt_ledger::clock::{Clock as _, SystemClock};
use gt_ledger::layout::BUNDLE;
use gt_ledger::record::ContextId;
use gt_ledger::secrets::{Secrets, SecretsAt};
use gt_projections::{AlertId, AsOf, ContextNaming, Options, Page, Projector};

use super::{BundleCommand, Child, What};
use crate::cli::Failure;
use crate::follow::FollowError;
use crate::http::need_ledger;

impl BundleCommand {
    pub(super) fn make_here(
        &self,
        data: &Path,
        at: &SecretsAt,
        what: What,
        known: &[Checkpoint],
    ) -> Result<(Bundle, Pin), Failure> {
        need_ledger(data)?;
        let secrets = Secrets::load_at(at)?;
        let ledger = ReadOnlyLedger::open(data, &secrets)?;
        let made_at =
            Timestamp::from_millis(SystemClock::default().wall_millis()).unwrap_or(Timestamp::EPOCH);
        let selection = match what {
            What::Child(Child::Pseudonym(pseudonym)) => Selection::Child(Subject::Pseudonym(pseudonym)),
            What::Child(Child::Owner(id)) => Selection::Child(Subject::Owner(id)),
            What::Entries(first, last) => {
                Selection::Entries { first: LeafIndex(first), last: LeafIndex(last) }
            }
            What::Agency(code) => Selection::Agency(AgencyCode::parse(&code)?),
            What::Alert(id) => behind_alert(&ledger, &id, made_at)?,
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

struct Naming<'l>(&'l ReadOnlyLedger);

impl ContextNaming for Naming<'_> {
    fn context_id(&self, reference: &str) -> ContextId {
        self.0.context_id(reference)
    }
}

/// The entries of an alert, by views that are built for the occasion: a running ledger has its own open.
fn behind_alert(ledger: &ReadOnlyLedger, id: &str, now: Timestamp) -> Result<Selection, Failure> {
    let id = AlertId::parse(id)
        .ok_or_else(|| Failure::new("--alert is an alert's id, 22 characters of base64url"))?;
    let folder = tempfile::tempdir()?;
    let mut projector = Projector::open(folder.path(), Options::default())?.projector;
    // What was erased cannot be read any more, and is in none of the views that are made now.
    projector.begin(ledger.erased_at())?;
    fold(ledger, &mut projector)?;
    let page = Page { now: Some(now), ..Page::default() };
    let alert = projector.queries().alert(&id, &page)?.items.into_iter().next();
    projector.close()?;
    let alert =
        alert.ok_or_else(|| Failure::new("there is no such alert; `goldenthread alerts` lists them"))?;
    Ok(Selection::Alert {
        alert: id.to_string(),
        pattern: alert.pattern.as_str().to_owned(),
        entries: alert.entries,
    })
}

fn fold(ledger: &ReadOnlyLedger, projector: &mut Projector) -> Result<(), FollowError> {
    while projector.position() < ledger.log().size() {
        let records = ledger.records(LeafIndex(projector.position().0), BUNDLE)?;
        let Some(last) = records.last() else { break };
        let tree_size = last.entry.index.size_through();
        let root = prove::root(ledger.log(), TreeSize(tree_size.0))?;
        let head = AsOf { tree_size, root, received_at: Some(last.entry.received_at) };
        projector.apply(&records, head, &Naming(ledger))?;
    }
    Ok(())
}
