//! The worksheet on paper, and the page for who asked.

use std::collections::BTreeMap;

use gt_core::bundle::{Bundle, Why};
use serde_json::Value;

use super::catalogue::{CATALOGUE, Exemption, Kind, Whose};
use super::worksheet::{Item, Worksheet};
use crate::evidence::html::Html;
use crate::evidence::read::{Evidence, EvidenceError, Record, Said};
use crate::evidence::words::{count, label, received, time};
use crate::evidence::{STYLE, sentences, values};

/// The worksheet, to read and to print.
pub(crate) fn of_worksheet(worksheet: &Worksheet) -> String {
    let mut page = Html::page("Subject access: the worksheet", STYLE);
    page.element("header", &[], |page| {
        page.text_element("h1", &[], "Subject access: the worksheet");
        page.element("div", &[("class", "notice"), ("role", "note")], |page| {
            page.element("p", &[], |page| {
                page.text_element("strong", &[], "For the person who decides, and for nobody else. ");
                page.text("It repeats the whole record, other people's data in it too. What may stand against disclosure was marked by rules over the record's codes. They cannot read texts, and decide nothing: a mark does not mean that an exemption applies, and no mark does not mean that none does.");
            });
            page.text_element("p", &[], "Decide in worksheet.json: each decision is disclose, withhold or withhold_silently, and what is withheld names its exemption. A statement that is withheld takes what it discloses with it.");
        });
        page.element("table", &[], |page| {
            page.text_element("caption", &[], "What this is of");
            page.element("tbody", &[], |page| {
                row(page, "Ledger", &format!("{}, of {}", worksheet.origin, count_of(worksheet.tree_size)));
                row(page, "Known as", &worksheet.subjects.join(", "));
                row(page, "Made", &when(&worksheet.made_at));
                row(page, "SHA-256 of the full bundle", &worksheet.bundle);
            });
        });
    });
    page.element("main", &[], |page| {
        page.text_element("h2", &[], "What there is to decide");
        for group in worksheet.items.chunk_by(|one, next| one.entry == next.entry) {
            write_entry(page, group);
        }
        page.text_element("h2", &[], "What the ledger does not hold");
        write_elsewhere(page, worksheet);
        page.text_element("h2", &[], "The exemptions");
        for exemption in &worksheet.exemptions {
            write_exemption(page, exemption);
        }
    });
    page.finish()
}

/// A time as the worksheet has it, in words.
fn when(text: &str) -> String {
    gt_core::time::Timestamp::parse(text).map_or_else(|_| text.to_owned(), received)
}

fn count_of(entries: u64) -> String {
    count(usize::try_from(entries).unwrap_or(usize::MAX), "entry", "entries")
}

fn row(page: &mut Html, heading: &str, text: &str) {
    page.element("tr", &[], |page| {
        page.text_element("th", &[("scope", "row")], heading);
        page.element("td", &[], |page| page.isolated(text));
    });
}

fn write_entry(page: &mut Html, items: &[Item]) {
    let Some(first) = items.first() else { return };
    page.element("article", &[], |page| {
        page.text_element("h3", &[], &format!("Entry {}: {}", first.entry, first.event_type));
        let in_name_of = first.on_behalf_of.as_ref();
        let in_name_of = in_name_of.map_or_else(String::new, |other| format!(", in the name of {other}"));
        let happened =
            first.occurred_at.as_ref().map_or_else(String::new, |at| format!("Happened {}. ", when(at)));
        let times = format!(
            "{happened}Received {}. Controller to ask: {}{in_name_of}.",
            when(&first.received_at),
            first.agency
        );
        page.text_element("p", &[("class", "when")], &times);
        page.element("table", &[], |page| {
            page.element("thead", &[], |page| {
                page.element("tr", &[], |page| {
                    for heading in ["What it says", "What may stand against it", "Decision"] {
                        page.text_element("th", &[("scope", "col")], heading);
                    }
                });
            });
            page.element("tbody", &[], |page| items.iter().for_each(|item| write_item(page, item)));
        });
    });
}

