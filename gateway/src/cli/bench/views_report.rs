//! What the measurement of the views says to a person.

use crate::bench::views::{Latencies, Rebuilt, ViewsReport};
use crate::cli::output::table;

pub(super) fn to_text(report: &ViewsReport) -> String {
    format!(
        "{} entries ({:.0} a second signed and sealed); {} alerts were planted, {} wait for somebody at the end\n\n{}",
        report.entries,
        report.sealed_per_second,
        report.planted,
        report.standing,
        rebuilt(&report.rebuilt)
    )
}

pub(super) fn rebuilt(rebuilt: &Rebuilt) -> String {
    let processor =
        rebuilt.rebuild_microseconds.map_or_else(|| "-".to_owned(), |micros| format!("{micros:.0}"));
    let resident = rebuilt.resident_mib.map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0} MiB"));
    let figures = table(
        &["rebuilding the views", ""],
        &[
            vec!["entries a second".to_owned(), format!("{:.0}", rebuilt.rebuilt_per_second)],
            vec!["processor time, µs an entry".to_owned(), processor],
            vec!["seconds, the ledger's own start before".to_owned(), format!("{:.1}", rebuilt.open_seconds)],
            vec!["seconds, the views".to_owned(), format!("{:.1}", rebuilt.rebuild_seconds)],
            vec!["seconds, to open them again".to_owned(), format!("{:.2}", rebuilt.reopen_seconds)],
            vec!["most memory resident".to_owned(), resident],
            vec!["bytes on disk an entry".to_owned(), format!("{:.0}", rebuilt.view_bytes_an_entry)],
        ],
    );
    let row = |name: &str, latencies: &Latencies| {
        let millis = [latencies.p50, latencies.p99, latencies.max].map(|millis| format!("{millis:.2}"));
        [&[name.to_owned(), latencies.questions.to_string()][..], &millis].concat()
    };
    let questions = table(
        &["ms to answer", "questions", "p50", "p99", "max"],
        &[row("a child's timeline", &rebuilt.timeline), row("alerts that wait", &rebuilt.open_alerts)],
    );
    format!("{figures}\n\n{questions}")
}
