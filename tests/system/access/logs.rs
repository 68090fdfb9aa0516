//! Neither the program's own log, however much it logs and however busy it is, nor a refusal, nor what the operating system shows of its
//! process has a token, a pseudonym, a key, or anything that a statement says.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::{Scene, texts};
use crate::partnership::{Client, Process, child, decision, path, run_with_input};

const NDJSON: &str = "application/x-ndjson";
/// A name that stands in requests of every kind.
const NAME: &str = "Marigold";

/// Bodies of answers that refuse.
type Refusals = Mutex<Vec<String>>;

/// Those who use the ledger all at once.
struct Load<'a> {
    client: &'a Client,
    refusals: &'a Refusals,
    entry: u64,
    pseudonym: &'a str,
    reference: &'a str,
}

impl Load<'_> {
    fn note(&self, reply: &crate::partnership::Reply) -> u16 {
        if reply.status >= 400 {
            self.refusals.lock().expect("nothing panics with it").push(reply.text().to_owned());
        }
        reply.status
    }

    /// Statements that are refused, each for something else.
    fn publish_badly(&self, good: &str) {
        let (jws, disclosed) = good.split_once('~').expect("disclosures");
        let (signed, signature) = jws.rsplit_once('.').expect("a signature");
        let plain = decision().to_text();
        let invented =
            gt_core::base64url::encode(format!("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"{NAME}\"]").as_bytes());
        let bad = [
            format!("{signed}.{}~{disclosed}", signature.chars().rev().collect::<String>()),
            format!("{jws}~"),
            format!("{good}{invented}~"),
            good[..good.len() / 2].to_owned(),
            good.replace('~', "~~"),
            plain.clone(),
            format!("{good}{NAME}"),
        ];
        for text in &bad {
            let status = self.note(&self.client.publish_text(text.as_bytes()));
            assert!((400..500).contains(&status), "{status}");
            for kind in [NDJSON, "application/json", NAME] {
                let status =
                    self.note(&self.client.post("/v1/statements", kind, json!(text).to_string().as_bytes()));
                assert!(status == 200 && kind == NDJSON || (400..500).contains(&status), "{kind}: {status}");
            }
            let lines = self.client.post("/v1/statements", NDJSON, json!(text).to_string().as_bytes());
            self.refusals.lock().expect("nothing panics with it").push(lines.text().to_owned());
        }
        self.note(&self.client.post("/v1/advice", "application/json", plain.as_bytes()));
    }

    fn read(&self, token: &str) {
        let (reader, reference) = (self.client.clone().with_token(token), self.reference);
        let pseudonym = self.pseudonym;
        for path in [
            "/v1/decisions".to_owned(),
            format!("/v1/decisions?child={reference}"),
            format!("/v1/entries/{}", self.entry),
            format!("/v1/children/{pseudonym}/timeline"),
            format!("/v1/children/{reference}/timeline?cursor={pseudonym}"),
            format!("/v1/decisions?child={pseudonym}&{NAME}=1"),
            format!("/v1/{NAME}/{pseudonym}"),
            format!("/v1/bundles?child={reference}"),
            format!("/v1/bundles?child={pseudonym}"),
            format!("/v1/stream?pattern={NAME}"),
        ] {
            self.note(&reader.get(&path));
        }
        let body = json!({"pseudonym": pseudonym}).to_string();
        for (path, body) in [
            ("/v1/subjects", body.clone()),
            ("/v1/subjects", json!({"pseudonym": NAME}).to_string()),
            ("/v1/break-glass", body),
            ("/v1/bundles", json!({"child": reference, "because": NAME}).to_string()),
        ] {
            self.note(&reader.post(path, "application/json", body.as_bytes()));
        }
    }

    /// One asks to read a child's texts, and another approves.
    fn break_glass(&self, analyst: &str, mash: &str) {
        let ask = json!({"child": self.reference, "purpose": "Analysis", "hours": 1}).to_string();
        let asking = self.client.clone().with_token(analyst);
        let asked = asking.post("/v1/break-glass", "application/json", ask.as_bytes());
        assert_eq!(asked.status, 202, "{}", asked.text());
        let approve = asked.json()["approve"].as_str().expect("a path").to_owned();
        self.note(&asking.post(&approve, "application/json", b""));
        let approved = self.client.clone().with_token(mash).post(&approve, "application/json", b"");
        assert_eq!(approved.status, 201, "{}", approved.text());
        assert_eq!(asking.get(&format!("/v1/entries/{}", self.entry)).status, 200);
    }
}

