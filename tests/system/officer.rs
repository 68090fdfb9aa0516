//! A data protection officer far from the ledger's machine erases with a token, and gets what the operator gets.

use gt_core::json::Value as Strict;
use serde_json::{Value, json};

use crate::erasing::{caught_up, fsck, is_found_in, note};
use crate::partnership::{Home, Publisher, Server, child, path, run, run_with_input};

const WORDS: &str = "the lodger heard the tide come in at six";
const COUNCIL: &str = "gss:E06000999";

/// An officer's token in a file, and the address.
struct Officer {
    url: String,
    token: String,
}

impl Officer {
    fn new(home: &Home, server: &Server) -> Self {
        Self { url: server.url.clone(), token: path(&home.officer_token()).to_owned() }
    }

    fn at(&self) -> [&str; 4] {
        ["--url", &self.url, "--token-file", &self.token]
    }

    fn erasing<'a>(&'a self, whom: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let what = ["erase", "--child", whom, "--authority", COUNCIL, "--ground", "EnteredInError"];
        [&what[..], more, &self.at()[..]].concat()
    }
}

fn hold(publisher: &mut Publisher, event_type: &str, about: &str) -> gt_core::statement::Statement {
    let at = if event_type == "hold.placed" { "2026-03-02T09:00:00Z" } else { "2026-03-03T09:00:00Z" };
    let data = json!({
        "ground": "SafeguardingReview",
        "child": {"pseudonym": about, "role": "Child"},
        "times": {"occurred_at": at},
    });
    publisher.record(event_type, &Strict::parse(data.to_string().as_bytes()).expect("strict JSON"))
}

#[test]
fn an_officer_erases_over_http_and_nothing_has_the_words_any_more() {
    let home = Home::new();
    let mut council = home.enrol("council", COUNCIL, None);
    let server = home.serve();
    let (gone, stays) = (child(1), child(2));
    let mut receipts = Vec::new();
    for (about, words) in [(&gone, WORDS), (&stays, "nobody heard anything")] {
        let statement = note(&mut council, about, words);
        let reply = server.client().publish(&statement);
        assert_eq!(reply.status, 201);
        receipts.push((reply.text().to_owned(), statement));
    }
    assert_eq!(server.client().publish(&hold(&mut council, "hold.placed", &gone)).status, 201);
    caught_up(&server);
    let officer = Officer::new(&home, &server);
    let complaint = run_with_input(officer.erasing("-", &[]), gone.as_bytes()).exited(1).complaint();
    assert!(complaint.contains("held by entry") && complaint.contains("hold.lifted"), "{complaint}");
    assert_eq!(server.client().publish(&hold(&mut council, "hold.lifted", &gone)).status, 201);

    let ended = run_with_input(officer.erasing("-", &["--records", "--json"]), gone.as_bytes()).succeeded();
    let done = ended.json();
    assert_eq!((&done["status"], &done["entries"]), (&json!("pending"), &json!(3)), "{done}");
    let again = run_with_input(officer.erasing("-", &[]), gone.as_bytes()).exited(1).complaint();
    assert!(again.contains("knows nobody"), "{again}");
    let status = || {
        let asked = [&["erase", "status", "--json"][..], &officer.at()[..]].concat();
        run(asked).succeeded().json()
    };
    let listed = status();
    assert_eq!(
        (&listed[0]["erasure"], &listed[0]["status"]),
        (&done["index"], &json!("pending")),
        "{listed}"
    );
    assert_eq!(
        (&listed[0]["erased"]["authority"], &listed[0]["kek"]),
        (&json!(COUNCIL), &done["retired"]["kek"])
    );
    let data = home.data();
    let at_home = run(["erase", "status", "--json", "--data", path(&data)]).succeeded().json();
    assert_eq!(at_home, listed, "the operator is told the same");
    let entry = done["index"].to_string();
    run([&["erase", "confirm", &entry][..], &officer.at()[..]].concat()).succeeded();
    assert_eq!(status()[0]["status"], "complete");
    caught_up(&server);
    server.stop();

    let server = home.serve();
    caught_up(&server);
    for needle in [WORDS, gone.as_str()] {
        assert!(!is_found_in(&data, needle) && !is_found_in(&home.at("data.secrets"), needle));
        assert!(!server.process.log_text().contains(needle));
    }
    for (receipt, statement) in &receipts {
        home.prove(receipt, statement.hash());
        assert_eq!(server.client().publish(statement).status, 200, "it was sealed, and still is");
    }
    server.stop();
    let report = fsck(&home);
    assert_eq!(
        (&report["verdict"], &report["counts"]["statements_unreadable"]),
        (&json!("sound"), &json!(3))
    );
}

#[test]
fn nobody_but_an_officer_erases_and_an_agencys_officer_on_its_authority_alone() {
    let home = Home::new();
    let mut council = home.enrol("council", COUNCIL, None);
    home.enrol("police", "police:99", None);
    let server = home.serve();
    assert_eq!(server.client().publish(&note(&mut council, &child(1), WORDS)).status, 201);
    let request = |authority: &str| -> Value {
        json!({"child": child(1), "authority": authority, "ground": "CourtOrder", "scope": "records"})
    };
    let erase = |token: &str, authority: &str| {
        let client = server.client().with_token(token);
        client.post("/v1/erasures", "application/json", request(authority).to_string().as_bytes())
    };
    for (role, more) in [
        ("mash", &[][..]),
        ("administrator", &[]),
        ("auditor", &[]),
        ("analyst", &[]),
        ("manager", &["--agency", COUNCIL]),
    ] {
        let token = home.issue(role, "R. Okafor", &[more, &["--purpose", "CaseWork"]].concat());
        let refused = erase(&token, COUNCIL);
        assert_eq!((refused.status, refused.problem().as_str()), (403, "role_not_allowed"), "{role}");
        assert_eq!(server.client().with_token(&token).get("/v1/erasures").status, 403, "{role}");
    }
    let bound = ["--agency", "police:99", "--purpose", "SubjectRights"];
    let token = home.issue("data-protection-officer", "C. Moreau", &bound);
    let refused = erase(&token, COUNCIL);
    assert_eq!((refused.status, refused.problem().as_str()), (403, "other_authority"));
    assert_eq!(erase(&token, "police:99").status, 201);
    server.stop();
}
