//! What happened, event by event.

use gt_core::bundle::Why;
use serde_json::Value;

use super::html::Html;
use super::read::{Evidence, Record, Said};
use super::{sentences, values, words};

pub(super) fn write(page: &mut Html, evidence: &Evidence<'_>) {
    if evidence.records.is_empty() {
        page.text_element("p", &[], "There is no entry of this kind under the checkpoint.");
        return;
    }
    page.text_element(
        "p",
        &[],
        "In the order in which things happened, as the statements say; where that is not shown, in the order in which the ledger received them.",
    );
    let mut records: Vec<&Record> = evidence.records.iter().collect();
    records.sort_by_key(|record| record.sorted_by());
    for record in records {
        write_record(page, record, evidence);
    }
}

fn write_record(page: &mut Html, record: &Record, evidence: &Evidence<'_>) {
    let (index, received_at) = (record.index(), record.proven.entry.received_at);
    let (id, title) = (format!("entry-{index}"), format!("entry-{index}-title"));
    page.element("article", &[("id", &id), ("aria-labelledby", &title)], |page| {
        let kind = match &record.content {
            Ok(said) => said.payload().event_type.as_str(),
            Err(_) => "not shown",
        };
        page.text_element("h3", &[("id", &title)], &format!("Entry {index}: {kind}"));
        page.element("p", &[("class", "when")], |page| {
            let occurred = record.content.as_ref().ok().and_then(|said| said.event.as_ref()?.occurred_at());
            if let Some(at) = occurred {
                page.text(&format!("Happened {}. ", words::time(at)));
            }
            page.text("Received by the ledger ");
            page.text_element(
                "time",
                &[("datetime", &received_at.to_string())],
                &words::received(received_at),
            );
            page.text(".");
        });
        match &record.content {
            Ok(said) => write_said(page, said, record, evidence),
            Err(why) => page.text_element(
                "p",
                &[("class", "said")],
                match why {
                    Why::Withheld => {
                        "The statement is withheld from this copy. The entry shows that there is one."
                    }
                    Why::Ended => "The statement has ended: the keys with which it could be read are gone.",
                },
            ),
        }
    });
}

fn write_said(page: &mut Html, said: &Said, record: &Record, evidence: &Evidence<'_>) {
    let payload = said.payload();
    page.element("p", &[("class", "said")], |page| {
        page.isolated(&sentences::sentence(said, evidence.child()));
    });
    if let Some(since) = evidence.in_doubt_since(record) {
        let doubt = format!(
            "In doubt: the key that signed this was revoked later, and is suspect since {}.",
            words::received(since)
        );
        page.text_element("p", &[("class", "doubt")], &doubt);
    }
    let system = evidence.registry.publisher(&payload.publisher).map_or("an unknown system", |one| &one.name);
    let in_name_of = payload.on_behalf_of.as_ref();
    let in_name_of =
        in_name_of.map_or_else(String::new, |other| format!(" in the name of {}", other.as_str()));
    page.element("p", &[("class", "when")], |page| {
        page.text(&format!("Signed by {}{in_name_of}, with its system ", payload.iss.as_str()));
        page.isolated(system);
        page.text(&format!(", as its statement number {}.", payload.seq));
    });
    page.element("table", &[], |page| {
        page.text_element("caption", &[], "What the statement holds");
        page.element("thead", &[], |page| {
            page.element("tr", &[], |page| {
                for heading in ["Member", "What it says", "Where it is"] {
                    page.text_element("th", &[("scope", "col")], heading);
                }
            });
        });
        page.element("tbody", &[], |page| write_members(page, said));
    });
}

fn write_members(page: &mut Html, said: &Said) {
    for (name, value) in said.clear.iter().filter(|(name, _)| *name != "kept") {
        row(page, name, "signed in the clear", |page| values::write_clear(page, value));
    }
    for (name, elements) in &said.disclosed {
        let whole = Value::Array(elements.clone());
        let value = if let [one] = elements.as_slice() { one } else { &whole };
        row(page, name, "disclosed here", |page| values::write(page, value));
    }
    for (name, why) in &said.left_out {
        let place = match why {
            Why::Withheld => "withheld from this copy",
            Why::Ended => "ended: its keys are gone",
        };
        row(page, name, place, |page| page.text("not shown"));
    }
    for name in said.kept() {
        row(page, name, "kept at home by the agency", |page| page.text("not shown"));
    }
}

fn row(page: &mut Html, name: &str, place: &str, value: impl FnOnce(&mut Html)) {
    page.element("tr", &[], |page| {
        page.text_element("th", &[("scope", "row")], &words::label(name));
        page.element("td", &[], value);
        page.text_element("td", &[], place);
    });
}
