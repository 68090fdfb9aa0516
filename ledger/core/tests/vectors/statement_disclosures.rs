//! Statements refused for their disclosures and for whom these name.

use gt_core::base64url;
use gt_core::json::Value;

use crate::document::NewCase;
use crate::ledger::{digests, disclosure, json};
use crate::statements::{CHILD, decision, of_council, person};

const ALL: &str = "DESIGN 2: every digest that is not kept comes with its disclosure";
const REFERENCED: &str = "FORMATS 3: a disclosure's digest is referenced exactly once";
const FORM: &str = "FORMATS 3: a disclosure is base64url of the JSON array [salt, value]";
const SALT: &str = "DESIGN 2: salts have at least 16 bytes";
const INSIDE: &str = "FORMATS 3: the value has no member _sd, _sd_alg or ... at any depth";
const STRICT: &str = "FORMATS 1: strict JSON, in disclosures too";
const PSEUDONYM: &str =
    "FORMATS 3: pseudonyms are [a-z]+.[0-9]{1,5}: and 43 characters of base64url of 32 bytes";

/// Disclosures as they stand before they are encoded.
const BROKEN: [(&str, &str, &str, &str); 22] = [
    ("a salt of 15 bytes", SALT, "salt_too_short", r#"["AAAAAAAAAAAAAAAAAAAA","a"]"#),
    ("an empty salt", SALT, "salt_too_short", r#"["","a"]"#),
    ("a salt that is no base64url", SALT, "salt_too_short", r#"["not base64url at all!","a"]"#),
    ("a salt with spare bits", SALT, "salt_too_short", r#"["AAAAAAAAAAAAAAAAAAAAAB","a"]"#),
    ("no value", FORM, "disclosure_malformed", r#"["AAAAAAAAAAAAAAAAAAAAAA"]"#),
    (
        "a name, as for an object's member",
        FORM,
        "disclosure_malformed",
        r#"["AAAAAAAAAAAAAAAAAAAAAA","a","b"]"#,
    ),
    ("an object", FORM, "disclosure_malformed", r#"{"salt":"AAAAAAAAAAAAAAAAAAAAAA","value":"a"}"#),
    ("a salt that is no text", FORM, "disclosure_malformed", r#"[7,"a"]"#),
    ("an empty array", FORM, "disclosure_malformed", "[]"),
    ("digests of members inside", INSIDE, "digest_in_disclosure", r#"["AAAAAAAAAAAAAAAAAAAAAA",{"_sd":[]}]"#),
    (
        "a digest of an element inside",
        INSIDE,
        "digest_in_disclosure",
        r#"["AAAAAAAAAAAAAAAAAAAAAA",[{"...":"x"}]]"#,
    ),
    (
        "an algorithm inside",
        INSIDE,
        "digest_in_disclosure",
        r#"["AAAAAAAAAAAAAAAAAAAAAA",{"a":{"_sd_alg":"sha-256"}}]"#,
    ),
    ("a repeated member", STRICT, "json_duplicate_member", r#"["AAAAAAAAAAAAAAAAAAAAAA",{"a":1,"a":2}]"#),
    (
        "a repeated member, once escaped",
        STRICT,
        "json_duplicate_member",
        r#"["AAAAAAAAAAAAAAAAAAAAAA",{"a":1,"\u0061":2}]"#,
    ),
    ("a fraction", STRICT, "json_number", r#"["AAAAAAAAAAAAAAAAAAAAAA",1.5]"#),
    ("a number over 2^53−1", STRICT, "json_number", r#"["AAAAAAAAAAAAAAAAAAAAAA",9007199254740993]"#),
    ("minus zero", STRICT, "json_number", r#"["AAAAAAAAAAAAAAAAAAAAAA",-0]"#),
    ("a lone surrogate", STRICT, "json_lone_surrogate", r#"["AAAAAAAAAAAAAAAAAAAAAA","\udfff"]"#),
    ("U+0000", STRICT, "json_nul", r#"["AAAAAAAAAAAAAAAAAAAAAA","\u0000"]"#),
    ("__proto__", STRICT, "json_proto", r#"["AAAAAAAAAAAAAAAAAAAAAA",{"__proto__":{}}]"#),
    ("a byte-order mark", STRICT, "json_byte_order_mark", "\u{feff}[\"AAAAAAAAAAAAAAAAAAAAAA\",\"a\"]"),
    ("text after the array", STRICT, "json_syntax", r#"["AAAAAAAAAAAAAAAAAAAAAA","a"]]"#),
];

pub(crate) fn cases() -> Vec<NewCase> {
    let mut cases = presence();
    for (name, rule, code, json) in BROKEN {
        let name = format!("{name} in a disclosure");
        cases.push(
            NewCase::refused(&name, rule, code)
                .with("statement", with_one(&base64url::encode(json.as_bytes()))),
        );
    }
    let deep = format!(r#"["AAAAAAAAAAAAAAAAAAAAAA",{}{}]"#, "[".repeat(16), "]".repeat(16));
    let not_utf8 = [br#"["AAAAAAAAAAAAAAAAAAAAAA",""#.as_slice(), b"\xff\"]"].concat();
    for (name, code, text) in [
        ("seventeen levels in a disclosure", "json_too_deep", base64url::encode(deep.as_bytes())),
        ("a byte that UTF-8 does not have in a disclosure", "json_not_utf8", base64url::encode(&not_utf8)),
    ] {
        cases.push(NewCase::refused(name, STRICT, code).with("statement", with_one(&text)));
    }
    let rule = "DESIGN 2: base64url unpadded with zero spare bits";
    let sound = disclosure(1, &Value::from("text"));
    for (name, text) in [
        ("spare bits in a disclosure", "AB".to_owned()),
        ("padding in a disclosure", format!("{sound}=")),
        ("the standard alphabet in a disclosure", format!("{sound}+/")),
        ("white space in a disclosure", format!("{sound} ")),
    ] {
        cases.push(NewCase::refused(name, rule, "base64url").with("statement", with_one(&text)));
    }
    cases.extend(people());
    cases
}

/// A statement with one disclosure, whose digest it holds whatever the disclosure is.
fn with_one(text: &str) -> String {
    of_council(&format!(r#"{{"rationale":{}}}"#, digests(&[text])), &[text.to_owned()])
}

fn presence() -> Vec<NewCase> {
    let (data, disclosures) = decision();
    let last = disclosures.len() - 1;
    let foreign = disclosure(99, &Value::from("A disclosure of another statement."));
    let with = |more: &[String]| of_council(&data, &[disclosures.as_slice(), more].concat());
    let respelt = {
        let spaced = base64url::decode(&disclosures[last]).expect("our own text");
        base64url::encode(&[spaced.as_slice(), b" "].concat())
    };
    let swapped = [&disclosures[..last], &[respelt]].concat();
    vec![
        NewCase::refused("the last disclosure was stripped", ALL, "disclosure_missing")
            .with("statement", of_council(&data, &disclosures[..last])),
        NewCase::refused("all disclosures were stripped", ALL, "disclosure_missing")
            .with("statement", of_council(&data, &[])),
        NewCase::refused("one of two people was stripped", ALL, "disclosure_missing")
            .with("statement", of_council(&data, &[&disclosures[..2], &disclosures[3..]].concat())),
        NewCase::refused(
            "a digest without a disclosure, as a decoy has",
            "DESIGN 2: decoys are refused",
            "disclosure_missing",
        )
        .with(
            "statement",
            of_council(&format!(r#"{{"rationale":[{{"...":"{}"}}]}}"#, gt_core::Hash::of(b"decoy")), &[]),
        ),
        NewCase::refused("a disclosure without a digest", REFERENCED, "disclosure_unreferenced")
            .with("statement", with(&[foreign])),
        NewCase::refused("a disclosure comes twice", REFERENCED, "disclosure_repeated")
            .with("statement", with(&disclosures[..1])),
        NewCase::refused("the same array in other bytes", REFERENCED, "disclosure_unreferenced")
            .with("statement", of_council(&data, &swapped)),
    ]
}

fn people() -> Vec<NewCase> {
    let short = CHILD.trim_end_matches('A');
    let children = [
        ("a child without a pseudonym", json(r#"{"role":"Child"}"#)),
        ("a child that is a text", Value::from(CHILD)),
        ("an NHS number for a pseudonym", person("9990000018", "Child")),
        ("a pseudonym without an epoch", person(&CHILD.replace("nhs.1", "nhs"), "Child")),
        ("a pseudonym with an epoch of six digits", person(&CHILD.replace("nhs.1", "nhs.100000"), "Child")),
        ("a pseudonym with a scheme in capitals", person(&CHILD.replace("nhs", "NHS"), "Child")),
        ("a pseudonym cut short", person(short, "Child")),
        ("a pseudonym with spare bits", person(&format!("{}B", &CHILD[..CHILD.len() - 1]), "Child")),
        ("a pseudonym that is no text", json(r#"{"pseudonym":7}"#)),
    ];
    let mut cases: Vec<NewCase> = children
        .iter()
        .map(|(name, value)| {
            let text = disclosure(1, value);
            let statement = of_council(&format!(r#"{{"child":{}}}"#, digests(&[&text])), &[text]);
            NewCase::refused(name, PSEUDONYM, "bad_pseudonym").with("statement", statement)
        })
        .collect();
    let other = with_one(&disclosure(1, &json(r#"{"pseudonym":"A. Name"}"#)));
    cases.push(
        NewCase::refused("a name for a pseudonym, in any element", PSEUDONYM, "bad_pseudonym")
            .with("statement", other),
    );
    cases
}
