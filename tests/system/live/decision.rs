//! A decision's page: what it says as corrected, what the rules say of it, what evidences the golden rules, and what became of it.

use serde_json::{Value, json};

use super::{data, publish, strict};
use crate::partnership::{Home, Publisher, Reply, Server, child, eventually, path, private_file, run};

const SHARE: &str = include_str!("../../../schemas/examples/decision.recorded.share.json");

/// A share that names no Article 9 condition for what needs one, about the n-th child.
fn share(about: u64) -> Value {
    let mut share: Value = serde_json::from_str(SHARE).expect("JSON");
    share["child"]["pseudonym"] = json!(child(about));
    share["items"][0]["class"] = json!("Special");
    share["lawful_basis"] =
        json!([{"kind": "Article6", "code": "e"}, {"kind": "Gateway", "code": "CA2004s11"}]);
    share
}

/// An entry's page, once the views have come to the end of the log.
fn page(server: &Server, entry: u64) -> Reply {
    let size = server.client().size();
    eventually("the views have come to the end", || {
        server.client().get("/readyz").json()["projected"] == size
    });
    server.analyst().get(&format!("/v1/decisions/{entry}"))
}

/// The state of a member under a golden rule.
fn state<'p>(page: &'p Value, rule: usize, member: &str) -> &'p str {
    let evidence = page["golden_rules"][rule - 1]["evidence"].as_array().expect("a list");
    let found = evidence.iter().find(|one| one["member"] == member).expect("the member");
    found["state"].as_str().expect("a state")
}

