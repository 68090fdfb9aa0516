//! Alerts as they happen: raised, changed, assigned, retracted; resumed; and deadlines that pass while nothing is sealed.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::listening::{Heard, Listening};
use super::{data, missing, publish, strict};
use crate::partnership::{Home, child};

fn changes(heard: &[Heard]) -> Vec<(&str, &str)> {
    let alerts = heard.iter().filter(|one| one.name == "alert");
    alerts.map(|one| (text(&one.data["change"]), text(&one.data["alert"]["pattern"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn ids(heard: &[Heard]) -> Vec<(u64, u64)> {
    let read = |id: &String| {
        let (entry, number) = id.split_once('.').expect("two numbers");
        (entry.parse().expect("a number"), number.parse().expect("a number"))
    };
    heard.iter().filter_map(|one| one.id.as_ref()).map(read).collect()
}

#[test]
fn an_alerts_life_is_told_as_it_happens_and_again_to_who_comes_back() {
    let home = Home::new();
    let mut police = home.enrol("police", "police:32", None);
    let mut council = home.enrol("council", "gss:E06000999", None);
    let server = home.serve();
    // Who goes missing long ago and is not back has been missing for long, too, which is another pattern.
    let of_one = "?pattern=repeat-missing";
    let listening = Listening::start(&server.url, of_one, &home.token, None);
    let other = Listening::start(&server.url, "?pattern=shared-location", &home.token, None);
    let first = listening.next().expect("where the views stand");
    // That somebody listens is sealed itself.
    assert_eq!(first.name, "tree");
    assert!(first.data["tree_size"].as_u64() <= Some(server.client().size()), "{first:?}");

    let sealed: Vec<_> = (1..=4)
        .map(|day| publish(&server, &mut police, "missing.started", &missing(1, day, json!({}))))
        .collect();
    let raised = listening.alert();
    assert_eq!((&raised.data["change"], &raised.data["index"]), (&json!("raised"), &json!(sealed[2].0)));
    let alert = raised.data["alert"]["id"].clone();
    assert_eq!(raised.data["alert"]["entries"], json!([sealed[0].0, sealed[1].0, sealed[2].0]));
    let assigned = data(json!({"to": "gss:E06000999"}), 1, "2026-03-05T09:00:00Z", json!({"alert": alert}));
    let mut assigned: Value = serde_json::from_str(&assigned.to_text()).expect("JSON");
    assigned["practitioner"] =
        json!({"pseudonym": child(900).replace("nhs.", "staff."), "role": "Co-ordinator"});
    publish(&server, &mut council, "alert.assigned", &strict(&assigned));
    // The last two of the four were about somebody else.
    let mut size = 0;
    for (_, statement) in sealed[2..].iter().rev() {
        let refs = json!({"supersedes": statement.to_string()});
        size = publish(&server, &mut police, "missing.started", &missing(2, 1, refs)).0 + 1;
    }
    let rest = listening.until(size);
    let expected = ["changed", "assigned", "changed", "retracted"].map(|change| (change, "repeat-missing"));
    assert_eq!(changes(&rest), expected, "{rest:#?}");

    let mut all = vec![first, raised.clone()];
    all.extend(rest.clone());
    let told = ids(&all);
    assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
    let of_others = other.until(size);
    assert_eq!(changes(&of_others), []);

    let resumed = Listening::start(&server.url, of_one, &home.token, raised.id.as_deref()).until(size);
    let alerts =
        |heard: &[Heard]| -> Vec<Heard> { heard.iter().filter(|one| one.name == "alert").cloned().collect() };
    assert_eq!(alerts(&resumed), alerts(&rest), "with their ids, and nothing else");

    // Where the log ends, with what says that others have begun to listen.
    let last = format!("{}.0", server.client().size());
    server.stop();
    // The stream ends with the server; what had been told by then was that others began to listen.
    while let Some(heard) = listening.next() {
        assert_eq!(heard.name, "tree");
    }
    let server = home.serve();
    let silent = Listening::start(&server.url, "", &home.token, Some(&last)).next().expect("where it stands");
    assert_eq!(silent.name, "tree", "nothing was missed");
    assert!(silent.data["tree_size"].as_u64() >= Some(size), "{silent:?}");
    let late = Listening::start(&server.url, "", &home.token, raised.id.as_deref());
    let first = late.next().expect("told first");
    assert_eq!(first.name, "lost");
    assert_eq!((&first.data["reason"], &first.data["asked_after"]), (&json!("forgotten"), &json!(raised.id)));
    let (entry, number) = text(&first.data["complete_after"]).split_once('.').expect("two numbers");
    assert!(entry.parse::<u64>().expect("a number") >= size && number == "0", "{first:?}");
}

#[test]
fn a_deadline_that_passes_is_told_though_nothing_is_sealed_and_told_once() {
    let home = Home::new();
    let mut police = home.enrol("police", "police:32", None);
    let server = home.serve();
    let listening = Listening::start(&server.url, "?pattern=rhi-overdue", &home.token, None);
    // 72 hours after the return, in a few seconds, nobody will have held an interview.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let soon = i64::try_from(now.as_secs()).expect("before the end of time") + 8;
    let seconds = soon - 72 * 60 * 60;
    let time = gt_core::time::Timestamp::from_millis(seconds * 1000).expect("a time").to_string();
    let ended = data(json!({"harm": "NotSuspected"}), 1, &time, json!({}));
    let (entry, _) = publish(&server, &mut police, "missing.ended", &ended);

    let raised = listening.alert();
    let size = server.client().size();
    assert_eq!(size, entry + 1, "nothing was sealed meanwhile");
    let (change, alert) = (&raised.data, &raised.data["alert"]);
    assert_eq!((&change["change"], &alert["pattern"]), (&json!("raised"), &json!("rhi-overdue")), "{change}");
    assert_eq!((&change["index"], &alert["raised_by"]), (&json!(size), &json!(entry)));
    assert_eq!(change["received_at"], alert["raised_at"], "when the deadline passed");
    assert_eq!(raised.id.as_deref(), Some(format!("{size}.1").as_str()));
    let listed = server.analyst().get("/v1/alerts?pattern=rhi-overdue").json();
    assert_eq!(listed["items"][0], *alert);

    publish(&server, &mut police, "missing.started", &missing(2, 1, json!({})));
    let next = listening.until(size + 1);
    assert_eq!(changes(&next), [], "the entry after it does not tell it again: {next:#?}");
    // A node that starts again tells it under the same id.
    let last = Some(format!("{size}.0"));
    let resumed = Listening::start(&server.url, "", &home.token, last.as_deref());
    assert_eq!(resumed.alert(), raised);
}

#[test]
fn the_stream_needs_a_token_and_refuses_what_it_does_not_know() {
    let home = Home::new();
    let server = home.serve();
    let refused = server.client().get("/v1/stream");
    assert_eq!((refused.status, refused.problem().as_str()), (401, "token_missing"));
    for query in ["?pattern=none", "?no_such=1"] {
        assert_eq!(server.analyst().get(&format!("/v1/stream{query}")).problem(), "bad_request");
    }
}

#[test]
fn a_quiet_stream_sends_a_comment_now_and_then() {
    let home = Home::new();
    let server = home.serve();
    let listening = Listening::start(&server.url, "", &home.token, None);
    listening.next().expect("where the views stand");
    let mut line = listening.line().expect("it goes on");
    // The entry that says that somebody listens is told as every other is.
    while !line.starts_with(':') {
        assert!(!line.contains("alert"), "{line}");
        line = listening.line().expect("it goes on");
    }
}
