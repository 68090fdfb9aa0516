//! The page's beginning: whose ledger it is, what was asked for, and how to check it.

use gt_core::bundle::{About, Why};

use super::html::Html;
use super::read::Evidence;
use super::words::{count, received};

pub(super) fn write(page: &mut Html, evidence: &Evidence<'_>) {
    let (bundle, head) = (evidence.bundle, &evidence.head);
    page.text_element("h1", &[], "Evidence from a safeguarding ledger");
    page.element("div", &[("class", "notice"), ("role", "note")], |page| {
        page.element("p", &[], |page| {
            page.text_element("strong", &[], "This page proves nothing. ");
            page.text("It shows what an evidence bundle says, and anybody could have written it. The bundle, a file in JSON, proves it to whoever checks it: ");
            page.text_element("code", &[], "goldenthread verify FILE --pin ledger.json --log COPY-OF-THE-OPEN-LOG");
            page.text(". The pin file must come from somebody whom you trust, and not with this page.");
        });
    });
    page.element("table", &[], |page| {
        page.text_element("caption", &[], "What this is");
        page.element("tbody", &[], |page| {
            row(page, "Ledger", head.origin());
            row(page, "Asked for", &asked_for(&bundle.manifest.about));
            row(
                page,
                "Made",
                &format!("{} (nothing vouches for this time)", received(bundle.manifest.made_at)),
            );
            row(page, "Shown", &shown(evidence));
            row(page, "Checkpoint", &format!("{} entries, root {}", head.size(), head.root()));
            row(page, "Ledger began with", &evidence.registry.genesis().to_string());
            row(page, "SHA-256 of the bundle", &evidence.text_hash.to_string());
        });
    });
}

fn row(page: &mut Html, heading: &str, text: &str) {
    page.element("tr", &[], |page| {
        page.text_element("th", &[("scope", "row")], heading);
        page.element("td", &[], |page| page.isolated(text));
    });
}

fn asked_for(about: &About) -> String {
    match about {
        About::Entries { first, last } => format!("every entry from {first} to {last}"),
        About::Child { subjects } => {
            let known: Vec<&str> = subjects.iter().map(gt_core::statement::Pseudonym::as_str).collect();
            format!("everything about one child, known as {}", known.join(", "))
        }
        About::Agency { agency } => format!("every statement that {} signed", agency.as_str()),
        About::Alert { alert, pattern } => format!("the entries behind the alert {alert} ({pattern})"),
    }
}

fn shown(evidence: &Evidence<'_>) -> String {
    let records = &evidence.records;
    let mut parts = vec![count(records.len(), "entry", "entries")];
    let absent = |why| records.iter().filter(|record| record.content.as_ref().err() == Some(&why)).count();
    let said = || records.iter().filter_map(|record| record.content.as_ref().ok());
    let left_out = |why| said().flat_map(|said| &said.left_out).filter(|(_, other)| *other == why).count();
    for (number, one, many) in [
        (absent(Why::Withheld), "statement withheld from this copy", "statements withheld from this copy"),
        (
            absent(Why::Ended),
            "statement ended, its keys being gone",
            "statements ended, their keys being gone",
        ),
        (said().map(|said| said.disclosed.len()).sum(), "disclosed member", "disclosed members"),
        (
            left_out(Why::Withheld),
            "disclosure withheld from this copy",
            "disclosures withheld from this copy",
        ),
        (left_out(Why::Ended), "disclosure ended", "disclosures ended"),
        (
            said().map(|said| said.kept().count()).sum(),
            "member kept at home by its agency",
            "members kept at home by their agencies",
        ),
    ] {
        if number > 0 {
            parts.push(count(number, one, many));
        }
    }
    parts.join("; ")
}
