//! The end of a server, the start of the next, and what the program says when it cannot start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use gt_core::statement::Statement;
use serde_json::Value;

use crate::partnership::{
    Client, Home, Publisher, Reply, Server, child, decision, eventually, example, missing, path, run,
};

/// Publishes until the server takes no more. Returns the statements in order, each with its receipt if one came.
fn publish_to_the_end(
    client: &Client,
    mut publisher: Publisher,
    count: &AtomicU64,
) -> Vec<(Statement, Option<Reply>)> {
    let mut sent = Vec::new();
    loop {
        let n = sent.len() as u64;
        let statement = publisher.next(&child(n % 4), n);
        let reply =
            client.try_post("/v1/statements", "application/sd-jwt", statement.to_compact().as_bytes()).ok();
        let reply = reply.filter(|reply| reply.status != 503);
        let ended = reply.is_none();
        if let Some(reply) = &reply {
            assert_eq!(reply.status, 201, "{}", reply.text());
            count.fetch_add(1, Ordering::AcqRel);
        }
        sent.push((statement, reply));
        if ended {
            return sent;
        }
    }
}

#[test]
fn an_orderly_end_seals_what_was_acknowledged() {
    let home = Home::new();
    let publishers = ["gss:E06000999", "ods:RX1", "police:32", "charity:999001", "gias:999001"]
        .map(|agency| home.enrol(agency.split(':').next().expect("a scheme"), agency, None));
    let mut server = home.serve();
    let (client, count) = (server.client(), AtomicU64::new(0));
    let sent: Vec<_> = thread::scope(|scope| {
        let publish = |publisher| scope.spawn(|| publish_to_the_end(&client, publisher, &count));
        let threads = publishers.map(publish);
        eventually("statements are in flight", || count.load(Ordering::Acquire) > 100);
        server.process.signal("TERM");
        assert_eq!(server.process.ended().code(), Some(0), "{}", server.process.log_text());
        threads.into_iter().flat_map(|thread| thread.join().expect("no publisher panics")).collect()
    });
    let log = server.process.log_text();
    assert!(log.contains("everything accepted is sealed") && !log.contains("panicked"), "{log}");

    let server = home.serve();
    let client = server.client();
    let (size, mut unanswered) = (client.size(), 0);
    for (statement, reply) in &sent {
        let again = client.publish(statement);
        let index = home.prove(again.text(), statement.hash()).entry.index.0;
        match reply {
            Some(first) => {
                assert_eq!(home.prove(first.text(), statement.hash()).entry.index.0, index);
                assert_eq!(again.status, 200, "it was sealed: {}", again.text());
            }
            None => unanswered += 1,
        }
        assert_eq!(client.sealed(index), statement.hash());
    }
    assert!(client.size() - size <= unanswered, "only what was never answered is new");
    server.stop();
}

#[test]
fn a_server_that_has_just_said_where_it_listens_ends_in_order() {
    let home = Home::new();
    for _ in 0..5 {
        home.serve().stop();
    }
}

