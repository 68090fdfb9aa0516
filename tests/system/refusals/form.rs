//! Statements that are not what a statement must be.

use gt_core::base64url;
use gt_core::json::Value;

use super::{PLANTED, Spoiler};
use crate::partnership::now;

fn json(text: &str) -> Value {
    Value::parse(text.as_bytes()).expect("strict JSON")
}

#[test]
fn what_is_no_compact_statement_is_refused() {
    type Spoil = fn(Vec<u8>) -> Vec<u8>;
    let table: [(&str, u16, &str, Spoil); 11] = [
        ("nothing", 400, "not_compact", |_| Vec::new()),
        ("cut within the signature", 400, "not_compact", |mut text| {
            let end = text.iter().position(|byte| *byte == b'~').expect("a tilde");
            text.truncate(end - 9);
            text
        }),
        ("cut within a disclosure", 400, "key_binding_jwt", |mut text| {
            text.truncate(text.len() - 9);
            text
        }),
        ("a key-binding JWT", 400, "key_binding_jwt", |text| {
            [&text[..], b"eyJhIjoxfQ.eyJhIjoxfQ.c2ln"].concat()
        }),
        ("one part more", 400, "not_compact", |text| [b"e30.", &text[..]].concat()),
        ("not UTF-8", 400, "not_utf8", |mut text| {
            text[40] = 0xFF;
            text
        }),
        ("a byte-order mark", 400, "base64url", |text| [b"\xEF\xBB\xBF", &text[..]].concat()),
        ("a space", 400, "base64url", |text| [b" ", &text[..]].concat()),
        ("padding", 400, "base64url", |text| {
            let end = text.iter().position(|byte| *byte == b'~').expect("a tilde");
            [&text[..end], b"==", &text[end..]].concat()
        }),
        ("spare bits in the signature", 400, "base64url", |mut text| {
            // 64 bytes leave four bits of the last character unused.
            let end = text.iter().position(|byte| *byte == b'~').expect("a tilde");
            assert!(b"AQgw".contains(&text[end - 1]), "all four are zero");
            text[end - 1] += 1;
            text
        }),
        ("longer than a whole may be", 413, "too_long", |mut text| {
            text.resize(262_145, b'A');
            text
        }),
    ];
    let mut spoiler = Spoiler::new();
    for (what, status, code, spoil) in table {
        let text = spoil(spoiler.written().signed_by(&spoiler.publisher.key));
        spoiler.refused(what, status, code, &text);
    }
    spoiler.log_repeats_nothing();
}

