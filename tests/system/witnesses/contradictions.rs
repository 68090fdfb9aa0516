//! Folders that were put back or rewritten, and the witness that has seen more.

use std::fs;
use std::path::Path;

use gt_core::checkpoint::SignedCheckpoint;
use serde_json::Value;

use super::watching::{Watching, policy_of_all, serve};
use crate::partnership::{
    Ended, Home, Process, Publisher, Server, child, copy_folder, eventually, path, run,
};

/// A ledger with a witness, and the folder as it was before the witness saw anything.
struct Setting {
    home: Home,
    council: Publisher,
    witness: Watching,
    policy: std::path::PathBuf,
}

impl Setting {
    fn new() -> Self {
        let home = Home::new();
        let council = home.enrol("council", "gss:E06000999", None);
        copy_folder(&home.data(), &home.at("backup"));
        let witness = Watching::start(&home, "w1");
        let (policy, _) = policy_of_all(&home, &[&witness]);
        Self { home, council, witness, policy }
    }

    fn serve(&self) -> Server {
        serve(&self.home, &self.policy, "60")
    }

    fn publish(&mut self, server: &Server, count: u64) {
        for n in 0..count {
            let reply = server.client().publish(&self.council.next(&child(n), n));
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
    }

    fn put_back(&self) {
        fs::remove_dir_all(self.home.data()).expect("removed");
        copy_folder(&self.home.at("backup"), &self.home.data());
    }

    fn serve_in_vain(&self) -> Ended {
        let data = self.home.data();
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--data", path(&data), "--witnesses", path(&self.policy)];
        run(arguments).exited(1)
    }

    fn evidence(&self) -> std::path::PathBuf {
        self.home.data().join("state/evidence/000")
    }
}

fn sizes(fork: &Path) -> Vec<u64> {
    let fork: Value = serde_json::from_slice(&fs::read(fork).expect("kept")).expect("JSON");
    let checkpoints = fork["checkpoints"].as_array().expect("two").iter();
    let read = |note: &Value| {
        SignedCheckpoint::parse(note.as_str().expect("a note").as_bytes()).expect("a checkpoint")
    };
    checkpoints.map(|note| read(note).checkpoint().size().0).collect()
}

#[test]
fn a_restored_backup_is_not_served() {
    let mut setting = Setting::new();
    let server = setting.serve();
    setting.publish(&server, 3);
    let size = server.client().size();
    server.stop();
    setting.put_back();
    let refused = setting.serve_in_vain();
    let said = refused.stderr.lines().last().expect("a sentence");
    let wanted = format!(
        "goldenthread: this folder is an older copy: witness witness.example/w1 has seen {size} entries, this folder has {}",
        size - 3
    );
    assert!(said.starts_with(&wanted), "{said}");
    assert!(said.contains("state/evidence"), "{said}");
    let kept = fs::read(setting.evidence().join("0000-witnessed-checkpoint")).expect("kept");
    assert_eq!(SignedCheckpoint::parse(&kept).expect("a checkpoint").checkpoint().size().0, size);
    assert_eq!(setting.witness.seen(), size);
    assert!(setting.witness.forks().is_empty(), "nothing was forked");
}

#[test]
fn a_rewritten_ledger_is_found_out_by_its_witness() {
    let mut setting = Setting::new();
    let (old, before) = (setting.home.enrol_again(&setting.council), setting.witness.seen());
    assert_eq!(before, 0);
    let server = setting.serve();
    setting.publish(&server, 3);
    let seen = setting.witness.seen();
    assert_eq!(seen, server.client().size());
    assert!(!seen.is_power_of_two(), "a proof from there holds the root that it starts from");
    server.stop();

    // The same keys and other statements, while nobody watches, up to a larger size.
    setting.put_back();
    setting.council = old;
    let server = setting.home.serve();
    setting.publish(&server, 6);
    let size = server.client().size();
    server.stop();
    // The witness cannot be asked when the ledger starts, and is back after.
    setting.witness.kill();
    let server = Server::start_with(&setting.home, &["--witnesses", path(&setting.policy)]);
    let client = server.client();
    assert_eq!(client.get("/readyz").status, 200);
    setting.witness.come_back();
    eventually("the ledger stops", || client.get("/readyz").status == 503);
    let refused = client.publish(&setting.council.next(&child(1), 9));
    assert_eq!((refused.status, refused.problem().as_str()), (503, "stopped"));
    assert_eq!((client.size(), client.get("/checkpoint").status), (size, 200), "reading goes on");

    let forks = setting.witness.forks();
    assert_eq!(forks.len(), 1, "{}", setting.witness.log_text());
    assert_eq!((&forks[0]["sizes"][0], &forks[0]["sizes"][1]), (&seen.into(), &size.into()));
    assert_eq!(forks[0]["evidence"]["format"], "gt/fork/1");
    assert!(forks[0]["evidence"]["other_root"].is_string());
    assert!(setting.witness.log_text().contains("FORK"), "{}", setting.witness.log_text());
    assert_eq!(setting.witness.seen(), seen, "it has signed nothing of it");
    eventually("the ledger has kept the evidence, too", || setting.evidence().join("fork.json").exists());
    assert_eq!(sizes(&setting.evidence().join("fork.json")), [seen, size]);
    server.stop();
    let said = setting.serve_in_vain().stderr;
    assert!(said.contains("the log was rewritten"), "{said}");
}

impl Home {
    /// The same publisher once more, as a thief of its key would have it.
    fn enrol_again(&self, council: &Publisher) -> Publisher {
        let again = Publisher::new(&self.key_file("council"), "gss:E06000999", self.genesis());
        assert_eq!(again.id, council.id);
        again
    }
}

#[test]
fn a_folder_is_not_written_to_behind_the_backs_of_its_witnesses() {
    let mut setting = Setting::new();
    let server = setting.serve();
    setting.publish(&server, 2);
    eventually("a checkpoint is cosigned", || server.client().get("/checkpoint/cosigned").status == 200);
    server.stop();
    // As it is when a backup was made later than the first cosignature, and put back.
    copy_folder(&setting.home.data(), &setting.home.at("backup"));
    let server = setting.serve();
    setting.publish(&server, 2);
    eventually("the witness has seen it", || setting.witness.seen() == server.client().size());
    server.stop();
    setting.put_back();
    let (data, policy) = (setting.home.data(), setting.policy.clone());
    let (key, pin) = (setting.home.at("police.jwk"), setting.home.pin_file());
    run(["keygen", "--out", path(&key), "--agency", "police:99", "--pin", path(&pin)]).succeeded();
    let public = setting.home.at("police.public.jwk");
    let register = |more: &[&str]| {
        let arguments = ["register", "--agency", "police:99", "--name", "police", "--kind", "police"];
        run([&arguments[..], &["--key", path(&public), "--data", path(&data)], more].concat())
    };
    let before = fs::read(data.join("checkpoint")).expect("a checkpoint");
    let complaint = register(&[]).exited(1).complaint();
    assert!(complaint.contains("--witnesses"), "{complaint}");
    let unasked = ["serve", "--listen", "127.0.0.1:0", "--data", path(&data)];
    let complaint = run(unasked).exited(1).complaint();
    assert!(complaint.contains("--witnesses") && complaint.contains("--without-witnesses"), "{complaint}");
    let ended = register(&["--witnesses", path(&policy)]).exited(1);
    assert!(ended.stderr.contains("witness"), "{}", ended.stderr);
    let configuration = setting.home.at("configuration.json");
    let shown = run(["configure", "--show", "--data", path(&data)]).succeeded().stdout;
    fs::write(&configuration, shown).expect("written");
    let complaint = run(["configure", "--data", path(&data), path(&configuration)]).exited(1).complaint();
    assert!(complaint.contains("--without-witnesses"), "{complaint}");
    assert_eq!(fs::read(data.join("checkpoint")).expect("a checkpoint"), before, "nothing was sealed");
    // Who insists is obeyed, and found out when the ledger is served.
    register(&["--without-witnesses"]).succeeded();
    assert_ne!(fs::read(data.join("checkpoint")).expect("a checkpoint"), before);
    Server::start_with(&setting.home, &["--without-witnesses"]).stop();
    setting.serve_in_vain();
}

#[test]
fn an_interrupted_erasure_is_not_completed_in_an_older_copy() {
    let mut setting = Setting::new();
    let journal = setting.home.data().join("keyring/erasure");
    // Killed while it erases; which step that was is left to chance, but for the first and the last.
    let mut number = 100;
    while !journal.exists() {
        number += 1;
        assert!(number < 150, "no kill came in the middle");
        let mut server = setting.serve();
        assert_eq!(server.client().publish(&setting.council.next(&child(number), 1)).status, 201);
        let (data, whom) = (setting.home.data(), child(number));
        let erase = ["erase", "--child", &whom, "--authority", "gss:E06000999", "--ground", "CourtOrder"];
        let erasing = [&erase[..], &["--data", path(&data)]].concat();
        let _asking = Process::start(erasing, &setting.home.at("erase.log"));
        eventually("it is erasing, or has", || journal.exists() || data.join("keyring/retired").exists());
        server.process.kill();
        // What an erasure that was made whole has left.
        let _ = fs::remove_file(data.join("keyring/retired"));
    }
    fs::remove_dir_all(setting.home.at("backup")).expect("removed");
    copy_folder(&setting.home.data(), &setting.home.at("backup"));
    let secrets = setting.home.at("data.secrets");
    copy_folder(&secrets, &setting.home.at("backup.secrets"));

    let server = setting.serve();
    setting.publish(&server, 2);
    eventually("the witness has seen it", || setting.witness.seen() == server.client().size());
    server.stop();
    assert!(!journal.exists(), "the erasure is completed");
    setting.put_back();
    // The key that is in force now does not open the copy. Whoever kept the old one, too, gets as far as the witness.
    let said = setting.serve_in_vain().stderr;
    assert!(said.contains("does not open this ledger's keyring"), "{said}");
    fs::remove_dir_all(&secrets).expect("removed");
    copy_folder(&setting.home.at("backup.secrets"), &secrets);
    let before = fs::read(setting.home.data().join("checkpoint")).expect("a checkpoint");
    let said = setting.serve_in_vain().stderr;
    assert!(said.contains("this folder is an older copy"), "{said}");
    assert!(journal.exists(), "nothing was destroyed on the word of an older copy");
    assert_eq!(fs::read(setting.home.data().join("checkpoint")).expect("a checkpoint"), before);
}
