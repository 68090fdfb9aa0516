//! What the program says of a log that was tampered with, and of receipts: exit status 0 for sound, 1 for not sound, 2 for
//! could not tell. What every single byte does is tested where the checks are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::partnership::{
    Client, Ended, Home, Process, Publisher, child, copy_folder, path, run, run_with_input,
};

/// A ledger at rest with a full bundle and a growing one, and the receipt and statement of its entry 5.
struct Kept {
    home: Home,
    receipt: PathBuf,
    statement: PathBuf,
    other_statement: PathBuf,
    /// The checkpoint as it was half-way.
    earlier: PathBuf,
}

const ENTRIES: u64 = 300;

impl Kept {
    fn new() -> Self {
        let home = Home::new();
        let mut council = home.enrol("council", "gss:E06000999", None);
        let server = home.serve();
        let client = server.client();
        let kept = |name: &str, bytes: &[u8]| {
            fs::write(home.at(name), bytes).expect("written");
            home.at(name)
        };
        let first = client.size();
        let statements: Vec<_> = (first..ENTRIES).map(|n| council.next(&child(n % 9), n)).collect();
        let lines: Vec<String> = statements.iter().map(|one| format!("\"{}\"", one.to_compact())).collect();
        client.publish_lines(&lines[..100]);
        let earlier = kept("earlier.checkpoint", &client.get("/checkpoint").body);
        let answers = client.publish_lines(&lines);
        assert_eq!(answers[2]["index"], first + 2);
        let receipt = kept("5.tlog-proof", answers[2]["receipt"].as_str().expect("a receipt").as_bytes());
        let statement = kept("5.sd-jwt", statements[2].to_compact().as_bytes());
        let other_statement = kept("6.sd-jwt", statements[3].to_compact().as_bytes());
        server.stop();
        Self { home, receipt, statement, other_statement, earlier }
    }

    /// Both checks that there are of a data folder.
    fn checks(&self, data: &Path) -> [Ended; 2] {
        let (secrets, pin) = (self.home.at("data.secrets"), self.home.pin_file());
        [
            run(["fsck", "--json", "--data", path(data), "--secrets", path(&secrets)]),
            run(["verify", "--json", "--data", path(data), "--pin", path(&pin)]),
        ]
    }
}

fn verify_receipt(receipt: &Path, more: &[&str]) -> Ended {
    run([&["verify", "--json", path(receipt)], more].concat())
}

/// What somebody does to a data folder.
type Tamper = fn(&Path);

/// Changes one byte in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = fs::read(file).expect("a file of the ledger");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).expect("written");
}

fn cut(file: &Path, by: usize) {
    let bytes = fs::read(file).expect("a file of the ledger");
    fs::write(file, &bytes[..bytes.len() - by]).expect("written");
}

#[test]
fn tampered_folders_are_not_sound() {
    let kept = Kept::new();
    for check in kept.checks(&kept.home.data()) {
        assert_eq!(check.succeeded().json()["verdict"], "sound");
    }
    let table: [(&str, Tamper); 9] = [
        ("a bit of a full bundle", |data| flip(&data.join("tile/entries/000"))),
        ("a bit of a growing bundle", |data| flip(&data.join("open/entries/001"))),
        ("a bit of a tile", |data| flip(&data.join("tile/0/000"))),
        ("a bit of the vault", |data| flip(&data.join("vault/000"))),
        ("a bit of the checkpoint", |data| flip(&data.join("checkpoint"))),
        ("a bundle that is gone", |data| fs::remove_file(data.join("tile/entries/000")).expect("removed")),
        ("a vault that is gone", |data| fs::remove_file(data.join("vault/001")).expect("removed")),
        ("the end of the growing bundle", |data| cut(&data.join("open/entries/001"), 300)),
        ("two vaults in each other's place", |data| {
            fs::rename(data.join("vault/000"), data.join("x")).expect("moved");
            fs::rename(data.join("vault/001"), data.join("vault/000")).expect("moved");
            fs::rename(data.join("x"), data.join("vault/001")).expect("moved");
        }),
    ];
    let private = child(1);
    for (what, tamper) in table {
        let copy = kept.home.at("copy");
        copy_folder(&kept.home.data(), &copy);
        tamper(&copy);
        for check in kept.checks(&copy) {
            let said = check.exited(1);
            let report = said.json();
            assert_eq!(report["verdict"], "not_sound", "{what}: {report}");
            assert!(report["faults"].as_array().is_some_and(|faults| !faults.is_empty()), "{what}: {report}");
            assert!(!said.stdout.contains(&private) && !said.stderr.contains(&private), "{what}");
        }
        fs::remove_dir_all(&copy).expect("removed");
    }
}

