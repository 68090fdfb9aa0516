//! What the measurements beside another database say to a person, and to a program.

use serde_json::{Value, json};

use super::{latency_json, rates_json};
use crate::bench::answers::AnswersReport;
use crate::bench::pace::{Pace, PaceReport};
use crate::cli::output::table;

pub(super) fn pace_json(report: &PaceReport) -> Value {
    let pace = |pace: &Pace| {
        json!({
            "in_flight": pace.in_flight,
            "sealed_per_second": rates_json(&pace.sealed),
            "statements_a_batch": pace.batch,
            "latency": latency_json(&pace.latency),
        })
    };
    json!({
        "cores": report.cores,
        "publishers": report.publishers,
        "mean_statement_bytes": report.sizes.statement,
        "mean_disclosures_bytes": report.sizes.disclosures,
        "receipt_check_ms": report.checking,
        "paces": report.paces.iter().map(pace).collect::<Vec<_>>(),
    })
}

pub(super) fn pace_text(report: &PaceReport) -> String {
    let row = |pace: &Pace| {
        let latency = &pace.latency;
        let millis =
            [latency.p50, latency.p99, latency.p999, latency.max].map(|millis| format!("{millis:.2}"));
        let sealed = [pace.in_flight.to_string(), format!("{:.0}", pace.sealed.median)];
        [&sealed[..], &[format!("{:.0}", pace.batch)], &millis].concat()
    };
    let rows: Vec<_> = report.paces.iter().map(row).collect();
    format!(
        "{} cores, {} publishers; ms from bytes to receipt; to check a receipt takes {:.2} ms more\n{}",
        report.cores,
        report.publishers,
        report.checking,
        table(&["unanswered", "a second", "a batch", "p50", "p99", "p99.9", "max"], &rows)
    )
}

pub(super) fn answers_text(report: &AnswersReport) -> String {
    let rows: Vec<_> = report
        .questions
        .iter()
        .map(|asked| {
            let latency = &asked.latency;
            let millis = [latency.p50, latency.p99, latency.max].map(|millis| format!("{millis:.2}"));
            [&[asked.question.to_owned(), latency.questions.to_string()][..], &millis].concat()
        })
        .collect();
    format!(
        "{} events; views built in {:.1} s; ms to answer\n{}",
        report.events,
        report.views_seconds,
        table(&["question", "asked", "p50", "p99", "max"], &rows)
    )
}
