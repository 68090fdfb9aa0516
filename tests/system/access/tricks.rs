//! Paths, queries and headers by which somebody might get past the gate. None does: what is answered without a token says nothing of people.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::Scene;

/// Sends these bytes as they are, and reads the answer to its end: its status and its text.
fn raw(scene: &Scene, request: &str) -> (u16, String) {
    let address = scene.server.url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    // A server that refuses early may reset the connection; what it had said by then counts.
    let _ = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text)
}

fn get(scene: &Scene, path: &str, headers: &str) -> (u16, String) {
    raw(scene, &format!("GET {path} HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\n{headers}\r\n"))
}

#[test]
fn no_spelling_of_a_path_gets_past_the_gate() {
    let scene = Scene::new();
    let child = scene.child();
    let before = scene.server.client().size();
    let timeline = format!("/v1/children/{child}/timeline");
    for path in [
        timeline.clone(),
        format!("/{timeline}"),
        format!("/v1//children/{child}/timeline"),
        format!("{timeline}/"),
        format!("{timeline}."),
        format!("{timeline}%20"),
        format!("{timeline};x=1"),
        format!("/V1/children/{child}/timeline"),
        format!("/v1/Children/{child}/timeline"),
        format!("/v1/children/{child}/%74imeline"),
        format!("/v1/%63hildren/{child}/timeline"),
        format!("/healthz/..{timeline}"),
        format!("/healthz/%2e%2e{timeline}"),
        format!("/tile/%2e%2e{timeline}"),
        format!("/tile/..%2f..{timeline}"),
        format!("/tile/..{timeline}"),
        format!("/v1/publishers/%2e%2e/children/{child}/timeline"),
        format!("/v1/publishers/..%2fchildren%2f{child}%2ftimeline"),
        format!("/checkpoint%00{timeline}"),
        format!("/v1/children/{child}%2ftimeline"),
        format!("http://other{timeline}"),
        format!("{timeline}?token=x&token=y"),
        format!("{timeline}#/healthz"),
    ] {
        let (status, text) = get(&scene, &path, "");
        assert!((400..500).contains(&status), "{path}: {text}");
        assert!(!text.contains("\"items\"") && !text.contains("decision.recorded"), "{path}: {text}");
    }
    for method in ["HEAD", "POST", "PUT", "OPTIONS", "TRACE", "CONNECT", "get", "GET\u{b}"] {
        let request = format!(
            "{method} {timeline} HTTP/1.1\r\nHost: ledger\r\nConnection: close\r\nX-HTTP-Method-Override: GET\r\n\r\n"
        );
        let (status, text) = raw(&scene, &request);
        assert!((400..500).contains(&status), "{method}: {text}");
        assert!(!text.contains("\"items\""), "{method}: {text}");
    }
    assert_eq!(scene.server.client().size(), before, "nothing was read");
}

#[test]
fn no_form_of_a_header_stands_for_a_token() {
    let scene = Scene::new();
    let good = scene.home.issue("mash", "A. Whitfield", &["--purpose", "CaseWork"]);
    let auditor = scene.home.issue("auditor", "B. Lindqvist", &[]);
    for headers in [
        String::new(),
        "Authorization:\r\n".to_owned(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer \r\n".to_owned(),
        format!("Authorization: Basic {good}\r\n"),
        format!("Authorization: {good}\r\n"),
        format!("Authorization: Bearer {good} {good}\r\n"),
        format!("Authorization: Bearer {good},{good}\r\n"),
        format!("Authorization: Bearer {auditor}\r\nAuthorization: Bearer {good}\r\n"),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {auditor}\r\n"),
        format!("X-Authorization: Bearer {good}\r\n"),
        format!("Cookie: token={good}\r\n"),
        format!("Authorization: Bearer {}\r\n", "A".repeat(60_000)),
        "X-Forwarded-User: administrator\r\nX-Role: Mash\r\nGt-Role: Mash\r\n".to_owned(),
    ] {
        let (status, text) = get(&scene, "/v1/decisions", &headers);
        let about = headers.chars().take(60).collect::<String>();
        assert!(status == 401 || status == 431 || status == 400, "{about}: {text}");
        assert!(!text.contains("\"items\"") && !text.contains(&good), "{about}");
    }
    for path in [format!("/v1/decisions?access_token={good}"), format!("/v1/decisions?token={good}")] {
        assert_eq!(get(&scene, &path, "").0, 401);
    }
    let (status, text) = get(&scene, "/v1/decisions", &format!("Authorization: bearer {good}\r\n"));
    assert_eq!(status, 200, "the scheme's case means nothing: {text}");
    assert!(!scene.server.process.log_text().contains(&good));
}

#[test]
fn parameters_that_repeat_or_that_nobody_knows_are_refused_and_narrow_nothing() {
    let scene = Scene::new();
    let token = scene.home.issue("manager", "D. Brandt", &["--agency", "police:99", "--purpose", "CaseWork"]);
    let manager = scene.server.client().with_token(&token);
    for query in [
        "agency=gss:E06000999&agency=police:99",
        "agency=police:99&agency=gss:E06000999",
        "limit=1&limit=500",
        "role=Mash",
        "cell=Allow",
        "agency%00=gss:E06000999",
    ] {
        let reply = manager.get(&format!("/v1/decisions?{query}"));
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
    }
    for query in [
        "",
        "?agency=gss:E06000999",
        "?recipient=gss:E06000999",
        "?newest_first=true",
        "?as_of=2099-01-01T00:00:00Z",
    ] {
        let reply = manager.get(&format!("/v1/decisions{query}"));
        assert_eq!((reply.status, &reply.json()["items"]), (200, &serde_json::json!([])), "{query}");
    }
}
