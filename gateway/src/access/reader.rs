//! Who reads: what a token says of its holder, and what makes that sound (DOMAIN section 8).

use std::collections::BTreeSet;

use gt_core::agency::AgencyCode;
use gt_ledger::record::OwnerId;
use gt_schemas::{AccessPurpose, AccessRole};

/// The most children that a token can name.
pub const MAX_CHILDREN: usize = 64;
/// The longest time for which a review panel's token holds, in seconds: 90 days.
pub const MAX_PANEL_SECONDS: i64 = 90 * 24 * 3600;
/// The longest time for which any token holds, in seconds: 366 days.
pub const MAX_SECONDS: i64 = 366 * 24 * 3600;
/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// Somebody with a good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The name under which the person is known; it is sealed with each read.
    pub subject: String,
    /// As what.
    pub role: AccessRole,
    /// The agency of a practitioner or a manager; and of a data protection officer who erases on one agency's authority alone.
    pub agency: Option<AgencyCode>,
    /// A practitioner's cases, or what a review panel reviews: children, by their opaque references.
    pub children: BTreeSet<OwnerId>,
    /// What the token may be used for; anything, if nothing is named.
    pub purposes: Vec<AccessPurpose>,
    /// Since when it holds, in seconds since the Unix epoch.
    pub issued_at: i64,
    /// Until when it holds.
    pub expires_at: i64,
    /// The token's own id.
    pub token: String,
}

/// Why a token cannot say this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReaderError {
    /// No name, or none that can be written down.
    #[error("a subject is a name of 1 to 100 characters, none of them a control character")]
    Subject,
    /// The role acts for an agency, and none is named.
    #[error("a practitioner and a manager read for an agency: name it")]
    AgencyMissing,
    /// The role acts for no agency.
    #[error("only a practitioner, a manager and a data protection officer act for an agency")]
    AgencyNamed,
    /// The role reads named children, and none is named.
    #[error(
        "a review panel reads the records of the children that it reviews: name them by their opaque references"
    )]
    ChildrenMissing,
    /// The role reads no named children.
    #[error("only a practitioner's and a review panel's token names children")]
    ChildrenNamed,
    /// Too many.
    #[error("a token names at most 64 children")]
    TooManyChildren,
    /// It ends before it begins, or holds too long.
    #[error("a token holds for at most 366 days, a review panel's for at most 90")]
    Span,
}

impl Reader {
    /// Whether the parts fit each other.
    pub fn check(&self) -> Result<(), ReaderError> {
        let length = self.subject.chars().count();
        if !(1..=MAX_NAME).contains(&length)
            || self.subject.chars().any(char::is_control)
            || self.subject.trim() != self.subject
        {
            return Err(ReaderError::Subject);
        }
        let for_agency = for_agency(self.role);
        match &self.agency {
            None if for_agency => return Err(ReaderError::AgencyMissing),
            Some(_) if !may_name_agency(self.role) => return Err(ReaderError::AgencyNamed),
            Some(agency) if agency.is_ledgers_own() => return Err(ReaderError::AgencyMissing),
            _ => {}
        }
        let of_named = of_named(self.role);
        match self.children.len() {
            0 if self.role == AccessRole::PanelReviewer => return Err(ReaderError::ChildrenMissing),
            1.. if !of_named => return Err(ReaderError::ChildrenNamed),
            number if number > MAX_CHILDREN => return Err(ReaderError::TooManyChildren),
            _ => {}
        }
        let most = if self.role == AccessRole::PanelReviewer { MAX_PANEL_SECONDS } else { MAX_SECONDS };
        let span = self.expires_at.checked_sub(self.issued_at);
        if span.is_some_and(|span| (1..=most).contains(&span)) { Ok(()) } else { Err(ReaderError::Span) }
    }
}

/// Whether the role reads for an agency.
pub const fn for_agency(role: AccessRole) -> bool {
    matches!(role, AccessRole::Practitioner | AccessRole::Manager)
}

