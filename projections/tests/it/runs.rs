//! Rows that lie in files of their own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::fixture::*;
use crate::rebuilding::{TREE, kept_going};

/// The files of the rows' runs.
fn runs(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder.join("rows.runs").join(TREE)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// As many in one batch as there are while views catch up are not journalled: their rows lie in files of their own.
#[test]
fn a_file_of_rows_that_is_gone_or_damaged_gives_the_same_views_again() {
    let link = |n: u8| linked(&n.to_string(), SCHOOL, n, n / 4, NEW_YEAR + i64::from(n) * DAY);
    let correction =
        |n: u8| started(&format!("start {n}"), POLICE, n, "Missing", NEW_YEAR + i64::from(n) * DAY);
    let events: Vec<Event> = (0..250).flat_map(|n| [link(n), correction(n), correction(n)]).collect();
    let records = seal_all(&events);
    let cut = |file: &Path| {
        let bytes = fs::read(file).unwrap();
        fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    };
    let flip = |file: &Path| {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    };
    let remove = |file: &Path| fs::remove_file(file).unwrap();
    let damages: [&dyn Fn(&Path); 3] = [&cut, &flip, &remove];
    for damage in damages {
        for which in 0.. {
            let Views { projector, folder, .. } = Views::of_records(&records);
            let dump = projector.dump().unwrap();
            projector.close().unwrap();
            let files = runs(folder.path());
            assert!(!files.is_empty());
            let Some(file) = files.get(which) else { break };
            damage(file);
            let (projector, _) = kept_going(folder.path(), &records);
            // What no question met, and no opening read, may be damaged still: it is found by whoever reads all.
            let found = projector.dump();
            let projector = if found.is_ok() {
                projector
            } else {
                drop(projector);
                kept_going(folder.path(), &records).0
            };
            assert_same(&projector, &dump);
        }
    }
}
