//! Who may see what, by the real program: what nobody gets by tricks, what stands in no log, and that every read is sealed.

mod forbidden;
mod logs;
mod reads;
mod slow;
mod tokens;

use serde_json::json;

use crate::partnership::{Home, Publisher, Server, decision};

/// A served ledger with one decision, about the child of the example.
struct Scene {
    home: Home,
    server: Server,
    council: Publisher,
    /// The decision's entry.
    entry: u64,
    /// Its child's pseudonym.
    pseudonym: String,
}

impl Scene {
    fn new() -> Self {
        let home = Home::new();
        let mut council = home.enrol("council", "gss:E06000999", None);
        let server = home.serve();
        let statement = council.record("decision.recorded", &decision());
        let entry = server.client().size();
        assert_eq!(server.client().publish(&statement).status, 201);
        let data: serde_json::Value = serde_json::from_str(&decision().to_text()).expect("JSON");
        let pseudonym = data["child"]["pseudonym"].as_str().expect("a child").to_owned();
        crate::partnership::eventually("the views have the decision", || {
            server.client().get("/readyz").json()["projected"].as_u64() > Some(entry)
        });
        Self { home, server, council, entry, pseudonym }
    }

    /// The child's opaque reference.
    fn child(&self) -> String {
        self.reference(&self.pseudonym)
    }

    /// The opaque reference of somebody.
    fn reference(&self, pseudonym: &str) -> String {
        let asked = json!({"pseudonym": pseudonym}).to_string();
        let hub = self.server.of_the_hub(&self.home);
        let answer = hub.post("/v1/subjects", "application/json", asked.as_bytes());
        answer.json()["ref"].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned()
    }
}

/// The texts of an event that somebody wrote, and the pseudonyms in it.
fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) if text.contains([' ', ':']) && !text.starts_with("gss:") => {
            found.push(text.clone());
        }
        serde_json::Value::Array(all) => all.iter().for_each(|value| texts(value, found)),
        serde_json::Value::Object(all) => all.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}
