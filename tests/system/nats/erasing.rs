//! An officer asks one of several nodes to erase. Every node ends it, or is named as one that has not; and then nothing has the words.

use std::path::Path;

use gt_core::statement::Statement;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::nodes::{Node, secrets_of, servers};
use super::turn;
use crate::erasing::{is_found_in, is_in_memory_of, note};
use crate::partnership::{Client, Ended, Publisher, child, path, run, run_with_input};

const WORDS: &str = "the ferryman heard the kettle sing at nine";
const COUNCIL: &str = "gss:E06000999";

/// A partnership whose council has said something about children 1 to 4.
struct Scene {
    ledger: Ledger,
    council: Publisher,
    officer: String,
    said: Vec<Statement>,
}

impl Scene {
    fn new(servers: usize) -> Self {
        let mut ledger = Ledger::start(servers);
        let council = ledger.publisher("council");
        let officer = ledger.home.officer_token();
        let officer = path(&officer).to_owned();
        let mut scene = Self { ledger, council, officer, said: Vec::new() };
        for n in 1..5 {
            scene.note(0, &child(n));
        }
        scene.ledger.until_level("every node has the notes");
        scene
    }

    fn note(&mut self, at: usize, about: &str) {
        let words = if *about == child(1) { WORDS } else { "nobody heard anything" };
        let statement = note(&mut self.council, about, words);
        let client = self.ledger.nodes[at].client();
        self.ledger.until("it is sealed", || matches!(client.publish(&statement).status, 200 | 201));
        self.said.push(statement);
    }

    /// `goldenthread nats keys …`, as whoever may make streams.
    fn keys(&self, what: &[&str]) -> Ended {
        let data = self.ledger.home.data();
        let servers = servers(&self.ledger.cluster);
        let all = ["nats", "keys"].iter().chain(what).copied().chain(["--json", "--data", path(&data)]);
        run(all.chain(servers.iter().map(String::as_str)))
    }

    /// The next key at the first node, and a copy of it at these.
    fn prepare(&self, nodes: &[usize]) -> String {
        let done = self.keys(&["prepare"]).succeeded().json();
        assert_eq!(done["created"].as_array().map(Vec::len), Some(1), "{done}");
        for at in nodes {
            self.give(*at);
        }
        done["next"].as_str().expect("a fingerprint").to_owned()
    }

    fn give(&self, at: usize) {
        let next = |data: &Path| secrets_of(data).join("kek.next");
        std::fs::copy(next(&self.ledger.home.data()), next(&self.ledger.nodes[at].data)).expect("copied");
    }

    fn kek(&self, at: usize) -> String {
        let shown =
            run(["kek", "show", "--json", "--data", path(&self.ledger.nodes[at].data)]).succeeded().json();
        shown["kek"].as_str().expect("a fingerprint").to_owned()
    }

    fn erase(&self, at: usize, whom: &str) -> Ended {
        erase(&self.ledger.nodes[at].url(), &self.officer, whom)
    }

    /// What a node says of the latest erasure: its status, and who has not confirmed it.
    fn status(&self, at: usize) -> (String, Vec<String>) {
        let url = self.ledger.nodes[at].url();
        let listed = run(["erase", "status", "--json", "--url", &url, "--token-file", &self.officer]);
        let listed = listed.succeeded().json();
        let last = listed.as_array().and_then(|all| all.last()).expect("an erasure").clone();
        let pending = last["pending_nodes"].as_array().expect("a list").clone();
        let named = |node: &Value| {
            node["name"].as_str().expect("a name").rsplit(':').next().expect("a folder").to_owned()
        };
        (last["status"].as_str().expect("a status").to_owned(), pending.iter().map(named).collect())
    }

    fn knows(&self, node: &Node, about: &str) -> bool {
        let question = json!({"pseudonym": about}).to_string();
        let mut status = 503;
        self.ledger.until("the read is recorded", || {
            status = self.analyst(node).post("/v1/subjects", "application/json", question.as_bytes()).status;
            status != 503
        });
        status == 200
    }

