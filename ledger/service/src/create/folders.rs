//! The two folders of a new ledger: empty, and neither within the other.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::CreateError;
use crate::disk::private_folder;
use crate::open::{OpenLedgerError, need_ledger, read_checkpoint};
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

/// What `init` seals itself: that the ledger was created, its service publisher, its configuration.
const SEALED_AT_FIRST: u64 = 3;

/// Makes the folders where they are not there. The one of the secrets gets the pin last, so without it no ledger is whole.
pub(super) fn make_empty(data: &Path, secrets: &Path) -> Result<(), CreateError> {
    let has = |name: &str| secrets.join(name).exists();
    // A ledger that has sealed more than its beginning, and lost its pin, is none that can be made anew.
    let is_begun =
        || read_checkpoint(data).map_or(true, |signed| signed.checkpoint().size().0 <= SEALED_AT_FIRST);
    let half_made = matches!(need_ledger(data), Err(OpenLedgerError::NoCheckpoint { .. }))
        || (has(secrets::file::KEK) && !has(secrets::file::PIN) && is_begun());
    [data, secrets].into_iter().try_for_each(|folder| make_one_empty(folder, half_made))
}

fn make_one_empty(folder: &Path, half_made: bool) -> Result<(), CreateError> {
    let io = |source| CreateError::Io { file: folder.to_owned(), source };
    if folder.exists() {
        let mut entries = std::fs::read_dir(folder).map_err(io)?;
        if entries.next().is_none() {
            return Ok(());
        }
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
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::super::{create, create_at};
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::secrets::Secrets;

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

    /// Notes what there is of a new ledger each time that it is asked.
    struct Looking(SystemClock, PathBuf, Arc<Mutex<Vec<[bool; 2]>>>);

    impl Clock for Looking {
        fn wall_millis(&self) -> i64 {
            let there = ["data/checkpoint", "keys/ledger.json"].map(|file| self.1.join(file).exists());
            self.2.lock().expect("not poisoned").push(there);
            self.0.wall_millis()
        }

        fn monotonic(&self) -> Duration {
            self.0.monotonic()
        }
    }

    #[test]
    fn a_start_that_is_interrupted_at_any_entry_leaves_no_pin() {
        let root = tempfile::tempdir().expect("a folder");
        let (at, seen) = (|name: &str| root.path().join(name), Arc::<Mutex<Vec<_>>>::default());
        let clock = Box::new(Looking(SystemClock::default(), root.path().to_owned(), Arc::clone(&seen)));
        create_at(&at("data"), &at("keys"), "ledger.example/half", clock).expect("made");
        let seen = seen.lock().expect("not poisoned");
        assert_eq!((seen.first(), seen.last()), (Some(&[false, false]), Some(&[true, false])));
        // Killed there, it says so when it is begun again.
        fs::remove_file(at("keys/ledger.json")).expect("removed");
        let refused = create(&at("data"), &at("keys"), "ledger.example/half").err().expect("in use");
        assert!(matches!(refused, CreateError::NotEmpty { half_made: true, .. }), "{refused}");
        assert!(Secrets::load(&at("keys")).is_err(), "nothing is served from it");
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