fn write_item(page: &mut Html, item: &Item) {
    page.element("tr", &[], |page| {
        page.element("td", &[], |page| {
            page.text_element(
                "p",
                &[],
                match (item.kind, item.of) {
                    (Kind::Statement, Whose::Subject) => "The statement",
                    (Kind::Statement, Whose::Another) => "The statement, which is about somebody else",
                    (Kind::Disclosure, Whose::Subject) => "Disclosed in it",
                    (Kind::Disclosure, Whose::Another) => "Disclosed in it, of somebody else",
                },
            );
            page.element("p", &[], |page| page.isolated(&item.says));
            page.text_element("p", &[], &format!("Item {}", item.id));
        });
        page.element("td", &[], |page| {
            if item.may_apply.is_empty() {
                page.text("Nothing was marked.");
                return;
            }
            page.element("ul", &[], |page| {
                for mark in &item.may_apply {
                    let says = format!("{}: {} ({})", mark.exemption, mark.because, mark.fact);
                    page.text_element("li", &[], &says);
                }
            });
        });
        page.element("td", &[], |page| {
            for line in ["☐ disclose", "☐ withhold", "☐ withhold silently", "Exemption:", "Note:"] {
                page.text_element("p", &[], line);
            }
        });
    });
}

fn write_elsewhere(page: &mut Html, worksheet: &Worksheet) {
    if worksheet.elsewhere.is_empty() {
        page.text_element("p", &[], "Every statement and every member of it can be read here. What agencies hold in their own files is theirs to disclose.");
        return;
    }
    page.text_element(
        "p",
        &[],
        "What an agency kept at home it must be asked for. What has ended cannot be read by anybody.",
    );
    page.element("ul", &[], |page| {
        for one in &worksheet.elsewhere {
            let what = one.member.as_ref().map_or_else(|| "the statement".to_owned(), |name| label(name));
            let who = one.agency.as_deref().unwrap_or("an agency that cannot be told");
            let why = match one.why.as_str() {
                "kept_at_home" => "kept at home",
                "of_another" => "another person's, and in no copy",
                "withheld" => "not in this bundle",
                _ => "ended",
            };
            page.text_element("li", &[], &format!("Entry {}, {who}: {what} ({why})", one.entry));
        }
    });
}

fn write_exemption(page: &mut Html, exemption: &Exemption) {
    page.text_element("h3", &[], &format!("{}: {}", exemption.code, exemption.title));
    page.text_element("p", &[("class", "when")], &exemption.law);
    page.text_element("p", &[], &exemption.ask);
    if !CATALOGUE.is_ruled(&exemption.code) {
        page.text_element("p", &[], "Nothing in the record shows it, so no rule marks it.");
    }
    if exemption.may_be_silent {
        page.text_element(
            "p",
            &[],
            "It may be relied on in silence, where saying so would do the harm itself.",
        );
    }
}

/// The page for who asked: of what is in the copy, with the exemptions that are named. Of what is withheld it shows no place and no number.
pub(crate) fn of_copy(
    copy: &Bundle,
    worksheet: &Worksheet,
    stated: &[&Exemption],
) -> Result<String, EvidenceError> {
    let evidence = Evidence::read(copy)?;
    let mut page = Html::page("What is recorded about you", STYLE);
    page.element("header", &[], |page| {
        page.text_element("h1", &[], "What is recorded about you");
        page.text_element("p", &[], &format!(
            "You asked to see what the safeguarding ledger {} holds about you, or about the child for whom you asked. This is a copy, made {}.",
            evidence.head.origin(),
            received(copy.manifest.made_at),
        ));
    });
    page.element("main", &[], |page| {
        page.text_element("h2", &[], "What was left out, and why");
        write_left_out(page, &evidence, stated);
        page.text_element("h2", &[], "Who recorded it");
        write_controllers(page, &evidence);
        page.text_element("h2", &[], "What you can do");
        write_rights(page);
        page.text_element("h2", &[], "What is recorded");
        let mut records: Vec<&Record> = evidence.records.iter().collect();
        records.sort_by_key(|record| record.sorted_by());
        for record in records {
            if let Ok(said) = &record.content {
                // Of the copy alone it could not be told: the subject's own name may be withheld too.
                let of = |item: &&Item| item.kind == Kind::Statement && item.entry == record.index().0;
                let whose = worksheet.items.iter().find(of).map_or(Whose::Subject, |item| item.of);
                write_record(page, record, said, whose);
            }
        }
    });
    page.element("footer", &[], |page| {
        let hash = format!("The copy that can be checked is a file whose SHA-256 is {}. Anybody can check it, with goldenthread verify or on the page /verify of the ledger: that nobody has changed it since it was recorded.", evidence.text_hash);
        page.text_element("p", &[], &hash);
    });
    Ok(page.finish())
}

