//! Spellings of requests by which somebody might get past the gate.

use super::grounds::Grounds;
use super::{Attempt, Forbidden, Must, bearer, refused};

/// What is no route, or a route without a token.
const CLOSED: &[u16] = &[400, 401, 403, 404, 405];

/// Paths, without a token and with one that may not see the child.
pub(super) fn paths(grounds: &Grounds) -> Vec<Forbidden> {
    let (child, timeline) = (&grounds.child, grounds.timeline());
    let spellings = [
        timeline.clone(),
        format!("/{timeline}"),
        format!("/.{timeline}"),
        format!("/..{timeline}"),
        format!("/v1//children/{child}/timeline"),
        format!("/v1/./children/{child}/timeline"),
        format!("{timeline}/"),
        format!("{timeline}/."),
        format!("{timeline}."),
        format!("{timeline}%20"),
        format!("{timeline}%00"),
        format!("{timeline};x=1"),
        format!("/v1;x=1/children/{child}/timeline"),
        format!("{timeline}.json"),
        format!("/V1/children/{child}/timeline"),
        format!("/v1/Children/{child}/timeline"),
        format!("/v1/children/{child}/%74imeline"),
        format!("/v1/%63hildren/{child}/timeline"),
        format!("/v1/children/{child}%2ftimeline"),
        format!("/v1%2fchildren%2f{child}%2ftimeline"),
        format!("/v1/children/{child}%252ftimeline"),
        format!("/v1\\children\\{child}\\timeline"),
        format!("/healthz/..{timeline}"),
        format!("/healthz/%2e%2e{timeline}"),
        format!("/healthz/%252e%252e{timeline}"),
        format!("/tile/..{timeline}"),
        format!("/tile/%2e%2e{timeline}"),
        format!("/tile/..%2f..{timeline}"),
        "/tile/..%2f..%2fvault".to_owned(),
        "/tile/../../vault".to_owned(),
        "/tile/entries/..%2f..%2f..%2fkeyring".to_owned(),
        "/tile/%2fetc%2fpasswd".to_owned(),
        format!("/v1/publishers/%2e%2e/children/{child}/timeline"),
        format!("/v1/publishers/..%2fchildren%2f{child}%2ftimeline"),
        format!("/checkpoint%00{timeline}"),
        format!("/checkpoint%0d%0a{timeline}"),
        format!("http://other{timeline}"),
        format!("http://127.0.0.1{timeline}"),
        format!("https://ledger/healthz/..{timeline}"),
        format!("{timeline}#/healthz"),
        format!("{timeline}?/healthz"),
        "*".to_owned(),
        "ledger:443".to_owned(),
        "/v1/children/%e2%84%80/timeline".to_owned(),
        format!("/v1/children/{child}%e2%80%8b/timeline"),
        format!("/v1/\u{ff43}hildren/{child}/timeline"),
        format!("/{}", "a".repeat(20_000)),
        format!("/{}", "../".repeat(2_000)),
    ];
    let closed = spellings.iter().flat_map(|path| {
        let short: String = path.chars().take(80).collect();
        [
            refused(format!("no token: GET {short}"), Attempt::new("GET", path, &[], ""), CLOSED, ""),
            refused(
                format!("another agency: GET {short}"),
                Attempt::get(path, &grounds.stranger),
                CLOSED,
                "",
            ),
        ]
    });
    closed.collect()
}

