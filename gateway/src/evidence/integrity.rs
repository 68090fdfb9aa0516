//! What the bundle's proofs are about: indexes, hashes, links, and the signed checkpoint.

use gt_core::proof::parse_consistency;

use super::html::Html;
use super::read::{Evidence, Proven};
use super::words::count;

pub(super) fn write(page: &mut Html, evidence: &Evidence<'_>) {
    let bundle = evidence.bundle;
    page.text_element(
        "p",
        &[],
        "Each entry is a leaf of the ledger's Merkle tree, and its proof leads from the entry's hash to the root that the checkpoint signs. The hashes below let this page be compared with the bundle.",
    );
    page.element("table", &[], |page| {
        page.text_element("caption", &[], "Entries and their proofs");
        page.element("thead", &[], |page| {
            page.element("tr", &[], |page| {
                for heading in ["Entry", "Hash of the entry", "Hash of the statement", "Proof"] {
                    page.text_element("th", &[("scope", "col")], heading);
                }
            });
        });
        page.element("tbody", &[], |page| {
            let registrars = evidence.registrar.iter().map(|(proven, _)| proven);
            let mut all: Vec<&Proven> =
                registrars.chain(evidence.records.iter().map(|record| &record.proven)).collect();
            all.sort_by_key(|proven| proven.entry.index);
            for proven in all {
                write_entry(page, proven);
            }
        });
    });
    for (position, links) in bundle.completeness.iter().enumerate() {
        let claim = format!(
            "Identity {} of the child ({}): its {} are numbered without a gap and opened in the bundle. That the record does not go on elsewhere shows only against the open log.",
            position + 1,
            links.subject.as_str(),
            count(links.links.len(), "entry", "entries"),
        );
        page.text_element("p", &[], &claim);
    }
    for text in &bundle.consistency {
        if let Some((size, hashes)) = parse_consistency(text) {
            let proof = count(hashes.len(), "hash", "hashes");
            let says =
                format!("The bundle proves that this log grew out of the one of {size} entries ({proof}).");
            page.text_element("p", &[], &says);
        }
    }
    page.text_element("h3", &[], "The signed checkpoint");
    page.text_element("pre", &[], &bundle.checkpoint);
}

fn write_entry(page: &mut Html, proven: &Proven) {
    page.element("tr", &[], |page| {
        page.text_element("th", &[("scope", "row")], &proven.entry.index.to_string());
        for hash in [proven.leaf_hash, proven.entry.statement] {
            page.element("td", &[], |page| page.text_element("code", &[], &hash.to_string()));
        }
        page.text_element("td", &[], &count(proven.hashes, "hash", "hashes"));
    });
}
