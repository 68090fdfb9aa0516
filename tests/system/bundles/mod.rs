//! Evidence bundles: made over HTTP and on the command line, checked with `goldenthread verify`.

mod mistakes;
mod selections;
mod subject_access;

use std::fs;
use std::path::PathBuf;

use gt_core::json::Value;

use crate::partnership::{
    Client, Ended, Home, Publisher, Server, child, eventually, example, path, private_file, run,
    run_with_input,
};

/// An NHS number that is nobody's.
const NUMBER: &str = "9990000034";

/// A ledger that runs, with two agencies' statements about some children.
struct Told {
    home: Home,
    server: Server,
    hub: Client,
    /// The pseudonym that the partnership makes of [`NUMBER`].
    known_by_number: String,
    /// The first child's other identity.
    other_identity: String,
    council: Publisher,
    police: Publisher,
    files: std::cell::Cell<u32>,
}

impl Told {
    fn new() -> Self {
        let home = Home::new();
        let mut council = home.enrol("council", "gss:E06000999", None);
        let mut police = home.enrol("police", "police:99", None);
        let key = home.at("partnership.json");
        run(["pseudonym", "--new-key", path(&key)]).succeeded();
        let asked = ["--json", "pseudonym", "--scheme", "nhs", "--partnership-key", path(&key)];
        let made = run_with_input(asked, NUMBER.as_bytes()).succeeded();
        let known_by_number = made.json()["pseudonym"].as_str().expect("a pseudonym").to_owned();
        let server = home.serve();
        let token = home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
        let (client, hub) = (server.client(), server.client().with_token(&token));
        private_file(&home.at("token"), &token);
        fs::write(home.at("early.checkpoint"), client.get("/checkpoint").body).expect("written");
        let other_identity = child(1).replacen("nhs", "upn", 1);
        let mut statements = Vec::new();
        for day in 1..5 {
            statements.push(police.next(&child(1), day));
            statements.push(council.next(&child(2), day));
        }
        statements.push(police.next(&known_by_number, 9));
        statements.push(police.next(&other_identity, 10));
        statements.push(council.record("identifier.linked", &joining(&child(1), &other_identity)));
        statements.push(decide(&mut council, &child(2), &child(1)));
        for statement in &statements {
            assert_eq!(client.publish(statement).status, 201);
        }
        let told =
            Self { home, server, hub, known_by_number, other_identity, council, police, files: 0.into() };
        let size = client.size();
        eventually("the views have caught up", || told.hub.get("/readyz").json()["projected"] == size);
        told
    }

    /// The id of an alert that was raised.
    fn alert(&self) -> String {
        let alerts = self.hub.get("/v1/alerts?status=all").json();
        alerts["items"][0]["id"].as_str().unwrap_or_else(|| panic!("an alert: {alerts}")).to_owned()
    }

    /// A file that is not there yet.
    fn new_file(&self) -> PathBuf {
        self.files.set(self.files.get() + 1);
        self.home.at(&format!("{}.bundle.json", self.files.get()))
    }

    fn here(&self, arguments: &[&str]) -> (Ended, PathBuf) {
        let (data, out) = (self.home.data(), self.new_file());
        let place = ["bundle", "--data", path(&data), "--purpose", "Review", "--out", path(&out)];
        (run([&place, arguments].concat()), out)
    }

    fn there(&self, arguments: &[&str]) -> (Ended, PathBuf) {
        let (token, out) = (self.home.at("token"), self.new_file());
        let place = ["bundle", "--url", &self.server.url, "--token-file", path(&token), "--out", path(&out)];
        (run([&place, arguments].concat()), out)
    }

    /// Checks a bundle with the pin and the open log: it is sound. With nothing, nobody can tell.
    fn verify(&self, file: &PathBuf) {
        let schema = include_str!("../../../schemas/bundle.v1.schema.json");
        let schema = serde_json::from_str(schema).expect("a schema");
        let bundle = serde_json::from_slice(&fs::read(file).expect("written")).expect("JSON");
        jsonschema::validate(&schema, &bundle).unwrap_or_else(|error| panic!("{error}"));
        let (pin, data) = (self.home.pin_file(), self.home.data());
        for log in [self.server.url.as_str(), path(&data)] {
            run(["verify", path(file), "--pin", path(&pin), "--log", log]).exited(0);
        }
        run(["verify", path(file)]).exited(2);
    }
}

/// Two identifiers are one person's.
fn joining(one: &str, other: &str) -> Value {
    let mut data = example("identifier.linked");
    let named =
        |pseudonym: &str| Value::parse(format!(r#"{{"pseudonym":"{pseudonym}"}}"#).as_bytes()).expect("JSON");
    set(&mut data, "identifiers", Value::Array(vec![named(one), named(other)]));
    data
}

/// A decision about one child that names another.
fn decide(by: &mut Publisher, about: &str, naming: &str) -> gt_core::statement::Statement {
    let mut data = example("decision.recorded");
    let person = |pseudonym: &str, role: &str| {
        Value::parse(format!(r#"{{"pseudonym":"{pseudonym}","role":"{role}"}}"#).as_bytes()).expect("JSON")
    };
    set(&mut data, "child", person(about, "Child"));
    set(&mut data, "others", Value::Array(vec![person(naming, "Sibling")]));
    by.record("decision.recorded", &data)
}

fn set(data: &mut Value, name: &str, value: Value) {
    let members = data.as_object().expect("an object").iter().filter(|(other, _)| *other != name);
    let members = members.map(|(name, value)| (name.to_owned(), value.clone()));
    *data = Value::Object(members.chain([(name.to_owned(), value)]).collect());
}
