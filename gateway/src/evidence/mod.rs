//! An evidence bundle as a page for people: one file without script and without anything from elsewhere, to read and to print.
//!
//! The page proves nothing, and says so: it shows what the bundle says. What may be believed of it is for `goldenthread verify` and
//! other verifiers to say, over the bundle itself.
//!
//! [`read`] takes the bundle apart, `sentences` says each event in plain words, the other modules are the page's sections, and [`html`]
//! is the only place where markup is made.

mod cover;
mod html;
mod integrity;
mod read;
mod registry;
mod sentences;
pub(crate) mod subject_access;
mod timeline;
mod values;
mod words;

pub use read::EvidenceError;
pub(crate) use words::count;

use gt_core::bundle::Bundle;

use html::Html;
use read::Evidence;

const STYLE: &str = include_str!("style.css");

/// The page of a bundle. Fails if a part of the bundle does not read, and then says which.
pub fn render(bundle: &Bundle) -> Result<String, EvidenceError> {
    let evidence = Evidence::read(bundle)?;
    let mut page = Html::page(&format!("Evidence from {}", evidence.head.origin()), STYLE);
    page.element("header", &[], |page| cover::write(page, &evidence));
    page.element("nav", &[("aria-label", "On this page")], |page| {
        page.element("ul", &[], |page| {
            for (id, title) in SECTIONS {
                page.element("li", &[], |page| page.text_element("a", &[("href", &format!("#{id}"))], title));
            }
        });
    });
    page.element("main", &[], |page| {
        section(page, SECTIONS[0], |page| timeline::write(page, &evidence));
        section(page, SECTIONS[1], |page| registry::write(page, &evidence));
        section(page, SECTIONS[2], |page| integrity::write(page, &evidence));
    });
    page.element("footer", &[], |page| {
        page.text_element("p", &[], "This page was made from an evidence bundle and proves nothing by itself. The bundle does: check it with goldenthread verify, or with any other verifier of its format.");
    });
    Ok(page.finish())
}

/// The sections' ids and titles.
const SECTIONS: [(&str, &str); 3] = [
    ("timeline", "What happened"),
    ("registry", "Who was allowed to sign"),
    ("integrity", "What the proofs are about"),
];

fn section(page: &mut Html, (id, title): (&str, &str), content: impl FnOnce(&mut Html)) {
    let heading = format!("{id}-title");
    page.element("section", &[("id", id), ("aria-labelledby", &heading)], |page| {
        page.text_element("h2", &[("id", &heading)], title);
        content(page);
    });
}

#[cfg(test)]
mod tests;
