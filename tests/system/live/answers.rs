//! Answers are what the `OpenAPI` document says: those of a partnership in which each of the events that there are has happened, against
//! the document that its own server gives.

use std::fs;

use serde_json::{Value, json};

use super::{data, missing, publish, strict};
use crate::partnership::{Client, Home, Publisher, Server, child, eventually};

/// A ledger with every example event, and what makes some alerts.
struct Partnership {
    server: Server,
    client: Client,
    document: Value,
    _home: Home,
}

impl Partnership {
    fn new() -> Self {
        let home = Home::new();
        let mut council = home.enrol("council", "gss:E06000999", None);
        let server = home.serve();
        publish_examples(&server, &mut council);
        for day in 1..=4 {
            publish(&server, &mut council, "missing.started", &missing(1, day, json!({})));
        }
        for about in 1..=3 {
            let mut linked = json!({"kind": "Place", "risk": "CCE", "source": "School", "nature": "Fact"});
            linked["context"] = json!({"ref": child(77).replace("nhs.", "uprn.")});
            publish(
                &server,
                &mut council,
                "context.linked",
                &data(linked, about, "2026-03-02T16:10:00Z", json!({})),
            );
        }
        // One of the examples restricts its child's record, which nobody here is named to read.
        let mut released: Value =
            serde_json::from_str(include_str!("../../../schemas/examples/record.released.json"))
                .expect("JSON");
        released["times"]["occurred_at"] = json!("2026-01-06T09:00:00Z");
        publish(&server, &mut council, "record.released", &strict(&released));
        let client = server.of_the_hub(&home);
        let document = client.get("/openapi.json").json();
        let partnership = Self { server, client, document, _home: home };
        partnership.until_the_views_have_all();
        partnership
    }

    /// Waits for the views to have what is sealed by now.
    fn until_the_views_have_all(&self) {
        let size = self.server.client().size();
        let projected = || self.client.get("/readyz").json()["projected"].as_u64();
        eventually("the views have come to the end", || projected() >= Some(size));
    }

    /// Asks, holds the answer against the document, and gives it back.
    fn get(&self, documented: &str, path: &str) -> Value {
        let answer = self.client.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let answer = answer.json();
        self.check(&self.document["paths"][documented]["get"]["responses"]["200"], &answer, path);
        answer
    }

    fn check(&self, response: &Value, answer: &Value, what: &str) {
        let mut schema = response["content"]["application/json"]["schema"].clone();
        assert!(schema.is_object(), "{what} is documented");
        // So that references within the document lead somewhere.
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::draft202012::options().build(&schema).expect("a schema");
        let wrong: Vec<String> = validator
            .iter_errors(answer)
            .map(|error| {
                format!(
                    "{}: {}",
                    error.instance_path(),
                    error.to_string().chars().take(200).collect::<String>()
                )
            })
            .collect();
        assert_eq!(wrong, [] as [String; 0], "{what}");
    }
}

/// Publishes all that `schemas/examples` has, in the versions of today.
fn publish_examples(server: &Server, publisher: &mut Publisher) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples");
    let mut names: Vec<_> =
        fs::read_dir(folder).expect("examples").map(|item| item.expect("a file").path()).collect();
    names.sort();
    let mut count = 0;
    for file in names {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let event_type = name.split('.').take(2).collect::<Vec<_>>().join(".");
        if gt_schemas::EventType::parse(&event_type).is_none() || name.split('.').next_back() == Some("v1") {
            continue;
        }
        let mut example: Value = serde_json::from_slice(&fs::read(&file).expect("readable")).expect("JSON");
        // What is kept needs a disclosure that is not sent.
        example.as_object_mut().expect("an object").remove("kept");
        publish(server, publisher, &event_type, &strict(&example));
        count += 1;
    }
    assert!(count >= gt_schemas::EventType::ALL.len(), "{count}");
}

fn items(answer: &Value) -> &[Value] {
    let items = answer["items"].as_array().expect("a list");
    assert!(!items.is_empty(), "there is something to look at");
    items
}

#[test]
fn answers_are_what_the_document_says() {
    let given = Partnership::new();
    for path in ["/v1/ledger", "/v1/configuration", "/v1/publishers", "/v1/integrity", "/readyz"] {
        given.get(path, path);
    }
    given.get("/v1/break-glass", "/v1/break-glass");
    let publishers = given.get("/v1/publishers", "/v1/publishers");
    let publisher = items(&publishers)[0]["publisher"].as_str().expect("an id").to_owned();
    given.get("/v1/publishers/{id}", &format!("/v1/publishers/{publisher}"));
    given.get("/v1/publishers/{id}/head", &format!("/v1/publishers/{publisher}/head"));
    given.get("/v1/entries/{index}", "/v1/entries/9");
    given.get("/v1/proofs/inclusion", "/v1/proofs/inclusion?index=9");
    given.get("/v1/proofs/consistency", "/v1/proofs/consistency?from=9");
    given.get("/v1/alerts", "/v1/alerts?limit=500");
    let alerts = given.get("/v1/alerts", "/v1/alerts?pattern=shared-location");
    let place = items(&alerts)[0]["subject"]["id"].as_str().expect("an id").to_owned();
    given.get("/v1/locations/{reference}", &format!("/v1/locations/{place}"));
    let alerts = given.get("/v1/alerts", "/v1/alerts?pattern=repeat-missing");
    let child = items(&alerts)[0]["subject"]["id"].as_str().expect("an id").to_owned();
    let part = |part: &str| {
        let documented = format!("/v1/children/{{reference}}/{part}");
        items(&given.get(&documented, &format!("/v1/children/{child}/{part}")));
    };
    for told in ["timeline", "episodes", "identities"] {
        part(told);
    }
    // Those reads are sealed, and told of once the views have them.
    given.until_the_views_have_all();
    part("accesses");
    let decisions = given.get("/v1/decisions", "/v1/decisions?limit=500");
    for row in items(&decisions).iter().take(40) {
        given.get("/v1/decisions/{index}", &format!("/v1/decisions/{}", row["index"]));
    }
    for view in
        ["contexts", "sharing", "sharing/agencies", "findings", "findings/agencies", "agreements", "episodes"]
    {
        let path = format!("/v1/{view}");
        items(&given.get(&path, &path));
    }
    items(&given.get("/v1/requests", "/v1/requests?state=all"));
    let persons = given.get("/v1/persons", "/v1/persons");
    let person = items(&persons)[0]["person"].as_str().expect("a reference").to_owned();
    given.get("/v1/persons/{reference}", &format!("/v1/persons/{person}"));
    let alert = items(&alerts)[0]["id"].as_str().expect("an id").to_owned();
    items(&given.get("/v1/alerts/{id}", &format!("/v1/alerts/{alert}")));
    let question = json!({"data": {"decision": "Share"}}).to_string();
    let advice = given.client.post("/v1/advice", "application/json", question.as_bytes()).json();
    given.check(&given.document["paths"]["/v1/advice"]["post"]["responses"]["200"], &advice, "advice");
    given.server.stop();
}