fn codes(page: &Value) -> Vec<&str> {
    page["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["code"].as_str().expect("a code"))
        .collect()
}

#[test]
fn a_page_follows_a_decision_through_its_correction_and_review() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    let (entry, statement) = publish(&server, &mut council, "decision.recorded", &strict(&share(1)));
    let at = format!("/v1/decisions/{entry}");
    assert_eq!(server.client().get(&at).problem(), "token_missing");
    let reply = page(&server, entry);
    let (text, first) = (reply.text().to_owned(), reply.json());
    assert_eq!(
        (&first["decision"]["index"], &first["record"]),
        (&json!(entry), &json!("readable")),
        "{first:#}"
    );
    assert!(codes(&first).contains(&"E2"), "{first:#}");
    let finding =
        first["findings"].as_array().and_then(|all| all.iter().find(|one| one["code"] == "E2")).expect("it");
    assert!(finding["items"].as_array().is_some_and(|items| items.contains(&json!(0))), "{finding}");
    assert!(finding["sentence"].as_str().is_some_and(|sentence| sentence.contains("Special category")));
    assert_eq!((&first["flow"]["version"], &first["flow"]["outcome"]), (&json!(1), &json!("SeekAdvice")));
    assert_eq!((state(&first, 1, "harm_level"), state(&first, 7, "rationale")), ("Present", "Present"));
    let alert = &first["alerts"][0];
    assert_eq!((&alert["pattern"], &alert["entries"]), (&json!("basis-missing"), &json!([entry])));
    let written: Value = serde_json::from_str(SHARE).expect("JSON");
    for disclosed in [&written["rationale"], &written["purpose_text"], &json!(child(1))] {
        assert!(!text.contains(disclosed.as_str().expect("a text")), "the page shows codes and no texts");
    }

    let refs = json!({"supersedes": statement.to_string()});
    let corrected = json!({
        "fields": ["LawfulBasis"],
        "lawful_basis": [
            {"kind": "Article6", "code": "e"}, {"kind": "Article9", "code": "g"},
            {"kind": "Schedule1", "paragraph": "P18", "ground": "CannotReasonablyObtain"},
            {"kind": "Gateway", "code": "CA2004s11"}, {"kind": "Confidence", "code": "OverridingPublicInterest"},
        ],
        "reason": "The basis under Article 9 had been left out.",
    });
    let corrected = data(corrected, 1, "2026-06-14T10:00:00Z", refs);
    let (correction, _) = publish(&server, &mut council, "decision.corrected", &corrected);
    let reviewed = json!({"outcome": "Upheld", "reason": "It was right."});
    let reviewed = data(reviewed, 1, "2026-06-15T10:00:00Z", json!({"decision": statement.to_string()}));
    let (review, _) = publish(&server, &mut council, "decision.reviewed", &reviewed);
    let page = page(&server, entry).json();
    assert!(!codes(&page).contains(&"E2"), "{page:#}");
    assert_eq!(page["flow"]["outcome"], "MayShare", "{page:#}");
    assert_eq!(
        (&page["corrections"][0]["index"], &page["corrections"][0]["fields"]),
        (&json!(correction), &json!(["LawfulBasis"]))
    );
    assert_eq!(
        (&page["reviews"][0]["index"], &page["reviews"][0]["outcome"]),
        (&json!(review), &json!("Upheld"))
    );
    assert_eq!(page["alerts"][0]["status"], "retracted");
    // What reads of it have sealed since is in the tree too.
    assert!(page["as_of"]["tree_size"].as_u64() > Some(review), "{}", page["as_of"]);

    let token = home.at("token");
    private_file(&token, &home.token);
    let command = ["decision", &entry.to_string(), "--url", &server.url, "--token-file", path(&token)];
    let mut again = run(command.into_iter().chain(["--json"])).succeeded().json();
    again["as_of"] = page["as_of"].clone();
    assert_eq!(again, page);
    let said = run(command).succeeded().stdout;
    for part in [
        "May share.",
        "3. Consent is not needed",
        "lawful_basis is there",
        "Corrected by entry",
        "basis-missing  retracted",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // A token that does not say what it is for: the option is named, and does it.
    private_file(&token, &home.issue("mash", "A. Whitfield", &[]));
    let said = run(command).exited(1).complaint();
    assert!(said.contains("--read-for") && !said.contains("Gt-Purpose"), "{said}");
    run(command.into_iter().chain(["--read-for", "CaseWork"])).succeeded();
}

/// Signs a decision of which a member is kept at home.
fn keeping(publisher: &mut Publisher, about: u64, member: &str) -> gt_core::statement::Statement {
    let mut draft = publisher.draft("decision.recorded", &strict(&share(about)));
    draft.kept = vec![member.to_owned()];
    let statement = publisher.sign(&draft);
    publisher.advance(&statement);
    statement
}

#[test]
fn what_is_kept_is_told_from_what_is_missing_and_other_entries_have_no_page() {
    let home = Home::new();
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    let statement = keeping(&mut council, 1, "rationale");
    assert_eq!(server.client().publish(&statement).status, 201);
    let entry = server.client().size() - 1;
    let kept = page(&server, entry).json();
    assert_eq!(state(&kept, 7, "rationale"), "KeptAtHome");
    assert_eq!(kept["golden_rules"][6]["missing"], json!([]));
    let mut withhold: Value =
        serde_json::from_str(include_str!("../../../schemas/examples/decision.recorded.withhold.json"))
            .expect("JSON");
    withhold["child"]["pseudonym"] = json!(child(2));
    let (entry, _) = publish(&server, &mut council, "decision.recorded", &strict(&withhold));
    let page = page(&server, entry).json();
    assert_eq!(
        (state(&page, 4, "advice"), &page["golden_rules"][3]["missing"]),
        ("Absent", &json!(["advice"]))
    );
    assert_eq!((&page["flow"]["outcome"], &page["flow"]["escalate"]), (&json!("DoNotShare"), &json!(true)));
    for other in ["0".to_owned(), (entry + 1).to_string(), "9007199254740993".to_owned()] {
        assert_eq!(server.analyst().get(&format!("/v1/decisions/{other}")).problem(), "not_found", "{other}");
    }
    let earlier = server.analyst().get(&format!("/v1/decisions/{entry}?as_of=2020-01-01T00:00:00Z"));
    assert_eq!(earlier.problem(), "not_found", "it had not been received then");
    assert_eq!(server.analyst().get("/v1/decisions/x").problem(), "bad_request");
    assert_eq!(server.analyst().get("/v1/decisions/3?as_of=x").problem(), "bad_request");
}