/// Queries of somebody who sees nothing of it.
pub(super) fn queries(grounds: &Grounds) -> Vec<Forbidden> {
    let long = format!("child={}", "A".repeat(16_000));
    let bad = [
        "agency=gss:E06000999&agency=gias:999001",
        "agency=gias:999001&agency=gss:E06000999",
        "agency[]=gss:E06000999",
        "agency[0]=gss:E06000999",
        "agency.code=gss:E06000999",
        "limit=1&limit=500",
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=1e3",
        "limit=99999999999999999999",
        "role=Mash",
        "cell=Allow",
        "purpose=Audit",
        "agency%00=gss:E06000999",
        "agency=gss:E06000999%00",
        "agency=gss:E06000999%0d%0aX-Role:%20Mash",
        "agency=gss%EF%BC%9AE06000999",
        "%D0%B0gency=gss:E06000999",
        "child=%2e%2e",
        "child=*",
        "child='%20or%20'1'='1",
        "as_of=now",
        "as_of=2026-01-01",
        "format=xml",
        "format=json&format=csv",
        "newest_first=1",
        "AGENCY=gss:E06000999",
        long.as_str(),
        "__proto__=1",
    ];
    let refused = bad.iter().map(|query| {
        let short: String = query.chars().take(60).collect();
        let attempt = Attempt::get(&format!("/v1/decisions?{query}"), &grounds.stranger);
        refused(format!("the query {short}"), attempt, &[400, 414, 431], "")
    });
    let narrow =
        ["agency=gss:E06000999", "recipient=gss:E06000999", "newest_first=true", "agency=gss%3AE06000999"];
    let empty = narrow.iter().map(|query| Forbidden {
        name: format!("the query {query}"),
        attempt: Attempt::get(&format!("/v1/decisions?{query}"), &grounds.stranger),
        must: Must::BeEmpty,
    });
    refused.chain(empty).collect()
}

