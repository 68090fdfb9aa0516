//! Every type of event as a page, whatever it holds; and the page of a demonstration's case, to the byte.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gt_core::LeafIndex;
use gt_core::bundle::{About, BundleInputs, Verdict, verify_bundle};
use gt_core::json::Value;
use gt_core::statement::DraftMember;
use gt_schemas::EventType;
use serde_json::json;

use super::*;
use crate::demo::{AGENCIES, CasePlace, Plan};

mod model;

pub(in crate::evidence) use model::Model;

/// The schemas' examples: the type, its version and the data.
fn examples() -> Vec<(EventType, u16, serde_json::Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/examples");
    let mut examples: Vec<(EventType, u16, serde_json::Value)> = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let mut parts = name.split('.');
        let (Some(one), Some(two)) = (parts.next(), parts.next()) else { continue };
        let kind = EventType::parse(&format!("{one}.{two}")).unwrap();
        let version = if parts.any(|part| part == "v1") { 1 } else { kind.version() };
        examples.push((kind, version, serde_json::from_slice(&fs::read(path).unwrap()).unwrap()));
    }
    examples.sort_by_key(|(kind, version, data)| (*kind, *version, data.to_string()));
    examples
}

const HOSTILE: &str = "</td><script>alert(1)</script>&lt;<img src=x onerror=y>\"'\u{202e}\u{7}";

/// Puts the hostile text wherever a text may stand that people write.
fn poisoned(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let is_text = value.is_string() && !["pseudonym", "ref", "role"].contains(&name.as_str());
                let is_time = name.ends_with("_at");
                let value = if is_text && !is_time { json!(HOSTILE) } else { poisoned(value) };
                (name, value)
            })
            .collect(),
        serde_json::Value::Array(elements) => elements.into_iter().map(poisoned).collect(),
        serde_json::Value::String(_) => json!(HOSTILE),
        other => other,
    }
}

/// The tags of a page, without those that are not the program's own.
pub(in crate::evidence) fn tags(page: &str) -> BTreeSet<String> {
    let names = page.split('<').skip(1).map(|rest| {
        rest.trim_start_matches('/')
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .next()
            .unwrap()
            .to_owned()
    });
    names.collect()
}

pub(in crate::evidence) const TAGS: [&str; 36] = [
    "", "html", "head", "meta", "title", "style", "body", "header", "nav", "ul", "li", "a", "main",
    "section", "h1", "h2", "h3", "article", "p", "strong", "code", "pre", "bdi", "time", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd", "div", "footer",
];

