//! An operator who puts a backup back and goes on from there has signed two histories. Whoever kept a mirror can prove it.

use std::fs;
use std::path::PathBuf;

use super::static_files::StaticFiles;
use super::{checkpoint, files, grow, mirror, verify};
use crate::partnership::{Home, Line, Process, Publisher, copy_folder, eventually, path, run};

/// A ledger with a backup of its first entries.
struct Ledger {
    home: Home,
    early: PathBuf,
}

impl Ledger {
    fn new() -> (Self, Publisher) {
        let home = Home::new();
        let council = home.enrol("council", "gss:E06000999", None);
        let early = home.at("early");
        copy_folder(&home.data(), &early);
        (Self { home, early }, council)
    }

    /// The operator puts the backup back, in which the council, whose system was put back too, has not said anything yet.
    fn put_back(&self) -> Publisher {
        fs::remove_dir_all(self.home.data()).expect("removed");
        copy_folder(&self.early, &self.home.data());
        Publisher::new(&self.home.key_file("council"), "gss:E06000999", self.home.genesis())
    }
}

#[test]
fn a_mirror_meets_a_fork_and_proves_it_to_anybody() {
    let (ledger, mut council) = Ledger::new();
    let (home, pin) = (&ledger.home, ledger.home.pin_file());
    let out = home.at("mirror");
    let server = home.serve();
    grow(&server.client(), &mut council, 20);
    mirror(home, &server.url, &out).succeeded();
    let kept = files(&out);
    let held = checkpoint(&kept["checkpoint"]).size().0;
    server.stop();

    // Behind: nothing contradicts the mirror yet, and nothing is changed.
    let mut council = ledger.put_back();
    let server = home.serve();
    let said = mirror(home, &server.url, &out).exited(2).json();
    assert_eq!(
        (&said["outcome"], &said["size"], &said["served"]),
        (&"behind".into(), &held.into(), &(held - 20).into())
    );
    assert!(files(&out) == kept);

    // Another history: smaller than the mirror, as large, and larger.
    for entries in [7, 13, 200] {
        grow(&server.client(), &mut council, entries);
        let said = mirror(home, &server.url, &out).exited(1).json();
        assert_eq!(said["outcome"], "fork", "{said}");
        let mut now = files(&out);
        let evidence = now.remove("fork.json").expect("evidence");
        assert!(now == kept, "nothing else has changed");

        let file = home.at("shown.json");
        fs::write(&file, &evidence).expect("written");
        let proven = run(["verify", "--json", path(&file), "--pin", path(&pin)]).exited(1).json();
        assert_eq!((&proven["verdict"], &proven["code"]), (&"not_sound".into(), &"fork".into()));
        assert_eq!(proven["signed_by"].as_array().map(Vec::len), Some(home.pin.verifier_keys.len()));
        let said = run(["verify", path(&file), "--pin", path(&pin)]).exited(1).stdout;
        assert!(said.contains("this ledger's key has signed two histories"), "{said}");
        assert_eq!(run(["verify", "--json", path(&file)]).exited(2).json()["code"], "nothing_pinned");
        let stranger = Home::new();
        let other_pin = stranger.pin_file();
        let said = run(["verify", "--json", path(&file), "--pin", path(&other_pin)]).exited(2).json();
        assert_eq!(
            (&said["verdict"], &said["code"]),
            (&"could_not_tell".into(), &"checkpoint_not_signed".into())
        );
        fs::remove_file(out.join("fork.json")).expect("removed");
    }

    // Spoilt evidence proves nothing, and is no receipt either.
    let evidence = String::from_utf8(fs::read(home.at("shown.json")).expect("evidence")).expect("text");
    let spoilt = home.at("spoilt.json");
    for (from, to, code) in
        [("\"old ", "\"new ", "consistency_malformed"), ("gt/fork/1", "gt/fork/2", "fork_format")]
    {
        assert!(evidence.contains(from), "{evidence}");
        fs::write(&spoilt, evidence.replacen(from, to, 1)).expect("written");
        let said = run(["verify", "--json", path(&spoilt), "--pin", path(&pin)]).exited(2).json();
        assert_eq!((&said["verdict"], &said["code"]), (&"could_not_tell".into(), &code.into()));
    }
}

