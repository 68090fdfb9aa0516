//! Reading: people's data only with a token, everything that proves the log without one, and nothing repeated.

use ureq::http::Method;

use super::{PLANTED, Spoiler, repeats_nothing};
use crate::partnership::{Client, child, decision};

/// Every route that answers about people, with a method and a body that would be answered.
fn about_people(reference: &str) -> Vec<(Method, String, &'static str)> {
    let get = |path: String| (Method::GET, path, "");
    vec![
        (Method::POST, "/v1/subjects".to_owned(), r#"{"context":"uprn.1:place"}"#),
        get("/v1/decisions".to_owned()),
        get(format!("/v1/children/{reference}/timeline")),
        get(format!("/v1/children/{reference}/episodes")),
        get(format!("/v1/children/{reference}/identities")),
        get("/v1/episodes".to_owned()),
        get("/v1/requests".to_owned()),
        get("/v1/contexts".to_owned()),
        get("/v1/persons".to_owned()),
        get(format!("/v1/persons/{reference}")),
        get("/v1/sharing".to_owned()),
        get("/v1/sharing/agencies".to_owned()),
        get("/v1/findings".to_owned()),
        get("/v1/findings/agencies".to_owned()),
        get("/v1/agreements".to_owned()),
        get(format!("/v1/locations/{reference}")),
        get("/v1/alerts".to_owned()),
        get("/v1/integrity".to_owned()),
        get("/v1/bundles?entries=0-1".to_owned()),
        (Method::POST, "/v1/bundles".to_owned(), r#"{"entries":"0-1"}"#),
    ]
}

fn ask(client: &Client, (method, path, body): &(Method, String, &str)) -> crate::partnership::Reply {
    let kind = if body.is_empty() { "" } else { "application/json" };
    client.ask(method.clone(), path, kind, body.as_bytes()).expect("an answer")
}

/// A ledger that holds the decision, and the reference under which views know its child.
fn with_a_decision() -> (Spoiler, String) {
    let mut spoiler = Spoiler::new();
    let statement = spoiler.publisher.record("decision.recorded", &decision());
    assert_eq!(spoiler.client.publish(&statement).status, 201);
    let pseudonym =
        decision().as_object().and_then(|data| data.get("child")?.as_object()?.get("pseudonym").cloned());
    let question = format!(r#"{{"pseudonym":{}}}"#, pseudonym.expect("a child").to_text());
    let analyst = spoiler.server.analyst();
    let answer = analyst.post("/v1/subjects", "application/json", question.as_bytes()).json();
    let reference = answer["ref"].as_str().expect("a reference").to_owned();
    (spoiler, reference)
}

#[test]
fn peoples_data_needs_a_token() {
    let (spoiler, reference) = with_a_decision();
    let index = spoiler.client.size() - 1;
    let analyst = spoiler.server.of_the_hub(&spoiler.home);
    for question in about_people(&reference) {
        let (_, path, _) = &question;
        let reply = ask(&spoiler.client, &question);
        assert_eq!((reply.status, reply.problem().as_str()), (401, "token_missing"), "{path}");
        for wrong in ["gt_Marigold", "gt_", &spoiler.home.token[..20], &spoiler.home.token.to_uppercase()] {
            let reply = ask(&spoiler.client.clone().with_token(wrong), &question);
            assert_eq!(
                (reply.status, reply.problem().as_str()),
                (401, "token_refused"),
                "{path} with {wrong:?}"
            );
            repeats_nothing(path, &reply);
        }
        assert_eq!(ask(&analyst, &question).status, 200, "{path}");
    }
    let path = format!("/v1/entries/{index}");
    let with = analyst.get(&path).json();
    assert_eq!(with["record"], "readable");
    assert!(with["statement"].as_str().is_some_and(|text| text.ends_with('~')), "{with}");
    let without = spoiler.client.get(&path).json();
    assert!(without.get("statement").is_none() && without.get("record").is_none(), "{without}");
    assert_eq!(without["leaf_hash"], with["leaf_hash"]);
    let wrong = spoiler.client.clone().with_token("gt_Marigold").get(&path);
    assert_eq!((wrong.status, wrong.problem().as_str()), (401, "token_refused"));
    assert!(!spoiler.server.process.log_text().contains(&spoiler.home.token));
    spoiler.log_repeats_nothing();
}

#[test]
fn proofs_are_open_and_say_nothing_about_people() {
    let (spoiler, _) = with_a_decision();
    let size = spoiler.client.size();
    let paths = [
        "/checkpoint".to_owned(),
        format!("/tile/0/000.p/{size}"),
        format!("/tile/entries/000.p/{size}"),
        format!("/v1/entries/{}", size - 1),
        format!("/v1/proofs/inclusion?index={}", size - 1),
        "/v1/proofs/consistency?from=1".to_owned(),
        "/v1/ledger".to_owned(),
        "/v1/publishers".to_owned(),
        format!("/v1/publishers/{}", spoiler.publisher.id),
        format!("/v1/publishers/{}/head", spoiler.publisher.id),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
    ];
    for path in paths {
        let reply = spoiler.client.get(&path);
        assert_eq!(reply.status, 200, "{path}");
        let text = String::from_utf8_lossy(&reply.body);
        for private in super::private_texts() {
            assert!(!text.contains(&private), "{path} tells {private:?}");
        }
    }
}

#[test]
fn unknown_paths_methods_and_queries_are_problems_that_repeat_nothing() {
    let (spoiler, reference) = with_a_decision();
    let analyst = spoiler.server.analyst();
    let too_far = spoiler.client.size();
    let table = [
        (404, "not_found", "/Marigold".to_owned()),
        (404, "not_found", "/v1/children/Marigold".to_owned()),
        (404, "not_found", format!("/v1/entries/{too_far}")),
        (404, "not_found", "/v1/entries/18446744073709551615".to_owned()),
        (404, "not_found", "/tile/0/Marigold".to_owned()),
        (404, "not_found", "/tile/0/000".to_owned()),
        (404, "not_found", format!("/tile/0/000.p/{}", too_far + 1)),
        (404, "not_found", "/tile/../checkpoint".to_owned()),
        (404, "unknown_publisher", format!("/v1/publishers/{}", "A".repeat(43))),
        (404, "unknown_publisher", format!("/v1/publishers/{}/head", "A".repeat(43))),
        (400, "bad_request", "/v1/publishers/Marigold".to_owned()),
        (400, "bad_request", "/v1/entries/Marigold".to_owned()),
        (400, "bad_request", "/v1/entries/-1".to_owned()),
        (400, "bad_request", "/v1/entries/18446744073709551616".to_owned()),
        (400, "bad_request", "/v1/children/Marigold/timeline".to_owned()),
        (400, "bad_request", format!("/v1/children/{}/timeline", child(0))),
        (400, "bad_request", "/v1/locations/Marigold".to_owned()),
        (400, "bad_request", "/v1/proofs/inclusion".to_owned()),
        (400, "bad_request", "/v1/proofs/inclusion?index=Marigold".to_owned()),
        (400, "bad_request", format!("/v1/proofs/inclusion?index={too_far}")),
        (400, "bad_request", "/v1/proofs/inclusion?index=3&size=2".to_owned()),
        (404, "not_found", format!("/v1/proofs/inclusion?index=0&size={}", too_far + 1)),
        (400, "bad_request", "/v1/proofs/consistency?from=3&to=2".to_owned()),
        (400, "bad_request", "/v1/proofs/consistency?from=18446744073709551616".to_owned()),
        (400, "bad_request", "/v1/decisions?limit=0".to_owned()),
        (400, "bad_request", "/v1/decisions?limit=100000000".to_owned()),
        (400, "bad_request", "/v1/decisions?limit=Marigold".to_owned()),
        (400, "bad_request", "/v1/decisions?newest_first=Marigold".to_owned()),
        (400, "bad_request", "/v1/decisions?Marigold=1".to_owned()),
        (400, "bad_request", "/v1/decisions?marigold".to_owned()),
        (400, "bad_request", "/v1/decisions?limit=1&limit=2".to_owned()),
        (400, "bad_request", "/v1/decisions?child=Marigold".to_owned()),
        (400, "bad_request", "/v1/decisions?agency=Marigold".to_owned()),
        (400, "bad_request", "/v1/decisions?from=2026-02-30T00:00:00Z".to_owned()),
        (400, "bad_request", "/v1/decisions?as_of=Marigold".to_owned()),
        (400, "bad_cursor", "/v1/decisions?cursor=Marigold".to_owned()),
        (400, "bad_cursor", "/v1/alerts?cursor=%00%FF".to_owned()),
        (400, "bad_request", "/v1/alerts?pattern=Marigold".to_owned()),
        (400, "bad_request", "/v1/alerts?status=Marigold".to_owned()),
        (400, "bad_request", format!("/v1/alerts?child={reference}&location={reference}")),
    ];
    for (status, code, path) in table {
        let reply = analyst.get(&path);
        assert_eq!((reply.status, reply.problem().as_str()), (status, code), "{path}: {}", reply.text());
        repeats_nothing(&path, &reply);
    }
    for (method, path) in [
        (Method::DELETE, "/v1/alerts"),
        (Method::PUT, "/v1/statements"),
        (Method::GET, "/v1/statements"),
        (Method::POST, "/checkpoint"),
        (Method::DELETE, "/v1/entries/0"),
    ] {
        let reply = analyst.ask(method.clone(), path, "", b"").expect("an answer");
        assert_eq!((reply.status, reply.problem().as_str()), (405, "method_not_allowed"), "{method} {path}");
    }
    for body in [
        "",
        "{",
        "[]",
        r#"{"pseudonym":1}"#,
        r#"{"pseudonym":"Marigold"}"#,
        r#"{"Marigold":1}"#,
        "{}",
        r#"{"pseudonym":"nhs.1:x","context":"uprn.1:Marigold"}"#,
    ] {
        let reply = analyst.post("/v1/subjects", "application/json", body.as_bytes());
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "bad_request"),
            "{body}: {}",
            reply.text()
        );
        repeats_nothing(body, &reply);
    }
    let stranger = format!(r#"{{"pseudonym":"{}"}}"#, child(99));
    let reply = analyst.post("/v1/subjects", "application/json", stranger.as_bytes());
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not_found"));
    assert!(
        !spoiler.server.process.log_text().contains(PLANTED),
        "paths of requests that fail are logged without values"
    );
}