fn check_markup(page: &str) {
    let known: BTreeSet<String> = TAGS.iter().map(|tag| (*tag).to_owned()).collect();
    let strange: Vec<_> = tags(page).difference(&known).cloned().collect();
    assert_eq!(strange, [""; 0], "tags that are not the program's own");
    for outside in ["http:", "https:", "<script", "onerror=y>", "url(", "@import", "src=", "javascript:"] {
        let plain = page.replace("&lt;img src=x onerror=y&gt;", "");
        assert!(!plain.contains(outside), "{outside}");
    }
    assert!(!page.contains('\u{202e}') && !page.contains('\u{7}'));
    for tag in ["article", "table", "section", "td", "bdi", "dl", "ul"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn every_type_of_event_has_its_sentence() {
    let mut model = Model::new();
    let examples = examples();
    let types: BTreeSet<EventType> = examples.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(types.len(), EventType::ALL.len());
    for (kind, version, data) in &examples {
        model.seal("gss:E06000999", kind.as_str(), *version, data, &[]);
    }
    let bundle = model.bundle(About::Entries { first: LeafIndex(0), last: model.last() }, &[]);
    let page = render(&bundle).unwrap();
    check_markup(&page);
    assert!(!page.contains("does not interpret"), "each is interpreted");
    let said: Vec<&str> =
        page.split("<p class=\"said\"><bdi>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(said.len(), examples.len());
    for sentence in &said {
        assert!(sentence.starts_with("gss:E06000999") || sentence.contains(" gss:E06000999"), "{sentence}");
        assert!(
            sentence.ends_with('.') && !sentence.contains("  ") && !sentence.contains(".."),
            "{sentence}"
        );
    }
    // An example of the same type may say the same; different types never do.
    let distinct: BTreeSet<&str> = said.into_iter().collect();
    assert!(distinct.len() >= EventType::ALL.len(), "{}", distinct.len());
}

#[test]
fn nothing_that_a_statement_says_becomes_markup() {
    let mut model = Model::named("</td><script>alert(1)</script>'\"&");
    for (kind, version, data) in examples() {
        model.seal("gss:E06000999", kind.as_str(), version, &poisoned_disclosures(kind, version, data), &[]);
    }
    let bundle = model.bundle(About::Entries { first: LeafIndex(0), last: model.last() }, &[]);
    let page = render(&bundle).unwrap();
    check_markup(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.matches("&lt;img").count() > 100, "{}", page.matches("&lt;img").count());
}

/// What is in the clear has a form that statements keep to; what is disclosed may be anything.
fn poisoned_disclosures(kind: EventType, version: u16, data: serde_json::Value) -> serde_json::Value {
    let members = gt_schemas::members_at(kind, version).unwrap();
    let is_clear = |name: &str| {
        members.iter().any(|member| member.name == name && member.place == gt_schemas::Place::Clear)
    };
    let serde_json::Value::Object(data) = data else { unreachable!() };
    data.into_iter()
        .map(|(name, value)| {
            let value = if name == "kept" || is_clear(&name) { value } else { poisoned(value) };
            (name, value)
        })
        .collect()
}

#[test]
fn a_type_that_came_later_is_shown_by_its_members() {
    let mut model = Model::new();
    let members = vec![
        ("colour".to_owned(), DraftMember::Clear(Value::from("VeryRed"))),
        ("story".to_owned(), DraftMember::Disclosed(vec![Value::from("Once upon a time.")])),
    ];
    model.seal_members("gss:E06000999", "weather.reported", 3, members, &[]);
    let page =
        render(&model.bundle(About::Entries { first: LeafIndex(0), last: model.last() }, &[])).unwrap();
    check_markup(&page);
    for said in ["weather.reported, version 3", "does not interpret", "very red", "Once upon a time."] {
        assert!(page.contains(said), "{said}");
    }
}

/// Case 9 of the demonstration: bruises that were not passed on.
fn demo_case() -> Bundle {
    const NOON: i64 = 1_782_820_800_000;
    let plan = Plan::new(NOON, 0);
    let case = plan.cases.iter().position(|case| case.case == "9").unwrap();
    let mut model = Model::new();
    let mut drafts: Vec<_> = AGENCIES
        .iter()
        .zip(&plan.drafts)
        .flat_map(|(agency, drafts)| drafts.iter().map(move |draft| (agency, draft)))
        .filter(|(_, draft)| draft.place.is_some_and(|place: CasePlace| place.case == case))
        .collect();
    drafts.sort_by_key(|(_, draft)| draft.place);
    for (agency, draft) in drafts {
        let kind = EventType::parse(&draft.event_type).unwrap();
        model.seal(agency.code, kind.as_str(), kind.version(), &draft.data, &["alternative_action"]);
    }
    model.revoke("ofsted:EY999001");
    let about = About::Alert { alert: "AAAAAAAAAAAAAAAAAAAAAA".into(), pattern: "withheld-then-harm".into() };
    model.bundle(about, &["practitioner"])
}

/// `GT_BLESS=1` writes it anew.
#[test]
fn the_page_of_a_demonstrations_case_is_current() {
    let bundle = demo_case();
    let verdict = verify_bundle(bundle.to_string().as_bytes(), BundleInputs::default());
    assert_eq!((verdict.verdict, verdict.faults.len()), (Verdict::CouldNotTell, 0), "{verdict:?}");
    let page = render(&bundle).unwrap();
    check_markup(&page);
    for said in ["kept at home by the agency", "withheld from this copy", "In doubt", "was revoked"] {
        assert!(page.contains(said), "{said}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence/tests/case-9.html");
    if std::env::var_os("GT_BLESS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    assert!(fs::read_to_string(&file).unwrap_or_default() == page, "GT_BLESS=1 renews the page");
}

#[test]
fn what_does_not_read_is_named_and_gives_no_page() {
    let good = demo_case();
    let spoilt = |spoil: fn(&mut Bundle)| {
        let mut bundle = good.clone();
        spoil(&mut bundle);
        render(&bundle).expect_err("no page").to_string()
    };
    assert!(spoilt(|bundle| bundle.checkpoint.clear()).contains("checkpoint"));
    assert!(spoilt(|bundle| bundle.registrar.clear()).contains("/registrar"));
    assert!(spoilt(|bundle| bundle.registrar[0].statement.clear()).contains("/registrar/0"));
    let gt_core::bundle::BundleRecord::Stated(_) = &good.records[0] else { panic!("a statement") };
    let proofless = spoilt(|bundle| {
        bundle.records[0] =
            gt_core::bundle::BundleRecord::Absent { proof: String::new(), why: gt_core::bundle::Why::Ended };
    });
    assert!(proofless.contains("/records/0"), "{proofless}");
}
