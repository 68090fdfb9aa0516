//! `kill -9` of the ledger under load, again and again: what was acknowledged is there, what was not can be sent again, and
//! no checkpoint that was ever handed out is contradicted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use gt_core::proof::ConsistencyProof;
use gt_core::statement::Statement;
use gt_core::{Hash, TreeSize};
use serde_json::Value;

use crate::partnership::{Client, Home, Publisher, Random, Server, child, path, run};

const KILLS: u64 = 50;
/// The first two publish one statement at a time, the others several.
const AGENCIES: [&str; 4] = ["gss:E06000999", "ods:RX1", "police:32", "charity:999001"];

/// A statement and what the ledger said of it.
struct Acknowledged {
    index: u64,
    statement: Hash,
    size: u64,
    root: Hash,
}

/// Publishers that go on while the ledger comes and goes.
struct Load<'h> {
    home: &'h Home,
    ledger: Mutex<Ledger>,
    changed: Condvar,
    count: AtomicU64,
    finishing: AtomicBool,
    newest: Mutex<(u64, Hash)>,
}

/// Where the ledger is now, and how many times that has changed.
#[derive(Default)]
struct Ledger {
    url: Option<String>,
    changes: u64,
    given_up: bool,
}

impl<'h> Load<'h> {
    fn new(home: &'h Home) -> Self {
        let newest = Mutex::new((0, Hash::ZERO));
        let (ledger, changed) = (Mutex::default(), Condvar::new());
        Self { home, ledger, changed, count: AtomicU64::new(0), finishing: AtomicBool::new(false), newest }
    }

    fn lead_to(&self, url: Option<&str>) {
        let mut ledger = self.ledger.lock().expect("nothing panics with it");
        ledger.url = url.map(ToOwned::to_owned);
        ledger.changes += 1;
        self.changed.notify_all();
    }

    /// Where the ledger is once it is somewhere; `None` once the test has failed.
    fn ledger(&self) -> Option<(Client, u64)> {
        let ledger = self.ledger.lock().expect("nothing panics with it");
        let waiting = |ledger: &mut Ledger| ledger.url.is_none() && !ledger.given_up;
        let ledger = self.changed.wait_while(ledger, waiting).expect("nothing panics with it");
        let url = ledger.url.as_ref().filter(|_| !ledger.given_up)?;
        Some((Client::new(url), ledger.changes))
    }

    /// Waits, a little, for the ledger to be somewhere else.
    fn elsewhere_than(&self, changes: u64) {
        let ledger = self.ledger.lock().expect("nothing panics with it");
        let same = |ledger: &mut Ledger| ledger.changes == changes && !ledger.given_up;
        drop(self.changed.wait_timeout_while(ledger, Duration::from_millis(20), same));
    }

    /// Publishes until the test finishes, each statement until it is acknowledged.
    fn publish(&self, mut publisher: Publisher, at_once: u64, mut random: Random) -> Vec<Acknowledged> {
        let mut acknowledged = Vec::new();
        let mut ledger = None;
        while !self.finishing.load(Ordering::Acquire) {
            let count = 1 + random.below(at_once);
            let statements = (0..count).map(|_| publisher.next(&child(random.below(40)), random.below(200)));
            let mut waiting: Vec<Statement> = statements.collect();
            while !waiting.is_empty() {
                let Some((client, changes)) = ledger.take().or_else(|| self.ledger()) else {
                    return acknowledged;
                };
                let receipts = if at_once == 1 {
                    send_one(&client, &waiting[0])
                } else {
                    client.publish_together(&waiting)
                };
                let answered = waiting.drain(..receipts.len());
                acknowledged.extend(
                    answered.zip(receipts).map(|(statement, receipt)| self.note(&statement, &receipt)),
                );
                if waiting.is_empty() {
                    ledger = Some((client, changes));
                } else {
                    self.elsewhere_than(changes);
                }
            }
        }
        acknowledged
    }

    fn note(&self, statement: &Statement, receipt: &str) -> Acknowledged {
        let verdict = self.home.prove(receipt, statement.hash());
        let (size, root) = (verdict.checkpoint.size().0, verdict.checkpoint.root());
        let mut newest = self.newest.lock().expect("nothing panics with it");
        if size > newest.0 {
            *newest = (size, root);
        }
        self.count.fetch_add(1, Ordering::AcqRel);
        Acknowledged { index: verdict.entry.index.0, statement: statement.hash(), size, root }
    }
}

/// Ends the load when the test does, however it does.
struct GivesUp<'l>(&'l Load<'l>);

impl Drop for GivesUp<'_> {
    fn drop(&mut self) {
        self.0.finishing.store(true, Ordering::Release);
        if thread::panicking() {
            self.0.ledger.lock().expect("nothing panics with it").given_up = true;
            self.0.changed.notify_all();
        }
    }
}

