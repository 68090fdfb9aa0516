//! After an erasure: the views are folded anew, and what no longer stands is told.

use std::collections::BTreeMap;

use gt_core::LeafIndex;
use gt_core::time::Timestamp;
use gt_projections::{
    Alert, AlertChange, AlertFilter, AlertId, AlertStatus, ApplyError, AsOf, ChangeKind, MAX_LIMIT, Page,
    Projector, Queries, QueryError, Retraction, Window,
};

use super::source::{CATCHING_UP, read};
use super::{FollowError, Following};

/// What a retracted alert says, whatever it said before.
const SENTENCE: &str = "What this alert rested on was erased.";

impl Following {
    /// Folds the log anew, without what erasures ended, while the views from before go on to answer; then shows the new ones, and tells
    /// of the alerts that are gone or say something else. `by` is the entry of the erasure.
    pub(super) fn fold_anew(&mut self, by: LeafIndex) -> Result<(), FollowError> {
        tracing::info!(entry = %by, "an erasure is sealed; the views are folded anew without what it ended");
        let (mut anew, mut by, mut head) = (self.projector.anew(self.ledger.erased_at())?, by, AsOf::EMPTY);
        while let Some(stretch) = read(&*self.ledger, anew.position(), CATCHING_UP)? {
            match anew.apply_readings(stretch.readings, stretch.head) {
                Ok(_) => head = stretch.head,
                // Another one has been sealed since.
                Err(ApplyError::Erased { by: later }) => {
                    by = later;
                    // It may still be writing where the next ones will.
                    drop(anew);
                    anew = self.projector.anew(self.ledger.erased_at())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let before = standing(&self.queries)?;
        anew.show()?;
        self.show(anew);
        let after = standing(&self.queries)?;
        let at = head.received_at.unwrap_or(Timestamp::EPOCH);
        // What was told of before may be about who was erased.
        self.feed.forget();
        for change in differences(&before, &after, by, at) {
            self.tell(&change);
        }
        self.feed.advance(head);
        Ok(self.projector.remove_retired()?)
    }

    fn show(&mut self, projector: Projector) {
        self.projector = projector;
    }
}

/// The alerts that stand.
fn standing(queries: &Queries) -> Result<BTreeMap<AlertId, Alert>, QueryError> {
    let (mut alerts, mut page) = (BTreeMap::new(), Page { limit: MAX_LIMIT, ..Page::default() });
    loop {
        let answer = queries.alerts(&AlertFilter::default(), &page)?;
        let standing = answer.items.into_iter().filter(|alert| alert.status != AlertStatus::Retracted);
        alerts.extend(standing.map(|alert| (alert.id, alert)));
        match answer.next {
            Some(next) => page.cursor = Some(next),
            None => return Ok(alerts),
        }
    }
}

/// What an erasure has changed of the alerts.
fn differences(
    before: &BTreeMap<AlertId, Alert>,
    after: &BTreeMap<AlertId, Alert>,
    by: LeafIndex,
    at: Timestamp,
) -> Vec<AlertChange> {
    let change = |change, alert| AlertChange { index: by, at, change, alert };
    before
        .iter()
        .filter_map(|(id, alert)| match after.get(id) {
            None => Some(change(ChangeKind::Retracted, retracted(alert, by, at))),
            Some(now) if (&now.entries, &now.sentence) != (&alert.entries, &alert.sentence) => {
                Some(change(ChangeKind::Changed, now.clone()))
            }
            Some(_) => None,
        })
        .collect()
}

/// The alert, without what it said.
fn retracted(alert: &Alert, by: LeafIndex, at: Timestamp) -> Alert {
    Alert {
        thresholds: serde_json::Value::Null,
        window: Window { from: at, to: at },
        entries: vec![by],
        sentence: SENTENCE.to_owned(),
        raised_at: at,
        raised_by: by,
        status: AlertStatus::Retracted,
        handling: Vec::new(),
        retraction: Some(Retraction { at, by, replaced_by: None }),
        ..alert.clone()
    }
}
