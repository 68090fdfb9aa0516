//! A witness as anybody may ask it: over HTTP, many at once, killed in between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::witness::{AddCheckpoint, read_cosignatures};
use gt_core::{Hash, TreeSize};

use super::watching::{Watching, policy_of_all, seen};
use crate::partnership::{Client, Home, Reply, child, path, run};

/// The ledger's checkpoints, from its first to its newest.
struct History {
    client: Client,
    checkpoints: Vec<SignedCheckpoint>,
}

impl History {
    fn request(&self, old: u64, at: usize) -> String {
        let checkpoint = self.checkpoints[at].clone();
        let to = checkpoint.checkpoint().size();
        let path = format!("/v1/proofs/consistency?from={old}&to={to}");
        let proof = self.client.get(&path).json()["path"].as_array().expect("hashes").clone();
        let hash = |text: &serde_json::Value| Hash::parse(text.as_str().expect("text")).expect("a hash");
        AddCheckpoint { old: TreeSize(old), proof: proof.iter().map(hash).collect(), checkpoint }.to_string()
    }
}

fn add(witness: &Client, request: &str) -> Reply {
    witness.post("/add-checkpoint", "text/plain", request.as_bytes())
}

#[test]
fn a_witness_keeps_its_word_whoever_asks_and_whatever_happens_to_it() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let mut witness = Watching::start(&home, "w1");
    let (_, policy) = policy_of_all(&home, &[&witness]);
    let server = home.serve();
    let mut history = History { client: server.client(), checkpoints: Vec::new() };
    for n in 0..8 {
        history.client.publish(&council.next(&child(n), n));
        let checkpoint = history.client.get("/checkpoint");
        history
            .checkpoints
            .push(SignedCheckpoint::parse(checkpoint.text().as_bytes()).expect("a checkpoint"));
    }
    let size = |at: usize| history.checkpoints[at].checkpoint().size().0;

    let asking = witness.client();
    let keys: Vec<_> = policy.witnesses().iter().map(|one| one.key.clone()).collect();
    let signed = add(&asking, &history.request(0, 2));
    assert_eq!(signed.status, 200, "{}", signed.text());
    let cosignatures = read_cosignatures(&signed.body, &history.checkpoints[2], &keys).expect("valid");
    assert_eq!(cosignatures.len(), 2);
    // Killed right after the answer: what it has said, it has said.
    witness.kill();
    witness.come_back();
    assert_eq!(witness.seen(), size(2));
    let behind = add(&asking, &history.request(0, 4));
    assert_eq!((behind.status, behind.content_type.as_str()), (409, "text/x.tlog.size"));
    assert_eq!(behind.text(), format!("{}\n", size(2)));
    assert_eq!(add(&asking, &history.request(size(1), 1)).status, 409, "nor does it go back");

    let refused = |request: &str, status: u16| {
        let reply = add(&asking, request);
        assert_eq!(reply.status, status, "{}", reply.text());
    };
    let good = history.request(size(2), 4);
    refused(&good.replacen("old ", "old 0", 1), 400);
    refused("", 400);
    refused(&"a".repeat(70_000), 413);
    refused(&good.replacen("ledger.example", "another.example", 1), 404);
    let head = history.checkpoints[4].checkpoint().to_string();
    let moved = head.replacen(&format!("\n{}\n", size(4)), &format!("\n{}\n", size(4) + 1), 1);
    refused(&good.replacen(&head, &moved, 1), 403);
    refused(&format!("old {}\n\n{}", size(2), history.checkpoints[4]), 422);
    assert_eq!(witness.seen(), size(2), "nothing of this has changed anything");
    assert_eq!(witness.client().get("/healthz").text(), "ok\n");
    assert_eq!(witness.client().get(&format!("/{}/checkpoint", "0".repeat(64))).status, 404);

    let largest = AtomicU64::new(size(2));
    thread::scope(|scope| {
        for turn in 0..3 {
            let (history, witness, largest) = (&history, witness.client(), &largest);
            scope.spawn(move || {
                for step in 0..24 {
                    let at = (turn * 3 + step * 5) % history.checkpoints.len();
                    let old = seen(&witness);
                    let to = history.checkpoints[at].checkpoint().size().0;
                    let before = largest.load(Ordering::SeqCst);
                    if old <= to && add(&witness, &history.request(old, at)).status == 200 {
                        assert!(to >= before, "{to} was signed after {before}");
                        largest.fetch_max(to, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(witness.seen(), largest.into_inner());
    witness.kill();
    witness.come_back();
    assert!(witness.seen() > size(2), "and that it keeps, too");
    server.stop();
}

#[test]
fn what_a_witness_cannot_do_is_said_in_a_sentence() {
    let home = Home::new();
    let witness = Watching::start(&home, "w1");
    let (data, pin, nowhere) = (witness.data.clone(), home.pin_file(), home.at("nowhere"));
    let says = |arguments: &[&str], sentence: &str| {
        let said = run(arguments).exited(1).complaint();
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    };
    says(
        &["witness", "serve", "--data", path(&data), "--listen", "127.0.0.1:0"],
        "another process runs the witness",
    );
    says(&["witness", "init", "--data", path(&data), "--name", "witness.example/w2"], "is not empty");
    says(&["witness", "init", "--data", path(&nowhere), "--name", "no spaces"], "a key name");
    says(&["witness", "serve", "--data", path(&nowhere)], "holds no witness; `goldenthread witness init");
    says(&["witness", "add", "--data", path(&data), path(&nowhere)], "there is no such file");
    says(&["witness", "add", "--data", path(&data), "log+0+x"], "not a verifier key");
    let again = run(["witness", "add", "--data", path(&data), path(&pin)]).succeeded();
    assert!(again.stdout.contains("already"), "{}", again.stdout);
    let other = Home::new();
    let keys: String = other.pin.verifier_keys.iter().map(|key| format!("log {key}\n")).collect();
    std::fs::write(home.at("logs"), keys).expect("written");
    let list = home.at("logs");
    let added = run(["witness", "add", "--json", "--data", path(&data), path(&list)]).succeeded().json();
    assert_eq!(added["new_keys"], other.pin.verifier_keys.len(), "{added}");
    let key = other.pin.verifier_keys[0].to_string();
    let added = run(["witness", "add", "--json", "--data", path(&data), &key]).succeeded().json();
    assert_eq!(added["new_keys"], 0);
}
