//! What is asked for wrongly is refused with what is wrong, on both ways alike, and repeats nothing.

use super::Told;
use crate::partnership::{child, path, private_file, run};

#[test]
fn mistakes_are_told_alike_by_the_folder_and_by_the_ledger_that_runs() {
    let told = Told::new();
    let stranger = child(77);
    let size = told.server.client().size();
    let beyond = format!("0-{}", size + 1_000);
    for (arguments, words) in [
        (vec!["--child", &stranger], "holds nothing about this child"),
        (vec!["--entries", "9-5"], "the range 9-5 is empty"),
        (vec!["--entries", &beyond], "the log has"),
        (vec!["--agency", "ods:NOBODY"], "no system of this agency was ever registered"),
        (vec!["--agency", "Jo Bloggs"], "agency"),
        (vec!["--alert", "AAAAAAAAAAAAAAAAAAAAAA"], "there is no such alert"),
        (vec!["--alert", "nonsense"], "22 characters of base64url"),
        (vec!["--entries", "0-1", "--without", "rationales"], "name 1 of the members to be withheld"),
        (vec!["--entries", "Jo-Bloggs"], "like 5-9"),
        (vec!["--child", "Jo Bloggs"], "--child is a pseudonym"),
        (vec!["--child", "nhs:9990000034"], "--partnership-key"),
    ] {
        for (ended, out) in [told.here(&arguments), told.there(&arguments)] {
            let complaint = ended.exited(1).complaint();
            assert!(complaint.contains(words), "{arguments:?}: {complaint}");
            assert!(!complaint.contains(&stranger) && !complaint.contains("Bloggs"), "{complaint}");
            assert!(!out.exists());
        }
    }
    told.server.stop();
}

/// Nobody is recorded as having read what could not be written.
#[test]
fn a_bundle_that_cannot_be_written_is_not_asked_for_and_leaves_nothing() {
    let told = Told::new();
    let (first, nowhere) = (child(1), told.home.at("nowhere").join("x"));
    let (data, token, occupied) = (told.home.data(), told.home.at("token"), told.home.at("early.checkpoint"));
    let here = ["--data", path(&data), "--purpose", "Review"];
    let there = ["--url", &told.server.url, "--token-file", path(&token)];
    let (file, folder) = (told.home.at("written"), told.home.at("request"));
    let size = told.server.client().size();
    for place in [&here[..], &there[..]] {
        let asked = ["bundle", "--child", &first];
        for (outputs, words) in [
            (vec!["--out", path(&nowhere)], "the folder that it is to stand in is not there"),
            (vec!["--out", path(&file), "--html", path(&nowhere)], "nowhere/x: the folder"),
            (vec!["--out", path(&file), "--html", path(&occupied)], "exists already, and is not overwritten"),
            (
                vec!["--out", path(&nowhere), "--subject-access"],
                "the folder that it is to stand in is not there",
            ),
        ] {
            let complaint = run([&asked[..], place, &outputs].concat()).exited(1).complaint();
            assert!(complaint.contains(words), "{outputs:?}: {complaint}");
            assert!(!file.exists(), "{outputs:?}: half of it stays");
        }
    }
    assert_eq!(told.server.client().size(), size, "a reading was sealed");
    // What is refused later leaves nothing either, so the next attempt has its names.
    let (stranger, page) = (child(77), told.home.at("written.html"));
    let outputs = ["--out", path(&file), "--html", path(&page)];
    run([&["bundle", "--child", &stranger], &here[..], &outputs].concat()).exited(1);
    assert!(!file.exists() && !page.exists());
    run([&["bundle", "--child", &first], &here[..], &outputs].concat()).succeeded();
    let asked = ["bundle", "--subject-access", "--data", path(&data), "--out", path(&folder)];
    run([&asked[..], &["--child", &stranger]].concat()).exited(1);
    assert!(!folder.exists());
    run([&asked[..], &["--child", &first]].concat()).succeeded();
    told.server.stop();
}

#[test]
fn http_answers_mistakes_with_their_codes() {
    let told = Told::new();
    let size = told.server.client().size();
    for (query, status, code) in [
        ("child=AAAAAAAAAAAAAAAAAAAAAA".to_owned(), 404, "unknown_child"),
        (format!("child={}", child(1)), 400, "bad_request"),
        ("entries=5-4".to_owned(), 400, "empty_range"),
        (format!("entries=0-{}", size + 1_000), 404, "no_such_entry"),
        ("entries=a-b".to_owned(), 400, "bad_request"),
        ("agency=ods:NOBODY".to_owned(), 404, "unknown_agency"),
        ("alert=AAAAAAAAAAAAAAAAAAAAAA".to_owned(), 404, "not_found"),
        ("entries=0-1&without=Bloggs".to_owned(), 400, "unknown_member"),
        (format!("entries=0-1&known={}", size + 1_000), 409, "known_ahead"),
        ("entries=0-1&agency=police:99".to_owned(), 400, "bad_request"),
        ("entries=0-1&format=pdf".to_owned(), 400, "bad_request"),
        (String::new(), 400, "bad_request"),
    ] {
        let reply = told.hub.get(&format!("/v1/bundles?{query}"));
        assert_eq!((reply.status, reply.problem().as_str()), (status, code), "{query}: {}", reply.text());
        assert!(!reply.text().contains("Bloggs") && !reply.text().contains(&child(1)), "{}", reply.text());
    }
    let no_token = told.server.client().get("/v1/bundles?entries=0-1");
    assert_eq!((no_token.status, no_token.problem().as_str()), (401, "token_missing"));
    private_file(&told.home.at("bad"), "gt_nobody");
    let (bad, out) = (told.home.at("bad"), told.new_file());
    let asked = [
        "bundle",
        "--url",
        &told.server.url,
        "--token-file",
        path(&bad),
        "--out",
        path(&out),
        "--entries",
        "0-1",
    ];
    assert!(run(asked).exited(1).complaint().contains("the token is not one of this ledger's"));
    for body in
        ["", "{}", "[]", r#"{"child":"Jo Bloggs"}"#, r#"{"child":1}"#, r#"{"entries":"0-1","Jo Bloggs":1}"#]
    {
        let reply = told.hub.post("/v1/bundles", "application/json", body.as_bytes());
        assert_eq!((reply.status, reply.problem().as_str()), (400, "bad_request"), "{body}");
        assert!(!reply.text().contains("Bloggs"), "{}", reply.text());
    }
    told.server.stop();
}

#[test]
fn another_ledgers_checkpoint_and_a_folder_without_a_ledger_are_told() {
    let (told, other) = (Told::new(), Told::new());
    let foreign = other.home.at("early.checkpoint");
    let size = told.server.client().size();
    let (ended, out) = told.here(&["--entries", "0-1", "--known", path(&foreign)]);
    let complaint = ended.exited(1).complaint();
    assert!(
        complaint.contains("known_contradicted") && complaint.contains("nothing was written"),
        "{complaint}"
    );
    assert!(!out.exists());
    assert_eq!(told.server.client().size(), size, "nobody has read what was not handed on");
    let nowhere = told.home.at("nowhere");
    let purpose = ["--purpose", "Review"];
    let asked = ["bundle", "--data", path(&nowhere), "--out", path(&out), "--entries", "0-1"];
    let asked = [&asked[..], &purpose[..]].concat();
    assert!(run(asked).exited(1).complaint().contains("holds no ledger"));
}