    fn analyst(&self, node: &Node) -> Client {
        self.ledger.analyst(node)
    }
}

/// The officer asks the node at this address.
fn erase(url: &str, officer: &str, whom: &str) -> Ended {
    let what = [
        "erase",
        "--child",
        "-",
        "--authority",
        COUNCIL,
        "--ground",
        "EnteredInError",
        "--records",
        "--json",
    ];
    run_with_input(what.into_iter().chain(["--url", url, "--token-file", officer]), whom.as_bytes())
}

#[test]
fn an_officer_erases_on_all_nodes_and_nothing_has_the_words_any_more() {
    let _turn = turn();
    let mut scene = Scene::new(3);
    let (gone, stays) = (child(1), child(2));
    let old = scene.kek(0);
    let unprepared = scene.erase(0, &gone).exited(1).complaint();
    assert!(unprepared.contains("nats keys prepare"), "{unprepared}");
    // What is said to a node again lies in its memory for a while.
    let (node, first) = (&scene.ledger.nodes[1], &scene.said[0]);
    scene.ledger.until("the search finds what is there", || {
        node.client().publish(first).status == 200 && is_in_memory_of(node.id(), &gone)
    });
    let next = scene.prepare(&[1, 2]);
    assert_eq!(scene.kek(1), old, "nothing is in force yet");

    // One of them is off.
    scene.ledger.nodes[1].kill();
    let refused = scene.erase(2, &gone).exited(1).complaint();
    assert!(refused.contains("only follows"), "{refused}");
    let done = scene.erase(0, &gone).succeeded().json();
    assert_eq!(
        (&done["status"], &done["entries"], &done["kek"]),
        (&json!("pending"), &json!(1), &json!(next))
    );
    scene.ledger.until("all that run have confirmed", || scene.status(0).1 == ["standby"]);
    let early = scene.keys(&["retire"]).exited(1).json();
    assert_eq!(
        early["pending_nodes"][0]["name"].as_str().and_then(|name| name.rsplit(':').next()),
        Some("standby")
    );
    let index = done["index"].to_string();
    let url = scene.ledger.nodes[0].url();
    let confirm = ["erase", "confirm", &index, "--url", &url, "--token-file", &scene.officer];
    assert!(run(confirm).exited(1).complaint().contains("have not confirmed"));

    scene.ledger.nodes[1].start();
    scene.ledger.until("all nodes have confirmed", || scene.status(0).1.is_empty());
    assert_eq!(scene.keys(&["retire"]).succeeded().json()["removed"], json!([old]));
    run(confirm).succeeded();
    assert_eq!(scene.status(0).0, "complete");
    scene.note(1, &stays);
    scene.note(0, &child(9));
    scene.ledger.until_level("every node has what was sealed since");
    for node in &mut scene.ledger.nodes {
        node.stop();
    }
    for node in &mut scene.ledger.nodes {
        node.start();
    }
    scene.ledger.add_follower("late");
    scene.ledger.until_level("every node has all of it");
    for needle in [WORDS, gone.as_str(), gone.rsplit(':').next().expect("a hash")] {
        for node in &scene.ledger.nodes {
            assert!(!is_in_memory_of(node.id(), needle), "{} has it in memory", node.name);
            assert!(
                !is_found_in(&node.data, needle) && !is_found_in(&secrets_of(&node.data), needle),
                "{}",
                node.name
            );
            assert!(!node.log_text().contains(needle));
        }
        for at in 0..scene.ledger.cluster.count() {
            assert!(!is_found_in(&scene.ledger.cluster.store(at), needle));
        }
    }
    for node in &scene.ledger.nodes {
        assert!(!scene.knows(node, &gone) && scene.knows(node, &stays), "{}", node.name);
    }
    scene.ledger.until_level("every node has the reads");
    scene.ledger.nodes.iter_mut().for_each(Node::stop);
    for node in &scene.ledger.nodes {
        assert_eq!(
            run(["kek", "show", "--json", "--data", path(&node.data)]).succeeded().json()["kek"],
            json!(next)
        );
        let report = run(["fsck", "--json", "--data", path(&node.data)]).succeeded().json();
        assert_eq!(report["verdict"], "sound", "{}: {report}", node.name);
    }
}

