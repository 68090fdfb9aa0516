use std::fs;

use super::static_files::StaticFiles;
use super::{checkpoint, files, grow, mirror, verify};
use crate::partnership::{Home, path, run};

#[test]
fn a_log_is_mirrored_served_again_and_checked_by_anybody() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    grow(&server.client(), &mut council, 290);
    let (out, pin) = (home.at("mirror"), home.pin_file());
    let said = mirror(&home, &server.url, &out).succeeded().json();
    let size = server.client().size();
    assert_eq!((&said["outcome"], &said["from"], &said["size"]), (&"grown".into(), &0.into(), &size.into()));
    assert_eq!(said["pinned"], true);
    let kept = files(&out);
    let partial = size - 256;
    let expected = [
        "checkpoint".to_owned(),
        "tile/0/000".to_owned(),
        format!("tile/0/001.p/{partial}"),
        "tile/1/000.p/1".to_owned(),
        "tile/entries/000".to_owned(),
        format!("tile/entries/001.p/{partial}"),
    ];
    assert_eq!(kept.keys().cloned().collect::<Vec<_>>(), expected);
    for (name, bytes) in &kept {
        assert!(server.client().get(&format!("/{name}")).body == *bytes, "{name} is what the ledger serves");
    }

    // It is checked as a folder, says what it is, and needs no keys.
    let report = verify(&home, &out).succeeded().json();
    assert_eq!((&report["verdict"], &report["size"]), (&"sound".into(), &size.into()));
    let said = run(["fsck", "--data", path(&out), "--pin", path(&pin)]).succeeded().stdout;
    assert!(said.contains("this is a mirror: it has no vault, so no statement was read"), "{said}");
    assert_eq!(run(["fsck", "--json", "--data", path(&out)]).exited(2).json()["verdict"], "could_not_tell");

    // Whatever serves the files serves the log: for a verifier, and for the next mirror.
    let anybody = StaticFiles::serve(&out);
    let report = run(["verify", "--json", "--url", &anybody.url(), "--pin", path(&pin)]).succeeded().json();
    assert_eq!((&report["verdict"], &report["size"]), (&"sound".into(), &size.into()));
    let second = home.at("second");
    mirror(&home, &anybody.url(), &second).succeeded();
    assert!(files(&second) == kept);

    // Both go on.
    assert_eq!(mirror(&home, &server.url, &out).succeeded().json()["outcome"], "unchanged");
    grow(&server.client(), &mut council, 300);
    let said = mirror(&home, &server.url, &out).succeeded().json();
    assert_eq!((&said["from"], &said["size"]), (&size.into(), &(size + 300).into()));
    mirror(&home, &anybody.url(), &second).succeeded();
    assert!(files(&second) == files(&out));
    assert_eq!(verify(&home, &second).succeeded().json()["verdict"], "sound");
}

/// C2SP's tlog-tiles lets a log send its files compressed, whether that was asked for or not.
#[test]
fn a_log_that_is_sent_compressed_is_the_same_log() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    grow(&server.client(), &mut council, 280);
    let (out, second, pin) = (home.at("mirror"), home.at("second"), home.pin_file());
    mirror(&home, &server.url, &out).succeeded();
    let compressed = StaticFiles::serve_compressed(&out);
    let report =
        run(["verify", "--json", "--url", &compressed.url(), "--pin", path(&pin)]).succeeded().json();
    assert_eq!((&report["verdict"], &report["size"]), (&"sound".into(), &server.client().size().into()));
    mirror(&home, &compressed.url(), &second).succeeded();
    assert!(files(&second) == files(&out));
}

