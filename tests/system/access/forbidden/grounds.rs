//! A ledger with what many would like to see, and the tokens of those who would.

use gt_core::base64url;
use gt_core::key::PrivateKey;
use gt_ledger::secrets::read_key;
use serde_json::json;

use super::super::{Scene, texts};
use crate::partnership::{Home, Publisher, child, decision, eventually, example, path, run};

pub(super) struct Grounds {
    pub(super) scene: Scene,
    /// The example's child, and another whose record is restricted.
    pub(super) child: String,
    pub(super) hidden: String,
    pub(super) hidden_pseudonym: String,
    /// The entry of the decision about the other child.
    pub(super) hidden_entry: u64,
    pub(super) mash: String,
    /// A manager of the agency that said it, and one of an agency that has nothing to do with it.
    pub(super) council: String,
    pub(super) stranger: String,
    pub(super) practitioner: String,
    pub(super) panel: String,
    pub(super) analyst: String,
    pub(super) officer: String,
    pub(super) auditor: String,
    pub(super) administrator: String,
    pub(super) revoked: String,
    pub(super) foreign: String,
    /// The hub's place in the list of decisions.
    pub(super) cursor: String,
    /// What stands in no answer here: what was said, and of whom.
    pub(super) private: Vec<String>,
}

impl Grounds {
    pub(super) fn new() -> Self {
        let mut scene = Scene::new();
        let hidden_pseudonym = child(7);
        let (hidden_entry, hidden) = scene.restrict(&hidden_pseudonym);
        let child = scene.child();
        let issue = |role: &str, subject: &str, more: &[&str]| scene.home.issue(role, subject, more);
        let case_work = ["--purpose", "CaseWork"];
        let mash = issue("mash", "A. Whitfield", &case_work);
        let hub = scene.server.client().with_token(&mash);
        let first = hub.get("/v1/decisions?limit=1").json();
        let cursor = first["next"].as_str().unwrap_or_else(|| panic!("a next page: {first}")).to_owned();
        let mut private = vec![scene.pseudonym.clone(), hidden_pseudonym.clone()];
        for event in [decision(), example("record.restricted")] {
            texts(&serde_json::from_str(&event.to_text()).expect("JSON"), &mut private);
        }
        // Codes that anybody may say.
        private.retain(|text| !text.starts_with("police:") && !text.starts_with("gias:"));
        let foreign = Home::new().issue("mash", "A. Whitfield", &case_work);
        Self {
            council: issue("manager", "M. Osei", &["--agency", "gss:E06000999", "--purpose", "CaseWork"]),
            stranger: issue("manager", "D. Brandt", &["--agency", "gias:999001", "--purpose", "CaseWork"]),
            practitioner: issue(
                "practitioner",
                "P. Nowak",
                &["--agency", "gias:999001", "--child", &child, "--purpose", "CaseWork"],
            ),
            panel: issue(
                "panel-reviewer",
                "Review 12",
                &["--child", "AAAAAAAAAAAAAAAAAAAAAA", "--purpose", "Review"],
            ),
            analyst: issue("analyst", "R. Okafor", &["--purpose", "Analysis"]),
            officer: issue("data-protection-officer", "C. Moreau", &["--purpose", "SubjectRights"]),
            auditor: issue("auditor", "B. Lindqvist", &[]),
            administrator: issue("administrator", "K. Adeyemi", &[]),
            revoked: revoked(&scene.home),
            child,
            hidden,
            hidden_pseudonym,
            hidden_entry,
            mash,
            foreign,
            cursor,
            private,
            scene,
        }
    }

    pub(super) fn timeline(&self) -> String {
        format!("/v1/children/{}/timeline", self.child)
    }

    pub(super) fn key(&self, name: &str) -> PrivateKey {
        read_key(&self.scene.home.secret(name)).expect("a key that init made")
    }

    /// The ledger's own publisher, at the end of its chain.
    pub(super) fn service(&self) -> Publisher {
        let path = self.scene.home.secret("service.jwk");
        let service = Publisher::new(&path, "ledger:service", self.scene.home.genesis());
        let (seq, head) = self.scene.server.client().head(&service.id);
        service.at(seq, head)
    }

    /// The header and the payload of a good token.
    pub(super) fn parts(&self) -> (serde_json::Value, serde_json::Value) {
        let mut parts = self.mash.split('.').map(|part| base64url::decode(part).expect("base64url"));
        let mut next = || serde_json::from_slice(&parts.next().expect("a part")).expect("JSON");
        (next(), next())
    }
}

/// A token of these parts, signed by this key.
pub(super) fn forged(header: &str, payload: &str, key: &PrivateKey) -> String {
    let encoded = |text: &str| base64url::encode(text.as_bytes());
    let signed = format!("{}.{}", encoded(header), encoded(payload));
    format!("{signed}.{}", base64url::encode(&key.sign(signed.as_bytes())))
}

fn revoked(home: &Home) -> String {
    let token = home.issue("mash", "L. Varga", &["--purpose", "CaseWork"]);
    let data = home.data();
    let list = run(["token", "list", "--json", "--data", path(&data)]).succeeded().json();
    let items = list["items"].as_array().expect("a list");
    let id = items.iter().find(|one| one["subject"] == "L. Varga").and_then(|one| one["id"].as_str());
    run(["token", "revoke", "--data", path(&data), id.expect("it is there")]).succeeded();
    token
}

impl Scene {
    /// One more decision about the example's child, and one about this child, whose record is then restricted; the last decision's entry, and the child's
    /// reference.
    fn restrict(&mut self, pseudonym: &str) -> (u64, String) {
        let about = |event: gt_core::json::Value| {
            let mut data: serde_json::Value = serde_json::from_str(&event.to_text()).expect("JSON");
            data["child"]["pseudonym"] = json!(pseudonym);
            data.as_object_mut().expect("an object").remove("others");
            gt_core::json::Value::parse(data.to_string().as_bytes()).expect("strict JSON")
        };
        self.say("decision.recorded", &decision());
        let entry = self.say("decision.recorded", &about(decision()));
        // Once it is restricted, not even this is told.
        let reference = self.reference(pseudonym);
        self.say("record.restricted", &about(example("record.restricted")));
        (entry, reference)
    }

    /// The council says this, and the views have it; its entry.
    fn say(&mut self, event_type: &str, data: &gt_core::json::Value) -> u64 {
        let (statement, client) = (self.council.record(event_type, data), self.server.client());
        let (entry, reply) = (client.size(), client.publish(&statement));
        assert_eq!(reply.status, 201, "{}", reply.text());
        eventually("the views have it", || client.get("/readyz").json()["projected"].as_u64() > Some(entry));
        entry
    }

    /// The council's publisher, at the end of its chain.
    pub(super) fn council_again(&self) -> Publisher {
        let (seq, head) = self.server.client().head(&self.council.id);
        Publisher::new(&self.home.key_file("council"), "gss:E06000999", self.home.genesis()).at(seq, head)
    }
}
