//! The sealer is killed, or frozen for so long that the other takes its place.

use std::thread;
use std::time::{Duration, Instant};

use gt_core::agency::AgencyCode;
use gt_core::statement::Statement;

use super::ledger::{Ledger, longest_pause};
use super::turn;
use crate::partnership::{child, missing};

/// The longest that publishers wait while one sealer takes over from another.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
const ROUNDS: u64 = 2;

#[test]
fn when_the_sealer_is_killed_the_other_takes_over() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let load = ledger.load();
    ledger.until_more(60);
    for round in 1..=ROUNDS {
        let sealer = ledger.sealer();
        let killed = Instant::now();
        ledger.nodes[sealer].kill();
        ledger.until_more(40);
        let pause = longest_pause(&ledger.receipts, killed);
        eprintln!("kill {round}: {} ms without a receipt", pause.as_millis());
        assert!(pause < LONGEST_PAUSE, "{pause:?}");
        assert_ne!(ledger.sealer(), sealer);
        ledger.nodes[sealer].start();
        ledger.until_more(20);
    }
    load.finish();
    ledger.all_agree();
}

#[test]
fn what_the_dead_sealer_left_unanswered_the_other_answers() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    let mut council = ledger.publisher("council");
    let subject = format!("gt.intake.{}.{}", council.agency, council.id);
    let broker = std::sync::Arc::clone(&ledger.broker);
    let wait = Duration::from_secs(30);
    let first = council.next(&child(1), 1);
    let answer = broker.ask(&subject, first.to_compact().as_bytes(), wait).expect("an answer");
    ledger.keep(first.hash(), answer.receipt());
    let sealer = ledger.sealer();
    // It hears the request, and cannot answer.
    ledger.nodes[sealer].freeze();
    let left = council.next(&child(1), 2);
    let asked = Instant::now();
    let answer = thread::scope(|scope| {
        let answer = scope.spawn(|| broker.ask(&subject, left.to_compact().as_bytes(), wait));
        ledger.until("the request has arrived", || asked.elapsed() > Duration::from_millis(200));
        ledger.nodes[sealer].kill();
        answer.join().expect("no panic").expect("the one request is answered")
    });
    eprintln!("the request was answered after {} ms", asked.elapsed().as_millis());
    assert_eq!(answer.status, 201, "{}", answer.text());
    ledger.keep(left.hash(), answer.receipt());
    assert_ne!(ledger.sealer(), sealer);
    ledger.nodes[sealer].start();
    ledger.all_agree();
}

/// The standby has heard every request, and not the refusals; what was refused it must neither seal nor take for a fork of what was signed
/// anew in its place.
#[test]
fn what_the_dead_sealer_has_refused_the_other_lets_go_of() {
    let _turn = turn();
    let mut ledger = Ledger::start(1);
    let mut council = ledger.publisher("council");
    let subject = format!("gt.intake.{}.{}", council.agency, council.id);
    let broker = std::sync::Arc::clone(&ledger.broker);
    let ask = |statement: &Statement| {
        let compact = statement.to_compact();
        broker.ask(&subject, compact.as_bytes(), Duration::from_secs(30)).expect("an answer")
    };
    let seal = |ledger: &Ledger, statement: &Statement| {
        let answer = ask(statement);
        assert_eq!(answer.status, 201, "{}", answer.text());
        ledger.keep(statement.hash(), answer.receipt());
    };
    seal(&ledger, &council.next(&child(1), 1));
    let sealer = ledger.sealer();
    // As an outbox signs ahead, the first of them in a name in which the council may not speak.
    let (mut before, mut codes) = (None, Vec::new());
    for n in 0..3 {
        let mut draft = council.draft("missing.started", &missing(&child(2), n));
        match before {
            None => draft.on_behalf_of = Some(AgencyCode::parse("police:32").expect("a code")),
            Some(prev) => (draft.seq, draft.prev) = (draft.seq + n, prev),
        }
        let statement = council.sign(&draft);
        before = Some(statement.hash());
        codes.push(ask(&statement).problem());
    }
    assert_eq!(codes, ["not_on_behalf_of", "chain_gap", "chain_gap"]);
    for n in 1..3 {
        seal(&ledger, &council.next(&child(2), n));
    }
    ledger.nodes[sealer].kill();
    // The second one is answered once forks of the batch with the first would have been told of.
    for n in 3..5 {
        seal(&ledger, &council.next(&child(2), n));
    }
    let other = ledger.sealer();
    assert_ne!(other, sealer);
    let raised = ledger.analyst(&ledger.nodes[other]).get("/v1/integrity").json();
    assert_eq!(raised["items"], serde_json::json!([]), "{raised}");
    ledger.nodes[sealer].start();
    ledger.all_agree();
}

#[test]
fn a_sealer_that_thaws_after_another_took_over_seals_nothing_twice() {
    let _turn = turn();
    let mut ledger = Ledger::start(3);
    let load = ledger.load();
    ledger.until_more(40);
    for round in 1..=ROUNDS {
        let sealer = ledger.sealer();
        let frozen = Instant::now();
        ledger.nodes[sealer].freeze();
        let other = 1 - sealer;
        ledger.until("the other one seals", || ledger.nodes[other].is_sealer());
        ledger.until_more(20);
        let pause = longest_pause(&ledger.receipts, frozen);
        eprintln!("freeze {round}: {} ms without a receipt", pause.as_millis());
        ledger.nodes[sealer].thaw();
        ledger.until_more(40);
        ledger.until_caught_up();
    }
    load.finish();
    ledger.all_agree();
}