/// It serves what it has, says what it waits for, and goes on by itself once it has that.
#[test]
fn a_node_without_the_next_key_says_so_and_holds_nobody_up() {
    let _turn = turn();
    let mut scene = Scene::new(1);
    let next = scene.prepare(&[1]);
    let renewed =
        run(["kek", "rotate", "--json", "--data", path(&scene.ledger.home.data())]).succeeded().json();
    assert_eq!(renewed["kek"], json!(next));
    let readiness = |scene: &Scene| scene.ledger.nodes[2].client().get("/readyz");
    scene.ledger.until("it says what it waits for", || {
        let reply = readiness(&scene);
        reply.status == 503 && reply.json()["waits_for_key"] == json!({"epoch": 1, "kek": next})
    });
    scene.note(0, &child(5));
    scene.note(1, &child(6));
    scene.ledger.nodes[2].kill();
    scene.ledger.nodes[2].start();
    assert_eq!(readiness(&scene).status, 503);
    // The first has put it in force, so it is the key itself that is copied.
    let kek = |data: &Path, name: &str| secrets_of(data).join(name);
    let from = kek(&scene.ledger.home.data(), "kek");
    std::fs::copy(from, kek(&scene.ledger.nodes[2].data, "kek.next")).expect("copied");
    scene.ledger.until("it goes on", || readiness(&scene).status == 200);
    scene.ledger.until_level("every node has the same");
    assert_eq!(scene.kek(2), next);
    assert!(!kek(&scene.ledger.nodes[2].data, "kek.next").exists());
    scene.ledger.nodes.iter_mut().for_each(Node::stop);
    for node in &scene.ledger.nodes {
        run(["fsck", "--data", path(&node.data)]).succeeded();
    }
}

/// The one that was asked is killed at once, or a little later, and so is one that follows. It is all there afterwards, or nothing of it.
#[test]
fn nodes_that_are_killed_during_an_erasure_complete_it_or_have_not_begun() {
    let _turn = turn();
    let mut scene = Scene::new(1);
    let mut erased = 0;
    for (round, n) in (1..5).enumerate() {
        let gone = child(n);
        if !secrets_of(&scene.ledger.home.data()).join("kek.next").exists() {
            scene.prepare(&[1, 2]);
        }
        let killed = if round % 2 == 0 { 0 } else { 2 };
        let size = scene.ledger.nodes[1].client().size();
        let (url, officer) = (scene.ledger.nodes[0].url(), scene.officer.clone());
        std::thread::scope(|threads| {
            let asking = threads.spawn(|| erase(&url, &officer, &gone));
            // The read of who asks comes first; then, at different times, the killing.
            scene.ledger.until("it is asked", || scene.ledger.nodes[1].client().size() > size);
            std::thread::sleep(std::time::Duration::from_millis(40 * round as u64));
            scene.ledger.nodes[killed].strike();
            drop(asking.join().expect("asked"));
        });
        scene.ledger.nodes[killed].kill();
        scene.ledger.nodes[killed].start();
        scene.ledger.until_level("all nodes have come to the same");
        let known: Vec<bool> = scene.ledger.nodes.iter().map(|node| scene.knows(node, &gone)).collect();
        assert!(known.iter().all(|one| *one == known[0]), "{known:?}");
        let keks: Vec<String> = (0..3).map(|at| scene.kek(at)).collect();
        assert!(keks.iter().all(|kek| *kek == keks[0]), "{keks:?}");
        erased += u32::from(!known[0]);
    }
    scene.note(0, &child(8));
    scene.note(1, &child(9));
    scene.ledger.until_level("all nodes seal on");
    scene.ledger.nodes.iter_mut().for_each(Node::stop);
    for node in &scene.ledger.nodes {
        let report = run(["fsck", "--json", "--data", path(&node.data)]).succeeded().json();
        assert_eq!(report["verdict"], "sound", "{}: {report}", node.name);
    }
    assert!(erased > 0, "none of them went through");
}