#[test]
fn a_log_put_back_and_grown_another_way_is_told_by_a_checkpoint_that_somebody_kept() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let (data, pin, early) = (home.data(), home.pin_file(), home.at("early"));
    copy_folder(&data, &early);
    let known = home.at("known.checkpoint");
    let grow = |council: &mut Publisher, about: &str, count: u64| {
        let server = home.serve();
        for day in 0..count {
            assert_eq!(server.client().publish(&council.next(about, day)).status, 201);
        }
        let checkpoint = server.client().get("/checkpoint").body;
        server.stop();
        checkpoint
    };
    fs::write(&known, grow(&mut council, &child(1), 7)).expect("written");
    let verify = || {
        let known = ["--pin", path(&pin), "--known", path(&known)];
        run([&["verify", "--json", "--data", path(&data)][..], &known].concat())
    };
    verify().succeeded();

    // The operator puts the folder back and lets the council, whose system was put back too, say something else.
    fs::remove_dir_all(&data).expect("removed");
    fs::rename(&early, &data).expect("moved");
    let mut council = Publisher::new(&home.key_file("council"), "gss:E06000999", home.genesis());
    grow(&mut council, &child(2), 12);
    let fsck = run(["fsck", "--json", "--data", path(&data)]).succeeded();
    assert_eq!(fsck.json()["verdict"], "sound", "in itself it is in order");
    assert_eq!(verify().exited(1).json()["verdict"], "not_sound");
}

#[test]
fn without_what_a_verdict_rests_on_it_could_not_tell() {
    let kept = Kept::new();
    let (data, pin, nowhere) = (kept.home.data(), kept.home.pin_file(), kept.home.at("nowhere"));
    let no_pin = run(["verify", "--json", "--data", path(&data)]).exited(2);
    assert_eq!(no_pin.json()["verdict"], "could_not_tell");
    run(["verify", "--data", path(&nowhere), "--pin", path(&pin)]).exited(2).complaint();
    run(["verify", "--data", path(&data), "--pin", path(&nowhere)]).exited(2).complaint();
    run(["verify", path(&nowhere), "--pin", path(&pin)]).exited(2).complaint();
    run(["fsck", "--data", path(&nowhere)]).exited(2).complaint();
    run(["fsck", "--data", path(&data), "--secrets", path(&nowhere)]).exited(2).complaint();
    let stranger = Home::new();
    let other_pin = stranger.pin_file();
    let said = run(["verify", "--json", "--data", path(&data), "--pin", path(&other_pin)]).exited(1);
    assert_eq!(said.json()["verdict"], "not_sound", "a log of another ledger is not the one that is pinned");
}

#[test]
fn receipts_are_sound_not_sound_or_not_to_be_told() {
    let kept = Kept::new();
    let pin = kept.home.pin_file();
    let pinned = ["--pin", path(&pin)];
    let with = |statement: &Path| [&pinned[..], &["--statement", path(statement)]].concat().join("\n");
    let of = |receipt: &Path, more: &str| verify_receipt(receipt, &more.lines().collect::<Vec<_>>());

    let said = of(&kept.receipt, &with(&kept.statement)).succeeded().json();
    assert_eq!((&said["verdict"], &said["index"]), (&"sound".into(), &6.into()));
    assert_eq!(said["statement_compared"], true);
    let said = verify_receipt(&kept.receipt, &pinned).succeeded().json();
    assert_eq!(said["statement_compared"], false, "and it says so");
    let bytes = fs::read(&kept.receipt).expect("a receipt");
    run_with_input(["verify", "-", "--pin", path(&pin)], &bytes).succeeded();

    let said = of(&kept.receipt, &with(&kept.other_statement)).exited(1).json();
    assert_eq!(said["verdict"], "not_sound", "it is another statement's");
    let text = String::from_utf8(bytes).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    for at in 0..lines.len() {
        let spoilt = kept.home.at("spoilt.tlog-proof");
        // Another letter in the middle of the line, or a line that was empty and no longer is.
        let mut line: Vec<char> = lines[at].chars().collect();
        let middle = line.len() / 2;
        match line.get_mut(middle) {
            Some(letter) => *letter = if *letter == 'A' { 'B' } else { 'A' },
            None => line.push('A'),
        }
        let line: String = line.into_iter().collect();
        let spoilt_lines = [&lines[..at], &[line.as_str()], &lines[at + 1..], &[""]].concat();
        fs::write(&spoilt, spoilt_lines.join("\n")).expect("written");
        assert_eq!(
            verify_receipt(&spoilt, &pinned).exited(1).json()["verdict"],
            "not_sound",
            "line {at}: {line}"
        );
    }
    let stranger = Home::new();
    let other_pin = stranger.pin_file();
    verify_receipt(&kept.receipt, &["--pin", path(&other_pin)]).exited(1);

    assert_eq!(verify_receipt(&kept.receipt, &[]).exited(2).json()["verdict"], "could_not_tell");
    of(&kept.receipt, &with(&kept.home.data())).exited(2);
    of(&kept.receipt, &with(&kept.receipt)).exited(2);
}

