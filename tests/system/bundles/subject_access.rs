//! Somebody asks to see the record: everything for the person who decides, the decisions, and the copy, which verifies.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gt_core::bundle::{Bundle, BundleRecord};
use serde_json::{Value, json};

use super::{Told, set};
use crate::partnership::{Ended, child, decision, eventually, path, private_file, run};

/// Whoever decides, over HTTP.
const OFFICER: &str = "data-protection-officer";

impl Told {
    /// The first step, out of the folder.
    fn worksheet(&self, name: &str) -> PathBuf {
        let (data, out, first) = (self.home.data(), self.home.at(name), child(1));
        let asked =
            ["bundle", "--subject-access", "--child", &first, "--data", path(&data), "--out", path(&out)];
        let said = run(asked).succeeded().stdout;
        assert!(said.contains("Nothing is decided"), "{said}");
        out.join("worksheet.json")
    }

    /// The second step, out of the folder.
    fn copy(&self, worksheet: &Path, name: &str) -> (Ended, PathBuf) {
        let (data, out) = (self.home.data(), self.home.at(name));
        let asked = ["bundle", "--subject-access", "--decisions", path(worksheet), "--data", path(&data)];
        (run([&asked[..], &["--out", path(&out)]].concat()), out)
    }

    /// How often the folder's own record says that somebody made a bundle of it, and the last of those who did.
    fn readings(&self) -> (usize, Value) {
        let officer =
            self.server.client().with_token(&self.home.issue(OFFICER, "C. Moreau", &["--purpose", "Audit"]));
        let question = json!({"pseudonym": child(1)}).to_string();
        let reference = officer.post("/v1/subjects", "application/json", question.as_bytes()).json();
        let reference = reference["ref"].as_str().expect("a reference").to_owned();
        let size = self.server.client().size();
        eventually("the views have caught up", || {
            officer.get("/readyz").json()["projected"].as_u64() >= Some(size)
        });
        let listed = officer.get(&format!("/v1/children/{reference}/accesses?limit=500")).json();
        let bundles: Vec<Value> = listed["items"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["what"] == "Bundle")
            .cloned()
            .collect();
        (bundles.len(), bundles.last().cloned().unwrap_or_default())
    }
}

fn read(worksheet: &Path) -> Value {
    let read: Value = serde_json::from_slice(&fs::read(worksheet).expect("written")).expect("JSON");
    let schema = include_str!("../../../schemas/subject-access.v1.schema.json");
    let schema = serde_json::from_str(schema).expect("a schema");
    jsonschema::validate(&schema, &read).unwrap_or_else(|error| panic!("{error}"));
    read
}

/// Decides: what names somebody else is withheld, the rest disclosed; the last statement of the police is withheld in silence.
fn decide(worksheet: &Path) {
    let mut sheet = read(worksheet);
    let items = sheet["items"].as_array_mut().expect("items");
    let mut silent = items.iter().filter(|item| item["agency"] == "police:99" && item["kind"] == "statement");
    let silent = silent.next_back().expect("the police said something")["entry"].clone();
    for item in items {
        let (decision, exemption) = match (&item["kind"], &item["of"]) {
            (kind, _) if item["entry"] == silent && kind == "statement" => {
                ("withhold_silently", json!("CrimeOrTaxation"))
            }
            _ if item["entry"] == silent => continue,
            (kind, of) if kind == "disclosure" && of == "another" => ("withhold", json!("ThirdParty")),
            _ => ("disclose", Value::Null),
        };
        (item["decision"], item["exemption"]) = (json!(decision), exemption);
    }
    fs::write(worksheet, serde_json::to_vec(&sheet).expect("JSON")).expect("written");
    read(worksheet);
}