#[test]
fn two_peoples_mirrors_are_compared() {
    let (ledger, mut council) = Ledger::new();
    let (home, pin) = (&ledger.home, ledger.home.pin_file());
    let [ours, earlier, theirs] = ["ours", "earlier", "theirs"].map(|name| home.at(name));
    let server = home.serve();
    grow(&server.client(), &mut council, 10);
    mirror(home, &server.url, &earlier).succeeded();
    grow(&server.client(), &mut council, 300);
    mirror(home, &server.url, &ours).succeeded();
    server.stop();
    let mut council = ledger.put_back();
    let server = home.serve();
    grow(&server.client(), &mut council, 40);
    mirror(home, &server.url, &theirs).succeeded();
    let stray = home.at("stray.json");
    let compare = |one: &PathBuf, two: &PathBuf| {
        let pin = ["--pin", path(&pin), "--out", path(&stray)];
        run([&["mirror", "compare", "--json", path(one), path(two)][..], &pin].concat())
    };
    assert_eq!(compare(&ours, &ours).succeeded().json()["outcome"], "same");
    assert_eq!(compare(&ours, &earlier).succeeded().json()["outcome"], "first_ahead");
    assert_eq!(compare(&earlier, &ours).succeeded().json()["outcome"], "second_ahead");
    // A ledger's own folder is compared as well.
    assert_eq!(compare(&theirs, &home.data()).succeeded().json()["outcome"], "same");
    assert!(!stray.exists());
    for (one, two) in [(&ours, &theirs), (&theirs, &earlier)] {
        let said = compare(one, two).exited(1).json();
        assert_eq!((&said["outcome"], &said["evidence"]), (&"fork".into(), &path(&stray).into()));
        assert_eq!(
            run(["verify", "--json", path(&stray), "--pin", path(&pin)]).exited(1).json()["code"],
            "fork"
        );
        let said = compare(one, two).exited(1).complaint();
        assert!(said.contains("Give another file"), "what is there is not overwritten: {said}");
        fs::remove_file(&stray).expect("removed");
    }
    let unpinned = run(["mirror", "compare", path(&ours), path(&theirs), "--out", path(&stray)]).exited(1);
    assert!(unpinned.stdout.contains("Nothing is pinned"), "{}", unpinned.stdout);

    let nowhere = home.at("nowhere");
    compare(&ours, &nowhere).exited(2).complaint();
    fs::create_dir(&nowhere).expect("made");
    compare(&ours, &nowhere).exited(2).complaint();
    let partial = files(&earlier).into_keys().find(|name| name.starts_with("tile/0/")).expect("a tile");
    fs::write(earlier.join(&partial), vec![0; files(&earlier)[&partial].len()]).expect("written");
    let said = compare(&ours, &earlier).exited(1).complaint();
    assert!(said.starts_with(path(&earlier)), "it says which does not hold: {said}");
    verify(home, &earlier).exited(1);
}

#[test]
fn whoever_follows_a_ledger_hears_of_its_second_history() {
    let (ledger, mut council) = Ledger::new();
    let (home, pin) = (&ledger.home, ledger.home.pin_file());
    let (line, out) = (Line::new(), home.at("mirror"));
    let server = home.serve();
    line.lead_to(&server.url);
    let url = line.url();
    let arguments = ["mirror", "--json", "--url", &url, "--out", path(&out), "--pin", path(&pin)];
    let arguments = [&arguments[..], &["--follow", "--every", "1"]].concat();
    let mut follower = Process::start(arguments, &home.at("follow.log"));
    let has = |size: u64| {
        let held = fs::read(out.join("checkpoint")).ok().map(|bytes| checkpoint(&bytes).size().0);
        held == Some(size)
    };
    let first = server.client().size();
    eventually("the mirror has what there is", || has(first));
    grow(&server.client(), &mut council, 270);
    eventually("the mirror has what is new", || has(first + 270));
    line.cut();
    server.stop();
    eventually("it says that nobody answers", || follower.log_text().contains("cannot be read"));

    let mut council = ledger.put_back();
    let server = home.serve();
    grow(&server.client(), &mut council, 300);
    line.lead_to(&server.url);
    assert_eq!(follower.ended().code(), Some(1), "{}", follower.log_text());
    let evidence = out.join("fork.json");
    run(["verify", path(&evidence), "--pin", path(&pin)]).exited(1);
    assert!(has(first + 270), "the mirror is what it was");
    let anybody = StaticFiles::serve(&out);
    run(["verify", "--url", &anybody.url(), "--pin", path(&pin)]).succeeded();
}