/// Everything that the views say, alerts with their ids first.
fn views(server: &Server) -> Vec<Value> {
    let analyst = server.analyst();
    let size = analyst.size();
    let of = |reference: &str, member: &str| {
        let question = format!(r#"{{"{member}":"{reference}"}}"#);
        let answer = analyst.post("/v1/subjects", "application/json", question.as_bytes()).json();
        answer["ref"].as_str().expect("a reference").to_owned()
    };
    let (first, place) = (of(&child(0), "pseudonym"), of(PLACE, "context"));
    let mut paths =
        vec!["/v1/alerts".to_owned(), "/v1/decisions".to_owned(), format!("/v1/locations/{place}")];
    paths.extend(["timeline", "episodes"].map(|part| format!("/v1/children/{first}/{part}")));
    eventually("the views have caught up", || {
        analyst.get("/readyz").json()["projected"].as_u64() >= Some(size)
    });
    // The items alone: each of these reads is sealed, so what the answers reflect grows.
    paths.iter().map(|path| analyst.get(path).json()["items"].clone()).collect()
}

/// What happens to the folder of the views.
type Damage = fn(&Path);

const PLACE: &str = "uprn.1:r1nEX0r0ygAIQ_2howW7ZxdyIvqykNOGutohtoYLpAM";

fn with_child(mut data: gt_core::json::Value, about: &str) -> gt_core::json::Value {
    let person = format!(r#"{{"pseudonym":"{about}","role":"Child"}}"#);
    let gt_core::json::Value::Object(members) = &mut data else { panic!("an event is an object") };
    members.insert("child", gt_core::json::Value::parse(person.as_bytes()).expect("JSON"));
    // What is kept needs no disclosure, and this test is about what is not.
    let without = members.iter().filter(|(name, _)| !["kept", "refs"].contains(name));
    gt_core::json::Value::Object(without.map(|(name, value)| (name.to_owned(), value.clone())).collect())
}

/// A child who goes missing again and again, and a place to which several children are linked.
fn publish_patterns(client: &Client, council: &mut Publisher) {
    let mut events = Vec::new();
    for n in 0..5 {
        events.push(("missing.started", missing(&child(0), 3 * n)));
        events.push(("missing.ended", with_child(example("missing.ended"), &child(0))));
        events.push(("context.linked", with_child(example("context.linked"), &child(n))));
        events.push(("decision.recorded", with_child(decision(), &child(n % 2))));
    }
    for (event_type, data) in events {
        let statement = council.record(event_type, &data);
        let reply = client.publish(&statement);
        assert_eq!(reply.status, 201, "{event_type}: {}", reply.text());
    }
}

#[test]
fn views_that_are_lost_or_damaged_are_built_again_with_the_same_alerts() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    publish_patterns(&server.client(), &mut council);
    let before = views(&server);
    let patterns: Vec<&Value> =
        before[0].as_array().expect("a list").iter().map(|alert| &alert["pattern"]).collect();
    assert!(
        patterns.contains(&&"repeat-missing".into()) && patterns.contains(&&"shared-location".into()),
        "{patterns:?}"
    );
    assert!(before.iter().all(|items| !items.as_array().expect("a list").is_empty()), "{before:?}");
    server.stop();

    let folder = home.data().join("views");
    let table: [(&str, Damage); 5] = [
        ("as they were", |_| ()),
        ("deleted", |views| fs::remove_dir_all(views).expect("removed")),
        ("every file full of noise", |views| each_file(views, &|bytes| bytes.fill(0xA5))),
        ("every file cut in half", |views| each_file(views, &|bytes| bytes.truncate(bytes.len() / 2))),
        ("every file empty", |views| each_file(views, &|bytes| bytes.clear())),
    ];
    for (what, damage) in table {
        damage(&folder);
        let server = home.serve();
        assert_eq!(views(&server), before, "{what}");
        server.stop();
    }
}

/// Rewrites every file below a folder.
fn each_file(folder: &Path, damage: &dyn Fn(&mut Vec<u8>)) {
    for item in fs::read_dir(folder).expect("a folder") {
        let item = item.expect("a readable folder").path();
        if item.is_dir() {
            each_file(&item, damage);
        } else {
            let mut bytes = fs::read(&item).expect("a file");
            damage(&mut bytes);
            fs::write(&item, bytes).expect("written");
        }
    }
}

#[test]
fn what_keeps_a_ledger_from_starting_is_said_in_a_sentence() {
    let home = Home::new();
    let (data, nowhere, kek) = (home.data(), home.at("nowhere"), home.secret("kek"));
    let serve = |data: &Path, listen: &str| {
        run(["serve", "--listen", listen, "--data", path(data)]).exited(1).complaint()
    };
    let any = "127.0.0.1:0";

    assert!(serve(&nowhere, any).contains("holds no ledger; `goldenthread init"));
    fs::create_dir(&nowhere).expect("a folder");
    assert!(serve(&nowhere, any).contains("holds no ledger"), "nor does an empty one");

    let server = home.serve();
    let said = serve(&data, any);
    assert!(said.contains("another process has") && said.contains("stop it first"), "{said}");
    let address = server.url.strip_prefix("http://").expect("an address");
    let other = Home::new();
    let said = serve(&other.data(), address);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert_eq!(said.matches("in use").count(), 1, "once: {said}");
    assert_eq!(server.client().get("/healthz").status, 200, "who had it keeps it");
    server.stop();

    let secret = fs::read_to_string(&kek).expect("a key");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o644)).expect("changed");
    let exposed = serve(&data, any);
    assert!(exposed.contains("can be read by others") && exposed.contains("chmod 600"), "{exposed}");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).expect("changed");

    let others = fs::read_to_string(other.secret("kek")).expect("a key");
    fs::write(&kek, &others).expect("written");
    let wrong = serve(&data, any);
    assert!(wrong.contains("does not open this ledger's keyring") && wrong.contains(path(&kek)), "{wrong}");
    fs::write(&kek, "not a key at all\n").expect("written");
    let malformed = serve(&data, any);
    fs::remove_file(&kek).expect("removed");
    let missing = serve(&data, any);
    assert!(missing.contains("no key-encryption key at") && missing.contains("kek restore"), "{missing}");
    for said in [exposed, wrong, malformed, missing] {
        let tells = [&secret, &others].iter().any(|key| said.contains(key.trim()));
        assert!(!tells && !said.contains("not a key at all"), "{said}");
    }

    fs::write(&kek, &secret).expect("written");
    fs::set_permissions(&kek, fs::Permissions::from_mode(0o600)).expect("changed");

    let checkpoint = data.join("checkpoint");
    let whole = fs::read(&checkpoint).expect("a checkpoint");
    fs::write(&checkpoint, &whole[..whole.len() / 3]).expect("written");
    let said = serve(&data, any);
    let look = format!("goldenthread fsck --data {0} --secrets {0}.secrets", path(&data));
    assert!(said.contains(&look), "{said}");
    let said = run(["retention", "due", "--data", path(&data)]).exited(1).complaint();
    assert!(said.contains(&look), "{said}");
    fs::remove_file(&checkpoint).expect("removed");
    let said = serve(&data, any);
    assert!(said.contains("holds parts of a ledger, and no checkpoint") && !said.contains("fsck"), "{said}");
    fs::write(&checkpoint, &whole).expect("put back");
    home.serve().stop();
}

