use super::*;
use crate::keyfile;
use crate::nats::NatsArgs;
use crate::outbox::tests::model_ledger::{ModelLedger, agency, refused_draft, sound_draft};
use crate::outbox::tests::model_server::{Fault, ModelServer};
use crate::outbox::{Connection, Courier};
use tokio::sync::oneshot;

struct Agent {
    url: String,
    http: ureq::Agent,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<std::thread::JoinHandle<()>>,
    dir: tempfile::TempDir,
}

impl Agent {
    /// An agent whose ledger is at this address, pinned by a file, so that it starts without the ledger. It has the
    /// partnership's key if there is one in its folder.
    fn start(dir: tempfile::TempDir, to: String, ledger: &ModelLedger) -> Self {
        let pin = dir.path().join("pin.json");
        std::fs::write(&pin, ledger.pin().to_json()).unwrap();
        let key = dir.path().join("key.jwk");
        let partnership_key = dir.path().join("partnership.json");
        let options = Connection {
            key,
            to,
            nats: NatsArgs::default(),
            keys: gt_ledger::private_keys::KeyAccess::default(),
            partnership_key: partnership_key.exists().then_some(partnership_key),
            outbox: None,
            pin: Some(pin),
            agency: Some(agency()),
            publisher: None,
        };
        let delivery = Arc::new(Delivery::start(Courier::establish(&options).unwrap()).unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let (listening, address) = std::sync::mpsc::channel();
        let runtime = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
                listening.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, delivery, async { drop(stopped.await) }).await.unwrap();
            });
        });
        let url = format!("http://{}", address.recv().unwrap());
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        Self { url, http: config.build().into(), stop: Some(stop), runtime: Some(runtime), dir }
    }

    fn post(&self, query: &str, kind: &str, body: &[u8]) -> (u16, String) {
        let request = self.http.post(format!("{}/v1/drafts{query}", self.url));
        let mut response = request.header("content-type", kind).send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    fn get(&self, path: &str, name: &str, value: &str) -> (u16, Value) {
        let mut response = self.http.get(format!("{}{path}", self.url)).header(name, value).call().unwrap();
        (response.status().as_u16(), json(&response.body_mut().read_to_string().unwrap()))
    }

    fn stop(mut self) -> tempfile::TempDir {
        self.stop.take().unwrap().send(()).unwrap();
        self.runtime.take().unwrap().join().unwrap();
        self.dir
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn folder() -> (tempfile::TempDir, ModelLedger) {
    let dir = tempfile::tempdir().unwrap();
    let public = keyfile::generate(&dir.path().join("key.jwk")).unwrap();
    (dir, ModelLedger::new(public))
}

#[test]
fn a_post_brings_the_receipt_or_the_problem_and_the_same_again() {
    let (dir, ledger) = folder();
    let server = ModelServer::start(ledger.clone());
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    let (status, sealed) = agent.post("", "application/json", &sound_draft("a"));
    assert_eq!(
        (status, &json(&sealed)["status"], &json(&sealed)["index"]),
        (201, &json!("sealed"), &json!(1))
    );
    assert_eq!(
        agent.post("?wait=0", "application/json; charset=utf-8", &sound_draft("a")),
        (201, sealed.clone())
    );
    assert_eq!(agent.get("/v1/drafts/a", "accept", "*/*"), (201, json(&sealed)));
    let (status, refused) = agent.post("", "application/json", &refused_draft("b"));
    assert_eq!((status, &json(&refused)["problem"]["code"]), (422, &json!("unknown_type")));
    let other = String::from_utf8(sound_draft("a")).unwrap().replace("\"Suspected\"", "\"NotKnown\"");
    let (status, conflict) = agent.post("", "application/json", other.as_bytes());
    assert_eq!((status, &json(&conflict)["code"]), (409, &json!("draft_id_reused")));

    let lines = [sound_draft("c"), b"{".to_vec(), sound_draft("d")].join(&b"\n"[..]);
    let (status, answers) = agent.post("", "application/x-ndjson", &lines);
    let answers: Vec<Value> = answers.lines().map(json).collect();
    let said: Vec<_> = answers.iter().map(|line| (&line["status"], &line["id"], &line["line"])).collect();
    let (sealed, none) = (json!("sealed"), Value::Null);
    let expected =
        [(&sealed, &json!("c"), &none), (&json!("refused"), &none, &json!(2)), (&sealed, &json!("d"), &none)];
    assert_eq!((status, &said[..]), (200, &expected[..]));
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), ["a", "c", "d"]);
    let healthy = json!({"queued": 0, "ledger_reachable": true, "last_error": null, "halted": null});
    assert_eq!(agent.get("/healthz", "accept", "*/*"), (200, healthy));
    agent.stop();
}

