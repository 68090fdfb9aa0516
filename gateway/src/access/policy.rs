//! Who may ask what: one table, every route and every role (DOMAIN section 8). Whatever is not in it is answered to nobody.
//!
//! docs/ACCESS.md shows the table; a test makes it from this one.

use gt_schemas::{AccessRole, AccessedKind};

use super::reader::ROLES;

/// How far a role may ask at a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Everything but restricted records that do not name the reader. This holds of all cells below too.
    Allow,
    /// What the reader's agency said, and decisions to share with it.
    OwnAgency,
    /// The same, about the children whom the token names.
    OwnCases,
    /// Everything about the children whom the token names.
    Named,
    /// Counts, those under 5 left out.
    Aggregate,
    /// One child's, for a time, once a second person has approved.
    BreakGlass,
    /// Nothing.
    Deny,
}

/// What a route asks of who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: it says nothing of people.
    Open,
    /// A token, or nothing: without one the answer says nothing of people.
    MoreWithToken,
    /// A token.
    Token,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// `get` or `post`.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// What it asks of who comes.
    pub entry: Entry,
    /// What is read of people there, if anything: then a purpose is asked for, and the read is sealed before the answer goes out.
    pub reads: Option<AccessedKind>,
    /// For each role, in the order of [`ROLES`].
    pub cells: [Cell; 8],
}

impl Rule {
    /// How far this role may ask.
    pub fn cell(&self, role: AccessRole) -> Cell {
        let at = ROLES.iter().position(|(known, _)| *known == role);
        at.map_or(Cell::Deny, |at| self.cells[at])
    }

    /// The names of the roles that may ask at all.
    pub fn allowed(&self) -> impl Iterator<Item = &'static str> + '_ {
        let asked = ROLES.iter().zip(self.cells).filter(|(_, cell)| *cell != Cell::Deny);
        asked.map(|((_, name), _)| *name)
    }
}

/// The rule of a route; none if the table has none, and then nobody is answered.
pub fn rule(method: &str, path: &str) -> Option<&'static Rule> {
    TABLE.iter().find(|rule| rule.method == method && rule.path == path)
}

macro_rules! cell {
    (yes) => {
        Cell::Allow
    };
    (agency) => {
        Cell::OwnAgency
    };
    (cases) => {
        Cell::OwnCases
    };
    (named) => {
        Cell::Named
    };
    (counts) => {
        Cell::Aggregate
    };
    (glass) => {
        Cell::BreakGlass
    };
    (no) => {
        Cell::Deny
    };
}

macro_rules! reads {
    (nothing) => {
        None
    };
    ($kind:ident) => {
        Some(AccessedKind::$kind)
    };
}

macro_rules! table {
    (open { $($open_method:ident $open_path:literal;)+ }
     $($entry:ident $method:ident $path:literal reads $kind:ident:
       $practitioner:ident $manager:ident $mash:ident $analyst:ident $officer:ident $panel:ident $auditor:ident $administrator:ident;)+) => {
        &[
            $(Rule { method: stringify!($open_method), path: $open_path, entry: Entry::Open, reads: None, cells: [Cell::Allow; 8] },)+
            $(Rule {
                method: stringify!($method),
                path: $path,
                entry: Entry::$entry,
                reads: reads!($kind),
                cells: [cell!($practitioner), cell!($manager), cell!($mash), cell!($analyst), cell!($officer), cell!($panel),
                    cell!($auditor), cell!($administrator)],
            },)+
        ]
    };
}

