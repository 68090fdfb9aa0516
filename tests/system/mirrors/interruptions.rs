use std::path::Path;

use super::static_files::{StaticFiles, Then};
use super::{files, grow, mirror, verify};
use crate::partnership::{Home, Process, path};

/// A ledger's log as it was at two sizes, each in a folder.
fn two_sizes(home: &Home) -> [std::path::PathBuf; 2] {
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    let sizes = [home.at("small"), home.at("large")];
    for (folder, entries) in sizes.iter().zip([300, 600]) {
        grow(&server.client(), &mut council, entries);
        mirror(home, &server.url, folder).succeeded();
    }
    server.stop();
    sizes
}

fn start(home: &Home, url: &str, out: &Path) -> Process {
    let pin = home.pin_file();
    let arguments = ["mirror", "--json", "--url", url, "--out", path(out), "--pin", path(&pin)];
    Process::start(arguments, &home.at("mirror.log"))
}

/// What stands beyond the checkpoint is all that may be said against the mirror.
fn holds_what_its_checkpoint_covers(home: &Home, out: &Path, from: &Path) {
    let report = verify(home, out).json();
    let faults = report["faults"].as_array().expect("a list");
    let stray = |code: &str| ["beyond_checkpoint", "left_over"].contains(&code);
    assert!(faults.iter().all(|fault| stray(fault["code"].as_str().expect("a code"))), "{report}");
    assert_eq!(files(out)["checkpoint"], files(from)["checkpoint"]);
}

#[test]
fn a_mirror_that_is_killed_or_cut_off_at_any_point_is_completed_by_the_next_run() {
    let home = Home::new();
    let [small, large] = two_sizes(&home);
    let (earlier, later) = (StaticFiles::serve(&small), StaticFiles::serve(&large));
    // From nothing and from the smaller size, the program asks for 12 files or more.
    for after in 0..12 {
        for then in [Then::FallsSilent, Then::HangsUp] {
            for begun in [false, true] {
                // What a lost connection leaves is tested at every point where the copying is.
                if then == Then::HangsUp && after % 5 != 0 {
                    continue;
                }
                let out = home.at(&format!("{after}-{then:?}-{begun}"));
                if begun {
                    mirror(&home, &earlier.url(), &out).succeeded();
                }
                later.limit(Some((after, then)));
                if then == Then::FallsSilent {
                    let mut process = start(&home, &later.url(), &out);
                    later.waits_for_an_answer();
                    process.kill();
                } else {
                    mirror(&home, &later.url(), &out).exited(2).complaint();
                }
                if begun {
                    holds_what_its_checkpoint_covers(&home, &out, &small);
                }
                later.limit(None);
                mirror(&home, &later.url(), &out).succeeded();
                let (mut found, before) = (files(&out), files(&small));
                // Partial tiles of the smaller size stay until their full ones are there.
                found.retain(|name, bytes| {
                    files(&large).contains_key(name) || before.get(name) != Some(bytes)
                });
                assert!(found == files(&large), "{after} {then:?} {begun}");
            }
        }
    }
}
