//! Missing episodes.

use std::collections::BTreeSet;

use gt_core::time::Timestamp;
use gt_ledger::record::OwnerId;
use serde::Serialize;

use super::page::Stretch;
use super::{Answer, Page, Queries, QueryError};
use crate::key;
use crate::missing::{self, Episode, EpisodeState};
use crate::notation;
use crate::subject::Unit;

/// A missing episode, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChildEpisode {
    /// The child, by its opaque id.
    #[serde(serialize_with = "notation::text")]
    pub child: OwnerId,
    /// The episode.
    #[serde(flatten)]
    pub episode: Episode,
}

/// Which episodes. Members that are `None` do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpisodeFilter {
    /// What is known of it.
    pub state: Option<EpisodeState>,
    /// Begun then or later.
    pub from: Option<Timestamp>,
    /// Begun then or earlier.
    pub to: Option<Timestamp>,
}

impl Queries {
    /// A child's missing episodes under all identifiers, by when they began.
    pub fn missing_episodes(&self, child: &OwnerId, page: &Page) -> Result<Answer<Episode>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let histories = snapshot.histories(*child, Unit::Child)?;
        let items = missing::episodes(snapshot.standing(&histories).into_iter());
        snapshot.page_of(items, page)
    }

    /// The missing episodes of all children, by when they began. Those of which only the return was reported have no beginning,
    /// and stand with their child alone.
    pub fn all_missing_episodes(
        &self,
        filter: &EpisodeFilter,
        page: &Page,
    ) -> Result<Answer<ChildEpisode>, QueryError> {
        let snapshot = self.snapshot(page)?;
        let stretch = Stretch::between(key::absences(), filter.from, filter.to);
        let mut seen = BTreeSet::new();
        snapshot.page(stretch, page, |row| {
            let Some(event) = snapshot.event(row)? else { return Ok(None) };
            let Some(child) = event.child else { return Ok(None) };
            let histories = snapshot.histories(child, Unit::Child)?;
            let standing = snapshot.standing(&histories);
            // An episode that several agencies report stands where its first report stands.
            let episode = missing::episodes(standing.into_iter())
                .into_iter()
                .find(|episode| episode.anchor == event.statement);
            let wanted = |episode: &Episode| filter.state.is_none_or(|state| state == episode.state);
            Ok(episode
                .filter(|episode| wanted(episode) && seen.insert(episode.anchor))
                .map(|episode| ChildEpisode { child, episode }))
        })
    }
}
