//! A run beside publishing, and one whose ledger is killed in the middle.

use serde_json::Value;

use super::{COUNCIL, configure, due, end, moved, years_pass};
use crate::erasing::{caught_up, fsck, is_found_in};
use crate::partnership::{Home, Process, Publisher, Server, child, eventually, path, run};

/// Twice as many as one erasure ends, and some.
const CHILDREN: u64 = 150;
const NOW: &str = "2050-01-01T00:00:00Z";

/// A ledger in which so many children's texts are due, running.
fn with_many_due() -> (Home, Server, Publisher) {
    let home = Home::new();
    let mut council = home.enrol("council", COUNCIL, None);
    let police = home.enrol("police", "police:99", None);
    configure(&home);
    let server = home.serve();
    for number in 100..100 + CHILDREN {
        let statement = moved(&mut council, &child(number), "ChildInNeed");
        assert_eq!(server.client().publish(&statement).status, 201);
    }
    server.stop();
    years_pass(&home, &mut council, 2050);
    let server = home.serve();
    caught_up(&server);
    (home, server, police)
}

/// The erasures that are sealed, as the ledger lists them: what each says.
fn erasures(home: &Home) -> Vec<Value> {
    let data = home.data();
    let listed = run(["erase", "status", "--json", "--data", path(&data)]).succeeded().json();
    let items = listed.as_array().expect("a list").iter();
    items.map(|one| one["erased"].clone()).collect()
}

/// Each of the children in one erasure, in no other, and nowhere any more.
fn all_have_ended_once(home: &Home) {
    let erasures = erasures(home);
    let owners = erasures.iter().flat_map(|one| one["owners"].as_array().expect("owners"));
    let mut owners: Vec<&str> = owners.map(|owner| owner.as_str().expect("an id")).collect();
    let named = owners.len();
    owners.sort_unstable();
    owners.dedup();
    assert_eq!((owners.len(), named as u64), (named, CHILDREN), "nobody is named twice: {erasures:?}");
    for number in 100..100 + CHILDREN {
        assert!(!is_found_in(&home.data(), &child(number)), "child {number} is found");
    }
    assert_eq!(fsck(home)["verdict"], "sound");
}

#[test]
fn a_running_ledger_ends_what_is_due_and_seals_on() {
    let (home, server, mut police) = with_many_due();
    assert_eq!(due(&home, NOW).len() as u64, CHILDREN);
    let done = std::thread::scope(|scope| {
        let ending = scope.spawn(|| end(&home, NOW));
        let mut sealed = 0;
        while !ending.is_finished() || sealed == 0 {
            assert_eq!(server.client().publish(&police.next(&child(1), sealed)).status, 201);
            sealed += 1;
        }
        ending.join().expect("it ends")
    });
    assert_eq!((&done["persons"], &done["more"]), (&CHILDREN.into(), &false.into()), "{done}");
    assert_eq!(done["erasures"].as_array().map(Vec::len), Some(3), "64, 64 and the rest: {done}");
    caught_up(&server);
    assert_eq!(end(&home, NOW)["persons"], 0);
    server.stop();
    all_have_ended_once(&home);
}

#[test]
fn a_run_that_was_killed_is_run_again_and_ends_nobody_twice() {
    let (home, mut server, _) = with_many_due();
    let data = home.data();
    let what = ["retention", "run", "--authority", COUNCIL, "--as-of", NOW, "--data", path(&data)];
    let mut running = Process::start(what, &home.at("run.log"));
    let retired = data.join("keyring/retired");
    eventually("the first erasure is made", || retired.exists());
    server.process.kill();
    assert_eq!(running.ended().code(), Some(1));
    assert!(running.log_text().contains("gave no answer"), "{}", running.log_text());

    let server = home.serve();
    caught_up(&server);
    let before: u64 =
        erasures(&home).iter().map(|one| one["owners"].as_array().expect("owners").len() as u64).sum();
    assert!(before > 0, "the first was made");
    let done = end(&home, NOW);
    assert_eq!(done["persons"].as_u64().map(|persons| persons + before), Some(CHILDREN), "{done}");
    server.stop();
    all_have_ended_once(&home);
}