#[test]
fn payloads_that_are_not_strict_json_are_refused() {
    Spoiler::new().all_refused(&[
        ("a repeated member", 400, "json_duplicate_member", |w| {
            w.payload(r#""seq":"#, r#""version":2,"seq":"#)
        }),
        ("a member repeated in disguise", 400, "json_duplicate_member", |w| {
            w.payload(r#""seq":"#, r#""\u0076ersion":1,"seq":"#)
        }),
        ("too deep", 400, "json_too_deep", |w| {
            w.data(&format!(r#""deep":{}true{}"#, "[".repeat(20), "]".repeat(20)))
        }),
        ("far too deep", 400, "json_too_deep", |w| {
            w.data(&format!(r#""deep":{}{}"#, "[".repeat(9_000), "]".repeat(9_000)))
        }),
        ("a huge number", 400, "json_number", |w| {
            w.payload(r#""version":2"#, r#""version":9007199254740993"#)
        }),
        ("a number with a thousand digits", 400, "json_number", |w| {
            w.payload(r#""version":2"#, format!(r#""version":{}"#, "9".repeat(1000)))
        }),
        ("an exponent", 400, "json_number", |w| w.payload(r#""version":2"#, r#""version":2e0"#)),
        ("a fraction", 400, "json_number", |w| w.payload(r#""version":2"#, r#""version":2.0"#)),
        ("minus nothing", 400, "json_number", |w| w.payload(r#""version":2"#, r#""version":-0"#)),
        ("not UTF-8", 400, "json_not_utf8", |w| w.payload(r#""Share""#, b"\"Marigold\xFF\"")),
        ("a byte-order mark", 400, "json_byte_order_mark", |w| w.payload("{", b"\xEF\xBB\xBF{")),
        ("a lone surrogate", 400, "json_lone_surrogate", |w| w.payload(r#""Share""#, r#""\ud800Marigold""#)),
        ("the character nought", 400, "json_nul", |w| w.payload(r#""Share""#, r#""Marigold\u0000""#)),
        ("a prototype", 400, "json_proto", |w| w.data(r#""__proto__":{"Marigold":true}"#)),
        ("something behind it", 400, "json_syntax", |w| w.payload("{", r#"{"Marigold":1}{"#)),
        ("a trailing comma", 400, "json_syntax", |w| w.payload(r#""version":2,"#, r#""version":2,,"#)),
        ("longer than a statement may be", 413, "too_long", |w| {
            w.data(&format!(r#""long":"{}{PLANTED}""#, "A".repeat(40_000)))
        }),
    ]);
}

#[test]
fn envelopes_that_no_statement_has_are_refused() {
    Spoiler::new().all_refused(&[
        ("no algorithm", 400, "header", |w| w.header(r#""Ed25519""#, r#""none""#)),
        ("another algorithm", 400, "header", |w| w.header(r#""Ed25519""#, r#""HS256""#)),
        ("another kind", 400, "header", |w| w.header("statement+sd-jwt", "JWT")),
        ("a key in the header", 400, "header", |w| w.header("{", r#"{"jwk":{"Marigold":"1"},"#)),
        ("a member too many", 400, "payload_member_unknown", |w| w.payload("{", r#"{"exp":1,"#)),
        ("a member too few", 400, "payload_member_missing", |w| w.payload(r#""version":2,"#, "")),
        ("no agency", 400, "payload_member_bad", |w| w.payload("gss:E06000999", PLANTED)),
        ("a version of nought", 400, "payload_member_bad", |w| w.payload(r#""version":2"#, r#""version":0"#)),
        ("a negative time", 400, "payload_member_bad", |w| w.payload(r#""iat":"#, r#""iat":-"#)),
        ("another digest", 400, "payload_member_bad", |w| w.payload("sha-256", "sha-1")),
        ("a type that is none", 400, "payload_member_bad", |w| {
            w.payload("decision.recorded", "Marigold Close")
        }),
        ("an unknown type", 422, "unknown_type", |w| w.payload("decision.recorded", "decision.marigold")),
        ("an unknown version", 422, "unknown_version", |w| w.payload(r#""version":2"#, r#""version":3"#)),
        ("signed in an hour", 422, "from_the_future", |w| {
            // A minute may pass between drafting and spoiling; it is the digits that count.
            let earlier = (0..60)
                .map(|ago| format!(r#""iat":{}"#, now() - ago))
                .find(|iat| w.payload_text().contains(iat));
            w.payload(&earlier.expect("signed just now"), format!(r#""iat":{}"#, now() + 3600))
        }),
        ("to another ledger", 422, "wrong_audience", |w| {
            w.payload("ledger.example/system", "ledger.example/Marigold")
        }),
    ]);
}

#[test]
fn values_in_the_clear_and_events_against_their_schema_are_refused() {
    Spoiler::new().all_refused(&[
        ("a name in the clear", 400, "personal_data_in_clear", |w| w.payload(r#""Share""#, r#""Marigold Close""#)),
        ("a number in the clear", 400, "personal_data_in_clear", |w| w.data(r#""age":9"#)),
        ("a pseudonym in the clear", 400, "personal_data_in_clear", |w| {
            w.data(r#""subject":"nhs.1:S5gwU5S8Y5U-bxah2P9n2yeC_c72A0KjD6RASvAIcMQ""#)
        }),
        ("a name as a member", 400, "data_member_name", |w| w.data(r#""Marigold":true"#)),
        ("a missing member", 422, "missing_member", |w| w.without("decision", r#""Share""#)),
        ("an unknown member", 422, "unknown_member", |w| w.data(r#""colour":"Marigold""#)),
        ("an unknown code", 422, "bad_value", |w| w.payload(r#""Share""#, r#""Marigold""#)),
        ("a date that is none", 422, "bad_time", |w| {
            w.says("times", &json(r#"{"occurred_at":"2026-02-30T10:40:00Z","decided_at":"2026-02-09T10:40:00Z"}"#))
        }),
        ("a time without its zone", 422, "bad_time", |w| {
            w.says("times", &json(r#"{"occurred_at":"2026-02-09T10:40:00","decided_at":"2026-02-09T10:40:00Z"}"#))
        }),
        ("a blank rationale", 422, "blank_text", |w| w.says("rationale", &json(r#"" \n\t ""#))),
        ("a rationale that is a list", 422, "bad_value", |w| w.says("rationale", &json(r#"["Marigold"]"#))),
        ("a role that is no role", 422, "bad_value", |w| {
            w.says("child", &json(r#"{"pseudonym":"nhs.1:S5gwU5S8Y5U-bxah2P9n2yeC_c72A0KjD6RASvAIcMQ","role":"Marigold"}"#))
        }),
        ("a child by name", 422, "unknown_member", |w| {
            w.says(
                "child",
                &json(r#"{"pseudonym":"nhs.1:S5gwU5S8Y5U-bxah2P9n2yeC_c72A0KjD6RASvAIcMQ","role":"Child","name":"Marigold"}"#),
            )
        }),
        ("a child without pseudonym", 400, "bad_pseudonym", |w| {
            w.says("child", &json(r#"{"pseudonym":"nhs.1:9990000018","role":"Child"}"#))
        }),
    ]);
}

#[test]
fn disclosures_that_do_not_fit_are_refused() {
    Spoiler::new().all_refused(&[
        ("a digest without its disclosure", 400, "disclosure_missing", |w| w.withholding("rationale")),
        ("a disclosure without a digest", 400, "disclosure_unreferenced", |w| {
            w.sending(&base64url::encode(br#"["AAAAAAAAAAAAAAAAAAAAAA","Marigold"]"#))
        }),
        ("a disclosure twice", 400, "disclosure_repeated", |w| {
            let twice = w.disclosure("rationale");
            w.sending(&twice)
        }),
        ("two rationales", 400, "too_many_elements", |w| {
            let second = base64url::encode(br#"["AAAAAAAAAAAAAAAAAAAAAA","Marigold"]"#);
            let digest = gt_core::statement::Disclosure::digest_of(&second);
            let first = format!(r#"{{"...":"{}"}}"#, w.digest("rationale"));
            w.sending(&second).payload(&first, format!(r#"{first},{{"...":"{digest}"}}"#))
        }),
        ("one digest in two places", 400, "digest_repeated", |w| {
            let (from, to) = (w.digest("purpose_text"), w.digest("rationale"));
            w.withholding("purpose_text").payload(&from, to)
        }),
        ("a digest elsewhere", 400, "digest_misplaced", |w| {
            let digest = w.digest("rationale");
            w.data(&format!(r#""nested":{{"deeper":[{{"...":"{digest}"}}]}}"#))
        }),
        ("digests of members", 400, "digest_misplaced", |w| {
            w.data(r#""_sd":["Marigold"]"#)
                .payload(r#""_sd":["#, r#""sd":{"_sd":["#)
                .payload(r#"["Marigold"]"#, r#"["Marigold"]}"#)
        }),
        ("digests in a disclosure", 400, "digest_in_disclosure", |w| {
            w.says("rationale", &json(r#"{"_sd":["Marigold"]}"#))
        }),
        ("a short salt", 400, "salt_too_short", |w| {
            w.discloses("rationale", format!(r#"["{}","Marigold"]"#, base64url::encode(&[7; 15])))
        }),
        ("a salt that is none", 400, "salt_too_short", |w| {
            w.discloses("rationale", r#"["Marigold Marigold Marigold Marigold","x"]"#)
        }),
        ("no salt", 400, "disclosure_malformed", |w| w.discloses("rationale", r#"["Marigold"]"#)),
        ("a disclosure of a member", 400, "disclosure_malformed", |w| {
            w.discloses("rationale", r#"["AAAAAAAAAAAAAAAAAAAAAA","rationale","Marigold"]"#)
        }),
        ("a disclosure that repeats a member", 400, "json_duplicate_member", |w| {
            w.discloses("refs", r#"["AAAAAAAAAAAAAAAAAAAAAA",{"case":"Marigold","case":"Close"}]"#)
        }),
        ("a disclosure that is not UTF-8", 400, "json_not_utf8", |w| {
            w.discloses("rationale", b"[\"AAAAAAAAAAAAAAAAAAAAAA\",\"Marigold\xFF\"]")
        }),
        ("a disclosure that is not base64url", 400, "base64url", |w| {
            w.disclosed_as("rationale", "Marigold Close")
        }),
        ("a disclosure that is too long", 413, "too_long", |w| {
            w.says("rationale", &Value::from(PLANTED.repeat(4_000).as_str()))
        }),
        ("a rationale that is too long", 422, "text_too_long", |w| {
            w.says("rationale", &Value::from(PLANTED.repeat(2_600).as_str()))
        }),
        ("kept, but sent", 400, "kept_but_sent", |w| w.data(r#""kept":["advice_content"]"#)),
        ("kept, and no member", 400, "kept_bad", |w| w.data(r#""kept":["Marigold"]"#)),
        ("a child that is kept", 400, "kept_bad", |w| w.data(r#""kept":["child"]"#).withholding("child")),
    ]);
}
