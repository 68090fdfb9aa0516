//! What a node does not start on: servers that may lose what they acknowledge, weaker streams, folders and keys that do not belong together.

use serde_json::json;

use super::broker::Broker;
use super::cluster::{Cluster, Sync};
use super::ledger::{Ledger, nats_init};
use super::nodes::{Node, secrets_of, servers, share_secrets};
use super::turn;
use crate::partnership::{Home, path, run};

/// Runs a command that must say one sentence, and end with status 1.
fn complaint(arguments: &[&str], servers: &[String]) -> String {
    let ended = run(arguments.iter().copied().chain(servers.iter().map(String::as_str))).exited(1);
    // Beside what it writes of its connection.
    let sentences = ended.stderr.lines().filter_map(|line| line.strip_prefix("goldenthread: "));
    let sentences: Vec<&str> = sentences.collect();
    assert_eq!(sentences.len(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    sentences[0].to_owned()
}

#[test]
fn servers_that_acknowledge_before_they_sync_are_refused() {
    let _turn = turn();
    let (cluster, home) = (Cluster::start_with(1, Sync::Later), Home::new());
    let (data, servers) = (home.data(), servers(&cluster));
    for command in [&["nats", "init"][..], &["nats", "check"]] {
        let said = complaint(&[command, &["--data", path(&data)]].concat(), &servers);
        assert!(
            said.contains("n1 acknowledges before it syncs") && said.contains("sync_interval: always"),
            "{said}"
        );
    }
    let info = Broker::connect(&cluster.url()).api("STREAM.INFO.LEDGER", &serde_json::Value::Null);
    assert_eq!(info["error"]["err_code"], 10059, "nothing was made: {info}");
}

/// Before the servers are asked, and so before anything is made on them.
#[test]
fn a_folder_that_is_open_gets_no_streams() {
    let home = Home::new();
    let server = home.serve();
    let data = home.data();
    let said = complaint(&["nats", "init", "--data", path(&data), "--nats", "nats://127.0.0.1:1"], &[]);
    assert!(said.contains("another process has"), "{said}");
    server.stop();
}

#[test]
fn weaker_streams_are_refused_by_name() {
    let _turn = turn();
    let (cluster, home) = (Cluster::start(1), Home::new());
    let (data, servers) = (home.data(), servers(&cluster));
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--data", path(&data)];
    nats_init(&data, &cluster, 1 << 30);
    let broker = Broker::connect(&cluster.url());
    let weaker = [
        ("LEDGER", "max_age", json!(86_400_000_000_000_u64), json!(0)),
        ("LEDGER", "max_msgs", json!(1_000_000), json!(-1)),
        ("LEDGER", "discard", json!("old"), json!("new")),
        ("LEDGER", "max_bytes", json!(-1), json!(1 << 30)),
        ("LEDGER", "allow_atomic", json!(false), json!(true)),
        ("CHECKPOINT", "max_msgs", json!(1), json!(64)),
    ];
    for (stream, member, weak, sound) in weaker {
        let done = broker.update(stream, &[(member, weak)]);
        assert!(done["error"].is_null(), "{done}");
        let said = complaint(&serve, &servers);
        assert!(said.contains(&format!("stream {stream}: {member} is ")), "{said}");
        let done = broker.update(stream, &[(member, sound)]);
        assert!(done["error"].is_null(), "{done}");
    }
    let mut node = Node::new(&data, false, &cluster);
    node.start();
    node.stop();
}

#[test]
fn a_stream_that_somebody_made_before_is_refused() {
    let _turn = turn();
    let (cluster, home) = (Cluster::start(1), Home::new());
    let broker = Broker::connect(&cluster.url());
    let config =
        json!({"name": "LEDGER", "subjects": ["gt.ledger.>"], "storage": "memory", "max_bytes": 1 << 30});
    let made = broker.api("STREAM.CREATE.LEDGER", &config);
    assert!(made["error"].is_null(), "{made}");
    let (data, servers) = (home.data(), servers(&cluster));
    let run =
        run(["nats", "init", "--data", path(&data)].into_iter().chain(servers.iter().map(String::as_str)));
    let said = run.exited(1).stderr;
    for weak in ["storage is \"memory\"", "deny_purge is false", "deny_delete is false", "discard is \"old\""]
    {
        assert!(said.contains(&format!("stream LEDGER: {weak}")), "{weak}: {said}");
    }
}

#[test]
fn folders_and_keys_that_do_not_belong_together_are_refused() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    ledger.until_level("all nodes are there");
    ledger.nodes.iter_mut().for_each(Node::stop);
    let servers = servers(&ledger.cluster);
    let (data, other) = (ledger.home.data(), Home::new());
    let other_data = other.data();
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--data"];

    let alone = complaint(&[&serve[..], &[path(&data)]].concat(), &[]);
    assert!(alone.contains("follows a NATS stream") && alone.contains("--nats"), "{alone}");

    let register = ["register", "--agency", "gss:E06000999", "--name", "x", "--kind", "council"];
    let key = ledger.home.at("council.public.jwk");
    let said = complaint(&[&register[..], &["--key", path(&key), "--data", path(&data)]].concat(), &[]);
    assert!(said.contains("follows a NATS stream"), "{said}");

    // Another ledger's secrets: on this ledger's folder, and for a folder that is to be made.
    let (theirs, new) = (secrets_of(&other_data), ledger.home.at("new"));
    for folder in [&data, &new] {
        let arguments = [&serve[..], &[path(folder), "--secrets", path(&theirs)]].concat();
        let said = complaint(&arguments, &servers);
        assert!(said.contains("is another ledger's"), "{said}");
        assert!(!new.exists(), "nothing is left behind");
    }
    // Another ledger's folder; and nothing is made on the servers for it.
    let arguments = [&serve[..], &[path(&other_data)]].concat();
    assert!(complaint(&arguments, &servers).contains("is another ledger's"));
    let init = ["nats", "init", "--data", path(&other_data), "--max-bytes", "1073741824"];
    for _ in 0..2 {
        let said = complaint(&init, &servers);
        assert!(said.contains("is another ledger's"), "{said}");
    }
    let check = ["nats", "check", "--data", path(&other_data), "--max-bytes", "1073741824"];
    let ended = run(check.into_iter().chain(servers.iter().map(String::as_str))).exited(1);
    assert!(
        ended.stdout.contains("stream KV_gt-keys-") && ended.stdout.contains("is not there"),
        "{}",
        ended.stdout
    );

    // A full node needs the key that signs.
    let unsigned = ledger.home.at("unsigned");
    share_secrets(&data, &unsigned, true);
    let said = complaint(&[&serve[..], &[path(&unsigned)]].concat(), &servers);
    assert!(said.contains("checkpoint.jwk") && said.contains("--follow"), "{said}");

    ledger.nodes.iter_mut().for_each(Node::start);
    ledger.all_agree();
}
