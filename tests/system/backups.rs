//! Copies of a data folder that are made while its ledger seals, and put back.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use gt_core::statement::Statement;

use crate::partnership::{Client, Home, Publisher, child, eventually, path, run};

/// So many copies are made of one ledger.
const COPIES: usize = 4;
/// Statements that are sent together: a few of these fill a bundle, so that files become full, and are moved, while they are copied.
const TOGETHER: u64 = 60;

/// Has the publishers stop, also where an assertion fails before they are told to.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Publishes until it is told to stop, about ever more children, and keeps each statement with its receipt.
fn publish(
    client: &Client,
    mut publisher: Publisher,
    stop: &AtomicBool,
    sealed: &Mutex<Vec<(Statement, String)>>,
) {
    let mut n = 0;
    while !stop.load(Ordering::Acquire) {
        let statements: Vec<_> = (n..n + TOGETHER).map(|n| publisher.next(&child(n), n % 300)).collect();
        let receipts = client.publish_together(&statements);
        sealed.lock().expect("nobody panics with it").extend(statements.into_iter().zip(receipts));
        n += TOGETHER;
    }
}

#[test]
fn a_copy_made_while_statements_are_sealed_is_sound_and_can_be_put_back() {
    let home = Home::new();
    let publishers = ["gss:E06000999", "ods:RX1"].map(|agency| home.enrol(&agency[..3], agency, None));
    let server = home.serve();
    let (client, stop, sealed) = (server.client(), AtomicBool::new(false), Mutex::new(Vec::new()));
    let (data, secrets) = (home.data(), home.secret(""));
    let (data, secrets) = (path(&data), path(&secrets));
    let last = thread::scope(|scope| {
        for publisher in publishers {
            scope.spawn(|| publish(&client, publisher, &stop, &sealed));
        }
        let (_stop, mut last) = (Stop(&stop), (0, 0));
        for number in 0..COPIES {
            eventually("more is sealed", || client.size() > last.1 + 300);
            let (copy, before) = (home.at(&format!("copy-{number}")), client.size());
            let made = run(["backup", "--data", data, "--to", path(&copy), "--json"]).succeeded().json();
            let size = made["size"].as_u64().expect("a number");
            assert!(size >= before && size <= client.size(), "{made}, {before} before");
            run(["fsck", "--data", path(&copy), "--secrets", secrets]).succeeded();
            last = (number, size);
        }
        last
    });
    server.stop();

    let (number, size) = last;
    fs::rename(data, home.at("lost")).expect("moved");
    fs::rename(home.at(&format!("copy-{number}")), data).expect("moved");
    let server = home.serve();
    assert_eq!(server.client().size(), size);
    let sealed = sealed.into_inner().expect("nobody panicked with it");
    let held = sealed
        .iter()
        .filter(|(statement, receipt)| home.prove(receipt, statement.hash()).entry.index.0 < size);
    let held: Vec<_> = held.collect();
    assert!(held.len() > 1000, "{} of {} receipts", held.len(), sealed.len());
    // What was sealed before is there: the same bytes give a receipt, and nothing new.
    for (statement, _) in held.iter().step_by(97) {
        let reply = server.client().publish(statement);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(server.client().size(), size);
    server.stop();
    run(["fsck", "--data", data, "--secrets", secrets]).succeeded();
}

#[test]
fn what_cannot_be_copied_is_said_and_leaves_nothing() {
    let home = Home::new();
    let data = home.data();
    let backup = |from: &Path, to: &Path| run(["backup", "--data", path(from), "--to", path(to)]);
    let said = |from: &Path, to: &Path| backup(from, to).exited(1).complaint();
    let copy = home.at("copy");

    assert!(said(&home.at("nowhere"), &copy).contains("holds no ledger"));
    assert!(said(&data, &data.join("within")).contains("lies within the folder that is to be copied"));
    assert!(said(&data, &home.at("no/folder")).contains("no/folder"));
    let erasure = data.join("keyring/erasure");
    fs::write(&erasure, "{}").expect("written");
    assert!(said(&data, &copy).contains("an erasure, or a renewal"));
    fs::remove_file(&erasure).expect("removed");
    assert!(!copy.exists() && !data.join("within").exists() && !home.at("no").exists());

    backup(&data, &copy).succeeded();
    assert!(said(&data, &copy).contains("each copy takes a new folder"));
    assert!(copy.join("checkpoint").exists(), "what was in the way stays");
    let position = data.join("state/stream.json");
    fs::write(&position, "{}").expect("written");
    assert!(said(&data, &home.at("of-node")).contains("follows a NATS stream"));
}
