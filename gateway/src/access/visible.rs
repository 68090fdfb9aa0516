//! Which rows of which kind a reader sees.

use gt_projections::{
    AccessRow, AgencySharing, AgreementRow, Alert, ChildEpisode, ContextLink, ContextRow, DecisionRow,
    EntrySubject, Episode, FindingCount, Identity, PersonLink, PersonRow, RequestRow, RetentionRow,
    SharingWay, Subject, TimelineEvent,
};

use super::scope::Scope;
use crate::problem::Problem;

/// A row of which it can be said who sees it.
pub(crate) trait Visible {
    /// Whether the reader sees it.
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem>;
}

fn is_one_of<'t>(agency: &str, mut all: impl Iterator<Item = &'t str>) -> bool {
    all.any(|known| known == agency)
}

/// A row that an agency signed about a child.
macro_rules! signed {
    ($($Row:ident: $child:expr;)+) => {
        $(impl Visible for $Row {
            fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
                let child: fn(&Self) -> Option<&gt_ledger::record::OwnerId> = $child;
                scope.sees(child(self), |agency| {
                    is_one_of(agency, [&self.agency].into_iter().chain(&self.on_behalf_of).map(String::as_str))
                })
            }
        })+
    };
}

signed! {
    ContextLink: |row| Some(&row.child);
    PersonLink: |row| row.child.as_ref();
}

impl Visible for DecisionRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        let shared_with = if self.is_share() { &self.recipients[..] } else { &[] };
        // Whoever was named by mistake, and corrected away, does not see it by asking for the time before.
        let today = if scope.is_of_earlier() && scope.is_by_agency() {
            Some(scope.subject(self.index)?)
        } else {
            None
        };
        scope.sees(self.child.as_ref(), |agency| {
            let all = [&self.agency].into_iter().chain(&self.on_behalf_of).chain(shared_with);
            let concerns =
                |subject: &Option<EntrySubject>| subject.as_ref().is_some_and(|one| one.concerns(agency));
            is_one_of(agency, all.map(String::as_str)) && today.as_ref().is_none_or(concerns)
        })
    }
}

impl Visible for TimelineEvent {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        let subject = if scope.is_by_agency() { scope.subject(self.index)? } else { None };
        scope.sees(self.child.as_ref(), |agency| {
            subject.as_ref().is_some_and(|subject| subject.concerns(agency))
        })
    }
}

/// An absence that several agencies report says what each of them said, so an agency sees those that it alone reports.
fn reported_alone(episode: &Episode, agency: &str) -> bool {
    !episode.agencies.is_empty() && episode.agencies.iter().all(|known| known == agency)
}

impl Visible for Episode {
    // About the one child of whom the route asks, and whom the reader may ask about.
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        Ok(scope.sees_of_child(|agency| reported_alone(self, agency)))
    }
}

impl Visible for ChildEpisode {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(Some(&self.child), |agency| reported_alone(&self.episode, agency))
    }
}

impl Visible for Identity {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(Some(&self.id), |_| false)
    }
}

impl Visible for AccessRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(self.child.as_ref(), |_| false)
    }
}

impl Visible for RequestRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(self.child.as_ref(), |agency| {
            let all = [&self.agency].into_iter().chain(&self.on_behalf_of).chain(&self.requester);
            is_one_of(agency, all.map(String::as_str))
        })
    }
}

impl Visible for RetentionRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(Some(&self.child), |_| false)
    }
}

impl Visible for ContextRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |_| false)
    }
}

impl Visible for PersonRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |_| false)
    }
}

impl Visible for SharingWay {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |agency| self.from == agency || self.to == agency)
    }
}

impl Visible for AgencySharing {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |agency| self.agency == agency)
    }
}

impl Visible for FindingCount {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |agency| self.agency == agency)
    }
}

impl Visible for AgreementRow {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        scope.sees(None, |agency| is_one_of(agency, self.parties.iter().map(String::as_str)))
    }
}

impl Visible for Alert {
    fn is_visible(&self, scope: &Scope<'_>) -> Result<bool, Problem> {
        match &self.subject {
            // It rests on what several agencies said, so an agency sees none about a child.
            Subject::Child(child) => scope.sees(Some(child), |_| false),
            Subject::Person(_) | Subject::Context(_) => scope.sees(None, |_| false),
            Subject::Agency(of) => scope.sees(None, |agency| of == agency),
            Subject::Edge { from, to } => scope.sees(None, |agency| from == agency || to == agency),
        }
    }
}
