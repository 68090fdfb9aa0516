//! Receipts that wait for witnesses.

use std::thread;

use gt_core::checkpoint::SignedCheckpoint;
use gt_core::policy::Policy;
use gt_core::receipt::Receipt;
use serde_json::Value;

use super::watching::{Watching, policy_of_all, serve};
use crate::partnership::{Client, Home, Reply, child, draft_line, eventually, path, run, run_with_input};

/// Enough where both witnesses are there, and not too long where one is missed.
const WAIT: &str = "5";

/// A receipt that holds, under a checkpoint that satisfies the policy.
fn check(home: &Home, policy: &Policy, reply: &Reply, statement: gt_core::Hash) {
    home.prove(reply.text(), statement);
    let receipt = Receipt::parse(reply.text().as_bytes()).expect("a receipt");
    assert_eq!(policy.check(&receipt.checkpoint).map(|by| by.len()), Ok(policy.witnesses().len()));
}

#[test]
fn receipts_satisfy_the_policy_and_wait_for_a_witness_that_is_away() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let (first, mut second) = (Watching::start(&home, "w1"), Watching::start(&home, "w2"));
    let (file, policy) = policy_of_all(&home, &[&first, &second]);
    let server = serve(&home, &file, WAIT);
    let client = server.client();
    for n in 0..3 {
        let statement = council.next(&child(n), n);
        let reply = client.publish(&statement);
        assert_eq!(reply.status, 201, "{}", reply.text());
        check(&home, &policy, &reply, statement.hash());
    }
    let cosigned = client.get("/checkpoint/cosigned");
    assert_eq!((cosigned.status, client.size()), (200, first.seen()));
    let newest = client.get("/checkpoint");
    assert_eq!(newest.text(), cosigned.text(), "the newest is the one that was cosigned");
    let newest = SignedCheckpoint::parse(newest.text().as_bytes()).expect("a checkpoint");
    assert_eq!(policy.check(&newest).map(|by| by.len()), Ok(4));
    let witnesses = client.get("/v1/ledger").json()["witnesses"].as_array().expect("a list").clone();
    assert_eq!(witnesses.len(), 2);
    for witness in &witnesses {
        assert_eq!(witness["size"], client.size(), "{witness}");
        assert!(witness["cosigned_at"].is_string() && witness["problem"].is_null(), "{witness}");
    }

    second.kill();
    let (statement, before) = (council.next(&child(1), 9), client.size());
    let reply = client.publish(&statement);
    assert_eq!((reply.status, reply.problem().as_str()), (503, "not_witnessed"), "{}", reply.text());
    let said = reply.json()["detail"].as_str().expect("a sentence").to_owned();
    assert!(said.contains("sealed") && said.contains("send the same statement again"), "{said}");
    assert_eq!(client.size(), before + 1, "it is sealed");
    let ready: Value = client.get("/readyz").json();
    assert!(ready["witnesses"][1]["problem"].is_string(), "{ready}");
    // The checkpoint is out, with nobody's cosignature; what was cosigned is the one before.
    let newest = client.get("/checkpoint");
    assert!(!newest.text().contains("witness.example"), "{}", newest.text());
    assert_eq!(client.get("/checkpoint/cosigned").text(), cosigned.text());
    second.come_back();
    let mut again = client.publish(&statement);
    eventually("the same bytes give the receipt", || {
        again = client.publish(&statement);
        again.status == 200
    });
    check(&home, &policy, &again, statement.hash());
    assert_eq!(client.size(), before + 1, "once");
    server.stop();

    // Commands send again by themselves what was answered with `not_witnessed`.
    second.kill();
    let server = serve(&home, &file, WAIT);
    let publisher =
        while_away(&server.client(), &mut second, 1, || home.enrol("hospital", "ods:RX1", Some(&server.url)));
    second.kill();
    let (key, pin) = (home.key_file("hospital"), home.pin_file());
    let drafts: String = (0..5).map(|n| draft_line(&format!("d{n}"), &child(n), n) + "\n").collect();
    let outcomes = while_away(&server.client(), &mut second, 5, || {
        let to = ["--to", &server.url, "--key", path(&key), "--pin", path(&pin)];
        let arguments = [&["publish", "--json", "--patience", "100"][..], &to].concat();
        run_with_input(arguments, drafts.as_bytes()).succeeded().json_lines()
    });
    assert!(outcomes.len() == 5 && outcomes.iter().all(|line| line["status"] == "sealed"), "{outcomes:?}");
    assert_eq!(server.client().head(&publisher.id).0, 5, "once each");
    server.stop();
}

/// Does something that seals so many entries while a witness is away, and has it come back once they are sealed.
fn while_away<T: Send>(
    client: &Client,
    away: &mut Watching,
    entries: u64,
    doing: impl FnOnce() -> T + Send,
) -> T {
    let before = client.size();
    thread::scope(|scope| {
        let done = scope.spawn(doing);
        eventually("they are sealed", || client.size() == before + entries);
        away.come_back();
        done.join().expect("it does not panic")
    })
}

#[test]
fn arguments_that_make_no_sense_are_said_in_a_sentence() {
    let home = Home::new();
    let (data, file) = (home.data(), home.at("policy"));
    let serve = |more: &[&str]| {
        let arguments =
            ["serve", "--listen", "127.0.0.1:0", "--data", path(&data), "--witnesses", path(&file)];
        run([&arguments[..], more].concat()).exited(1).complaint()
    };
    let says = |text: &str, sentence: &str| {
        std::fs::write(&file, text).expect("written");
        let said = serve(&["--require-quorum"]);
        assert!(said.contains(sentence), "{said}");
    };
    assert!(serve(&[]).contains("policy: "), "a file that is not there");
    says("quorum none\n", "names no witness with an address");
    says("witness a b\nquorum a\n", "line 1");
    let witness = home.at("w1");
    let made = run(["witness", "init", "--json", "--data", path(&witness), "--name", "witness.example/w1"]);
    let lines = made.succeeded().json()["policy"].as_str().expect("lines").to_owned();
    let other = Home::new();
    let quorum = "quorum witness.example/w1\n";
    says(&format!("log {}\n{lines}{quorum}", other.pin.verifier_keys[0]), "none of them is this ledger");
    says(&format!("{lines}{quorum}{quorum}"), "a second quorum line");
}
