//! Step 1: JSON and form.

use serde_json::json;

use super::{Case, case};

const STEP: u8 = 1;

/// Every member of every structure, with a bundle that has it.
const MEMBERS: [(&str, &str); 39] = [
    ("child", "/format"),
    ("child", "/manifest"),
    ("child", "/manifest/about"),
    ("child", "/manifest/about/kind"),
    ("child", "/manifest/about/subjects"),
    ("child", "/manifest/made_at"),
    ("child", "/manifest/entries"),
    ("child", "/checkpoint"),
    ("child", "/consistency"),
    ("child", "/registrar"),
    ("child", "/registrar/1/proof"),
    ("child", "/registrar/1/statement"),
    ("child", "/registrar/1/disclosures"),
    ("child", "/registrar/1/left_out"),
    ("child", "/tip"),
    ("child", "/records"),
    ("child", "/records/1/proof"),
    ("child", "/records/1/statement"),
    ("child", "/records/1/disclosures"),
    ("child", "/records/1/left_out"),
    ("child", "/records/1/left_out/0/digest"),
    ("child", "/records/1/left_out/0/why"),
    ("child", "/records/7/proof"),
    ("child", "/completeness"),
    ("child", "/completeness/1/subject"),
    ("child", "/completeness/1/links"),
    ("child", "/completeness/1/next"),
    ("child", "/completeness/1/links/2/n"),
    ("child", "/completeness/1/links/2/index"),
    ("child", "/completeness/1/links/2/name"),
    ("child", "/completeness/1/links/2/blinding"),
    ("entries", "/manifest/about/first"),
    ("entries", "/manifest/about/last"),
    ("entries", "/completeness"),
    ("agency", "/manifest/about/agency"),
    ("agency", "/records/4/left_out"),
    ("alert", "/manifest/about/alert"),
    ("alert", "/manifest/about/pattern"),
    ("alert", "/records/2/proof"),
];

/// Every structure.
const OBJECTS: [&str; 9] = [
    "",
    "/manifest",
    "/manifest/about",
    "/registrar/0",
    "/records/0",
    "/records/7",
    "/records/1/left_out/0",
    "/completeness/0",
    "/completeness/0/links/0",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (base, place) in MEMBERS {
        let missing = case(format!("{base}: {place} is missing"), STEP, base).remove(place);
        let null = case(format!("{base}: {place} is null"), STEP, base).replace(place, json!(null));
        cases.extend([missing, null].map(|case| case.fault("bundle_member", place)));
    }
    for place in OBJECTS {
        let more = case(format!("an unknown member in {place:?}"), STEP, "child");
        cases.push(more.add(&format!("{place}/more"), true).fault("bundle_member", place));
    }
    cases.extend(json_cases());
    cases.extend(form_cases());
    cases.extend(list_cases());
    cases.extend(consistency_cases());
    cases
}

