//! Erasure by the program: a running ledger destroys somebody's keys, goes on, and no process, file or log has the words any more.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use gt_core::json::Value as Strict;
use memchr::memmem;
use serde_json::{Value, json};

use crate::partnership::{Client, Home, Publisher, Server, child, eventually, path, run, run_with_input};

const WORDS: &str = "the neighbour heard the piano stop at four";

/// A note in words about a child.
pub(crate) fn note(publisher: &mut Publisher, about: &str, words: &str) -> gt_core::statement::Statement {
    let data = json!({
        "ground": "Other",
        "child": {"pseudonym": about, "role": "Child"},
        "times": {"occurred_at": "2026-03-01T09:00:00Z"},
        "reason": words,
    });
    publisher.record("record.released", &Strict::parse(data.to_string().as_bytes()).expect("strict JSON"))
}

/// Whether a file, or any file below a folder, has these bytes.
pub(crate) fn is_found_in(place: &Path, needle: &str) -> bool {
    if place.is_dir() {
        return fs::read_dir(place)
            .expect("listed")
            .flatten()
            .any(|entry| is_found_in(&entry.path(), needle));
    }
    memmem::find(&fs::read(place).unwrap_or_default(), needle.as_bytes()).is_some()
}

/// Whether the memory of a process has these bytes.
pub(crate) fn is_in_memory_of(process: u32, needle: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("a process of this test's");
    let mut memory = File::open(format!("/proc/{process}/mem")).expect("a process of this test's");
    let mut searched = 0;
    let mut found = false;
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(permissions)) = (fields.next(), fields.next()) else { continue };
        if !permissions.starts_with("rw") {
            continue;
        }
        let number = |text: &str| u64::from_str_radix(text, 16).expect("hexadecimal");
        let (from, to) = range.split_once('-').map(|(from, to)| (number(from), number(to))).expect("a range");
        if memory.seek(SeekFrom::Start(from)).is_err() {
            continue;
        }
        let (read, there) = search(&mut (&mut memory).take(to - from), needle);
        searched += read;
        found |= there;
    }
    assert!(searched > 1 << 20, "its memory was read: {searched} bytes");
    found
}

/// How many bytes could be read, and whether these are among them. An allocator may hold a gigabyte ready: it is read piece by piece.
fn search(bytes: &mut impl Read, needle: &str) -> (usize, bool) {
    let finder = memmem::Finder::new(needle);
    let (mut piece, mut kept, mut searched, mut found) = (vec![0; 1 << 20], 0, 0, false);
    // What the kernel keeps to itself (vvar) does not read.
    while let Ok(read @ 1..) = bytes.read(&mut piece[kept..]) {
        let end = kept + read;
        searched += read;
        found |= finder.find(&piece[..end]).is_some();
        // Its beginning may stand at the end of this piece.
        let again = (needle.len() - 1).min(end);
        piece.copy_within(end - again..end, 0);
        kept = again;
    }
    (searched, found)
}

fn erase(home: &Home, whom: &str, more: &[&str]) -> Value {
    let data = home.data();
    let what =
        ["erase", "--json", "--child", whom, "--authority", "gss:E06000999", "--ground", "EnteredInError"];
    run(what.iter().chain(more).copied().chain(["--data", path(&data)])).succeeded().json()
}

fn kek(home: &Home) -> String {
    let data = home.data();
    let shown = run(["kek", "show", "--json", "--data", path(&data)]).succeeded().json();
    shown["kek"].as_str().expect("a fingerprint").to_owned()
}

pub(crate) fn fsck(home: &Home) -> Value {
    let data = home.data();
    run(["fsck", "--json", "--data", path(&data)]).succeeded().json()
}

fn reference(analyst: &Client, about: &str) -> u16 {
    let question = json!({"pseudonym": about}).to_string();
    analyst.post("/v1/subjects", "application/json", question.as_bytes()).status
}

pub(crate) fn caught_up(server: &Server) {
    let analyst = server.analyst();
    eventually("the views have come to the end", || {
        analyst.get("/readyz").json()["projected"] == server.client().size()
    });
}

