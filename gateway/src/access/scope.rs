//! Which records a reader sees, of those that a route has. Reads views and vault, so it is asked on a thread that may wait.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use gt_core::Hash;
use gt_core::LeafIndex;
use gt_core::statement::Owner;
use gt_ledger::Ledger;
use gt_ledger::record::{OwnerId, Record};
use gt_projections::{Approval, EntrySubject, Page, Queries, QueryError};

use super::pass::Pass;
use super::policy::Cell;
use super::recorder::now;
use crate::http::App;
use crate::problem::Problem;

/// What one request may see.
pub(crate) struct Scope<'a> {
    pass: &'a Pass,
    views: &'a Queries,
    ledger: &'a Ledger,
    /// The children whom the token names, under all their identifiers.
    named: BTreeSet<OwnerId>,
    /// The children whose records are restricted, under all their identifiers.
    restricted: BTreeSet<OwnerId>,
    /// The approvals that were looked up.
    approvals: RefCell<BTreeMap<OwnerId, Option<Hash>>>,
    /// The first approval by which something restricted was seen.
    opened_by: RefCell<Option<Hash>>,
    /// Why a child could not be looked up.
    failed: RefCell<Option<Problem>>,
    is_of_earlier: bool,
}

impl<'a> Scope<'a> {
    /// Of what the ledger is now.
    pub(crate) fn of(pass: &'a Pass, app: &'a App) -> Result<Self, Problem> {
        Self::of_page(pass, app, &Page::default())
    }

    /// Of an answer that may be about an earlier state of the ledger. Such a one joins whom the ledger took for one person then: so what
    /// is restricted now is so for everybody with whom it was joined, and whoever was joined with somebody whom the token does not name
    /// is not named.
    pub(crate) fn of_page(pass: &'a Pass, app: &'a App, page: &Page) -> Result<Self, Problem> {
        let (views, ledger) = (&app.views, &*app.ledger);
        let same = |persons: &BTreeSet<OwnerId>, page: &Page| {
            views.ask(|views| views.same_persons(persons.iter().copied(), page)).map_err(failed)
        };
        let mut named = same(&pass.reader.children, &Page::default())?;
        let mut restricted = views.ask(|views| views.restricted_children(now())).map_err(failed)?;
        if page.is_of_earlier() {
            restricted.extend(same(&restricted, page)?);
            let mut joined = BTreeSet::new();
            for child in &named {
                if same(&BTreeSet::from([*child]), page)?.is_subset(&named) {
                    joined.insert(*child);
                }
            }
            named = joined;
        }
        Ok(Self {
            pass,
            views,
            ledger,
            named,
            restricted,
            approvals: RefCell::default(),
            opened_by: RefCell::default(),
            failed: RefCell::default(),
            is_of_earlier: page.is_of_earlier(),
        })
    }

    /// Whether the reader may ask about this child at all; if not, why.
    pub(crate) fn child(&self, child: &OwnerId) -> Result<(), Problem> {
        let known = || match &self.pass.reader.agency {
            Some(agency) => {
                self.views.ask(|views| views.agency_knows(agency.as_str(), child)).map_err(failed)
            }
            None => Ok(false),
        };
        let within = match self.pass.cell {
            Cell::Allow | Cell::BreakGlass => true,
            Cell::Named => self.named.contains(child),
            Cell::OwnAgency => known()?,
            Cell::OwnCases => self.named.contains(child) && known()?,
            Cell::Aggregate | Cell::Deny => false,
        };
        if !within {
            return Err(outside(self.pass.cell));
        }
        if self.is_hidden(child)? { Err(restricted()) } else { Ok(()) }
    }

    /// Whether a row is seen that is about this child, if it is about one, and that concerns the agencies of which `concerns` says so.
    pub(crate) fn sees(
        &self,
        child: Option<&OwnerId>,
        concerns: impl FnOnce(&str) -> bool,
    ) -> Result<bool, Problem> {
        let own = || self.pass.reader.agency.as_ref().is_some_and(|agency| concerns(agency.as_str()));
        let named = child.is_some_and(|child| self.named.contains(child));
        let within = match self.pass.cell {
            Cell::Allow | Cell::Aggregate | Cell::BreakGlass => true,
            Cell::Named => named,
            Cell::OwnAgency => own(),
            Cell::OwnCases => named && own(),
            Cell::Deny => false,
        };
        Ok(within && !child.map(|child| self.is_hidden(child)).transpose()?.unwrap_or(false))
    }

