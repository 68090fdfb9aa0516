//! What a verdict says to a person: the verdict first, then what is wrong, then what could not be told and what would tell it, then
//! what the bundle shows.

use std::path::Path;

use gt_core::bundle::{About, BundleVerdict, Finding, Shown, ShownEntry, ShownPublisher, Verdict, Why};
use gt_core::statement::PublisherId;
use gt_core::verify::Pin;

use super::super::output::table;
use super::OTHER_ORIGIN;
use super::open_log::Entries;

/// More faults than a person reads.
const MAX_LISTED: usize = 40;

pub(super) fn of(file: &Path, verdict: &BundleVerdict, pin: Option<&Pin>, log: Option<&Entries>) -> String {
    let mut lines = vec![headline(file, verdict)];
    lines.extend(verdict.faults.iter().take(MAX_LISTED).map(|found| fault(found, pin)));
    if verdict.faults.len() > MAX_LISTED {
        lines.push(format!("  and {} more faults; --json lists them all", verdict.faults.len() - MAX_LISTED));
    }
    lines.extend(verdict.unknowns.iter().take(MAX_LISTED).map(|unknown| self::unknown(unknown, log)));
    if verdict.shown.origin.is_some() {
        lines.push(String::new());
        lines.extend(shown(&verdict.shown, verdict.verdict));
    }
    lines.join("\n")
}

fn headline(file: &Path, verdict: &BundleVerdict) -> String {
    let file = file.display();
    match verdict.verdict {
        Verdict::Sound => format!("Sound: {file} is what the ledger sealed, and all that it claims to be."),
        Verdict::NotSound if verdict.faults.len() == 1 => {
            format!("Not sound: {file} has a fault. Do not rely on it.")
        }
        Verdict::NotSound => {
            format!("Not sound: {file} has {} faults. Do not rely on it.", verdict.faults.len())
        }
        Verdict::CouldNotTell => {
            format!("Could not tell: {file} has no fault, but not all of it could be checked.")
        }
    }
}

fn fault(fault: &Finding, pin: Option<&Pin>) -> String {
    let place = if fault.place.is_empty() { String::new() } else { format!(" at {}", fault.place) };
    let other = pin.filter(|_| fault.code == OTHER_ORIGIN);
    let whose = other.map(|pin| format!(" The pin that was given is of {}.", pin.origin));
    format!("  {}{} [{}{place}]", fault.says, whose.unwrap_or_default(), fault.code)
}

fn unknown(unknown: &Finding, log: Option<&Entries>) -> String {
    let hint = match unknown.code {
        "nothing_pinned" => "Give the ledger's pin file, from somebody you trust: --pin ledger.json.".to_owned(),
        "completeness_not_checked" => "Give a mirror of the log, anybody's: --log DIR or --log URL.".to_owned(),
        "known_not_compared" => "Ask the bundle's maker for one with a consistency proof to your checkpoint, or give a mirror: --log DIR or --log URL.".to_owned(),
        "log_not_read" => {
            let why = log.and_then(Entries::why).unwrap_or("it cannot be read");
            format!("The reason: {why}. Try again, or give another mirror: --log DIR or --log URL.")
        }
        "log_too_short" => {
            let size = log.map_or(0, |log| log.size().0);
            format!("It has {size} entries. Bring the mirror up to date, or give another one: --log DIR or --log URL.")
        }
        "subject_not_shown" => "Ask the bundle's maker for a copy in which this is not withheld.".to_owned(),
        "subject_not_told_apart" => "Ask the bundle's maker for a new copy that withholds less. It also has the ledger's entry that the record was read for this one, which is about the child alone.".to_owned(),
        "statement_left_out" => "Ask the bundle's maker for the statements that are absent.".to_owned(),
        _ => String::new(),
    };
    format!("  {} {hint} [{}]", unknown.says, unknown.code)
}

fn shown(shown: &Shown, verdict: Verdict) -> Vec<String> {
    let mut lines = Vec::new();
    if verdict != Verdict::Sound {
        lines.push("What follows is what the bundle says; the verdict stands above.".to_owned());
    }
    lines.extend(shown.about.as_ref().map(|what| format!("  about       {}", about(what))));
    lines.extend(shown.made_at.map(|time| format!("  made        {time}, as its maker says")));
    lines.extend(checkpoint(shown));
    if shown.registrar_statements == 0 {
        return lines;
    }
    lines.push(format!(
        "  records     {}, and {} statements of the registrar, which say whose key was whose",
        shown.entries.len(),
        shown.registrar_statements
    ));
    if !shown.entries.is_empty() {
        lines.push(String::new());
        lines.push(entries(shown));
    }
    lines.extend(notes(shown));
    lines
}

/// What a bundle is about, in a few words. Pseudonyms are not repeated.
pub(super) fn about(about: &About) -> String {
    match about {
        About::Entries { first, last } => format!("all entries from {first} to {last}"),
        About::Child { subjects } if subjects.len() == 1 => "a child, by one pseudonym".to_owned(),
        About::Child { subjects } => format!("a child, by {} pseudonyms", subjects.len()),
        About::Agency { agency } => format!("the statements of {agency}"),
        About::Alert { alert, pattern } => format!("the entries behind the alert {alert} ({pattern})"),
    }
}