#[test]
fn without_its_ledger_it_queues_and_delivers_later_even_after_a_restart() {
    let (dir, ledger) = folder();
    // The port of a service that nobody runs any more, and that the system gives to no test.
    let agent = Agent::start(dir, "http://127.0.0.1:1".to_owned(), &ledger);
    for (seq, id) in ["a", "b"].into_iter().enumerate() {
        let (status, queued) = agent.post("?wait=0", "application/json", &sound_draft(id));
        assert_eq!((status, json(&queued)), (202, json!({"id": id, "status": "queued", "seq": seq})));
    }
    let dir = agent.stop();
    let server = ModelServer::start(ledger.clone());
    server.faults.lock().unwrap().extend([
        Fault::BreakBefore,
        Fault::Busy,
        Fault::BreakAfter,
        Fault::FirstOnly,
    ]);
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    let (status, sealed) = agent.post("?wait=60", "application/json", &sound_draft("b"));
    assert_eq!((status, &json(&sealed)["seq"]), (201, &json!(1)));
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), ["a", "b"]);
    assert_eq!(agent.get("/v1/drafts/a", "accept", "*/*").0, 201);
    agent.stop();
}

#[test]
fn what_is_no_local_program_or_no_draft_is_refused() {
    let (dir, ledger) = folder();
    let server = ModelServer::start(ledger.clone());
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    let code = |text: String| json(&text)["code"].as_str().unwrap().to_owned();
    for (query, kind, body, expected) in [
        ("", "application/x-www-form-urlencoded", sound_draft("a"), (415, "content_type")),
        ("?wait=soon", "application/json", sound_draft("a"), (400, "bad_request")),
        ("", "application/json", b"[]".to_vec(), (400, "draft_malformed")),
        ("", "application/json", vec![b' '; MAX_BODY_BYTES + 1], (413, "body_too_long")),
    ] {
        let (status, text) = agent.post(query, kind, &body);
        assert_eq!((status, code(text).as_str()), expected);
    }
    assert_eq!(agent.get("/healthz", "origin", "https://page.example").0, 403);
    assert_eq!(agent.get("/healthz", "host", "page.example:8080").0, 403);
    assert_eq!(agent.get("/healthz", "host", "localhost:1").0, 200);
    assert_eq!(agent.get("/v1/drafts/unknown", "accept", "*/*").0, 404);
    assert!(server.ledger.lock().unwrap().sealed.is_empty());
    agent.stop();
}

#[test]
fn only_this_machine_is_listened_to_unless_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(bind("0.0.0.0:0".parse().unwrap(), false));
    assert!(matches!(refused, Err(AgentError::NotLoopback { .. })));
    assert!(runtime.block_on(bind("0.0.0.0:0".parse().unwrap(), true)).is_ok());
    for (host, local) in
        [("localhost", true), ("127.0.0.1:80", true), ("[::1]:80", true), ("10.0.0.1", false), ("", false)]
    {
        assert_eq!(is_local(host), local, "{host}");
    }
}

/// A draft about a child who is named in the plain.
fn plain_draft(id: &str, identifier: &str) -> Vec<u8> {
    let mut draft = json(&String::from_utf8(sound_draft(id)).unwrap());
    draft["data"]["child"] = json!({"identifier": identifier, "role": "Child"});
    serde_json::to_vec(&draft).unwrap()
}

