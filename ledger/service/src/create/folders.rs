//! The two folders of a new ledger: empty, and neither within the other.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::CreateError;
use crate::disk::private_folder;
use crate::open::{OpenLedgerError, need_ledger};
use crate::secrets;

/// Before anything is made: the keys are worth nothing against whoever has a copy of the data folder with them in it.
pub(super) fn need_apart(data: &Path, secrets: &Path) -> Result<(), CreateError> {
    let place = |folder: &Path| {
        place_of(folder).map_err(|source| CreateError::Io { file: folder.to_owned(), source })
    };
    let (data, secrets) = (place(data)?, place(secrets)?);
    if data.starts_with(&secrets) || secrets.starts_with(&data) {
        return Err(CreateError::Together { data, secrets });
    }
    Ok(())
}

/// Where a folder is, or will be once it is made: what is there of its path is followed through links.
fn place_of(folder: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(folder)?;
    let there = whole.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let (above, mut place) = there.ok_or(io::ErrorKind::NotFound)?;
    // Of what is not there nothing is a link.
    for part in whole.strip_prefix(above).into_iter().flat_map(Path::components) {
        if part == Component::ParentDir {
            place.pop();
        } else {
            place.push(part);
        }
    }
    Ok(place)
}

pub(super) fn make_empty(folder: &Path) -> Result<(), CreateError> {
    let io = |source| CreateError::Io { file: folder.to_owned(), source };
    if folder.exists() {
        let mut entries = std::fs::read_dir(folder).map_err(io)?;
        if entries.next().is_none() {
            return Ok(());
        }
        let has = |name: &str| folder.join(name).exists();
        let half_made = matches!(need_ledger(folder), Err(OpenLedgerError::NoCheckpoint { .. }))
            || (has(secrets::file::KEK) && !has(secrets::file::PIN));
        return Err(CreateError::NotEmpty { folder: folder.to_owned(), half_made });
    }
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        std::fs::create_dir_all(above).map_err(io)?;
    }
    if folder.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".secrets")) {
        return Ok(secrets::make_folder(folder)?);
    }
    private_folder(folder).map_err(io)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::create;
    use super::*;

    #[test]
    fn what_an_interrupted_start_left_is_told_from_a_ledger() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        let said = || {
            let made = create(&at("data"), &at("keys"), "ledger.example/half");
            made.err().expect("the folders are in use").to_string()
        };
        create(&at("data"), &at("keys"), "ledger.example/half").expect("made");
        assert!(said().ends_with("a new ledger takes a new folder"), "{}", said());
        fs::remove_file(at("data/checkpoint")).expect("removed");
        assert!(said().contains("interrupted"), "{}", said());
        fs::remove_dir_all(at("data")).expect("removed");
        assert!(said().ends_with("a new ledger takes a new folder"), "{}", said());
        fs::remove_file(at("keys/ledger.json")).expect("removed");
        assert!(said().contains("interrupted"), "{}", said());
    }

    #[test]
    fn keys_are_not_made_where_the_data_is_by_whatever_name() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("empty")).expect("made");
        std::os::unix::fs::symlink(at("empty"), at("link")).expect("made");
        for (data, secrets) in [
            ("data", "data"),
            ("data", "data/keys"),
            ("data", "data/not/there/yet"),
            ("data", "new/../data/keys"),
            ("keys/data", "keys"),
            ("empty", "link/keys"),
            ("link", "empty"),
            ("link/data", "empty"),
        ] {
            let refused = create(&at(data), &at(secrets), "ledger.example/apart");
            assert!(matches!(refused, Err(CreateError::Together { .. })), "{data} and {secrets}");
        }
        let mut left: Vec<_> =
            fs::read_dir(root.path()).expect("read").flatten().map(|e| e.file_name()).collect();
        left.sort();
        assert_eq!(left, ["empty", "link"], "nothing was made");
        assert_eq!(fs::read_dir(at("empty")).expect("read").count(), 0);
        create(&at("data"), &at("data.keys"), "ledger.example/apart").expect("a name that begins alike");
    }
}