/// Whether the role may act for an agency: those that read for one must, and a data protection officer may.
pub const fn may_name_agency(role: AccessRole) -> bool {
    for_agency(role) || matches!(role, AccessRole::DataProtectionOfficer)
}

/// Whether the role reads about named children.
pub const fn of_named(role: AccessRole) -> bool {
    matches!(role, AccessRole::Practitioner | AccessRole::PanelReviewer)
}

/// A role in words, as commands and messages write it: `data-protection-officer`.
pub fn role_name(role: AccessRole) -> &'static str {
    ROLES.iter().find(|(known, _)| *known == role).map_or("", |(_, name)| name)
}

/// The role of this name.
pub fn role_named(name: &str) -> Option<AccessRole> {
    ROLES.iter().find(|(_, known)| *known == name).map(|(role, _)| *role)
}

/// The roles by the names that commands and messages use, in the order of the policy's columns.
pub const ROLES: [(AccessRole, &str); 8] = [
    (AccessRole::Practitioner, "practitioner"),
    (AccessRole::Manager, "manager"),
    (AccessRole::Mash, "mash"),
    (AccessRole::Analyst, "analyst"),
    (AccessRole::DataProtectionOfficer, "data-protection-officer"),
    (AccessRole::PanelReviewer, "panel-reviewer"),
    (AccessRole::Auditor, "auditor"),
    (AccessRole::Administrator, "administrator"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(role: AccessRole) -> Reader {
        let agency = matches!(role, AccessRole::Practitioner | AccessRole::Manager);
        let named = matches!(role, AccessRole::Practitioner | AccessRole::PanelReviewer);
        Reader {
            subject: "Kim".into(),
            role,
            agency: agency.then(|| AgencyCode::parse("police:32").expect("a code")),
            children: named.then(|| OwnerId::from_bytes([1; 16])).into_iter().collect(),
            purposes: Vec::new(),
            issued_at: 1_000,
            expires_at: 2_000,
            token: "id".into(),
        }
    }

    #[test]
    fn each_role_has_what_it_needs_and_nothing_else() {
        for (role, name) in ROLES {
            let sound = reader(role);
            assert_eq!(sound.check(), Ok(()), "{name}");
            assert_eq!((role_name(role), role_named(name)), (name, Some(role)));
            let turned = Reader {
                agency: sound.agency.is_none().then(|| AgencyCode::parse("police:32").expect("a code")),
                ..sound.clone()
            };
            let officer = role == AccessRole::DataProtectionOfficer;
            assert_eq!(turned.check().is_ok(), officer, "{name}: an officer may be an agency's");
            let many = (0..65).map(|number| OwnerId::from_bytes([number; 16])).collect();
            assert!(Reader { children: many, ..sound.clone() }.check().is_err(), "{name}");
            assert_eq!(
                Reader { subject: "K\u{7}".into(), ..sound.clone() }.check(),
                Err(ReaderError::Subject)
            );
            for expires_at in [1_000, 0, i64::MAX, i64::MIN, 1_001 + MAX_SECONDS] {
                assert_eq!(Reader { expires_at, ..sound.clone() }.check(), Err(ReaderError::Span), "{name}");
            }
        }
        assert_eq!(ROLES.len(), AccessRole::ALL.len());
    }

    #[test]
    fn a_panel_is_confined_in_time_and_to_children() {
        let panel = reader(AccessRole::PanelReviewer);
        let last = Reader { expires_at: 1_000 + MAX_PANEL_SECONDS, ..panel.clone() };
        assert_eq!(last.check(), Ok(()));
        let over = Reader { expires_at: 1_001 + MAX_PANEL_SECONDS, ..panel.clone() };
        assert_eq!(over.check(), Err(ReaderError::Span));
        let anybody = Reader { children: BTreeSet::new(), ..panel };
        assert_eq!(anybody.check(), Err(ReaderError::ChildrenMissing));
    }
}
