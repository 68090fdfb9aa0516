//! Strict JSON texts and times.

use gt_core::base64url;
use gt_core::json::Value;
use gt_core::time::Timestamp;
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, text};

pub(crate) fn json_outcome(_: &Json, case: &Json) -> Value {
    match Value::parse(&bytes(case, "bytes")) {
        Ok(value) => document::accepted([("value", value)]),
        Err(error) => document::refused(error.fault.code()),
    }
}

pub(crate) fn json_document() -> Value {
    let mut cases = Vec::new();
    for (name, rule, bytes) in ACCEPTED_JSON {
        cases.push(NewCase::accepted(name, rule).with("bytes_base64url", base64url::encode(bytes)));
    }
    for (name, rule, code, bytes) in REFUSED_JSON {
        cases.push(NewCase::refused(name, rule, code).with("bytes_base64url", base64url::encode(bytes)));
    }
    let depth = "FORMATS 1: nesting is at most 16 deep; the outermost value is at depth 1";
    let nested = |levels: usize, inner: &str| {
        base64url::encode(format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels)).as_bytes())
    };
    let alternating = base64url::encode(format!("{}{}", r#"[{"a":"#.repeat(9), "}]".repeat(9)).as_bytes());
    cases.push(NewCase::accepted("sixteen arrays", depth).with("bytes_base64url", nested(16, "")));
    cases.push(
        NewCase::accepted("a number within sixteen arrays", depth).with("bytes_base64url", nested(16, "1")),
    );
    cases.push(
        NewCase::refused("seventeen arrays", depth, "json_too_deep").with("bytes_base64url", nested(17, "")),
    );
    cases.push(
        NewCase::refused("eighteen levels of both kinds", depth, "json_too_deep")
            .with("bytes_base64url", alternating),
    );
    let crowd: Vec<String> = (0..40).map(|n| format!(r#""m{n}":{n}"#)).chain(["\"m7\":0".into()]).collect();
    let crowd = base64url::encode(format!("{{{}}}", crowd.join(",")).as_bytes());
    let rule = "FORMATS 1: members do not repeat";
    cases.push(
        NewCase::refused("forty members and one again", rule, "json_duplicate_member")
            .with("bytes_base64url", crowd),
    );
    document::document(
        "Strict JSON (FORMATS 1): read `bytes_base64url` as one JSON text. An accepted text has the value `value`.",
        Vec::new(),
        cases,
        json_outcome,
    )
}

const NUMBER: &str =
    "FORMATS 1: a number is an integer within ±(2^53−1), without fraction or exponent, and not -0";
const GRAMMAR: &str = "FORMATS 1: the grammar of RFC 8259, and nothing after the value";
const SURROGATE: &str = "FORMATS 1: a lone surrogate is refused, escaped or raw";
const NUL: &str = "FORMATS 1: U+0000 stands in no string and no member name";
const REPEATED: &str = "FORMATS 1: members do not repeat after unescaping";
const UTF8: &str = "FORMATS 1: UTF-8 without a byte-order mark";
const PROTO: &str = "FORMATS 1: a member named __proto__ is refused";

const ACCEPTED_JSON: [(&str, &str, &[u8]); 12] = [
    ("every kind of value", GRAMMAR, br#"{"a":[null,true,false,0,-1,"b"],"c":{}}"#),
    ("white space of every kind", GRAMMAR, b" \t\r\n{ \"a\" :\t[ 1 ,\r\n2 ] }\n"),
    ("a value that is no container", GRAMMAR, b"\"text\""),
    ("escapes of every kind", GRAMMAR, br#""\"\\\/\b\f\n\r\t\u00e9""#),
    ("the largest number", NUMBER, b"9007199254740991"),
    ("the smallest number", NUMBER, b"-9007199254740991"),
    ("a surrogate pair, escaped", SURROGATE, br#""\ud83e\uddf5""#),
    ("the same character, raw", SURROGATE, "\"\u{1f9f5}\"".as_bytes()),
    ("a noncharacter", UTF8, "\"\u{ffff}\"".as_bytes()),
    ("U+FEFF within a string", UTF8, "\"\u{feff}\"".as_bytes()),
    ("names that differ in case only", REPEATED, br#"{"a":1,"A":2}"#),
    ("the same name in two objects", REPEATED, br#"{"a":{"a":1}}"#),
];

const REFUSED_JSON: [(&str, &str, &str, &[u8]); 51] = [
    ("nothing", GRAMMAR, "json_syntax", b""),
    ("white space only", GRAMMAR, "json_syntax", b"  \n"),
    ("two values", GRAMMAR, "json_syntax", b"{} {}"),
    ("text after the value", GRAMMAR, "json_syntax", b"true,"),
    ("a trailing comma in an array", GRAMMAR, "json_syntax", b"[1,]"),
    ("a trailing comma in an object", GRAMMAR, "json_syntax", br#"{"a":1,}"#),
    ("an unquoted name", GRAMMAR, "json_syntax", b"{a:1}"),
    ("single quotes", GRAMMAR, "json_syntax", b"'a'"),
    ("a comment", GRAMMAR, "json_syntax", b"/**/1"),
    ("a form feed as white space", GRAMMAR, "json_syntax", b"\x0c1"),
    ("a no-break space as white space", GRAMMAR, "json_syntax", "\u{a0}1".as_bytes()),
    ("an unfinished word", GRAMMAR, "json_syntax", b"tru"),
    ("a word in capitals", GRAMMAR, "json_syntax", b"True"),
    ("NaN", GRAMMAR, "json_syntax", b"NaN"),
    ("Infinity", GRAMMAR, "json_syntax", b"Infinity"),
    ("an unclosed string", GRAMMAR, "json_syntax", b"\"abc"),
    ("an unclosed object", GRAMMAR, "json_syntax", br#"{"a":1"#),
    ("a raw tab in a string", GRAMMAR, "json_syntax", b"\"\t\""),
    ("a raw newline in a string", GRAMMAR, "json_syntax", b"\"\n\""),
    ("an unknown escape", GRAMMAR, "json_syntax", br#""\x41""#),
    ("an escape cut short", GRAMMAR, "json_syntax", br#""\u12""#),
    ("an escape that is not hexadecimal", GRAMMAR, "json_syntax", br#""\u00g0""#),
    ("a leading zero", GRAMMAR, "json_syntax", b"01"),
    ("a leading zero after the minus", GRAMMAR, "json_syntax", b"-01"),
    ("a leading plus", GRAMMAR, "json_syntax", b"+1"),
    ("a minus alone", GRAMMAR, "json_syntax", b"-"),
    ("a hexadecimal number", GRAMMAR, "json_syntax", b"0x10"),
    ("a bare decimal point", GRAMMAR, "json_syntax", b".5"),
    ("a fraction", NUMBER, "json_number", b"1.5"),
    ("a fraction that is whole", NUMBER, "json_number", b"1.0"),
    ("an exponent", NUMBER, "json_number", b"1e2"),
    ("an exponent in capitals", NUMBER, "json_number", b"[1E0]"),
    ("minus zero", NUMBER, "json_number", b"-0"),
    ("one above the largest", NUMBER, "json_number", b"9007199254740992"),
    ("one below the smallest", NUMBER, "json_number", b"-9007199254740992"),
    ("a number of thirty digits", NUMBER, "json_number", b"100000000000000000000000000000"),
    ("a repeated member", REPEATED, "json_duplicate_member", br#"{"a":1,"a":1}"#),
    ("a repeated member, once escaped", REPEATED, "json_duplicate_member", br#"{"a":1,"\u0061":2}"#),
    ("a repeated member further in", REPEATED, "json_duplicate_member", br#"[{"b":{"a":1,"b":2,"a":3}}]"#),
    ("a high surrogate at the end", SURROGATE, "json_lone_surrogate", br#""\ud800""#),
    ("a high surrogate before a letter", SURROGATE, "json_lone_surrogate", br#""\ud800\u0041""#),
    ("a low surrogate alone", SURROGATE, "json_lone_surrogate", br#""\udc00""#),
    ("surrogates the wrong way round", SURROGATE, "json_lone_surrogate", br#""\udc00\ud800""#),
    ("a raw surrogate", SURROGATE, "json_lone_surrogate", b"\"\xed\xa0\x80\""),
    ("an escaped U+0000", NUL, "json_nul", br#""a\u0000b""#),
    ("a raw U+0000", NUL, "json_nul", b"\"a\0b\""),
    ("U+0000 in a name", NUL, "json_nul", br#"{"\u0000":1}"#),
    ("a byte-order mark", UTF8, "json_byte_order_mark", b"\xef\xbb\xbf{}"),
    ("a byte that UTF-8 does not have", UTF8, "json_not_utf8", b"\"\xff\""),
    ("__proto__", PROTO, "json_proto", br#"{"__proto__":{}}"#),
    ("__proto__, escaped", PROTO, "json_proto", br#"{"a":{"\u005f_proto__":1}}"#),
];

pub(crate) fn time_outcome(_: &Json, case: &Json) -> Value {
    match Timestamp::parse(text(case, "text")) {
        Ok(time) => document::accepted([
            ("milliseconds", Value::Integer(time.as_millis())),
            ("with_three_decimals", Value::String(time.to_string())),
        ]),
        Err(error) => document::refused(error.code()),
    }
}

pub(crate) fn times_document() -> Value {
    let accepted =
        ACCEPTED_TIMES.iter().map(|(name, time)| NewCase::accepted(name, TIME).with("text", *time));
    let refused =
        REFUSED_TIMES.iter().map(|(name, time)| NewCase::refused(name, TIME, "bad_time").with("text", *time));
    document::document(
        "Times (FORMATS 2). `milliseconds` counts from 1970-01-01T00:00:00Z; `with_three_decimals` is how `received_at` writes it.",
        Vec::new(),
        accepted.chain(refused).collect(),
        time_outcome,
    )
}

const TIME: &str =
    "FORMATS 2: YYYY-MM-DDThh:mm:ss[.d{1,3}]Z, upper case, years 0001–9999, of a day and second that exist";

const ACCEPTED_TIMES: [(&str, &str); 8] = [
    ("the epoch", "1970-01-01T00:00:00Z"),
    ("before the epoch", "1969-12-31T23:59:59.999Z"),
    ("one decimal", "2026-03-01T09:00:00.5Z"),
    ("two decimals", "2026-03-01T09:00:00.05Z"),
    ("a leap day", "2024-02-29T12:00:00Z"),
    ("a leap day of a century", "2000-02-29T12:00:00Z"),
    ("the first", "0001-01-01T00:00:00Z"),
    ("the last", "9999-12-31T23:59:59.999Z"),
];

const REFUSED_TIMES: [(&str, &str); 22] = [
    ("nothing", ""),
    ("a date alone", "2026-03-01"),
    ("no zone", "2026-03-01T09:00:00"),
    ("an offset", "2026-03-01T09:00:00+00:00"),
    ("a lower-case t", "2026-03-01t09:00:00Z"),
    ("a lower-case z", "2026-03-01T09:00:00z"),
    ("a space for the T", "2026-03-01 09:00:00Z"),
    ("no seconds", "2026-03-01T09:00Z"),
    ("a point without decimals", "2026-03-01T09:00:00.Z"),
    ("four decimals", "2026-03-01T09:00:00.1234Z"),
    ("a decimal comma", "2026-03-01T09:00:00,5Z"),
    ("a leap second", "2016-12-31T23:59:60Z"),
    ("hour 24", "2026-03-01T24:00:00Z"),
    ("minute 60", "2026-03-01T09:60:00Z"),
    ("29 February of a common year", "2026-02-29T09:00:00Z"),
    ("29 February of a common century", "1900-02-29T09:00:00Z"),
    ("31 April", "2026-04-31T09:00:00Z"),
    ("month 13", "2026-13-01T09:00:00Z"),
    ("day 0", "2026-03-00T09:00:00Z"),
    ("the year 0", "0000-01-01T00:00:00Z"),
    ("a year of five digits", "+10000-01-01T00:00:00Z"),
    ("digits that are not ASCII", "２026-03-01T09:00:00Z"),
];