#[test]
fn what_is_wrong_with_a_mirror_is_found_where_it_is() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    grow(&server.client(), &mut council, 30);
    let out = home.at("mirror");
    mirror(&home, &server.url, &out).succeeded();
    let size = server.client().size();
    let named = |file: &str| {
        let report = verify(&home, &out).exited(1).json();
        let faults = report["faults"].as_array().expect("a list");
        assert!(
            faults.iter().any(|fault| fault["place"].as_str().is_some_and(|at| at.starts_with(file))),
            "{report}"
        );
    };
    let bundle = format!("tile/entries/000.p/{size}");
    for file in [bundle.as_str(), &format!("tile/0/000.p/{size}"), "checkpoint"] {
        let sound = fs::read(out.join(file)).expect("a file of the mirror");
        fs::remove_file(out.join(file)).expect("removed");
        named(file);
        fs::write(out.join(file), &sound).expect("written");
    }
    fs::write(out.join("tile/0/000.p/1"), [0; 32]).expect("written");
    named("tile/0/000.p/1");
    fs::write(out.join("notes.txt"), b"of somebody").expect("written");
    named("notes.txt");
    let said = mirror(&home, &server.url, &out).exited(1).complaint();
    assert!(said.contains("notes.txt") && said.contains("no part of a mirror"), "{said}");
    fs::remove_file(out.join("notes.txt")).expect("removed");
    mirror(&home, &server.url, &out).succeeded();
    verify(&home, &out).succeeded();
    let refused = mirror(&home, &server.url, &home.data()).exited(1).complaint();
    assert!(refused.contains("no part of a mirror"), "a ledger's own folder is not written to: {refused}");
}

#[test]
fn nothing_is_copied_from_another_ledger_or_from_nobody() {
    let (home, stranger) = (Home::new(), Home::new());
    let (server, other) = (home.serve(), stranger.serve());
    let out = home.at("mirror");
    mirror(&home, &server.url, &out).succeeded();
    let kept = files(&out);
    // The stranger has the same origin, and other keys.
    let said = mirror(&home, &other.url, &out).exited(1).complaint();
    assert!(said.contains("not the pinned ledger's"), "{said}");
    assert!(files(&out) == kept);
    let unpinned = home.at("unpinned");
    let copied = run(["mirror", "--url", &server.url, "--out", path(&unpinned)]).succeeded();
    assert!(copied.stdout.contains("Nothing is pinned"), "{}", copied.stdout);
    let size = checkpoint(&kept["checkpoint"]).size().0;
    let said = run(["mirror", "--json", "--url", &server.url, "--out", path(&unpinned)]).succeeded().json();
    assert_eq!(
        (&said["outcome"], &said["size"], &said["pinned"]),
        (&"unchanged".into(), &size.into(), &false.into())
    );
    let elsewhere = format!("{}/elsewhere", server.url);
    let said = mirror(&home, &elsewhere, &out).exited(2).complaint();
    assert!(said.contains(&format!("{elsewhere}: nothing of a ledger is at this address")), "{said}");
    assert!(files(&out) == kept);
    let url = server.url.clone();
    server.stop();
    let said = mirror(&home, &url, &out).exited(2).complaint();
    assert!(
        said.contains("run this again to go on") && said.contains(&format!("{url} cannot be reached")),
        "{said}"
    );
    assert!(!said.contains("does not hold"), "nothing was seen of it: {said}");
    run(["mirror", "--url", &url]).exited(2);
    run(["mirror", "--url", &url, "--out", path(&out), "--every", "5"]).exited(2);
}

/// A mirror that is served without its checkpoint is one that somebody has taken it from.
#[test]
fn a_mirror_that_lacks_its_checkpoint_is_no_place_without_a_ledger() {
    let home = Home::new();
    let server = home.serve();
    let (out, pin) = (home.at("mirror"), home.pin_file());
    mirror(&home, &server.url, &out).succeeded();
    server.stop();
    let standing = StaticFiles::serve(&out);
    fs::remove_file(out.join("checkpoint")).expect("removed");
    let said = run(["verify", "--json", "--url", &standing.url(), "--pin", path(&pin)]).exited(1).json();
    assert_eq!(said["faults"][0]["code"], "missing", "{said}");
    let complaint = mirror(&home, &standing.url(), &home.at("second")).exited(1).complaint();
    assert!(complaint.contains("checkpoint is missing"), "{complaint}");
}
