//! Requests that carry no statements, too many, or some bad ones among good ones.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{PLANTED, Spoiler, repeats_nothing};
use crate::partnership::child;

const NDJSON: &str = "application/x-ndjson";

fn line(compact: &[u8]) -> String {
    Value::from(std::str::from_utf8(compact).expect("ASCII")).to_string()
}

#[test]
fn a_bad_line_leaves_the_others_alone() {
    let mut spoiler = Spoiler::new();
    let mut good: Vec<String> = Vec::new();
    let mut hashes = Vec::new();
    for day in 0..4 {
        let statement = spoiler.publisher.next(&child(day), day);
        hashes.push(statement.hash());
        good.push(line(statement.to_compact().as_bytes()));
    }
    let spoilt = spoiler.written().payload(r#""Share""#, r#""Marigold Close""#);
    let spoilt = line(&spoilt.signed_by(&spoiler.publisher.key));
    let size = spoiler.client.size();
    let lines = [
        good[0].clone(),
        spoilt,
        good[1].clone(),
        format!(r#"{{"statement":"{PLANTED}"}}"#),
        PLANTED.to_owned(),
        String::new(),
        good[0].clone(),
        good[2].clone(),
        "\"\u{feff}\"".to_owned(),
        good[3].clone(),
    ];
    let answers = spoiler.client.publish_lines(&lines);
    let statuses: Vec<u64> = answers.iter().filter_map(|answer| answer["status"].as_u64()).collect();
    assert_eq!(statuses, [201, 400, 201, 400, 400, 200, 201, 400, 201], "{answers:?}");
    let codes: Vec<&Value> = [1, 3, 4, 7].iter().map(|at| &answers[*at]["problem"]["code"]).collect();
    assert_eq!(codes, ["personal_data_in_clear", "not_compact", "not_compact", "not_compact"]);
    for (order, at) in [0, 2, 6, 8].into_iter().enumerate() {
        assert_eq!(answers[at]["index"], size + order as u64, "in the order in which they came");
        assert_eq!(answers[at]["statement"], hashes[order].to_string());
        spoiler.home.prove(answers[at]["receipt"].as_str().expect("a receipt"), hashes[order]);
    }
    assert_eq!(answers[5]["index"], size, "the same statement, the same entry");
    assert!(!json!(answers).to_string().contains(PLANTED));
    assert_eq!(spoiler.client.size(), size + 4);
    spoiler.next_is_sealed();
    spoiler.log_repeats_nothing();
}

#[test]
fn what_follows_a_refused_line_is_told_where_the_chain_stands() {
    let mut spoiler = Spoiler::new();
    let first = spoiler.publisher.next(&child(0), 1);
    let second = spoiler.publisher.next(&child(0), 2);
    let third = spoiler.publisher.next(&child(0), 3);
    let cut = second.to_compact();
    let lines =
        [&first.to_compact(), &cut[..cut.len() - 4], &third.to_compact()].map(|text| line(text.as_bytes()));
    let answers = spoiler.client.publish_lines(&lines);
    assert_eq!(answers[0]["status"], 201);
    assert_eq!(answers[1]["problem"]["code"], "key_binding_jwt");
    assert_eq!(answers[2]["problem"]["code"], "chain_gap");
    assert_eq!(answers[2]["problem"]["next_seq"], 1);
    assert_eq!(answers[2]["problem"]["head"], first.hash().to_string());
    let again =
        spoiler.client.publish_lines(&[&first, &second, &third].map(|s| line(s.to_compact().as_bytes())));
    let statuses: Vec<&Value> = again.iter().map(|answer| &answer["status"]).collect();
    assert_eq!(statuses, [200, 201, 201]);
}

#[test]
fn content_types_and_empty_bodies_are_told_apart() {
    let mut spoiler = Spoiler::new();
    let statement = spoiler.publisher.peek("missing.started", &crate::partnership::missing(&child(1), 1));
    let compact = statement.to_compact();
    let size = spoiler.client.size();
    for kind in ["text/plain", "application/json", "multipart/form-data; boundary=Marigold", "Marigold"] {
        let reply = spoiler.client.post("/v1/statements", kind, compact.as_bytes());
        assert_eq!((reply.status, reply.problem().as_str()), (415, "unsupported_media_type"), "{kind}");
        repeats_nothing(kind, &reply);
    }
    for body in [&b""[..], b"\n", b"~", b"\0"] {
        let reply = spoiler.client.post("/v1/statements", "application/sd-jwt", body);
        assert_eq!(reply.status, 400, "{body:?}: {}", reply.text());
        assert!(["not_compact", "base64url"].contains(&reply.problem().as_str()), "{}", reply.text());
    }
    assert!(spoiler.client.publish_lines(&[String::new()]).is_empty(), "no line, no answer");
    assert_eq!(spoiler.client.size(), size);
    let reply =
        spoiler.client.post("/v1/statements", "application/sd-jwt; charset=utf-8", compact.as_bytes());
    assert_eq!(reply.status, 201, "a parameter changes nothing: {}", reply.text());
    spoiler.publisher.advance(&statement);
    spoiler.next_is_sealed();
}

#[test]
fn bodies_over_the_limits_are_refused_as_a_whole() {
    let mut spoiler = Spoiler::new();
    let size = spoiler.client.size();
    let statement = spoiler.publisher.next(&child(1), 1);
    let good = line(statement.to_compact().as_bytes());

    let crowd = vec!["\"x\"".to_owned(); 1000];
    let reply = spoiler.client.post(
        "/v1/statements",
        NDJSON,
        [&crowd[..], std::slice::from_ref(&good)].concat().join("\n").as_bytes(),
    );
    assert_eq!((reply.status, reply.problem().as_str()), (413, "too_many"));

    let long = format!("\"{}\"", PLANTED.repeat(40_000));
    let answers = spoiler.client.publish_lines(&[long, good]);
    assert_eq!((&answers[0]["status"], &answers[0]["problem"]["code"]), (&json!(413), &json!("too_long")));
    assert_eq!(answers[1]["status"], 201, "the line after it is sealed");

    for kind in [NDJSON, "application/sd-jwt"] {
        let (status, body) = post_raw(&spoiler.server.url, kind, (16 << 20) + 1);
        assert_eq!(status, 413, "{body}");
        assert!(body.contains("urn:goldenthread:problem:too_long"), "{body}");
    }
    assert_eq!(spoiler.client.size(), size + 1);
    spoiler.next_is_sealed();
    spoiler.log_repeats_nothing();
}

/// Posts a body of this length by hand: a client that stops at the first word of refusal would not read the answer.
fn post_raw(url: &str, kind: &str, length: usize) -> (u16, String) {
    let address = url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    write!(stream, "POST /v1/statements HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
        .expect("a request");
    stream.write_all(&vec![b'A'; length]).expect("a body");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
    (status, answer)
}