#[test]
fn a_request_is_answered_in_two_steps_and_the_copy_verifies() {
    let mut told = Told::new();
    let mut decided = decision();
    let person = format!(r#"{{"pseudonym":"{}","role":"Child"}}"#, child(1));
    set(&mut decided, "child", gt_core::json::Value::parse(person.as_bytes()).expect("JSON"));
    let statement = told.council.record("decision.recorded", &decided);
    assert_eq!(told.server.client().publish(&statement).status, 201);
    let worksheet = told.worksheet("request");
    let folder = worksheet.parent().expect("a folder");
    told.verify(&folder.join("full.bundle.json"));
    let sheet = read(&worksheet);
    let items = sheet["items"].as_array().expect("items");
    assert!(items.iter().all(|item| item["decision"].is_null()), "the program decides nothing");
    let rules: BTreeSet<&str> = items
        .iter()
        .flat_map(|item| item["may_apply"].as_array().expect("marks"))
        .map(|mark| mark["rule"].as_str().expect("a rule"))
        .collect();
    for rule in [
        "another-person",
        "professional",
        "own-words",
        "police",
        "local-authority",
        "about-another",
        "person-of-concern",
    ] {
        assert!(rules.contains(rule), "{rule}: {rules:?}");
    }
    let page = fs::read_to_string(folder.join("worksheet.html")).expect("written");
    assert!(
        page.contains("went missing from home")
            && page.contains("Nothing was marked")
            && page.contains("☐ withhold")
    );
    decide(&worksheet);
    let (made, copy) = told.copy(&worksheet, "copy.bundle.json");
    let said = made.succeeded().stdout;
    assert!(said.contains("ThirdParty") && said.contains("in silence"), "{said}");
    told.verify(&copy);
    let text = fs::read_to_string(&copy).expect("written");
    let third_party = decided
        .as_object()
        .and_then(|data| data.get("others")?.as_array()?.first()?.as_object()?.get("pseudonym")?.as_str());
    let full = fs::read_to_string(folder.join("full.bundle.json")).expect("written");
    let disclosed = |text: &str| {
        let bundle = Bundle::parse(text.as_bytes()).expect("a bundle");
        let texts = bundle.records.into_iter().filter_map(|record| match record {
            BundleRecord::Stated(record) => Some(record.disclosures),
            BundleRecord::Absent { .. } => None,
        });
        let read = texts.flatten().map(|text| gt_core::base64url::decode(&text).expect("base64url"));
        read.map(|bytes| String::from_utf8(bytes).expect("text")).collect::<String>()
    };
    let third_party = third_party.expect("the example names somebody else");
    assert!(disclosed(&full).contains(third_party) && !disclosed(&text).contains(third_party));
    assert!(disclosed(&text).contains(&child(1)), "the subject's own is there");
    let page = fs::read_to_string(told.home.at("copy.bundle.html")).expect("written");
    assert!(page.contains("Information about other people") && !page.contains("detecting crime"), "{page}");
    told.server.stop();
}

#[test]
fn decisions_that_are_open_or_out_of_date_are_refused_and_nothing_is_written() {
    let mut told = Told::new();
    let worksheet = told.worksheet("request");
    let refused = |told: &Told, words: &str| {
        let (ended, out) = told.copy(&worksheet, "copy.bundle.json");
        let complaint = ended.exited(1).complaint();
        assert!(complaint.contains(words) && !out.exists(), "{complaint}");
        assert!(!complaint.contains(&child(1)), "{complaint}");
    };
    refused(&told, "not decided yet");
    let folder = worksheet.parent().expect("a folder");
    let (full, elsewhere) = (folder.join("full.bundle.json"), folder.join("elsewhere"));
    let said = told.copy(folder, "copy.bundle.json").0.exited(1).complaint();
    assert!(said.contains(&format!("is a folder. Give the worksheet in it: {}", path(&worksheet))), "{said}");
    fs::rename(&full, &elsewhere).expect("moved");
    refused(&told, &format!("{}, the full bundle that was made with the worksheet", path(&full)));
    fs::rename(&elsewhere, &full).expect("moved");
    decide(&worksheet);
    let (data, out, first) = (told.home.data(), told.home.at("request"), child(1));
    let asked = ["bundle", "--subject-access", "--child", &first, "--data", path(&data), "--out", path(&out)];
    let again = run(asked);
    assert!(again.exited(1).complaint().contains("exists already"));
    // Readings do not count as new, others' statements do.
    told.copy(&worksheet, "first.bundle.json").0.succeeded();
    let statement = told.police.next(&child(1), 20);
    assert_eq!(told.server.client().publish(&statement).status, 201);
    refused(&told, "the record has grown since the worksheet was made");
    refused(&told, "(missing.started)");
    let other = told.worksheet("other");
    fs::copy(&worksheet, &other).expect("copied");
    let (ended, _) = told.copy(&other, "copy.bundle.json");
    assert!(ended.exited(1).complaint().contains("another bundle"));
    // What is erased goes out in no copy that was decided on before.
    let place = ["--authority", "police:99", "--ground", "ConsentWithdrawn", "--data", path(&data)];
    run([&["erase", "--child", &child(1)], &place[..]].concat()).succeeded();
    refused(&told, "holds nothing about this child");
    told.server.stop();
}

#[test]
fn over_http_it_is_for_the_data_protection_officer_alone() {
    let told = Told::new();
    let first = child(1);
    let asked = |role: &str, name: &str, arguments: &[&str]| {
        let (token, out) = (told.home.at("a-token"), told.home.at(name));
        private_file(&token, &told.home.issue(role, "C. Moreau", &["--purpose", "SubjectRights"]));
        let place = [
            "bundle",
            "--subject-access",
            "--url",
            &told.server.url,
            "--token-file",
            path(&token),
            "--out",
            path(&out),
        ];
        (run([&place, arguments].concat()), out)
    };
    let (refused, out) = asked("mash", "request", &["--child", &first]);
    assert!(refused.exited(1).complaint().contains("data-protection-officer") && !out.exists());
    let (made, out) = asked(OFFICER, "request", &["--child", &first]);
    made.succeeded();
    let worksheet = out.join("worksheet.json");
    decide(&worksheet);
    let (made, copy) = asked(OFFICER, "copy.bundle.json", &["--decisions", path(&worksheet)]);
    let said = made.succeeded().stdout;
    assert!(said.contains("more reading"), "{said}");
    told.verify(&copy);
    told.server.stop();
}

#[test]
fn a_bundle_out_of_the_folder_is_sealed_by_the_ledger_that_runs_or_in_the_folder_itself() {
    let told = Told::new();
    let first = child(1);
    let (before, _) = told.readings();
    let (made, _) = told.here(&["--child", &first, "--reader", "C. Moreau"]);
    made.succeeded();
    let (after, last) = told.readings();
    assert_eq!(after, before + 1);
    assert_eq!(
        (&last["reader"], &last["role"], &last["purpose"]),
        (&json!("C. Moreau"), &json!("Administrator"), &json!("Review"))
    );
    let size = told.server.client().size();
    let (made, _) = told.here(&["--entries", "0-9", "--no-statements"]);
    made.succeeded();
    assert_eq!(told.server.client().size(), size, "what cannot be read is not read");
    let data = told.home.data();
    let out = told.new_file();
    let unsaid = run(["bundle", "--entries", "0-9", "--data", path(&data), "--out", path(&out)]);
    assert!(unsaid.exited(1).complaint().contains("--purpose") && !out.exists());
    let Told { home, server, .. } = told;
    server.stop();
    let size = || {
        let log = fs::read_to_string(data.join("checkpoint")).expect("a checkpoint");
        log.lines().nth(1).expect("a size").parse::<u64>().expect("a number")
    };
    let at_rest = size();
    let made = |name: &str| {
        let out = home.at(name);
        (
            run([
                "bundle",
                "--child",
                &first,
                "--purpose",
                "Audit",
                "--data",
                path(&data),
                "--out",
                path(&out),
            ]),
            out,
        )
    };
    let (ended, out) = made("rest.bundle.json");
    ended.succeeded();
    assert!(out.exists());
    assert_eq!(size(), at_rest + 1, "it is sealed in the folder itself");
    run(["fsck", "--data", path(&data)]).exited(0);
    // A folder that follows a stream is not its own sealer.
    let follows = data.join("state/stream.json");
    fs::write(&follows, "{}").expect("written");
    let (refused, out) = made("followed.bundle.json");
    assert!(refused.exited(1).complaint().contains("NATS stream") && !out.exists());
    fs::remove_file(&follows).expect("removed");
    fs::remove_file(home.secret("service.jwk")).expect("removed");
    let (refused, out) = made("unsealed.bundle.json");
    let complaint = refused.exited(1).complaint();
    assert!(complaint.contains("cannot be sealed") && !out.exists(), "{complaint}");
    assert_eq!(size(), at_rest + 1);
}