#[test]
fn other_common_mistakes_are_sentences_too() {
    let home = Home::new();
    let (data, key) = (home.data(), home.at("key.jwk"));
    let wants = |arguments: &[&str], sentence: &str| {
        let said = run(arguments).exited(1).complaint();
        assert!(said.contains(sentence), "{arguments:?}: {said}");
    };
    wants(&["init", "--data", path(&data), "--origin", "x.example"], "a new ledger takes a new folder");
    wants(&["init", "--data", path(&home.at("new")), "--origin", "no spaces"], "cannot be a ledger's origin");
    let (new, within, none) = (home.at("new"), home.at("new/keys"), home.at("none"));
    let together = ["init", "--data", path(&new), "--origin", "x.example", "--secrets", path(&within)];
    wants(&together, "the keys would be in");
    assert!(!home.at("new").exists() && !home.at("new.secrets").exists(), "nothing is left of it");
    wants(&["serve", "--data", path(&data), "--secrets", path(&none)], "--secrets DIR");
    run(["keygen", "--out", path(&key)]).succeeded();
    wants(&["keygen", "--out", path(&key)], "never overwritten");
    let public = home.at("key.public.jwk");
    let register = ["--agency", "ods:RX1", "--name", "x", "--kind", "health", "--key", path(&public)];
    let with = |more: &[&'static str]| [more, &register[..]].concat();
    wants(&[&with(&["register"])[..], &["--data", path(&data)]].concat(), "holds a bare key");
    let nobody = "http://127.0.0.1:1";
    wants(&["publish", "--key", path(&key), "--to", nobody], "the ledger must be asked once");
    wants(
        &["publish", "--key", path(&key), "--to", nobody],
        "the ledger at http://127.0.0.1:1 cannot be reached",
    );
    wants(&["query", "decisions", "--url", nobody], "cannot be reached");
    wants(&["publish", "--key", path(&home.at("none.jwk")), "--to", nobody], "key file cannot be read");
    wants(&["publish", "--key", path(&public), "--to", nobody], "it is a public key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("changed");
    wants(&["publish", "--key", path(&key), "--to", nobody], "others can get at it");
    let remedy = format!("{0}: others can get at it: its mode is 644; run: chmod 600 {0}", path(&key));
    wants(&["publish", "--key", path(&key), "--to", "nats.example"], &remedy);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("changed");
    wants(&["publish", "--key", path(&key), "--to", "nats.example"], "a ledger's address is http");
    let server = home.serve();
    wants(&["query", "decisions", "--url", &server.url], "--token-file FILE or GOLDENTHREAD_TOKEN");
    let pin = home.pin_file();
    let publish = ["publish", "--key", path(&key), "--to", &server.url, "--pin", path(&pin)];
    wants(&publish, "its registrar must enrol the key first");
}
