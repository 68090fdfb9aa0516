//! What the measurements of reads and of erasures say to a person, and to a program.

use serde_json::{Value, json};

use super::{rates_json, rates_row};
use crate::bench::erase::EraseReport;
use crate::bench::reads::{ReadLatency, ReadsReport};
use crate::cli::output::table;

pub(super) fn reads_json(report: &ReadsReport) -> Value {
    let kind = |kind: &ReadLatency| {
        json!({
            "kind": kind.kind,
            "reads": kind.reads,
            "p50_ms": kind.p50,
            "p99_ms": kind.p99,
            "p999_ms": kind.p999,
            "max_ms": kind.max,
        })
    };
    json!({
        "rate": report.rate,
        "answered_per_second": report.answered_per_second,
        "published_per_second": report.publishing,
        "kinds": report.kinds.iter().map(kind).collect::<Vec<_>>(),
    })
}

pub(super) fn reads_text(report: &ReadsReport) -> String {
    let row = |kind: &ReadLatency| {
        let millis = [kind.p50, kind.p99, kind.p999, kind.max].map(|millis| format!("{millis:.1}"));
        [vec![kind.kind.to_owned(), kind.reads.to_string()], millis.to_vec()].concat()
    };
    let rows: Vec<_> = report.kinds.iter().map(row).collect();
    format!(
        "{rate} reads/s ({answered:.0}/s answered) beside {publishing} statements/s; ms from the read's time to its answer:\n{table}",
        rate = report.rate,
        answered = report.answered_per_second,
        publishing = report.publishing,
        table = table(&["read", "reads", "p50", "p99", "p99.9", "max"], &rows),
    )
}

pub(super) fn erase_json(report: &EraseReport) -> Value {
    json!({
        "children": report.children,
        "entries": report.entries,
        "erasures": report.erasures,
        "seconds_an_erasure": rates_json(&report.seconds),
        "sealed_per_second_alone": report.alone_per_second,
        "sealed_per_second_beside": report.beside_per_second,
        "ratio": report.ratio(),
    })
}

pub(super) fn erase_text(report: &EraseReport) -> String {
    format!(
        "{children} children, {entries} entries; {erasures} erased one after another while statements were sealed\n\n{table}\n\n\
         {alone:.0} statements sealed a second alone, {beside:.0} beside erasures: ratio {ratio:.2}",
        children = report.children,
        entries = report.entries,
        erasures = report.erasures,
        table = table(&["seconds", "median", "min", "max"], &[rates_row("an erasure", &report.seconds, 3)]),
        alone = report.alone_per_second,
        beside = report.beside_per_second,
        ratio = report.ratio(),
    )
}