/// The receipt, unless the ledger died over it.
fn send_one(client: &Client, statement: &Statement) -> Vec<String> {
    let text = statement.to_compact();
    match client.try_post("/v1/statements", "application/sd-jwt", text.as_bytes()) {
        Ok(reply) if matches!(reply.status, 200 | 201) => vec![reply.text().to_owned()],
        Ok(reply) => {
            assert_eq!(reply.status, 503, "{}", reply.text());
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// The log that this ledger has now goes on from a checkpoint that was handed out.
fn extends(client: &Client, now: (u64, Hash), earlier: (u64, Hash)) {
    let path = format!("/v1/proofs/consistency?from={}&to={}", earlier.0, now.0);
    let answer = client.get(&path).json();
    let hash = |text: &Value| Hash::parse(text.as_str().expect("a hash")).expect("a hash");
    let path =
        answer["path"].as_array().unwrap_or_else(|| panic!("a proof: {answer}")).iter().map(hash).collect();
    let proof = ConsistencyProof { from: TreeSize(earlier.0), to: TreeSize(now.0), path };
    proof
        .verify(&earlier.1, &now.1)
        .unwrap_or_else(|error| panic!("{} entries, then {}: {error}", earlier.0, now.0));
}

/// The size and root that the ledger has now, under its signature.
fn head(home: &Home, client: &Client) -> (u64, Hash) {
    let signed =
        gt_core::checkpoint::SignedCheckpoint::parse(&client.get("/checkpoint").body).expect("a checkpoint");
    signed.verify(&home.pin.origin, &home.pin.verifier_keys).expect("the ledger's signature");
    (signed.checkpoint().size().0, signed.checkpoint().root())
}

fn is_sound(home: &Home, check: &[&str]) {
    let data = home.data();
    let report = run([check, &["--json", "--data", path(&data)]].concat()).succeeded().json();
    assert_eq!(report["verdict"], "sound", "{report}");
}

/// What a kill left is sound but for what it was writing, which stands beyond the checkpoint.
fn is_sound_up_to_its_checkpoint(home: &Home) {
    let report = run(["fsck", "--json", "--data", path(&home.data())]).json();
    let faults = report["faults"].as_array().expect("a list");
    assert!(faults.iter().all(|fault| fault["code"] == "beyond_checkpoint"), "{report}");
    assert_eq!(report["verdict"], if faults.is_empty() { "sound" } else { "not_sound" }, "{report}");
}

#[test]
fn kills_lose_nothing_that_was_acknowledged() {
    let mut random = Random::seeded();
    let home = Home::new();
    let enrol = |(n, agency): (usize, &&str)| home.enrol(&format!("system-{n}"), agency, None);
    let publishers: Vec<Publisher> = AGENCIES.iter().enumerate().map(enrol).collect();
    let load = Load::new(&home);
    let (server, acknowledged) = thread::scope(|scope| {
        let gives_up = GivesUp(&load);
        let publish = |(n, publisher): (usize, Publisher)| {
            let (load, random, at_once) = (&load, random.split(), if n < 2 { 1 } else { 12 });
            scope.spawn(move || load.publish(publisher, at_once, random))
        };
        let threads: Vec<_> = publishers.into_iter().enumerate().map(publish).collect();
        for round in 1..=KILLS {
            let fsck = round % 10 == 0;
            kill_under_load(&home, &load, &mut random, fsck);
            if fsck {
                is_sound_up_to_its_checkpoint(&home);
            }
        }
        let server = home.serve();
        load.lead_to(Some(&server.url));
        drop(gives_up);
        let acknowledged = threads.into_iter().flat_map(|thread| thread.join().expect("no publisher panics"));
        (server, acknowledged.collect::<Vec<_>>())
    });
    all_is_there(&home, &server.client(), &acknowledged);
    server.stop();
    is_sound(&home, &["fsck"]);
    is_sound(&home, &["verify", "--pin", path(&home.pin_file())]);
}

/// Starts the ledger, perhaps after a start that is killed half-way, and kills it somewhere in the middle of its work.
fn kill_under_load(home: &Home, load: &Load<'_>, random: &mut Random, fsck: bool) {
    if random.once_in(4) {
        let mut early = Server::launch(home, &[]);
        thread::sleep(Duration::from_micros(random.below(20_000)));
        early.kill();
    }
    let mut server = home.serve();
    let newest = *load.newest.lock().expect("nothing panics with it");
    if newest.0 > 0 {
        extends(&server.client(), head(home, &server.client()), newest);
    }
    load.lead_to(Some(&server.url));
    let enough = load.count.load(Ordering::Acquire) + random.below(60);
    crate::partnership::eventually("publishers are answered", || {
        load.count.load(Ordering::Acquire) >= enough
    });
    if fsck {
        // Of a ledger that is sealing, what is checked is what its checkpoint covers.
        is_sound(home, &["fsck"]);
    }
    // Not a wait for anything: the moment of the kill is drawn at random.
    thread::sleep(Duration::from_micros(random.below(6_000)));
    server.process.kill();
    load.lead_to(None);
}

fn all_is_there(home: &Home, client: &Client, acknowledged: &[Acknowledged]) {
    let now = head(home, client);
    let by_index: BTreeMap<u64, Hash> = acknowledged.iter().map(|one| (one.index, one.statement)).collect();
    let statements: BTreeSet<Hash> = by_index.values().copied().collect();
    assert!(acknowledged.len() > 800, "it was under load: {}", acknowledged.len());
    assert_eq!(by_index.len(), acknowledged.len(), "no two have one entry");
    assert_eq!(statements.len(), acknowledged.len(), "none has two");
    let others = 3 + AGENCIES.len();
    assert_eq!(now.0, (others + acknowledged.len()) as u64, "every entry is one that was acknowledged");
    for (index, statement) in by_index {
        assert_eq!(client.sealed(index), statement, "entry {index}");
    }
    let checkpoints: BTreeMap<u64, Hash> = acknowledged.iter().map(|one| (one.size, one.root)).collect();
    for one in acknowledged {
        assert_eq!(checkpoints[&one.size], one.root, "one root for {} entries", one.size);
    }
    for earlier in checkpoints {
        extends(client, now, earlier);
    }
}
