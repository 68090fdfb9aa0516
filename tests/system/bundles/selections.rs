//! Every selection, out of the folder and over HTTP: sound, and no more said than was asked for.

use std::fs;

use gt_core::bundle::{About, Bundle, BundleRecord};
use gt_core::statement::Statement;

use super::{NUMBER, Told};
use crate::partnership::{child, path, run};

fn read(file: &std::path::Path) -> Bundle {
    Bundle::parse(&fs::read(file).expect("written")).expect("a bundle")
}

/// What a bundle says of its subject, without who read it: two that were made one after the other say the same.
fn said(bundle: &Bundle) -> (About, Vec<(String, Vec<String>)>) {
    let stated = bundle.records.iter().filter_map(|record| match record {
        BundleRecord::Stated(record) => Some((record.statement.clone(), record.disclosures.clone())),
        BundleRecord::Absent { .. } => None,
    });
    let events = stated.filter(|(statement, _)| !is_reading(statement)).collect();
    (bundle.manifest.about.clone(), events)
}

fn is_reading(statement: &str) -> bool {
    let read = Statement::from_parts(statement, []).expect("reads");
    read.payload().event_type.as_str() == "record.accessed"
}

/// How often the record was read, as the bundle has it.
fn readings(bundle: &Bundle) -> usize {
    bundle.records.len() - said(bundle).1.len()
}