#[test]
fn a_running_ledger_erases_and_nothing_has_the_words_any_more() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    let (gone, stays) = (child(1), child(2));
    let statements = [
        note(&mut council, &gone, WORDS),
        note(&mut council, &stays, "nobody heard anything"),
        note(&mut council, &gone, WORDS),
    ];
    for statement in &statements {
        assert_eq!(server.client().publish(statement).status, 201);
    }
    caught_up(&server);
    // It is itself a record about the child, and ends with the others.
    assert_eq!(reference(&server.analyst(), &gone), 200);
    caught_up(&server);
    assert!(is_in_memory_of(server.process.id(), &gone), "the search finds what is there");
    let before = kek(&home);

    let done = erase(&home, &gone, &["--records"]);
    assert_eq!((done["status"].as_str(), done["entries"].as_u64()), (Some("pending"), Some(3)));
    assert_eq!(done["retired"]["kek"], before);
    assert_ne!(kek(&home), before);
    caught_up(&server);
    let analyst = server.analyst();
    assert_eq!(reference(&analyst, &gone), 404);
    assert_eq!(reference(&analyst, &stays), 200);
    // Before it stand: a note, the other child's, a note, the read.
    let index = done["index"].as_u64().expect("an index");
    let hub = server.of_the_hub(&home);
    for (before, record) in [(1, "ended"), (2, "ended"), (3, "readable"), (4, "ended")] {
        let entry = hub.get(&format!("/v1/entries/{}", index - before)).json();
        assert_eq!(entry["record"], record, "{entry}");
    }
    // It seals on, answers what was sent before, and revives nothing.
    assert_eq!(server.client().publish(&note(&mut council, &stays, "more")).status, 201);
    assert_eq!(server.client().publish(&statements[0]).status, 200);
    assert_eq!(reference(&analyst, &gone), 404);
    server.stop();

    let server = home.serve();
    caught_up(&server);
    assert_eq!(reference(&server.analyst(), &stays), 200);
    for needle in [WORDS, gone.as_str(), gone.rsplit(':').next().expect("a hash")] {
        assert!(!is_in_memory_of(server.process.id(), needle), "the restarted process has it");
        assert!(!is_found_in(&home.data(), needle) && !is_found_in(&home.at("data.secrets"), needle));
        assert!(!server.process.log_text().contains(needle));
    }
    server.stop();
    let report = fsck(&home);
    assert_eq!(
        (&report["verdict"], &report["counts"]["statements_unreadable"]),
        (&json!("sound"), &json!(3))
    );
}