/// Everything that the agent has on its disk.
fn on_disk(folder: &std::path::Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap().map(|item| item.unwrap().path());
    files.flat_map(|path| if path.is_dir() { on_disk(&path) } else { std::fs::read(path).unwrap() }).collect()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn plain_identifiers_become_pseudonyms_before_anything_is_kept() {
    let (dir, ledger) = folder();
    let server = ModelServer::start(ledger.clone());
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    let (status, refused) = agent.post("", "application/json", &plain_draft("a", "nhs:999 000 0018"));
    let problem = json(&refused);
    assert_eq!((status, &problem["code"]), (422, &json!("plain_identifier")));
    assert_eq!(
        (&problem["path"], &problem["rule"]),
        (&json!("/data/child/identifier"), &json!("no_partnership_key"))
    );
    let dir = agent.stop();

    let file = dir.path().join("partnership.json");
    keyfile::generate_partnership_key(&file, std::num::NonZeroU16::MIN).unwrap();
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    let (status, sealed) = agent.post("", "application/json", &plain_draft("a", "nhs:999 000 0018"));
    assert_eq!((status, &json(&sealed)["status"]), (201, &json!("sealed")));
    let again = agent.post("", "application/json", &plain_draft("a", "nhs:9990000018"));
    assert_eq!(again, (201, sealed), "the same draft, written in another way");
    let (status, other) = agent.post("", "application/json", &plain_draft("a", "nhs:9990000026"));
    assert_eq!((status, &json(&other)["code"]), (409, &json!("draft_id_reused")));

    let lines = [plain_draft("b", "nhs:9990000017"), plain_draft("c", "nhs:9990000018")].join(&b"\n"[..]);
    let (_, answers) = agent.post("", "application/x-ndjson", &lines);
    let answers: Vec<Value> = answers.lines().map(json).collect();
    assert_eq!(answers[0]["problem"]["rule"], "check_character");
    assert_eq!(answers[1]["status"], "sealed");

    let key = keyfile::read_partnership_key(&file).unwrap();
    let identifier = gt_schemas::Identifier::parse("nhs:9990000018").unwrap();
    let pseudonym = key.pseudonym(&identifier).as_str().to_owned();
    let sealed = server.ledger.lock().unwrap().sealed.clone();
    for statement in &sealed {
        let mut values =
            statement.disclosures().iter().map(|disclosure| disclosure.value().to_value().to_text());
        assert!(values.any(|value| value.contains(&pseudonym)));
    }
    assert_eq!(sealed.len(), 2);
    let kept = on_disk(agent.stop().path());
    assert!(holds(&kept, &pseudonym), "the outbox was read");
    for plain in ["9990000018", "999 000 0018", "9990000017", "9990000026"] {
        assert!(!holds(&kept, plain), "{plain}");
    }
}

#[test]
fn once_it_has_halted_it_takes_nothing_new_and_keeps_what_it_has() {
    let (dir, ledger) = folder();
    let agent = Agent::start(dir, "http://127.0.0.1:1".to_owned(), &ledger);
    let (status, queued) = agent.post("?wait=0", "application/json", &sound_draft("a"));
    assert_eq!((status, &json(&queued)["status"]), (202, &json!("queued")));
    let dir = agent.stop();
    // Another ledger, at the address of this one.
    let other = ModelLedger::of_origin(
        "other.example/thread",
        keyfile::read_private(&dir.path().join("key.jwk")).unwrap().public(),
    );
    let server = ModelServer::start(other);
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    while agent.get("/healthz", "accept", "*/*").0 != 503 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let (status, refused) = agent.post("", "application/json", &sound_draft("b"));
    let problem = json(&refused);
    assert_eq!((status, &problem["code"]), (503, &json!("delivery_halted")));
    assert!(problem["halted"].as_str().unwrap().contains("other.example/thread"), "{problem}");
    assert_eq!(agent.get("/v1/drafts/b", "accept", "*/*").0, 404);
    assert_eq!(agent.post("", "application/json", &sound_draft("a")), (202, queued), "it is known");
    let other_draft = String::from_utf8(sound_draft("a")).unwrap().replace("\"Suspected\"", "\"NotKnown\"");
    assert_eq!(agent.post("", "application/json", other_draft.as_bytes()).0, 409);

    let lines = [sound_draft("a"), sound_draft("c")].join(&b"\n"[..]);
    let (_, answers) = agent.post("", "application/x-ndjson", &lines);
    let answers: Vec<Value> = answers.lines().map(json).collect();
    assert_eq!(answers[0]["status"], "queued");
    assert_eq!((&answers[1]["id"], &answers[1]["problem"]["code"]), (&json!("c"), &json!("delivery_halted")));

    let dir = agent.stop();
    let server = ModelServer::start(ledger.clone());
    let agent = Agent::start(dir, server.url.clone(), &ledger);
    assert_eq!(agent.post("?wait=60", "application/json", &sound_draft("b")).0, 201);
    assert_eq!(server.ledger.lock().unwrap().sealed_ids(), ["a", "b"], "what was queued before is delivered");
    agent.stop();
}
