use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use gt_core::LeafIndex;
use gt_core::entry::Entry;
use gt_history::Outline;
use gt_ledger::Ledger;
use serde_json::{Value, json};

use crate::bench::BenchError;

/// How many children, and how many places, are asked about at most.
const SAMPLE: usize = 2_000;
/// So many entries are read at a time: a bundle of the log.
const AT_A_TIME: u64 = 256;

/// Whom and what to ask about.
#[derive(Default)]
pub(super) struct About {
    /// Children's pseudonyms.
    pub(super) children: BTreeSet<String>,
    /// References of places and other contexts: all of them.
    pub(super) contexts: BTreeSet<String>,
}

/// Writes each event with its entry's index and time of receipt.
pub(super) fn write(ledger: &Ledger, outline: &Outline, file: &Path) -> Result<About, BenchError> {
    let mut file = BufWriter::new(File::create(file)?);
    let (mut about, size) = (About::default(), ledger.log().size().0);
    // What stands before are the registrations.
    let mut index = size - outline.len() as u64;
    let step = outline.len() / SAMPLE + 1;
    let (mut entries, mut position) = (Vec::new().into_iter(), 0_usize);
    for event in outline.events() {
        if entries.len() == 0 {
            entries = read(ledger, index)?.into_iter();
        }
        let entry = entries.next().ok_or(BenchError::Stage("rows"))?;
        let row = json!({
            "entry": index,
            "received_at": entry.received_at.to_string(),
            "agency": event.agency,
            "type": event.event_type,
            "data": event.data,
        });
        writeln!(file, "{row}")?;
        if position.is_multiple_of(step) {
            about.children.extend(event.data["child"]["pseudonym"].as_str().map(str::to_owned));
        }
        if event.event_type == "context.linked" {
            about.contexts.extend(text(&event.data["context"]["ref"]));
        }
        (index, position) = (index + 1, position + 1);
    }
    file.flush()?;
    Ok(about)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The entries from this one to the end of its bundle.
fn read(ledger: &Ledger, first: u64) -> Result<Vec<Entry>, BenchError> {
    let count = AT_A_TIME - first % AT_A_TIME;
    let failed = |reason: String| BenchError::Process(reason);
    let entries = ledger.log().entries_bytes(LeafIndex(first), count);
    let entries = entries.map_err(|error| failed(error.to_string()))?;
    let parse = |bytes: &Vec<u8>| Entry::parse(bytes).map_err(|error| failed(error.to_string()));
    entries.iter().map(parse).collect()
}