    /// The same of a row that says no child, at a route that asks about one child: whether that child is the reader's to ask about is said
    /// by [`Self::child`].
    pub(crate) fn sees_of_child(&self, concerns: impl FnOnce(&str) -> bool) -> bool {
        match self.pass.cell {
            Cell::Allow | Cell::BreakGlass | Cell::Named => true,
            Cell::OwnAgency | Cell::OwnCases => {
                self.pass.reader.agency.as_ref().is_some_and(|agency| concerns(agency.as_str()))
            }
            Cell::Aggregate | Cell::Deny => false,
        }
    }

    /// Whether the reader may have this entry's statement with its texts: the approval under which, if it takes one.
    pub(crate) fn statement(&self, index: LeafIndex) -> Result<(Option<OwnerId>, Option<Hash>), Problem> {
        let Some(subject) = self.subject(index)? else { return self.unprojected(index) };
        if self.hides_one_of(subject.of())? {
            return Err(restricted());
        }
        if !self.sees(subject.child.as_ref(), |agency| subject.concerns(agency))? {
            return Err(outside(self.pass.cell));
        }
        // Each of several identifiers that is restricted has an approval by now; the first one's is told.
        let restricted = subject.of().find(|child| self.restricted.contains(child));
        let (is_restricted, child) = (restricted.is_some(), restricted.or(subject.of().next()).copied());
        let approval = child.map(|child| self.approval(&child)).transpose()?.flatten();
        match (self.pass.cell, approval) {
            (Cell::BreakGlass, None) => Err(needs_approval()),
            (Cell::BreakGlass, Some(approval)) => Ok((child, Some(approval))),
            (_, approval) => Ok((child, approval.filter(|_| is_restricted))),
        }
    }

    /// Whom the entry concerns, as far as the views know.
    pub(super) fn subject(&self, index: LeafIndex) -> Result<Option<EntrySubject>, Problem> {
        self.views.ask(|views| views.entry_subject(index)).map_err(failed)
    }

    /// The approval that lets this reader read the child's texts, restricted ones too: its statement's hash.
    pub(crate) fn approval(&self, child: &OwnerId) -> Result<Option<Hash>, Problem> {
        if let Some(known) = self.approvals.borrow().get(child) {
            return Ok(*known);
        }
        let all = self.views.ask(|views| views.approvals(child, now())).map_err(failed)?;
        let mut found = None;
        for approval in all.iter().filter(|approval| self.fits(approval)) {
            let record = self.record(approval.index)?;
            if record.as_ref().and_then(name_of).as_deref() == Some(&self.pass.reader.subject) {
                found = record.map(|record| record.entry.statement);
            }
        }
        self.approvals.borrow_mut().insert(*child, found);
        Ok(found)
    }

    /// The approval by which something restricted was seen, the first one of several: none where nothing was.
    pub(crate) fn opened_by(&self) -> Option<Hash> {
        *self.opened_by.borrow()
    }

    /// Whether what is said of this child counts for the reader in no row. What cannot be looked up counts for none, and
    /// [`Self::looked_up`] says so afterwards.
    pub(crate) fn leaves_out(&self, child: &OwnerId) -> bool {
        self.is_hidden(child).unwrap_or_else(|problem| {
            *self.failed.borrow_mut() = Some(problem);
            true
        })
    }

    /// Why something could not be looked up, if that is so.
    pub(crate) fn looked_up(&self) -> Result<(), Problem> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// Whether the answer is about an earlier state of the ledger.
    pub(super) const fn is_of_earlier(&self) -> bool {
        self.is_of_earlier
    }

    /// Whether rows are the reader's by the agency that they concern.
    pub(super) fn is_by_agency(&self) -> bool {
        matches!(self.pass.cell, Cell::OwnAgency | Cell::OwnCases)
    }

    fn fits(&self, approval: &Approval) -> bool {
        approval.by_the_ledger && approval.role == self.pass.reader.role
    }

    /// The one child of all these, under whichever identifiers, if they are one. Agencies are none.
    pub(crate) fn one_child(&self, owners: &BTreeSet<OwnerId>) -> Result<Option<OwnerId>, Problem> {
        let is_person = |id: &&OwnerId| matches!(self.ledger.owner_of(id), Some(Owner::Person(_)));
        let persons: BTreeSet<OwnerId> = owners.iter().filter(is_person).copied().collect();
        let Some(first) = persons.first().copied() else { return Ok(None) };
        if persons.len() == 1 {
            return Ok(Some(first));
        }
        let same = self.views.ask(|views| views.same_persons([first], &Page::default())).map_err(failed)?;
        Ok(persons.is_subset(&same).then_some(first))
    }

