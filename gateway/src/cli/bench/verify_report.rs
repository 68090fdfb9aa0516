//! What the measurement of verification says to a person, and to a program.

use serde_json::{Value, json};

use super::{rates_json, rates_row};
use crate::bench::verify::VerifyReport;
use crate::cli::output::table;

pub(super) fn to_json(report: &VerifyReport) -> Value {
    json!({
        "cores": report.cores,
        "entries": report.entries,
        "signers": report.signers,
        "mean_statement_bytes": report.statement,
        "sealed_per_second": report.sealed_per_second,
        "signatures_per_second": rates_json(&report.signatures),
        "entries_per_second": rates_json(&report.folder),
        "ratio": rates_json(&report.ratio),
        "processor": report.processor.map(|(alone, entry)| json!({
            "signature_microseconds": alone,
            "entry_microseconds": entry,
            "ratio": alone / entry,
        })),
        "resident_mib": report.resident_mib,
    })
}

pub(super) fn to_text(report: &VerifyReport) -> String {
    let rates = table(
        &["a second", "median", "min", "max"],
        &[
            rates_row("signatures alone, in memory", &report.signatures, 0),
            rates_row("entries of the folder", &report.folder, 0),
            rates_row("ratio", &report.ratio, 2),
        ],
    );
    let processor = report.processor.map_or_else(String::new, |(alone, entry)| {
        format!(
            "\nProcessor time: {alone:.1} µs a signature alone, {entry:.1} µs an entry, ratio {:.2}.",
            alone / entry
        )
    });
    let resident = report.resident_mib.map_or_else(String::new, |mib| {
        format!("\nMost memory resident while the folder was verified: {mib:.0} MiB.")
    });
    format!(
        "{} cores; {} entries of {} signers ({:.0} a second signed and sealed), statements of {} bytes on average\n\n{rates}{processor}{resident}",
        report.cores, report.entries, report.signers, report.sealed_per_second, report.statement
    )
}