#[test]
fn a_key_is_renewed_put_into_escrow_and_back_while_the_ledger_runs() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    assert_eq!(server.client().publish(&note(&mut council, &child(1), WORDS)).status, 201);
    let (data, old) = (home.data(), kek(&home));
    let done = run(["kek", "rotate", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!(done["retired"]["kek"], old);
    assert_eq!(server.client().publish(&note(&mut council, &child(2), WORDS)).status, 201);
    assert_eq!(reference(&server.analyst(), &child(1)), 200);
    let status = || run(["erase", "status", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!(status()[0]["confirmed_at"], Value::Null);
    run(["erase", "confirm", &old, "--data", path(&data)]).succeeded();
    assert!(status()[0]["confirmed_at"].is_string());
    server.stop();

    let shares = [home.at("one"), home.at("two")];
    let [one, two] = [path(&shares[0]), path(&shares[1])];
    run(["kek", "escrow", "--out", one, "--out", two, "--data", path(&data)]).succeeded();
    run(["kek", "show", two, one, "--data", path(&data)]).succeeded();
    fs::rename(home.secret("kek"), home.at("lost")).expect("moved");
    let data_of = path(&data);
    let complaint = run(["serve", "--data", data_of]).exited(1).complaint();
    assert!(complaint.contains("kek restore") && complaint.contains("data.secrets/kek"), "{complaint}");
    let restored = home.at("restored");
    run(["kek", "restore", "--out", path(&restored), one]).exited(1);
    run(["kek", "restore", "--out", path(&restored), one, two]).succeeded();
    // Elsewhere than in the secrets folder.
    run(["fsck", "--kek", path(&restored), "--data", data_of]).succeeded();
    let other = Home::new();
    let refused =
        run(["serve", "--kek", path(&other.secret("kek")), "--data", data_of]).exited(1).complaint();
    assert!(refused.contains("does not open this ledger's keyring"), "{refused}");
    // And a folder that nobody serves is opened.
    erase_at(&home, &child(1), path(&restored));
}

/// An escrow of another ledger's key is found out when every other copy is gone.
#[test]
fn another_ledgers_key_is_neither_escrowed_nor_shown_as_the_folders() {
    let (home, other) = (Home::new(), Home::new());
    let (data, secrets, out) = (home.data(), other.at("data.secrets"), home.at("share"));
    let (data, secrets, share) = (path(&data), path(&secrets), path(&out));
    let refused = |arguments: &[&str]| {
        let said = run(arguments.iter().copied().chain(["--data", data])).exited(1).complaint();
        assert!(said.contains(&format!("this key does not open {data}'s keyring")), "{said}");
        assert!(!out.exists());
    };
    for served in [false, true] {
        let server = served.then(|| home.serve());
        refused(&["kek", "escrow", "--out", share, "--secrets", secrets]);
        refused(&["kek", "escrow", "--out", share, "--kek", path(&other.secret("kek"))]);
        refused(&["kek", "show", "--secrets", secrets]);
        refused(&["kek", "rotate", "--secrets", secrets]);
        run(["kek", "show", "--data", data]).succeeded();
        if let Some(server) = server {
            server.stop();
        }
    }
    let nowhere = home.at("nowhere");
    let said = run(["kek", "show", "--data", path(&nowhere), "--secrets", secrets]).exited(1).complaint();
    assert!(said.contains("holds no ledger"), "{said}");
}

#[test]
fn the_next_key_can_be_escrowed_before_it_is_in_force() {
    let home = Home::new();
    let (data, share) = (home.data(), home.at("share"));
    let (data, share) = (path(&data), path(&share));
    let said = run(["kek", "escrow", "--next", "--out", share, "--data", data]).exited(1).complaint();
    assert!(said.contains("nats keys prepare"), "{said}");
    // What `nats keys prepare` leaves beside the key in force.
    let next = Home::new();
    fs::copy(next.secret("kek"), home.secret("kek.next")).expect("copied");
    run(["kek", "escrow", "--next", "--out", share, "--data", data]).succeeded();
    let shown = run(["kek", "show", "--json", "--next", share, "--data", data]).succeeded().json();
    assert_eq!((&shown["next"], &shown["kek"]), (&json!(kek(&next)), &json!(kek(&home))), "{shown}");
    run(["kek", "show", share, "--data", data]).exited(1);
}

#[test]
fn an_escrow_that_cannot_be_written_leaves_no_share() {
    let home = Home::new();
    let (data, one, two) = (home.data(), home.at("one"), home.at("two"));
    let escrow =
        |second: &str| run(["kek", "escrow", "--out", path(&one), "--out", second, "--data", path(&data)]);
    fs::write(&two, "another share").expect("written");
    let said = escrow(path(&two)).exited(1).complaint();
    assert!(said.contains("two exists already, and a share is never overwritten"), "{said}");
    assert!(!one.exists() && fs::read_to_string(&two).expect("there") == "another share");
    let said = escrow(path(&home.at("nowhere").join("two"))).exited(1).complaint();
    assert!(said.contains("nowhere/two: the folder that it is to stand in is not there"), "{said}");
    assert!(!one.exists());
    fs::remove_file(&two).expect("removed");
    escrow(path(&two)).succeeded();
    run(["kek", "show", path(&one), path(&two), "--data", path(&data)]).succeeded();
}

fn erase_at(home: &Home, whom: &str, kek: &str) {
    let done = erase(home, whom, &["--kek", kek]);
    // A note, and the read of whose it is.
    assert_eq!((done["scope"].as_str(), done["entries"].as_u64()), (Some("data"), Some(2)));
    let data = home.data();
    let again = run([
        "erase",
        "--child",
        whom,
        "--authority",
        "gss:E06000999",
        "--ground",
        "CourtOrder",
        "--kek",
        kek,
        "--data",
        path(&data),
    ]);
    assert!(again.exited(1).complaint().contains("knows nobody"));
    run(["fsck", "--kek", kek, "--data", path(&data)]).succeeded();
}

#[test]
fn a_folder_that_follows_a_stream_refuses_in_a_sentence() {
    let home = Home::new();
    fs::write(home.data().join("state/stream.json"), "{}").expect("written");
    let data = home.data();
    let erase = [
        "erase",
        "--child",
        "-",
        "--authority",
        "gss:E06000999",
        "--ground",
        "CourtOrder",
        "--data",
        path(&data),
    ];
    let ended = run_with_input(erase, child(1).as_bytes()).exited(1);
    assert!(ended.complaint().contains("NATS stream") && ended.complaint().contains("nothing was erased"));
    assert!(run(["kek", "rotate", "--data", path(&data)]).exited(1).complaint().contains("NATS stream"));
}