/// What the private keys among the secrets hold, and the key-encryption key.
fn keys(scene: &Scene) -> Vec<String> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(scene.home.at("data.secrets")).expect("a folder") {
        let file = item.expect("an entry").path();
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        match serde_json::from_str::<Value>(&text) {
            Ok(jwk) => found.extend(jwk["d"].as_str().map(ToOwned::to_owned)),
            Err(_) if file.file_name().is_some_and(|name| name == "kek") => {
                found.push(text.trim().to_owned());
            }
            Err(_) => {}
        }
    }
    found
}

/// What the operating system shows of a process.
fn shown(process: &Process) -> String {
    let read = |name: &str| std::fs::read(format!("/proc/{}/{name}", process.id())).expect("a process");
    let bytes = [read("cmdline"), read("environ"), read("comm")].concat();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn nothing_that_is_private_stands_in_a_log_a_refusal_or_the_list_of_processes() {
    let mut scene = Scene::new();
    let reference = scene.child();
    let issue = |role: &str, subject: &str, more: &[&str]| scene.home.issue(role, subject, more);
    let mash = issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let panel = issue("panel-reviewer", "Review 12", &["--child", &reference]);
    let analyst = issue("analyst", "R. Okafor", &["--purpose", "Analysis"]);
    let data = scene.home.data();
    scene.server.process.signal("TERM");
    scene.server.process.ended();
    let arguments = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data)];
    let mut process = Process::tracing(arguments, &scene.home.at("trace.log"));
    let client = Client::new(&process.listening());
    let statements: Vec<_> = (0..20).map(|day| scene.council.next(&child(day), day)).collect();
    let bad = scene.council.peek("decision.recorded", &decision());
    let refusals = Refusals::default();
    let (entry, pseudonym) = (scene.entry, scene.pseudonym.as_str());
    let load = Load { client: &client, refusals: &refusals, entry, pseudonym, reference: &reference };
    std::thread::scope(|threads| {
        threads.spawn(|| statements.iter().for_each(|one| assert_eq!(client.publish(one).status, 201)));
        threads.spawn(|| (0..3).for_each(|_| load.publish_badly(&bad.to_compact())));
        threads.spawn(|| load.break_glass(&analyst, &mash));
        for token in [mash.as_str(), panel.as_str(), "gt_wrong", &mash[..mash.len() - 3]] {
            let load = &load;
            threads.spawn(move || (0..5).for_each(|_| load.read(token)));
        }
    });
    let erase = ["erase", "--json", "--child", "-", "--authority", "gss:E06000999", "--ground", "CourtOrder"];
    let erased = run_with_input(erase.iter().chain(&["--data", path(&data)]), child(3).as_bytes());
    assert!(!erased.succeeded().stdout.contains(&child(3)));
    (0..2).for_each(|_| load.read(&mash));
    let seen = shown(&process);
    process.signal("TERM");
    process.ended();
    let text = process.log_text();
    let refusals = refusals.into_inner().expect("nothing panicked with it");
    assert!(text.contains("DEBUG") && text.lines().count() > 500, "{} lines", text.lines().count());
    assert!(refusals.len() > 100 && seen.contains("serve"), "{}", refusals.len());
    let mut private =
        vec![mash.clone(), panel, analyst, "gt_wrong".to_owned(), NAME.to_owned(), "A. Whitfield".to_owned()];
    private.extend(mash.split('.').skip(1).map(ToOwned::to_owned));
    private.extend((0..20).map(child));
    texts(&serde_json::from_str(&decision().to_text()).expect("JSON"), &mut private);
    let said = statements.iter().chain([&bad]).flat_map(gt_core::statement::Statement::disclosures);
    private.extend(said.map(|disclosure| disclosure.text().to_owned()));
    let keys = keys(&scene);
    assert!(keys.len() > 4 && private.len() > 60, "{} keys, {}", keys.len(), private.len());
    for private in private.iter().chain(&keys) {
        assert!(!text.contains(private), "{private:?} stands in the log");
        assert!(!seen.contains(private), "{private:?} is shown of the process");
        let told = refusals.iter().find(|refusal| refusal.contains(private));
        assert!(told.is_none(), "{private:?} stands in a refusal: {told:?}");
    }
}