#[test]
fn every_selection_is_sound_while_the_ledger_runs() {
    let told = Told::new();
    let (first, key, alert) = (child(1), told.home.at("partnership.json"), told.alert());
    let by_number = format!("nhs:{NUMBER}");
    let question = format!(r#"{{"pseudonym":"{first}"}}"#);
    let reference = told.hub.post("/v1/subjects", "application/json", question.as_bytes()).json();
    let reference = reference["ref"].as_str().expect("a reference").to_owned();
    let selections: [&[&str]; 6] = [
        &["--child", &first],
        &["--child", &reference],
        &["--child", &by_number, "--partnership-key", path(&key)],
        &["--entries", "0-9"],
        &["--agency", "police:99"],
        &["--alert", &alert],
    ];
    let [by_pseudonym, by_reference] = [&first, &reference].map(|child| {
        let (ended, file) = told.here(&["--child", child]);
        ended.succeeded();
        said(&read(&file))
    });
    assert_eq!(by_pseudonym, by_reference, "by pseudonym and by reference");
    let mut made = Vec::new();
    for selection in selections {
        let (here, file) = told.here(selection);
        here.succeeded();
        told.verify(&file);
        let (there, asked) = told.there(selection);
        there.succeeded();
        told.verify(&asked);
        assert_eq!(said(&read(&file)), said(&read(&asked)), "{selection:?}");
        made.push(read(&file));
    }
    let About::Child { subjects } = &made[0].manifest.about else { panic!("about a child") };
    let subjects: Vec<&str> = subjects.iter().map(gt_core::statement::Pseudonym::as_str).collect();
    assert_eq!(subjects, [first.as_str(), told.other_identity.as_str()]);
    // Four absences, one under the other identity, the joining, another child's decision.
    assert_eq!(said(&made[0]).1.len(), 7);
    // That somebody asked for the reference, and the two bundles before; and then what was taken out of the folder and over HTTP since.
    assert_eq!((readings(&made[0]), readings(&made[1])), (3, 5));
    assert!(!made[0].to_string().contains(&child(2)), "the other child is not named");
    let About::Child { subjects } = &made[2].manifest.about else { panic!("about a child") };
    assert_eq!(subjects[0].as_str(), told.known_by_number);
    told.server.stop();
}

#[test]
fn what_is_withheld_is_not_there_and_an_earlier_checkpoint_is_led_to() {
    let told = Told::new();
    let last = (told.server.client().size() - 1).to_string();
    let (earlier, pin) = (told.home.at("early.checkpoint"), told.home.pin_file());
    let known = ["--known", path(&earlier)];
    let (made, file) =
        told.here(&[&["--entries", &last, "--without", "rationale,others"], &known[..]].concat());
    let told_so = made.succeeded().stdout;
    assert!(
        told_so.contains("withheld from this copy") && told_so.contains("goldenthread verify"),
        "{told_so}"
    );
    run(["verify", path(&file), "--pin", path(&pin), known[0], known[1]]).exited(0);
    let names = |file| {
        let bundle = read(file);
        let BundleRecord::Stated(record) = &bundle.records[0] else { panic!("a statement") };
        let disclosures = record.disclosures.iter().map(String::as_str);
        let statement = Statement::from_parts(&record.statement, disclosures).expect("reads");
        let members = statement.payload().data.members().to_vec();
        let of = |at: usize| members[at].name().to_owned();
        statement.disclosures().iter().map(|one| of(one.member_position())).collect::<Vec<_>>()
    };
    let disclosed = names(&file);
    assert!(
        disclosed.len() > 5 && !disclosed.iter().any(|name| ["rationale", "others"].contains(&name.as_str()))
    );
    let (bare, file) = told.there(&["--entries", &last, "--bare"]);
    bare.succeeded();
    assert_eq!(names(&file), [""; 0]);
    told.verify(&file);
    let (entries, file) = told.there(&["--agency", "police:99", "--no-statements"]);
    entries.succeeded();
    assert!(read(&file).records.iter().all(|record| matches!(record, BundleRecord::Absent { .. })));
    told.server.stop();
}

#[test]
fn http_gives_the_bundle_to_programs_and_a_page_to_browsers() {
    let told = Told::new();
    let reply = told.hub.get("/v1/bundles?entries=0-5&known=1,3&without=times");
    assert_eq!((reply.status, reply.content_type.as_str()), (200, gt_core::bundle::MEDIA_TYPE));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let file = told.new_file();
    fs::write(&file, &reply.body).expect("written");
    assert_eq!(read(&file).consistency.len(), 2);
    told.verify(&file);
    let page = told.hub.get_accepting("/v1/bundles?agency=police:99", "text/html,*/*;q=0.8");
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    for said in ["<!DOCTYPE html>", "went missing from home", "This page proves nothing"] {
        assert!(page.text().contains(said), "{said}");
    }
    let question = format!(r#"{{"child":"{}"}}"#, child(2));
    let posted = told.hub.post("/v1/bundles?format=html", "application/json", question.as_bytes());
    assert!(
        posted.text().contains("was found or came back") || posted.text().contains("the child went missing")
    );
    assert!(!told.server.process.log_text().contains(&child(2)), "no pseudonym in the log");
    told.server.stop();
}

#[test]
fn the_command_writes_a_page_beside_the_bundle_and_overwrites_nothing() {
    let told = Told::new();
    let (html, first) = (told.home.at("child.html"), child(1));
    let arguments = ["--child", &first, "--html", path(&html)];
    let (made, file) = told.here(&arguments);
    made.succeeded();
    let page = fs::read_to_string(&html).expect("written");
    assert!(page.contains("two identifiers are one person") && page.contains("the child went missing"));
    let before = fs::read(&file).expect("written");
    let data = told.home.data();
    let asked = ["bundle", "--data", path(&data), "--out", path(&file), "--child", &first];
    let again = run([&asked[..], &["--purpose", "Review"]].concat());
    assert!(again.exited(1).complaint().contains("exists already"));
    assert_eq!(fs::read(&file).expect("there"), before);
    let (other, out) = told.here(&arguments);
    assert!(other.exited(1).complaint().contains("child.html exists already"));
    assert!(!out.exists(), "nothing is written if the page cannot be");
    told.server.stop();
}

#[test]
fn the_entries_behind_an_alert_are_found_after_somebody_else_was_erased() {
    let told = Told::new();
    let (alert, data) = (told.alert(), told.home.data());
    let whom = ["erase", "--child", &told.known_by_number, "--authority", "gss:E06000999"];
    run([&whom[..], &["--ground", "EnteredInError", "--data", path(&data)]].concat()).succeeded();
    let (made, file) = told.here(&["--alert", &alert]);
    made.succeeded();
    told.verify(&file);
    let Told { home, server, .. } = told;
    server.stop();
    let (data, out) = (home.data(), home.at("at-rest.bundle.json"));
    let what = ["bundle", "--alert", &alert, "--purpose", "Review", "--data", path(&data)];
    run([&what[..], &["--out", path(&out)]].concat()).succeeded();
    assert!(out.exists());
}