fn json_cases() -> Vec<Case> {
    let text = |name: &str, find: &str, with: &str, code: &str| {
        case(name, STEP, "child").in_text(find, with).fault(code, "")
    };
    let deep = format!("\"consistency\":{}{},\"was\":[", "[".repeat(16), "]".repeat(16));
    let format = r#"{"format":"gt/bundle/1","#;
    vec![
        text(
            "a member twice",
            format,
            r#"{"format":"gt/bundle/1","format":"gt/bundle/1","#,
            "json_duplicate_member",
        ),
        text(
            "a member twice, once with an escape",
            format,
            r#"{"format":"gt/bundle/1","form\u0061t":"gt/bundle/1","#,
            "json_duplicate_member",
        ),
        text(
            "a second why",
            r#""why":"ended""#,
            r#""why":"withheld","why":"ended""#,
            "json_duplicate_member",
        ),
        text(
            "a second list of subjects",
            r#""kind":"child","#,
            r#""kind":"child","subjects":[],"#,
            "json_duplicate_member",
        ),
        text("a member named __proto__", format, r#"{"format":"gt/bundle/1","__proto__":{},"#, "json_proto"),
        text("a byte-order mark", format, "\u{feff}{\"format\":\"gt/bundle/1\",", "json_byte_order_mark"),
        text("half a surrogate pair", "gt/bundle/1", r"gt/bundle/1\ud83d", "json_lone_surrogate"),
        text("the character U+0000", "gt/bundle/1", r"gt/bundle/1\u0000", "json_nul"),
        text("a number with a fraction", r#""index":5,"#, r#""index":5.0,"#, "json_number"),
        text("a number with an exponent", r#""index":5,"#, r#""index":5e0,"#, "json_number"),
        text("minus zero", r#""index":5,"#, r#""index":-0,"#, "json_number"),
        text("a number over 2^53 - 1", r#""index":5,"#, r#""index":9007199254740992,"#, "json_number"),
        text("nested too deeply", "\"consistency\":[", &deep, "json_too_deep"),
        text("something after the end", "\n", "\n{}", "json_syntax"),
        text("broken off in the middle", "\"records\":[", "\"records\":[}", "json_syntax"),
    ]
}

fn form_cases() -> Vec<Case> {
    let member = |name: &str, base: &'static str, place: &str, value: serde_json::Value| {
        case(name, STEP, base).replace(place, value).fault("bundle_member", place)
    };
    vec![
        case("no object at all", STEP, "child").replace("", json!([])).fault("bundle_member", ""),
        case("another version of the format", STEP, "child")
            .replace("/format", "gt/bundle/2")
            .remove("/manifest")
            .fault("bundle_format", "/format"),
        member("another kind", "child", "/manifest/about/kind", json!("person")),
        member("a negative index", "entries", "/manifest/about/first", json!(-1)),
        member("an index as text", "entries", "/manifest/about/last", json!("14")),
        member("a time with an offset", "child", "/manifest/made_at", json!("2026-03-02T10:00:00+00:00")),
        member("an agency of an unknown scheme", "agency", "/manifest/about/agency", json!("fire:1")),
        member("an alert with a space", "alert", "/manifest/about/alert", json!("an alert")),
        member("an alert without an id", "alert", "/manifest/about/alert", json!("")),
        member("a pattern in capitals", "alert", "/manifest/about/pattern", json!("Repeat")),
        member("another reason for what is left out", "child", "/records/1/left_out/0/why", json!("lost")),
        member("another reason for what is absent", "child", "/records/7/absent", json!("lost")),
        member("a digest that is too short", "child", "/records/1/left_out/0/digest", json!("AAAA")),
        member("a link's name of 15 bytes", "child", "/completeness/0/links/0/name", json!("A".repeat(20))),
        member(
            "a blinding with spare bits",
            "child",
            "/completeness/0/links/0/blinding",
            json!("B".repeat(43)),
        ),
        member("a subject that is no pseudonym", "child", "/completeness/0/subject", json!("Maya")),
        member("a disclosure that is no text", "child", "/records/0/disclosures/1", json!(7)),
    ]
}

/// What a bundle would have few of is bounded, as each that does not read is a finding.
fn consistency_cases() -> Vec<Case> {
    let place = "/consistency";
    let of = |count: usize, text: &str| {
        case(format!("{count} consistency proofs, each {text:?}"), STEP, "alert")
            .replace(place, json!(vec![text; count]))
    };
    vec![
        of(64, "old 1\n\n"),
        of(65, "old 1\n\n").fault("bundle_member", place),
        of(65, "").fault("bundle_member", place),
    ]
}

fn list_cases() -> Vec<Case> {
    let subjects = "/manifest/about/subjects";
    let seventeen: Vec<String> =
        (0..17_u8).map(|n| format!("nhs.1:{}", gt_core::base64url::encode(&[n; 32]))).collect();
    let long_scheme = format!("{}.1:{}", "n".repeat(17), gt_core::base64url::encode(&[0; 32]));
    vec![
        case("a subject with a scheme of 17 letters", STEP, "child")
            .replace("/manifest/about/subjects/0", json!(long_scheme))
            .fault("bundle_member", "/manifest/about/subjects/0"),
        case("no subject", STEP, "child").replace(subjects, json!([])).fault("bundle_member", subjects),
        case("17 subjects", STEP, "child")
            .replace(subjects, json!(seventeen))
            .fault("bundle_member", subjects),
        case("a subject twice", STEP, "child")
            .copy("/manifest/about/subjects/0", "/manifest/about/subjects/-")
            .fault("bundle_member", "/manifest/about/subjects/2"),
        case("no statement of the registrar", STEP, "child")
            .replace("/registrar", json!([]))
            .fault("bundle_member", "/registrar"),
        case("a statement of the registrar is absent", STEP, "child")
            .remove("/registrar/8/statement")
            .add("/registrar/8/absent", "ended")
            .fault("bundle_member", "/registrar/8/statement"),
        case("a record that is there and absent", STEP, "child")
            .add("/records/0/absent", "ended")
            .fault("bundle_member", "/records/0"),
        case("an absent record that is neither", STEP, "child")
            .remove("/records/7/absent")
            .fault("bundle_member", "/records/7/statement"),
        case("two things are wrong, the first in the format's order counts", STEP, "child")
            .replace("/tip", json!(1))
            .replace("/manifest/entries/0", json!("5"))
            .add("/more", true)
            .fault("bundle_member", "/manifest/entries/0"),
        case("within an object its own members come before unknown ones", STEP, "child")
            .add("/manifest/about/more", true)
            .remove("/manifest/about/subjects")
            .fault("bundle_member", "/manifest/about/subjects"),
    ]
}
