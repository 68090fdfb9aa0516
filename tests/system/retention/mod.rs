//! Retention by the program: rules that were sealed, a list of what is due, and ending it when its time has come.

use std::time::Duration;

use gt_core::json::Value as Strict;
use gt_core::statement::Statement;
use gt_ledger::Ledger;
use gt_ledger::clock::Clock;
use gt_ledger::secrets::Secrets;
use serde_json::{Value, json};

use crate::erasing::{caught_up, fsck, is_found_in};
use crate::partnership::{Home, Publisher, child, path, run};

mod interruptions;

const COUNCIL: &str = "gss:E06000999";
const POLICE: &str = "police:99";

/// A clock that stands.
struct Standing(i64);

impl Clock for Standing {
    fn wall_millis(&self) -> i64 {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

fn strict(value: &Value) -> Strict {
    Strict::parse(value.to_string().as_bytes()).expect("strict JSON")
}

fn moved(publisher: &mut Publisher, about: &str, plan: &str) -> Statement {
    let data = json!({
        "from_la": COUNCIL,
        "to_la": "gss:E06000998",
        "plan": plan,
        "child": {"pseudonym": about, "role": "Child"},
        "times": {"occurred_at": "2026-03-01T09:00:00Z"},
    });
    publisher.record("child.moved", &strict(&data))
}

fn hold(publisher: &mut Publisher, about: &str) -> Statement {
    let data = json!({
        "ground": "LegalProceedings",
        "child": {"pseudonym": about, "role": "Child"},
        "times": {"occurred_at": "2026-03-02T09:00:00Z"},
    });
    publisher.record("hold.placed", &strict(&data))
}

/// Years pass: the ledger receives something else, on the first of January.
fn years_pass(home: &Home, publisher: &mut Publisher, year: i64) {
    receive(home, &moved(publisher, &child(9), "None"), year);
}

/// The ledger receives this on the first of January.
fn receive(home: &Home, statement: &Statement, year: i64) {
    let millis =
        gt_core::time::Timestamp::parse(&format!("{year}-01-01T00:00:00Z")).expect("a time").as_millis();
    let secrets = Secrets::load(&home.at("data.secrets")).expect("secrets");
    let ledger = Ledger::open(&home.data(), &secrets, Box::new(Standing(millis)), None).expect("it opens");
    ledger.seal_blocking(statement.to_compact().as_bytes()).expect("sealed");
    ledger.close();
}

fn configure(home: &Home) {
    let data = home.data();
    let shown = run(["configure", "--show", "--json", "--data", path(&data)]).succeeded().json();
    let mut rules = shown["configuration"].clone();
    rules["retention"] = json!({"rules": [
        {"class": "CIN", "counts_from": "FirstEntry", "texts_years": 21, "records_years": 30},
        {"controller": COUNCIL, "class": "CLA", "counts_from": "FirstEntry", "texts_years": 21},
    ]});
    let file = home.at("rules.json");
    std::fs::write(&file, rules.to_string()).expect("written");
    run(["configure", path(&file), "--data", path(&data)]).succeeded();
    let mut wrong = rules;
    wrong["retention"]["rules"][0]["records_years"] = json!(20);
    std::fs::write(&file, wrong.to_string()).expect("written");
    let complaint = run(["configure", path(&file), "--data", path(&data)]).exited(1).complaint();
    assert!(complaint.contains("/retention/rules/0/records_years"), "{complaint}");
}

fn due(home: &Home, at: &str) -> Vec<Value> {
    let data = home.data();
    let listed = run(["retention", "due", "--json", "--as-of", at, "--data", path(&data)]).succeeded().json();
    listed["items"].as_array().expect("a list").clone()
}

fn end(home: &Home, at: &str) -> Value {
    let data = home.data();
    let what = ["retention", "run", "--json", "--authority", COUNCIL, "--as-of", at];
    run(what.into_iter().chain(["--data", path(&data)])).succeeded().json()
}

#[test]
fn where_there_are_no_rules_it_is_said_that_everything_is_kept() {
    let home = Home::new();
    let (data, token, server) = (home.data(), home.officer_token(), home.serve());
    for place in [vec!["--data", path(&data)], vec!["--url", &server.url, "--token-file", path(&token)]] {
        let asked = |more: &[&str]| run([&["retention", "due"], more, &place].concat()).succeeded();
        let said = asked(&[]).stdout;
        assert!(said.contains("has no rules of retention, so everything is kept"), "{said}");
        let listed = asked(&["--json"]).json();
        assert_eq!((&listed["rules"], &listed["items"]), (&json!(0), &json!([])), "{listed}");
    }
    server.stop();
    configure(&home);
    let listed = run(["retention", "due", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!(listed["rules"], 2, "{listed}");
}

#[test]
fn what_is_due_is_listed_and_ended_when_its_time_has_come_and_what_is_held_stays() {
    let home = Home::new();
    let mut council = home.enrol("council", COUNCIL, None);
    let mut police = home.enrol("police", POLICE, None);
    configure(&home);
    let server = home.serve();
    let statements = [
        moved(&mut council, &child(1), "ChildInNeed"),
        moved(&mut council, &child(2), "ChildInNeed"),
        police.next(&child(2), 1),
        moved(&mut council, &child(3), "ChildInNeed"),
        hold(&mut police, &child(3)),
        // The police have no rule for the class, and there is none for those without a plan.
        moved(&mut council, &child(4), "LookedAfter"),
        police.next(&child(4), 2),
        police.next(&child(5), 3),
    ];
    let mut receipts = Vec::new();
    for statement in statements {
        let reply = server.client().publish(&statement);
        assert_eq!(reply.status, 201, "{}", reply.text());
        receipts.push((reply.text().to_owned(), statement));
    }
    caught_up(&server);
    let token = home.officer_token();
    let at = ["--as-of", "2100-01-01T00:00:00Z", "--url", &server.url, "--token-file", path(&token)];
    let far = run(["retention", "due", "--json"].into_iter().chain(at)).succeeded().json();
    let far = far["items"].as_array().expect("a list").clone();
    assert_eq!(far.len(), 3, "{far:?}");
    assert!(far.iter().all(|row| row["ends"] == "records" && row["classes"] == json!(["CIN"])), "{far:?}");
    assert_eq!(due(&home, "2100-01-01T00:00:00Z"), far, "a running ledger tells its operator the same");
    let data = home.data();
    let early = ["retention", "run", "--authority", COUNCIL, "--as-of", "2100-01-01T00:00:00Z"];
    let complaint = run(early.into_iter().chain(["--data", path(&data)])).exited(1).complaint();
    assert!(complaint.contains("has not come"), "{complaint}");
    server.stop();
    assert_eq!(due(&home, "2100-01-01T00:00:00Z"), far, "and so does a folder at rest");
    let nothing = run(["retention", "run", "--json", "--authority", COUNCIL, "--data", path(&data)]);
    assert_eq!(nothing.succeeded().json()["persons"], 0);

    texts_and_then_records_end(&home, &mut council);
    for (receipt, statement) in &receipts {
        home.prove(receipt, statement.hash());
    }
    let report = fsck(&home);
    assert_eq!(
        (&report["verdict"], &report["counts"]["statements_unreadable"]),
        (&json!("sound"), &json!(3))
    );
}

/// A decision about one, which names another as a parent.
fn decided(publisher: &mut Publisher, about: &str, parent: &str) -> Statement {
    let example = include_str!("../../../schemas/examples/decision.recorded.share.json");
    let mut data: Value = serde_json::from_str(example).expect("JSON");
    data["child"]["pseudonym"] = json!(about);
    data["others"] = json!([{"pseudonym": parent, "role": "Parent"}]);
    data["refs"] = json!({"case": "SG-2049-0117"});
    publisher.record("decision.recorded", &strict(&data))
}

#[test]
fn whoever_is_named_in_the_record_of_another_child_stays_as_long_as_that_is_kept() {
    let home = Home::new();
    let mut council = home.enrol("council", COUNCIL, None);
    let mut police = home.enrol("police", POLICE, None);
    configure(&home);
    for n in [1, 2] {
        receive(&home, &moved(&mut council, &child(n), "ChildInNeed"), 2028);
    }
    receive(&home, &decided(&mut police, &child(3), &child(1)), 2049);
    years_pass(&home, &mut council, 2050);
    let now = "2050-01-01T00:00:00Z";
    assert_eq!(due(&home, now).len(), 1, "the one whom nobody else has named");
    let done = end(&home, now);
    assert_eq!((&done["persons"], &done["changed"], &done["more"]), (&json!(1), &json!([]), &json!(false)));
    // The police's periods count from their first entry. Of the other one the records are due by then.
    let mut later = due(&home, "2071-01-01T00:00:00Z");
    later.retain(|row| row["ends"] == "data");
    assert_eq!(later.len(), 1, "{later:?}");
    let told: Vec<&Value> =
        later[0]["controllers"].as_array().expect("a list").iter().map(|one| &one["agency"]).collect();
    assert_eq!(told, [&json!(COUNCIL), &json!(POLICE)]);
    assert_eq!(fsck(&home)["verdict"], "sound");
}

fn texts_and_then_records_end(home: &Home, council: &mut Publisher) {
    years_pass(home, council, 2050);
    let now = "2050-01-01T00:00:00Z";
    let rows = due(home, now);
    let held: Vec<&Value> = rows.iter().filter(|row| row["held_by"] != json!([])).collect();
    assert_eq!((rows.len(), held.len()), (3, 1), "{rows:?}");
    assert!(rows.iter().all(|row| row["ends"] == "data"), "{rows:?}");
    let both = rows.iter().find(|row| row["controllers"].as_array().is_some_and(|all| all.len() == 2));
    assert!(both.is_some_and(|row| row["controllers"][1]["agency"] == POLICE), "{rows:?}");
    let done = end(home, now);
    assert_eq!((&done["persons"], &done["more"]), (&json!(2), &json!(false)), "{done}");
    let erasures = done["erasures"].as_array().expect("a list");
    assert_eq!(
        (erasures.len(), &erasures[0]["scope"]),
        (1, &json!("data")),
        "one renewal of the key: {done}"
    );
    assert_eq!(done["held"][0]["held_by"], held[0]["held_by"]);
    let data = home.data();
    for gone in [child(1), child(2)] {
        assert!(!is_found_in(&data, &gone), "its pseudonym is nowhere");
    }
    assert_eq!(end(home, now)["persons"], 0, "nobody is ended twice");
    assert_eq!(due(home, now).len(), 1);

    years_pass(home, council, 2060);
    let now = "2060-01-01T00:00:00Z";
    let rows = due(home, now);
    assert_eq!(rows.len(), 2, "the one that is held, and those whose texts have ended: {rows:?}");
    assert!(rows.iter().all(|row| row["ends"] == "records"), "{rows:?}");
    let done = end(home, now);
    let erasures = done["erasures"].as_array().expect("a list");
    assert_eq!(
        (erasures.len(), &erasures[0]["scope"], &erasures[0]["entries"]),
        (1, &json!("records"), &json!(3))
    );
    let rows = due(home, now);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["child"], done["held"][0]["child"], "it is held, and stays");
}
