//! What is in a folder that should hold a ledger: so that nobody is told to make one where one is.

use std::fs;
use std::io;
use std::path::Path;

use super::OpenLedgerError;
use crate::layout::{self, OF_A_LEDGER};

/// A folder that holds no ledger is said to hold none, before keys are missed that it never had.
///
/// # Errors
///
/// [`OpenLedgerError::NoLedger`] of one that is not there or empty, [`OpenLedgerError::NoCheckpoint`] of one with parts of a ledger,
/// [`OpenLedgerError::OtherFolder`] of one with other things in it, and [`OpenLedgerError::Folder`] if that cannot be looked at.
pub fn need_ledger(root: &Path) -> Result<(), OpenLedgerError> {
    let folder = || root.display().to_string();
    let unreadable = |source| OpenLedgerError::Folder { folder: folder(), source };
    match root.join(layout::checkpoint()).try_exists() {
        Ok(true) => return Ok(()),
        Ok(false) => {}
        Err(source) => return Err(unreadable(source)),
    }
    let names = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(OpenLedgerError::NoLedger { folder: folder() });
        }
        read => read
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()),
    };
    let names = names.map_err(unreadable)?;
    Err(if names.is_empty() {
        OpenLedgerError::NoLedger { folder: folder() }
    } else if names.iter().any(|name| name == "tile" || OF_A_LEDGER.iter().any(|part| name == part)) {
        // One that is being made has some of them before its checkpoint.
        OpenLedgerError::NoCheckpoint { folder: folder() }
    } else {
        OpenLedgerError::OtherFolder { folder: folder() }
    })
}

/// What to do about a folder that cannot be looked at.
pub(super) fn remedy(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "; give it, with all that is in it, to the user who runs this"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_nothing_is_a_ledger_is_to_be_made() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        let said = |name: &str| need_ledger(&at(name)).expect_err("no ledger").to_string();
        let make = "`goldenthread init --data";
        assert!(said("nowhere").contains(make));
        fs::create_dir(at("empty")).expect("made");
        assert!(said("empty").contains(make));

        fs::create_dir_all(at("lost/vault")).expect("made");
        assert!(said("lost").contains("lost holds parts of a ledger, and no checkpoint"), "{}", said("lost"));
        assert!(said("lost").contains("from a backup") && !said("lost").contains(make));
        fs::create_dir_all(at("letters/2026")).expect("made");
        assert!(said("letters").contains("holds no ledger, and other files"), "{}", said("letters"));
        assert!(!said("letters").contains(make));

        fs::write(at("file"), "").expect("written");
        assert!(matches!(need_ledger(&at("file")), Err(OpenLedgerError::Folder { .. })), "{}", said("file"));
        fs::write(at("lost/checkpoint"), "").expect("written");
        need_ledger(&at("lost")).expect("what the checkpoint says is looked at later");
    }

    #[test]
    fn a_folder_of_another_user_is_not_said_to_hold_no_ledger() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let said = OpenLedgerError::Folder { folder: "ledger".into(), source: denied }.to_string();
        assert!(said.contains("ledger cannot be read: permission denied; give it"), "{said}");
    }
}
