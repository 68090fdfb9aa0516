//! What the measurement of growth says to a person.

use crate::bench::growth::{AtSize, Started};
use crate::cli::output::table;

pub(super) fn to_text(report: &[AtSize]) -> String {
    let sealing: Vec<Vec<String>> = report.iter().map(sealing).collect();
    let starts: Vec<Vec<String>> = report
        .iter()
        .flat_map(|at| {
            let start = |what: &str, started: &Started| start(at.grown.entries, what, started);
            [start("a stop", &at.after_stop), start("a kill", &at.after_kill)]
        })
        .collect();
    let disk: Vec<Vec<String>> = report.iter().map(disk).collect();
    format!(
        "{}\n\n{}\n\n{}",
        table(&["entries", "owners", "sealed a second", "µs each", "MiB at most", "s to stop"], &sealing),
        table(
            &[
                "entries",
                "start after",
                "s",
                "s processor",
                "read again",
                "MiB",
                "MiB at most",
                "µs a proof",
                "µs a receipt"
            ],
            &starts
        ),
        table(&["entries", "bytes an entry: log", "vault", "keyring", "state"], &disk),
    )
}

fn sealing(at: &AtSize) -> Vec<String> {
    let grown = &at.grown;
    vec![
        grown.entries.to_string(),
        grown.owners.to_string(),
        format!("{:.0}", grown.sealed_per_second),
        known(grown.microseconds, 0),
        known(grown.most_resident_mib, 0),
        format!("{:.2}", grown.stop_seconds),
    ]
}

fn start(entries: u64, what: &str, started: &Started) -> Vec<String> {
    vec![
        entries.to_string(),
        what.to_owned(),
        format!("{:.2}", started.seconds),
        known(started.processor_seconds, 2),
        started.read_again.to_string(),
        known(started.resident_mib, 0),
        known(started.most_resident_mib, 0),
        format!("{:.0}", started.proof_microseconds),
        format!("{:.0}", started.receipt_microseconds),
    ]
}

fn disk(at: &AtSize) -> Vec<String> {
    let sizes = [at.disk.log, at.disk.vault, at.disk.keyring, at.disk.state];
    let mut row = vec![at.grown.entries.to_string()];
    row.extend(sizes.map(|bytes| format!("{bytes:.0}")));
    row
}

fn known(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}
