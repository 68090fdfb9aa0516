//! What the registrar said: who was enrolled, whose keys changed, who was revoked.

use gt_core::statement::Payload;
use gt_ledger::values::to_serde;
use serde_json::Value;

use super::html::Html;
use super::read::Evidence;
use super::words;

pub(super) fn write(page: &mut Html, evidence: &Evidence<'_>) {
    page.text_element(
        "p",
        &[],
        "Every statement of the ledger's registrar up to the checkpoint, so that no enrolment and no revocation is left out.",
    );
    page.element("table", &[], |page| {
        page.text_element("caption", &[], "The registrar's statements");
        page.element("thead", &[], |page| {
            page.element("tr", &[], |page| {
                for heading in ["Entry", "Received", "What it says"] {
                    page.text_element("th", &[("scope", "col")], heading);
                }
            });
        });
        page.element("tbody", &[], |page| {
            for (proven, statement) in &evidence.registrar {
                let entry = &proven.entry;
                page.element("tr", &[], |page| {
                    page.text_element("th", &[("scope", "row")], &entry.index.to_string());
                    page.text_element("td", &[], &words::received(entry.received_at));
                    page.element("td", &[], |page| page.isolated(&sentence(statement.payload())));
                });
            }
        });
    });
}

/// What a statement of the registrar says.
pub(super) fn sentence(payload: &Payload) -> String {
    let member = |name: &str| payload.data.clear().get(name).map_or(Value::Null, to_serde);
    let text = |name: &str| member(name).as_str().map_or_else(|| "?".to_owned(), ToOwned::to_owned);
    let recovered = member("recovery") == Value::Bool(true);
    let vouched = match (recovered, member("endorsement").is_object()) {
        (true, _) => " Nobody vouched for the key but the registrar (recovery).",
        (false, true) => " A valid key of the agency vouched for it.",
        (false, false) => "",
    };
    match payload.event_type.as_str() {
        "ledger.created" => format!("The ledger {} began, with its keys and its registrar.", text("origin")),
        "ledger.rotated" => "The ledger's or its registrar's keys were replaced.".to_owned(),
        "ledger.configured" => {
            "A new configuration came into force: legal bases, thresholds, calendar.".to_owned()
        }
        "publisher.registered" => format!(
            "{} was enrolled to sign for {} ({}); publisher {}.{vouched}",
            text("name"),
            text("agency"),
            words::label(&text("kind")).to_lowercase(),
            text("publisher"),
        ),
        "publisher.rotated" => format!("The key of publisher {} was replaced.{vouched}", text("publisher")),
        "publisher.revoked" => {
            let suspect = member("suspect_from")
                .as_str()
                .map_or_else(String::new, |since| format!(" What it signed is in doubt from {since} on."));
            let reason = text("reason").replace('_', " ");
            format!("Publisher {} was revoked ({reason}).{suspect}", text("publisher"))
        }
        other => format!("A statement of the type {other}, which this page does not interpret."),
    }
}
