//! `goldenthread publish`: the same input again gives the same output and seals nothing twice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{connected, refused_draft, sealed};
use crate::partnership::{
    Ended, Home, Process, Random, Registrar, child, draft_line, path, run, run_with_input,
};

fn arguments<'a>(key: &'a str, to: &'a str, pin: &'a str) -> Vec<&'a str> {
    vec!["publish", "--json", "--patience", "20", "--key", key, "--to", to, "--pin", pin]
}

fn publish(home: &Home, to: &str, input: &[u8]) -> Ended {
    let (key, pin) = (home.key_file("council"), home.pin_file());
    run_with_input(arguments(path(&key), to, path(&pin)), input)
}

fn drafts(count: u64) -> Vec<u8> {
    let lines = (0..count).map(|n| draft_line(&format!("d{n}"), &child(n % 5), n) + "\n");
    lines.collect::<String>().into_bytes()
}

#[test]
fn the_same_input_again_gives_the_same_receipts() {
    let (home, council, server, line) = connected();
    let input = drafts(150);
    let first = publish(&home, &line.url(), &input).succeeded();
    let (size, lines) = (server.client().size(), first.json_lines());
    assert_eq!(lines.len(), 150);
    for (n, outcome) in (0..).zip(&lines) {
        assert_eq!((outcome["id"].clone(), sealed(&home, outcome).0), (json!(format!("d{n}")), n));
    }
    let second = publish(&home, &line.url(), &input).succeeded();
    assert_eq!(second.json_lines(), lines, "identical, receipts and all");
    assert_eq!((server.client().size(), server.client().head(&council.id).0), (size, 150));

    let longer = [&input[..], draft_line("d150", &child(1), 3).as_bytes()].concat();
    let third = publish(&home, &line.url(), &longer).succeeded().json_lines();
    assert_eq!(third[..150], lines[..]);
    assert_eq!(sealed(&home, &third[150]), (150, size));
}

#[test]
fn a_publication_that_is_killed_goes_on_where_it_was() {
    let mut random = Random::seeded();
    let (home, council, server, line) = connected();
    let file = home.at("drafts.ndjson");
    std::fs::write(&file, drafts(400)).expect("written");
    let (key, pin, to) = (home.key_file("council"), home.pin_file(), line.url());
    let mut with_file = arguments(path(&key), &to, path(&pin));
    with_file.push(path(&file));
    for _ in 0..8 {
        let mut killed = Process::start(&with_file, &home.at("publish.log"));
        // Not a wait for anything: the moment of the kill is drawn at random.
        std::thread::sleep(Duration::from_micros(random.below(150_000)));
        killed.kill();
    }
    let lines = run(&with_file).succeeded().json_lines();
    let mut last_index = 0;
    for (n, outcome) in (0..).zip(&lines) {
        let (seq, index) = sealed(&home, outcome);
        assert_eq!((&outcome["id"], seq), (&json!(format!("d{n}")), n));
        assert!(index > last_index);
        last_index = index;
    }
    assert_eq!((lines.len(), server.client().head(&council.id).0), (400, 400));
}

#[test]
fn refused_drafts_are_reported_where_they_stand() {
    let (home, council, server, line) = connected();
    let input = [
        draft_line("a", &child(1), 1),
        "{not JSON".to_owned(),
        refused_draft("b"),
        r#"{"id":"c","type":"missing.started","data":{"kind":"Gone"}}"#.to_owned(),
        draft_line("d", &child(1), 2),
    ];
    let ended = publish(&home, &line.url(), input.join("\n").as_bytes()).exited(1);
    let lines = ended.json_lines();
    let said: Vec<(&Value, &Value)> =
        lines.iter().map(|line| (&line["status"], &line["problem"]["code"])).collect();
    let refused = |code: &str| (json!("refused"), json!(code));
    let expected = [
        (json!("sealed"), Value::Null),
        refused("json_syntax"),
        refused("not_on_behalf_of"),
        refused("bad_value"),
        (json!("sealed"), Value::Null),
    ];
    assert_eq!(said, expected.iter().map(|(status, code)| (status, code)).collect::<Vec<_>>());
    assert_eq!(lines[1]["line"], 2);
    assert_eq!((sealed(&home, &lines[0]).0, sealed(&home, &lines[4]).0), (0, 1));
    assert_eq!(server.client().head(&council.id).0, 2);
    for private in [child(1), "Gone".to_owned()] {
        assert!(
            !ended.stderr.contains(&private) && !ended.stdout.contains(&private),
            "{private} is repeated"
        );
    }
}

#[test]
fn a_revoked_publisher_is_told_at_once_that_only_a_new_key_helps() {
    let (home, council, server, line) = connected();
    publish(&home, &line.url(), &drafts(1)).succeeded();
    let revocation = Registrar::of(&home).revocation(&server.client(), &council.id);
    assert_eq!(server.client().publish(&revocation).status, 201);
    let begun = Instant::now();
    let ended = publish(&home, &line.url(), &drafts(2)).exited(1);
    assert!(begun.elapsed() < Duration::from_secs(15), "it does not wait for what will not be");
    assert!(ended.stderr.contains("1 draft waits in the outbox and will never be taken"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("make a new key") && ended.stderr.contains("publisher_revoked"),
        "{}",
        ended.stderr
    );
}

#[test]
fn input_without_drafts_and_drafts_over_several_lines_are_told() {
    let (home, council, server, line) = connected();
    let ended = publish(&home, &line.url(), b"\n").succeeded();
    assert!(ended.stderr.contains("there was no draft in standard input"), "{}", ended.stderr);
    let draft: Value = serde_json::from_str(&draft_line("a", &child(1), 1)).expect("JSON");
    let printed = serde_json::to_vec_pretty(&draft).expect("JSON");
    let ended = publish(&home, &line.url(), &printed).exited(1);
    assert!(ended.stderr.contains("`jq -c . FILE`"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("json_syntax"), "{}", ended.stdout);
    assert_eq!(server.client().head(&council.id).0, 0);
}

#[test]
fn without_the_ledger_publish_gives_up_and_loses_nothing() {
    let (home, council, server, line) = connected();
    line.cut();
    let (key, pin, to) = (home.key_file("council"), home.pin_file(), line.url());
    let mut impatient = arguments(path(&key), &to, path(&pin));
    impatient[3] = "0";
    impatient.extend(["--agency", "gss:E06000999"]);
    let input = drafts(3);
    let ended = run_with_input(&impatient, &input).exited(1);
    let statuses: Vec<Value> =
        ended.json_lines().into_iter().filter_map(|line| line.get("status").cloned()).collect();
    assert_eq!(statuses, ["queued", "queued", "queued"]);
    assert!(ended.stderr.contains("3 drafts wait in the outbox"), "{}", ended.stderr);
    line.lead_to(&server.url);
    publish(&home, &line.url(), b"").succeeded();
    assert_eq!(server.client().head(&council.id).0, 3, "an empty input delivers what waits");
    let lines = publish(&home, &line.url(), &input).succeeded().json_lines();
    assert_eq!(lines.iter().map(|outcome| sealed(&home, outcome).0).collect::<Vec<_>>(), [0, 1, 2]);
}
