//! `goldenthread mirror`: a ledger's open log as static files, kept by somebody who does not trust it; and the same log in the
//! hands of other people's code.

mod copying;
mod foreign;
mod forks;
mod interruptions;
mod static_files;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gt_core::checkpoint::{Checkpoint, SignedCheckpoint};

use crate::partnership::{Client, Ended, Home, Publisher, child, path, run};

/// Has the council's next statements sealed.
fn grow(client: &Client, council: &mut Publisher, entries: u64) {
    let statements = (0..entries).map(|n| council.next(&child(n % 7), n));
    let lines: Vec<String> = statements.map(|one| format!("\"{}\"", one.to_compact())).collect();
    let answers = client.publish_lines(&lines);
    let refused = answers.iter().find(|answer| answer["status"] != 201);
    assert!(refused.is_none(), "{refused:?}");
}

/// Copies what is served at an address, under the ledger's pin.
fn mirror(home: &Home, url: &str, out: &Path) -> Ended {
    let pin = home.pin_file();
    run(["mirror", "--json", "--url", url, "--out", path(out), "--pin", path(&pin)])
}

/// Checks a folder without keys, under the ledger's pin.
fn verify(home: &Home, data: &Path) -> Ended {
    let pin = home.pin_file();
    run(["verify", "--json", "--data", path(data), "--pin", path(&pin)])
}

fn checkpoint(bytes: &[u8]) -> Checkpoint {
    SignedCheckpoint::parse(bytes).expect("a checkpoint").checkpoint().clone()
}

/// Every file below a folder, by its path in it; but the empty file that keeps two processes apart.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for item in fs::read_dir(at).expect("a folder") {
            let item = item.expect("an item").path();
            if item.is_dir() {
                folders.push(item);
            } else {
                let name = item.strip_prefix(folder).expect("below it").display().to_string();
                found.insert(name, fs::read(&item).expect("readable"));
            }
        }
    }
    found.remove("mirror.lock");
    found
}
