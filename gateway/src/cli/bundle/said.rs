//! What a bundle holds, and how to check it, in a few sentences.

use std::path::Path;

use gt_core::bundle::{About, Bundle, BundleRecord, Why};
use gt_core::checkpoint::SignedCheckpoint;
use serde_json::{Value, json};

/// What is in a bundle, counted.
struct Counts {
    records: usize,
    disclosures: usize,
    /// Statements that are not shown, and disclosures that are not: withheld, ended.
    statements_left_out: (usize, usize),
    disclosures_left_out: (usize, usize),
}

impl Counts {
    fn of(bundle: &Bundle) -> Self {
        let mut counts = Self {
            records: bundle.records.len(),
            disclosures: 0,
            statements_left_out: (0, 0),
            disclosures_left_out: (0, 0),
        };
        let add = |to: &mut (usize, usize), why| match why {
            Why::Withheld => to.0 += 1,
            Why::Ended => to.1 += 1,
        };
        for record in &bundle.records {
            match record {
                BundleRecord::Absent { why, .. } => add(&mut counts.statements_left_out, *why),
                BundleRecord::Stated(record) => {
                    counts.disclosures += record.disclosures.len();
                    for left_out in &record.left_out {
                        add(&mut counts.disclosures_left_out, left_out.why);
                    }
                }
            }
        }
        counts
    }
}

fn head(bundle: &Bundle) -> (String, u64) {
    let signed = SignedCheckpoint::parse(bundle.checkpoint.as_bytes());
    signed.map_or_else(
        |_| (String::new(), 0),
        |signed| (signed.checkpoint().origin().to_owned(), signed.checkpoint().size().0),
    )
}

pub(super) fn json(bundle: &Bundle, out: &Path, html: Option<&Path>) -> Value {
    let (counts, (origin, size)) = (Counts::of(bundle), head(bundle));
    json!({
        "bundle": out,
        "page": html,
        "about": bundle.manifest.about.kind(),
        "origin": origin,
        "tree_size": size,
        "records": counts.records,
        "registrar": bundle.registrar.len(),
        "disclosures": counts.disclosures,
        "statements_withheld": counts.statements_left_out.0,
        "statements_ended": counts.statements_left_out.1,
        "disclosures_withheld": counts.disclosures_left_out.0,
        "disclosures_ended": counts.disclosures_left_out.1,
        "identities": bundle.completeness.len(),
    })
}

pub(super) fn sentences(bundle: &Bundle, out: &Path, html: Option<&Path>) -> String {
    let (counts, (origin, size)) = (Counts::of(bundle), head(bundle));
    let about = match &bundle.manifest.about {
        About::Child { subjects } if subjects.len() == 1 => {
            "about one child, under its one identity".to_owned()
        }
        About::Child { subjects } => format!("about one child, under its {} identities", subjects.len()),
        About::Entries { first, last } => format!("of the entries {first} to {last}"),
        About::Agency { agency } => format!("of what {} signed", agency.as_str()),
        About::Alert { pattern, .. } => format!("behind an alert ({pattern})"),
    };
    let mut lines = vec![format!(
        "A bundle {about}: {} entries of {origin} with {} disclosures, under a checkpoint of {size} entries, and all {} statements of its registrar.",
        counts.records,
        counts.disclosures,
        bundle.registrar.len(),
    )];
    for ((withheld, ended), what) in
        [(counts.statements_left_out, "statements"), (counts.disclosures_left_out, "disclosures")]
    {
        if withheld + ended > 0 {
            lines.push(format!(
                "Not in it: {withheld} {what} that are withheld from this copy, and {ended} whose keys are gone."
            ));
        }
    }
    lines.push(format!("  bundle  {}", out.display()));
    lines.extend(
        html.map(|page| format!("  page    {} (it proves nothing; the bundle does)", page.display())),
    );
    lines.push(format!(
        "\nWhoever gets it checks it with the ledger's pin, which must reach them by another way, and any copy of the open log:\n  goldenthread verify {} --pin ledger.json --log DIR-OR-URL",
        out.display()
    ));
    lines.join("\n")
}