#[test]
fn a_served_log_is_verified_from_outside() {
    let kept = Kept::new();
    let server = kept.home.serve();
    let (pin, url) = (kept.home.pin_file(), server.url.clone());
    let sound = run(["verify", "--json", "--url", &url, "--pin", path(&pin), "--known", path(&kept.earlier)]);
    let report = sound.succeeded().json();
    assert_eq!((&report["verdict"], &report["size"]), (&"sound".into(), &ENTRIES.into()));
    assert_eq!(run(["verify", "--json", "--url", &url]).exited(2).json()["verdict"], "could_not_tell");
    let stranger = Home::new();
    let other_pin = stranger.pin_file();
    run(["verify", "--url", &url, "--pin", path(&other_pin)]).exited(1);
    assert_eq!(Client::new(&url).size(), ENTRIES, "nothing has changed");
    server.stop();
    let gone = run(["verify", "--json", "--url", &url, "--pin", path(&pin)]).exited(2);
    assert_eq!(gone.json()["verdict"], "could_not_tell", "a ledger that does not answer");
}

#[test]
fn another_ledgers_secrets_do_not_make_a_sound_ledger_unsound() {
    let (kept, stranger) = (Kept::new(), Home::new());
    let (data, secrets) = (kept.home.data(), stranger.at("data.secrets"));
    let (pin, other_pin) = (kept.home.pin_file(), stranger.pin_file());
    let verify = ["verify", "--data", path(&data), "--secrets", path(&secrets)];
    for more in [&[][..], &["--pin", path(&pin)]] {
        let said = run([&verify[..], more].concat()).exited(2).complaint();
        assert!(said.contains("is of another ledger"), "{said}");
    }
    // Whoever pins that other ledger is told that this is not it.
    run([&verify[..], &["--pin", path(&other_pin)]].concat()).exited(1);
}

#[test]
fn what_is_no_evidence_is_told_from_evidence_that_does_not_hold() {
    let kept = Kept::new();
    let pin = kept.home.pin_file();
    let said = run(["verify", path(&pin), "--pin", path(&pin)]).exited(2).complaint();
    assert!(said.contains("is no evidence") && said.contains("--pin"), "{said}");
    let page = kept.home.at("page.html");
    fs::write(&page, "<!DOCTYPE html>\n").expect("written");
    let said = run(["verify", path(&page), "--pin", path(&pin)]).exited(2).complaint();
    assert!(said.contains(".bundle.json"), "{said}");
    run(["verify", path(&page.with_extension("none")), "--pin", path(&pin)]).exited(2);
    let (empty, key, checkpoint) = (kept.home.at("empty"), kept.home.key_file("council"), &kept.earlier);
    fs::write(&empty, "").expect("written");
    for (file, words) in [
        (&empty, "an empty file"),
        (&key, "a key"),
        (checkpoint, "a checkpoint, with which evidence can be compared. Give it as --known"),
        (&kept.statement, "a statement, for which there is a receipt. Give it as --statement"),
    ] {
        let said = run(["verify", path(file), "--pin", path(&pin)]).exited(2).complaint();
        assert!(said.contains(&format!("is no evidence of a ledger: it is {words}")), "{said}");
    }
}

