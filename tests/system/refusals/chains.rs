//! A publisher's chain: the same statement again, another one in its place, one too far, one that follows another.

use serde_json::json;

use super::Spoiler;
use super::written::Written;
use crate::partnership::{child, missing};

#[test]
fn the_same_bytes_have_the_same_entry_for_ever() {
    let mut spoiler = Spoiler::new();
    let first = spoiler.next_is_sealed();
    let index = spoiler.client.size() - 1;
    for _ in 0..300 {
        spoiler.day += 1;
        let statement = spoiler.publisher.next(&child(0), spoiler.day);
        assert_eq!(spoiler.client.publish(&statement).status, 201);
    }
    let again = |spoiler: &Spoiler| {
        let size = spoiler.client.size();
        let reply = spoiler.client.publish(&first);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let verdict = spoiler.home.prove(reply.text(), first.hash());
        assert_eq!((verdict.entry.index.0, spoiler.client.size()), (index, size));
        assert!(verdict.checkpoint.size().0 > index);
    };
    again(&spoiler);
    let Spoiler { home, server, publisher, day, .. } = spoiler;
    server.stop();
    let server = home.serve();
    let spoiler = Spoiler { client: server.client(), home, server, publisher, day };
    again(&spoiler);
}

#[test]
fn a_fork_is_refused_and_raised_once() {
    let mut spoiler = Spoiler::new();
    spoiler.next_is_sealed();
    let sealed = spoiler.publisher.peek("missing.started", &missing(&child(2), 3));
    assert_eq!(spoiler.client.publish(&sealed).status, 201);
    let index = spoiler.client.size() - 1;
    let fork = Written::of(&sealed).payload(r#""Home""#, r#""Placement""#).signed_by(&spoiler.publisher.key);
    spoiler.publisher.advance(&sealed);
    for _ in 0..2 {
        let (next_seq, head) = spoiler.client.head(&spoiler.publisher.id);
        let problem = spoiler.refused("a fork", 409, "chain_fork", &fork);
        assert_eq!((&problem["next_seq"], &problem["head"]), (&json!(next_seq), &json!(head.to_string())));
    }
    let raised = spoiler.server.analyst().get("/v1/integrity").json()["items"].clone();
    assert_eq!(raised.as_array().map(Vec::len), Some(1), "once: {raised}");
    assert_eq!(raised[0]["pattern"], "chain-fork");
    assert_eq!(raised[0]["publisher"], spoiler.publisher.id.to_string());
    assert_eq!(raised[0]["sealed"], index.to_string());
}

#[test]
fn gaps_and_strange_predecessors_are_told_the_head() {
    let mut spoiler = Spoiler::new();
    spoiler.next_is_sealed();
    let missed = spoiler.publisher.next(&child(2), 3);
    let late = spoiler.publisher.next(&child(2), 4);
    let size = spoiler.client.size();
    let reply = spoiler.client.publish(&late);
    assert_eq!((reply.status, reply.problem().as_str()), (409, "chain_gap"));
    assert_eq!(reply.json()["next_seq"], missed.payload().seq);
    assert_eq!(reply.json()["head"], missed.payload().prev.to_string());
    assert_eq!(spoiler.client.size(), size);
    for statement in [&missed, &late] {
        assert_eq!(spoiler.client.publish(statement).status, 201, "with what was missed it goes on");
    }
    let (next_seq, head) = spoiler.client.head(&spoiler.publisher.id);
    let elsewhere = spoiler.written().payload(&head.to_string(), missed.hash().to_string());
    let body = elsewhere.signed_by(&spoiler.publisher.key);
    let problem = spoiler.refused("another predecessor", 409, "chain_prev", &body);
    assert_eq!((&problem["next_seq"], &problem["head"]), (&json!(next_seq), &json!(head.to_string())));
}