fn checkpoint(shown: &Shown) -> Option<String> {
    let (origin, size, root) = (shown.origin.as_ref()?, shown.size?, shown.root?);
    let types: Vec<String> = shown.signed_by.iter().map(|key| key.signature_type().to_string()).collect();
    let signed = if types.is_empty() { "nobody known".to_owned() } else { types.join(" and ") };
    let seen = if shown.witnesses.is_empty() {
        String::new()
    } else {
        format!("; cosigned by {}", shown.witnesses.join(", "))
    };
    Some(format!("  checkpoint  {origin}, {size} entries, root {root}, signed by {signed}{seen}"))
}

fn entries(shown: &Shown) -> String {
    let rows: Vec<Vec<String>> = shown.entries.iter().map(|entry| row(entry, &shown.publishers)).collect();
    table(&["entry", "received", "agency", "system", "type", "disclosed", "not here"], &rows)
}

fn row(entry: &ShownEntry, publishers: &[ShownPublisher]) -> Vec<String> {
    let (index, received) = (entry.index.to_string(), entry.received_at.to_string());
    let Ok(statement) = &entry.content else {
        let why = entry.content.as_ref().err().map_or("", |why| absent(*why));
        return [index, received, String::new(), String::new(), why.to_owned()].into();
    };
    let agency = match &statement.on_behalf_of {
        Some(other) => format!("{} for {other}", statement.agency),
        None => statement.agency.to_string(),
    };
    let counts = [(statement.kept, "kept"), (statement.withheld, "withheld"), (statement.ended, "ended")];
    let left: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let doubt = if statement.suspect { " (in doubt)" } else { "" };
    let system = format!("{}{doubt}", name(&statement.publisher, publishers));
    let disclosed = statement.disclosed.to_string();
    [index, received, agency, system, statement.event_type.to_string(), disclosed, left.join(", ")].into()
}

const fn absent(why: Why) -> &'static str {
    match why {
        Why::Withheld => "(statement withheld)",
        Why::Ended => "(statement ended)",
    }
}

fn name(id: &PublisherId, publishers: &[ShownPublisher]) -> String {
    publishers
        .iter()
        .find(|publisher| publisher.id == *id)
        .map_or_else(String::new, |found| found.name.clone())
}

/// What later statements of the registrar say about these.
fn notes(shown: &Shown) -> Vec<String> {
    let mut notes = Vec::new();
    for publisher in &shown.publishers {
        let who = format!("{} of {}", publisher.name, publisher.agency);
        if let Some((index, suspect_from)) = publisher.revoked {
            let doubt = suspect_from.map_or_else(String::new, |from| {
                format!("; what was received from it since {from} is in doubt")
            });
            notes.push(format!("  note: {who} was revoked by entry {index}{doubt}"));
        }
        for index in &publisher.recovered {
            notes.push(format!(
                "  note: entry {index} gave {who} a key on the registrar's word alone; ask {} whether it is theirs",
                publisher.agency
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use gt_core::bundle::{BundleInputs, verify_bundle};

    use super::*;

    /// What is said of a bundle that nothing is known about, after something was done to its text.
    fn said(find: &str, with: &str) -> String {
        let text =
            include_str!("../../../../tests/vectors/bundles/entries.bundle.json").replacen(find, with, 1);
        of(Path::new("e.bundle.json"), &verify_bundle(text.as_bytes(), BundleInputs::default()), None, None)
    }

    #[test]
    fn the_verdict_comes_first_and_what_would_tell_more_is_named() {
        let said = said("", "");
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("Could not tell: e.bundle.json"), "{said}");
        assert!(lines[1].contains("--pin ledger.json") && lines[1].ends_with("[nothing_pinned]"), "{said}");
        for shown in [
            "all entries from 5 to 14",
            "ledger.example/first, 25 entries",
            "signed by Ed25519 and ML-DSA-44",
            "7, and 10 statements of the registrar",
            "gss:E06000005 for gias:123456",
            "1 kept",
            "1 withheld",
            "Missing persons system of police:32 was revoked by entry 17; what was received from it since 2026-03-02T08:08:00.250Z is in doubt",
        ] {
            assert!(said.contains(shown), "{shown}\n{said}");
        }
    }

    #[test]
    fn a_fault_is_said_with_its_entry_and_its_place() {
        let damaged = said("index 5\\u000a", "index 4\\u000a");
        assert!(damaged.starts_with("Not sound: e.bundle.json has a fault. Do not rely on it."), "{damaged}");
        assert!(
            damaged.contains("  Record 1 of the bundle: ")
                && damaged.contains("[index_differs at /records/0/proof]")
        );
        assert!(damaged.contains("the verdict stands above"), "what is shown is not vouched for");
        let broken = said("\"records\"", "\"Records\"");
        assert!(broken.contains("[bundle_member at /records]") && !broken.contains("checkpoint"), "{broken}");
    }
}