pub(super) fn methods(grounds: &Grounds) -> Vec<Forbidden> {
    let timeline = grounds.timeline();
    let mut list = Vec::new();
    for method in [
        "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "GeT", "QUERY",
        "PROPFIND", "GET\u{b}",
    ] {
        list.push(refused(
            format!("{method} without a token"),
            Attempt::new(method, &timeline, &[], ""),
            CLOSED,
            "",
        ));
        let lines = [&*bearer(&grounds.stranger), "x-http-method-override: GET", "x-method-override: GET"];
        list.push(refused(
            format!("{method} that wants to be GET"),
            Attempt::new(method, &timeline, &lines, ""),
            CLOSED,
            "",
        ));
    }
    let over = ["x-http-method-override: POST"];
    list.push(refused(
        "GET that wants to be POST",
        Attempt::new("GET", "/v1/subjects", &over, ""),
        &[405],
        "",
    ));
    let lines = [bearer(&grounds.mash)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    list.push(refused(
        "TRACE tells no token",
        Attempt::new("TRACE", "/v1/decisions", &lines, ""),
        &[405],
        "",
    ));
    list
}

pub(super) fn headers(grounds: &Grounds) -> Vec<Forbidden> {
    let timeline = grounds.timeline();
    let mut list = Vec::new();
    let original = format!("x-original-url: {timeline}");
    let rewrite = format!("x-rewrite-url: {timeline}");
    for line in [
        "x-forwarded-for: 127.0.0.1",
        "forwarded: for=127.0.0.1;proto=https",
        "x-real-ip: 127.0.0.1",
        "x-forwarded-user: administrator",
        "x-remote-user: administrator",
        "x-role: Mash",
        "gt-role: Mash",
        "gt-purpose: CaseWork",
        "x-forwarded-host: localhost",
        "x-ssl-client-verify: SUCCESS",
        "via: 1.1 ledger",
        "connection: authorization",
    ] {
        list.push(refused(line, Attempt::new("GET", &timeline, &[line], ""), &[401], "token_missing"));
    }
    for line in [&original, &rewrite] {
        list.push(refused(line.as_str(), Attempt::new("GET", "/nowhere", &[line], ""), &[404], ""));
    }
    let endless = format!("x-long: {}", "a".repeat(60_000));
    let many: Vec<String> = (0..300).map(|number| format!("x-{number}: a")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    list.push(refused("an endless header", Attempt::new("GET", &timeline, &[&endless], ""), &[0, 431], ""));
    list.push(refused(
        "three hundred headers",
        Attempt::new("GET", &timeline, &many, ""),
        &[0, 400, 431],
        "",
    ));
    list.push(refused(
        "a header with a space in its name",
        Attempt::new("GET", &timeline, &["authorization : Bearer x"], ""),
        &[400],
        "",
    ));
    list.push(refused(
        "a header that goes on",
        Attempt::new("GET", &timeline, &["x-a: b\r\n authorization: Bearer x"], ""),
        &[400, 401],
        "",
    ));
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/xml",
        "application/json5",
        "",
    ] {
        let lines =
            [bearer(&grounds.stranger), format!("content-type: {kind}"), "content-length: 2".to_owned()];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut attempt = Attempt::new("POST", "/v1/subjects", &lines, "");
        attempt.0.extend(b"{}");
        list.push(refused(format!("a question as {kind:?}"), attempt, &[400, 415], ""));
        let lines = [format!("content-type: {kind}"), "content-length: 2".to_owned()];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let mut attempt = Attempt::new("POST", "/v1/statements", &lines, "");
        attempt.0.extend(b"{}");
        list.push(refused(format!("a statement as {kind:?}"), attempt, &[400, 415], ""));
    }
    list
}

/// Requests within requests, other protocols, other origins.
pub(super) fn protocols(grounds: &Grounds) -> Vec<Forbidden> {
    let timeline = grounds.timeline();
    let second = format!("GET {timeline} HTTP/1.1\r\nhost: ledger\r\n\r\n");
    let raw = |name: &str, text: String, statuses: &'static [u16]| {
        refused(name, Attempt(text.into_bytes()), statuses, "")
    };
    let framed = |lines: &str, body: &str| {
        format!(
            "POST /v1/subjects HTTP/1.1\r\nhost: ledger\r\nconnection: close\r\ncontent-type: application/json\r\n{lines}\r\n{body}"
        )
    };
    let chunk = format!("0\r\n\r\n{second}");
    let mut list = vec![
        raw(
            "a length and chunks",
            framed("content-length: 4\r\ntransfer-encoding: chunked\r\n", &chunk),
            &[400, 401],
        ),
        raw(
            "chunks and a length",
            framed("transfer-encoding: chunked\r\ncontent-length: 4\r\n", &chunk),
            &[400, 401],
        ),
        raw("two lengths", framed("content-length: 0\r\ncontent-length: 9\r\n", &second), &[400]),
        raw("a length that is none", framed("content-length: +4\r\n", &second), &[400]),
        raw("chunked twice", framed("transfer-encoding: chunked, chunked\r\n", &chunk), &[400, 401]),
        raw(
            "chunked, and not at the end",
            framed("transfer-encoding: chunked, identity\r\n", &chunk),
            &[400],
        ),
        raw("chunked by another name", framed("transfer-encoding: xchunked\r\n", &chunk), &[400]),
        raw(
            "a request without a host",
            format!("GET {timeline} HTTP/1.1\r\nconnection: close\r\n\r\n"),
            &[400, 401],
        ),
        raw(
            "two hosts",
            format!("GET {timeline} HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n"),
            &[400, 401],
        ),
        raw("HTTP/0.9", format!("GET {timeline}\r\n\r\n"), &[0, 400]),
        raw("HTTP/1.0", format!("GET {timeline} HTTP/1.0\r\n\r\n"), &[401]),
        raw("HTTP/3.0", format!("GET {timeline} HTTP/3.0\r\n\r\n"), &[0, 400]),
        raw(
            "line feeds alone",
            format!("GET {timeline} HTTP/1.1\nhost: ledger\nconnection: close\n\n"),
            &[400, 401],
        ),
        raw(
            "HTTP/2 by prior knowledge",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned(),
            &[0, 400],
        ),
    ];
    let upgrades: [(&str, &[&str]); 3] = [
        (
            "a websocket",
            &[
                "connection: upgrade",
                "upgrade: websocket",
                "sec-websocket-version: 13",
                "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
            ],
        ),
        (
            "HTTP/2 by upgrade",
            &["connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"],
        ),
        ("a page of another origin", &["origin: https://evil.example", "sec-fetch-site: cross-site"]),
    ];
    for (name, lines) in upgrades {
        list.push(refused(name, Attempt::new("GET", &timeline, lines, ""), &[401], "token_missing"));
        let stream = Attempt::new("GET", "/v1/stream", lines, "");
        list.push(refused(format!("{name}, for the stream"), stream, &[401], "token_missing"));
    }
    let preflight = [
        "origin: https://evil.example",
        "access-control-request-method: GET",
        "access-control-request-headers: authorization",
    ];
    list.push(refused(
        "what a browser asks for another origin",
        Attempt::new("OPTIONS", &timeline, &preflight, ""),
        &[405],
        "",
    ));
    list
}