/// Whoever copies a receipt may change its line ends and nothing else; whoever alters it may change them too.
#[test]
fn changed_line_ends_are_told_from_an_altered_receipt_and_are_not_accepted() {
    let kept = Kept::new();
    let (pin, file) = (kept.home.pin_file(), kept.home.at("copied.tlog-proof"));
    let whole = fs::read_to_string(&kept.receipt).expect("a receipt");
    let copied = |text: &str, more: &[&str]| {
        fs::write(&file, text).expect("written");
        verify_receipt(&file, more)
    };
    let crlf = whole.replace('\n', "\r\n");
    let pinned = ["--pin", path(&pin)];
    for (text, remedy) in [
        (format!("{whole}\n"), "jq -j .receipt"),
        (crlf.clone(), "tr -d '\\r'"),
        (format!("{crlf}\r\n"), "tr -d '\\r'"),
    ] {
        for more in [&pinned[..], &[]] {
            let said = copied(&text, more).exited(2).json();
            assert_eq!(
                (&said["verdict"], &said["unknowns"][0]["code"]),
                (&"could_not_tell".into(), &"line_ends_changed".into())
            );
            assert!(said["why"].as_str().is_some_and(|why| why.contains(remedy)), "{said}");
        }
    }
    copied(&crlf.replace('\r', ""), &pinned).succeeded();
    let index = whole.lines().find(|line| line.starts_with("index ")).expect("an index");
    for altered in [
        crlf.replace(index, "index 5"),
        format!("{}\n", whole.replace(index, "index 5")),
        whole.replacen("index", "in\rdex", 1),
        whole.replacen("\n\n", "\n\n\n", 1),
        whole.trim_end().to_owned(),
    ] {
        let said = copied(&altered, &pinned).exited(1).json();
        assert_eq!(said["verdict"], "not_sound", "{altered:?}");
    }
    let other = ["--pin", path(&pin), "--statement", path(&kept.other_statement)];
    copied(&crlf, &other).exited(1);
}

/// An address that was mistyped accuses nobody, and a ledger without its checkpoint is one that somebody has taken it from.
#[test]
fn where_nothing_of_a_ledger_is_nothing_is_said_of_one() {
    let kept = Kept::new();
    let (pin, full) = (kept.home.pin_file(), kept.home.at("full"));
    fs::create_dir(&full).expect("made");
    fs::write(full.join("thesis.txt"), "years of work").expect("written");
    let folder = ["verify", "--data", path(&full), "--pin", path(&pin)];
    for ended in [run(folder), run(["fsck", "--data", path(&full)])] {
        assert_eq!(ended.exited(2).stdout.trim(), "Could not tell: nothing of a ledger is in this folder.");
    }
    for check in kept.checks(&full) {
        assert_eq!(check.exited(2).json()["verdict"], "could_not_tell");
    }
    let witness = kept.home.at("witness");
    run(["witness", "init", "--data", path(&witness), "--name", "witness.example/w1"]).succeeded();
    let arguments = ["witness", "serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&witness)];
    let process = Process::start(arguments, &kept.home.at("witness.log"));
    let server = kept.home.serve();
    for url in [process.listening(), format!("{}/elsewhere", server.url)] {
        let said = run(["verify", "--url", &url, "--pin", path(&pin)]).exited(2).stdout;
        assert_eq!(said.trim(), "Could not tell: nothing of a ledger is at this address.", "{url}");
    }
    server.stop();
    let data = kept.home.data();
    fs::remove_file(data.join("checkpoint")).expect("removed");
    for check in kept.checks(&data) {
        assert_eq!(check.exited(1).json()["faults"][0]["code"], "missing");
    }
    fs::remove_dir_all(&data).and_then(|()| fs::create_dir(&data)).expect("emptied");
    for check in kept.checks(&data) {
        assert_eq!(check.exited(1).json()["verdict"], "not_sound", "its keys lie beside it");
    }
}

#[test]
fn it_is_said_which_of_two_ledgers_a_pin_and_secrets_are_of() {
    let kept = Kept::new();
    let (data, other) = (kept.home.data(), kept.home.at("other"));
    run(["init", "--origin", "ledger.example/other", "--data", path(&other)]).succeeded();
    let secrets = kept.home.at("other.secrets");
    let pin = secrets.join("ledger.json");
    let bundle = kept.home.at("some.bundle.json");
    let place = ["--data", path(&data), "--purpose", "Review", "--out", path(&bundle)];
    run([&["bundle", "--entries", "0-5"], &place[..]].concat()).succeeded();
    for what in [vec!["--data", path(&data)], vec![path(&kept.receipt)], vec![path(&bundle)]] {
        let said = run([&["verify", "--pin", path(&pin)], &what[..]].concat()).exited(1).stdout;
        assert!(said.to_lowercase().contains("the pin that was given is of ledger.example/other"), "{said}");
    }
    let origin = &kept.home.pin.origin;
    let words =
        format!("other.secrets is of another ledger (ledger.example/other) than {} ({origin})", path(&data));
    let elsewhere = kept.home.at("elsewhere.bundle.json");
    for command in [
        &["serve"][..],
        &["retention", "due"],
        &["bundle", "--entries", "0-5", "--purpose", "Review", "--out", path(&elsewhere)],
    ] {
        let places = ["--data", path(&data), "--secrets", path(&secrets)];
        let said = run([command, &places[..]].concat()).exited(1).complaint();
        assert!(said.contains(&words), "{command:?}: {said}");
    }
}