    /// Everybody whose record the entry is part of, the one whom it is about first. Of an entry that the views do not have, or not yet, the
    /// record itself says whose it is.
    pub(crate) fn owners(&self, index: LeafIndex) -> Result<Vec<OwnerId>, Problem> {
        if let Some(subject) = self.subject(index)? {
            return Ok(subject.of().copied().collect());
        }
        let statement = self.record(index)?.and_then(|record| record.statement);
        let owners = statement.iter().flat_map(|open| {
            let disclosed = open.disclosed.values().flatten().map(|element| &element.owner);
            open.primary.iter().chain(disclosed)
        });
        Ok(owners.copied().collect())
    }

    /// Whether one of them is a child whose record is restricted, and no approval names the reader.
    pub(crate) fn hides_one_of<'o>(
        &self,
        owners: impl IntoIterator<Item = &'o OwnerId>,
    ) -> Result<bool, Problem> {
        for owner in owners {
            if self.is_hidden(owner)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A restricted record is seen by those whom an approval names, and that it is read by one is told.
    fn is_hidden(&self, child: &OwnerId) -> Result<bool, Problem> {
        if !self.restricted.contains(child) {
            return Ok(false);
        }
        let approval = self.approval(child)?;
        let mut opened_by = self.opened_by.borrow_mut();
        *opened_by = opened_by.or(approval);
        Ok(approval.is_none())
    }

    /// The same of an entry that the views do not have, or not yet. A registrar's statement has no owner and names nobody; of any other
    /// the record itself says whose it is.
    fn unprojected(&self, index: LeafIndex) -> Result<(Option<OwnerId>, Option<Hash>), Problem> {
        let statement = self.record(index)?.and_then(|record| record.statement);
        match statement.map(|statement| statement.primary) {
            Some(None) => Ok((None, None)),
            _ if self.pass.cell != Cell::Allow => Err(outside(self.pass.cell)),
            Some(Some(owner)) if self.is_hidden(&owner)? => Err(restricted()),
            Some(Some(owner)) => Ok((Some(owner), self.opened_by())),
            // It has ended: there is nothing to read.
            None => Ok((None, None)),
        }
    }

    fn record(&self, index: LeafIndex) -> Result<Option<Record>, Problem> {
        record(self.ledger, index)
    }
}

fn record(ledger: &Ledger, index: LeafIndex) -> Result<Option<Record>, Problem> {
    if index.0 >= ledger.log().size().0 {
        return Ok(None);
    }
    let records = ledger.records(index, 1).map_err(|error| Problem::internal(&error))?;
    Ok(records.into_iter().next())
}

/// The name of whoever read, or was allowed to, as the entry discloses it.
pub(crate) fn reader_of(ledger: &Ledger, index: LeafIndex) -> Result<Option<String>, Problem> {
    Ok(record(ledger, index)?.as_ref().and_then(name_of))
}

fn name_of(record: &Record) -> Option<String> {
    let reader = record.statement.as_ref()?.disclosed.get("reader")?.first()?;
    reader.value.get("name")?.as_str().map(ToOwned::to_owned)
}

#[allow(clippy::needless_pass_by_value)] // As `map_err` hands it over.
fn failed(error: QueryError) -> Problem {
    Problem::internal(&error)
}

/// What is there, and not for this reader.
pub(crate) fn outside(cell: Cell) -> Problem {
    let detail = match cell {
        Cell::OwnAgency => "this is neither your agency's nor shared with it",
        Cell::OwnCases => {
            "this is about none of the children whom your token names, or is neither your agency's nor shared with it"
        }
        Cell::Named => "this is about none of the children whom your token names",
        _ => "this is not for your role",
    };
    Problem::new(StatusCode::FORBIDDEN, "outside_scope", detail)
}

/// Who is to have counts alone takes them whole: of two spans that differ by a day, the difference is what happened on that day.
pub(crate) fn outside_counts(pass: &Pass, asks_for_a_part: bool) -> Result<(), Problem> {
    if pass.cell == Cell::Aggregate && asks_for_a_part {
        let detail = "an auditor's counts are of all that there is: leave out times and as_of, since counts of spans that differ by little tell of single cases";
        return Err(Problem::new(StatusCode::FORBIDDEN, "counts_of_all_only", detail));
    }
    Ok(())
}

pub(crate) fn restricted() -> Problem {
    let detail =
        "the child's record is restricted, and no approval names you; ask for one with POST /v1/break-glass";
    Problem::new(StatusCode::FORBIDDEN, "record_restricted", detail)
}

fn needs_approval() -> Problem {
    let detail = "texts are read only with a second person's approval; ask for one with POST /v1/break-glass";
    Problem::new(StatusCode::FORBIDDEN, "approval_needed", detail).with("needs", vec!["mash", "manager"])
}