fn write_left_out(page: &mut Html, evidence: &Evidence<'_>, stated: &[&Exemption]) {
    if stated.is_empty() {
        page.text_element("p", &[], "No reason for leaving something out is named.");
    } else {
        page.text_element("p", &[], "Some information is not in this copy, for these reasons:");
        page.element("ul", &[], |page| {
            for exemption in stated {
                page.text_element("li", &[], &format!("{} ({})", exemption.title, exemption.law));
            }
        });
    }
    // The same words in every copy: they would tell something if they stood in some.
    page.text_element("p", &[], "Where the law allows it, a copy does not say that something was left out, or why. This sentence stands in every copy. What other people's records say of them is in no copy.");
    let ended =
        evidence.records.iter().filter(|record| record.content.as_ref().err() == Some(&Why::Ended)).count();
    if ended > 0 {
        let said = count(ended, "earlier statement has", "earlier statements have");
        page.text_element("p", &[], &format!("{said} been erased: nobody can read it any more."));
    }
}

fn write_controllers(page: &mut Html, evidence: &Evidence<'_>) {
    let mut by_agency: BTreeMap<&str, usize> = BTreeMap::new();
    for said in evidence.records.iter().filter_map(|record| record.content.as_ref().ok()) {
        let payload = said.payload();
        *by_agency.entry(payload.on_behalf_of.as_ref().unwrap_or(&payload.iss).as_str()).or_default() += 1;
    }
    page.element("ul", &[], |page| {
        for (agency, statements) in by_agency {
            page.text_element(
                "li",
                &[],
                &format!("{agency}: {}", count(statements, "statement", "statements")),
            );
        }
    });
    page.text_element(
        "p",
        &[],
        "These are the codes of the agencies. ledger:service is the ledger itself, which records who read.",
    );
}

fn write_rights(page: &mut Html) {
    page.element("ul", &[], |page| {
        for line in [
            "If something is wrong, ask the agency that recorded it to put it right. It is corrected by a new statement beside the old one.",
            "If you do not agree with how your request was answered, complain to the agency that answered it (DPA 2018 section 164A).",
            "You can complain to the Information Commissioner (DPA 2018 section 165), and go to court (section 167).",
        ] {
            page.text_element("li", &[], line);
        }
    });
}

fn write_record(page: &mut Html, record: &Record, said: &Said, of: Whose) {
    page.element("article", &[], |page| {
        page.text_element("h3", &[], &format!("Entry {}", record.index()));
        page.element("p", &[("class", "said")], |page| {
            page.isolated(&sentences::sentence(said, of.child()));
        });
        let occurred = said.event.as_ref().and_then(gt_schemas::Event::occurred_at);
        let occurred = occurred.map_or_else(String::new, |at| format!("Happened {}. ", time(at)));
        let recorded = format!("{occurred}Recorded {}.", received(record.proven.entry.received_at));
        page.text_element("p", &[("class", "when")], &recorded);
        page.element("table", &[], |page| {
            page.element("tbody", &[], |page| {
                for (name, value) in said.clear.iter().filter(|(name, _)| *name != "kept") {
                    member(page, name, |page| values::write_clear(page, value));
                }
                for (name, elements) in &said.disclosed {
                    let whole = Value::Array(elements.clone());
                    let value = if let [one] = elements.as_slice() { one } else { &whole };
                    member(page, name, |page| values::write(page, value));
                }
            });
        });
    });
}

fn member(page: &mut Html, name: &str, value: impl FnOnce(&mut Html)) {
    page.element("tr", &[], |page| {
        page.text_element("th", &[("scope", "row")], &label(name));
        page.element("td", &[], value);
    });
}