/// The table. Columns: practitioner, manager, mash, analyst, data-protection-officer, panel-reviewer, auditor, administrator.
#[rustfmt::skip]
pub const TABLE: &[Rule] = table! {
    open {
        post "/v1/statements";
        get "/v1/ledger";
        get "/v1/configuration";
        get "/v1/publishers";
        get "/v1/publishers/{id}";
        get "/v1/publishers/{id}/head";
        get "/v1/proofs/inclusion";
        get "/v1/proofs/consistency";
        post "/v1/advice";
        get "/checkpoint";
        get "/checkpoint/cosigned";
        get "/tile/{*path}";
        get "/verify";
        get "/openapi.json";
        get "/healthz";
        get "/readyz";
    }
    //                                                            pract. manager mash analyst officer panel auditor admin.
    MoreWithToken get "/v1/entries/{index}"      reads Texts:     cases  agency  yes  glass   yes     named no      no;
    Token get "/v1/decisions"                    reads Decisions: cases  agency  yes  yes     yes     named no      no;
    Token get "/v1/decisions/{index}"            reads Decisions: cases  agency  yes  yes     yes     named no      no;
    Token post "/v1/subjects"                    reads Identity:  cases  agency  yes  yes     yes     named no      no;
    Token get "/v1/children/{reference}/timeline"   reads Timeline: cases agency yes  yes     yes     named no      no;
    Token get "/v1/children/{reference}/episodes"   reads Timeline: cases agency yes  yes     yes     named no      no;
    Token get "/v1/children/{reference}/identities" reads Identity: no    no     yes  yes     yes     named no      no;
    Token get "/v1/children/{reference}/accesses"   reads Timeline: no    no     yes  no      yes     named no      no;
    Token get "/v1/episodes"                     reads Timeline:  cases  agency  yes  yes     no      named no      no;
    Token get "/v1/requests"                     reads Decisions: cases  agency  yes  yes     yes     named no      no;
    Token get "/v1/contexts"                     reads Timeline:  no     no      yes  yes     no      no    no      no;
    Token get "/v1/locations/{reference}"        reads Timeline:  no     agency  yes  yes     no      no    no      no;
    Token get "/v1/persons"                      reads Timeline:  no     no      yes  yes     no      no    no      no;
    Token get "/v1/persons/{reference}"          reads Timeline:  no     agency  yes  yes     no      no    no      no;
    Token get "/v1/findings"                     reads Decisions: cases  agency  yes  yes     yes     named no      no;
    Token get "/v1/alerts"                       reads Alerts:    no     agency  yes  yes     yes     named no      no;
    Token get "/v1/alerts/{id}"                  reads Alerts:    no     agency  yes  yes     yes     named no      no;
    Token get "/v1/stream"                       reads Alerts:    no     no      yes  yes     no      no    no      no;
    Token get "/v1/bundles"                      reads Bundle:    no     no      yes  no      yes     named no      no;
    Token post "/v1/bundles"                     reads Bundle:    no     no      yes  no      yes     named no      no;
    Token post "/v1/subject-access"              reads Bundle:    no     no      no   no      yes     no    no      no;
    Token get "/v1/retention/due"                reads Timeline:  no     no      no   no      yes     no    no      no;
    Token post "/v1/erasures"                    reads Identity:  no     no      no   no      yes     no    no      no;
    Token get "/v1/erasures"                     reads Identity:  no     no      no   no      yes     no    no      no;
    Token post "/v1/erasures/{index}/confirmations" reads Identity: no   no      no   no      yes     no    no      no;
    Token get "/v1/findings/agencies"            reads nothing:   no     agency  yes  yes     yes     no    counts  no;
    Token get "/v1/sharing"                      reads nothing:   no     agency  yes  yes     yes     no    counts  no;
    Token get "/v1/sharing/agencies"             reads nothing:   no     agency  yes  yes     yes     no    counts  no;
    Token get "/v1/agreements"                   reads nothing:   no     agency  yes  yes     yes     no    counts  no;
    Token get "/v1/integrity"                    reads nothing:   no     no      yes  yes     yes     no    yes     yes;
    Token get "/v1/break-glass"                  reads nothing:   no     agency  yes  no      yes     no    no      no;
    Token post "/v1/break-glass"                 reads nothing:   cases  agency  yes  yes     yes     named no      no;
    Token post "/v1/break-glass/{id}/approve"    reads nothing:   no     agency  yes  no      no      no    no      no;
};

impl Cell {
    /// The cell in a word, for the table in the documentation and the `OpenAPI` document.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "yes",
            Self::OwnAgency => "own agency",
            Self::OwnCases => "own cases",
            Self::Named => "named children",
            Self::Aggregate => "counts",
            Self::BreakGlass => "break-glass",
            Self::Deny => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_has_two_rows_and_no_row_lets_an_administrator_at_content() {
        for (at, rule) in TABLE.iter().enumerate() {
            let same = |other: &&Rule| (other.method, other.path) == (rule.method, rule.path);
            assert_eq!(TABLE.iter().filter(same).count(), 1, "{} {}", rule.method, rule.path);
            assert!(at < 64);
            if rule.reads.is_some() {
                for role in [AccessRole::Administrator, AccessRole::Auditor] {
                    assert_eq!(rule.cell(role), Cell::Deny, "{}", rule.path);
                }
            }
            if rule.reads == Some(AccessedKind::Texts) {
                assert_eq!(rule.cell(AccessRole::Analyst), Cell::BreakGlass, "{}", rule.path);
            }
            let of_agency = |cell: Cell| matches!(cell, Cell::OwnAgency | Cell::OwnCases);
            if rule.entry != Entry::Open {
                let practitioner = rule.cell(AccessRole::Practitioner);
                assert!(matches!(practitioner, Cell::OwnCases | Cell::Deny), "{}", rule.path);
                let manager = rule.cell(AccessRole::Manager);
                assert!(of_agency(manager) || manager == Cell::Deny, "{}", rule.path);
                let panel = rule.cell(AccessRole::PanelReviewer);
                assert!(matches!(panel, Cell::Named | Cell::Deny), "{}", rule.path);
            }
        }
        assert!(rule("get", "/v1/other").is_none());
    }
}
