//! Statements: how a case is run, those that are accepted, and those at the limits of size.

use gt_core::Hash;
use gt_core::json::Value;
use gt_core::key::{KeyError, PublicKey};
use gt_core::registry::Registry;
use gt_core::statement::{
    MAX_DISCLOSURE_BYTES, MAX_PRESENTATION_BYTES, MAX_STATEMENT_BYTES, Ownership, Statement, StatementError,
};
use gt_core::verify::{AuthorshipFault, verify_authorship};
use serde_json::Value as Json;

use crate::document::{self, NewCase, bytes, list, number, strict, text};
use crate::ledger::{self, COUNCIL_KEY, SCHOOL, Writing, compact, digests, disclosure, header, json};
use crate::{signatures, statement_data, statement_disclosures, statement_envelope};

const ABOUT: &str = "Statements (DESIGN 2, FORMATS 3). Read `statement` (or the bytes `statement_base64url`) as a compact \
    SD-JWT; see README.md for the steps and for the members that all cases share.";

/// Runs a case of any file about statements.
pub(crate) fn outcome(whole: &Json, case: &Json) -> Value {
    match checked(whole, case) {
        Ok((statement, ownership)) => {
            let hash = Value::String(statement.hash().to_string());
            let kid = Value::String(statement.kid().to_string());
            let facts = [("hash", hash), ("kid", kid)].into_iter();
            document::accepted(facts.chain(ownership.iter().flat_map(owners)))
        }
        Err(code) => document::refused(code),
    }
}

fn owners(ownership: &Ownership) -> [(&'static str, Value); 2] {
    let of_disclosures = ownership.of_disclosures.iter().map(|owner| Value::from(&*owner.key_text()));
    [
        ("primary_owner", Value::from(&*ownership.primary.key_text())),
        ("owners_of_disclosures", Value::Array(of_disclosures.collect())),
    ]
}

fn checked(whole: &Json, case: &Json) -> Result<(Statement, Option<Ownership>), &'static str> {
    let code = |error: StatementError| error.code();
    let statement = Statement::parse(&bytes(case, "statement")).map_err(code)?;
    let mut ownership = None;
    if case["reader"] != "verifier" {
        statement.require_complete().map_err(code)?;
        if !statement.payload().event_type.is_ledgers_own() {
            ownership = Some(statement.ownership().map_err(code)?);
        }
    }
    if let Some(jwk) = case.get("key") {
        let jwk = strict(jwk);
        let key = PublicKey::from_jwk(jwk.as_object().expect("an object")).map_err(KeyError::code)?;
        statement.verify(&key).map_err(code)?;
    } else {
        verify_authorship(&statement, &registry(whole)).map_err(|fault: AuthorshipFault| fault.code())?;
    }
    Ok((statement, ownership))
}

/// The registry that all cases of a file share, which must be what the file says of it.
fn registry(whole: &Json) -> Registry {
    let statements = list(whole, "registrar_statements");
    let statements = statements.iter().map(|item| (number(item, "index"), text(item, "statement")));
    let registry = ledger::fold(Hash::parse(text(whole, "genesis")).expect("a hash"), statements);
    assert_eq!(registry.ledger_keys().origin, text(whole, "origin"));
    for listed in list(whole, "publishers") {
        let id = Hash::parse(text(listed, "id")).expect("an id");
        let publisher = registry.publisher(&id).expect("a listed publisher is registered");
        let key = publisher.key_in_force().map_or(Value::Null, PublicKey::to_jwk);
        assert_eq!((publisher.agency.as_str(), key), (text(listed, "agency"), strict(&listed["key"])));
    }
    registry
}

pub(crate) const CHILD: &str = "nhs.1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub(crate) const MOTHER: &str = "nhs.1:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

pub(crate) fn person(pseudonym: &str, role: &str) -> Value {
    json(&format!(r#"{{"pseudonym":"{pseudonym}","role":"{role}"}}"#))
}

/// The council's statement with this `data` and these disclosures.
pub(crate) fn of_council(data: &str, disclosures: &[String]) -> String {
    let payload = Writing::of_council(data).payload();
    compact(header(COUNCIL_KEY).as_bytes(), payload.as_bytes(), COUNCIL_KEY, disclosures)
}

/// The usual decision: its `data`, and its disclosures.
pub(crate) fn decision() -> (String, Vec<String>) {
    let child = disclosure(1, &person(CHILD, "Child"));
    let mother = disclosure(2, &person(MOTHER, "Parent"));
    let sibling = disclosure(3, &person(CHILD, "Sibling"));
    let rationale =
        disclosure(4, &Value::from("Bruising was seen twice in a week. — A. Social-Worker (fictional)"));
    let times =
        disclosure(5, &json(r#"{"occurred_at":"2026-03-01T09:00:00Z","decided_at":"2026-03-01T10:30:00Z"}"#));
    let data = format!(
        r#"{{"decision":"Share","urgent":true,"recipients":[{{"agency":"ods:RX1","internal":false}}],"child":{},"others":{},"rationale":{},"times":{}}}"#,
        digests(&[&child]),
        digests(&[&mother, &sibling]),
        digests(&[&rationale]),
        digests(&[&times]),
    );
    (data, vec![child, mother, sibling, rationale, times])
}

const SHAPE: &str = "DESIGN 2: H.P.S, then each disclosure, each followed by a tilde";
const HEADER: &str =
    "DESIGN 2: the header is exactly alg, typ and kid, in any order; EdDSA is accepted for Ed25519";
const KEPT: &str =
    "FORMATS 3: a sealer refuses a disclosure of a kept member; a verifier accepts one presented later";
const OWNER: &str = "FORMATS 3: who owns an element";

pub(crate) fn accepted_document() -> Value {
    let (data, disclosures) = decision();
    let usual = of_council(&data, &disclosures);
    let payload = Writing::of_council(&data).payload();
    let eddsa = header(COUNCIL_KEY).replace(r#""alg":"Ed25519""#, r#""alg":"EdDSA""#);
    let turned: Vec<String> = disclosures.iter().rev().cloned().collect();
    let spaced = format!("{} ", payload.replace(",\"seq\"", " ,\n\t\"seq\""));
    let signed = |header: &str, payload: &str| {
        compact(header.as_bytes(), payload.as_bytes(), COUNCIL_KEY, &disclosures)
    };
    let escaped = payload.replace(r#""decision":"Share""#, r#""decision":"\u0053hare""#);
    let mut cases = vec![
        NewCase::accepted("a decision about a child", SHAPE).with("statement", usual.as_str()),
        NewCase::accepted("disclosures in another order", SHAPE)
            .with("statement", of_council(&data, &turned)),
        NewCase::accepted("alg EdDSA", HEADER).with("statement", signed(&eddsa, &payload)),
        NewCase::accepted("white space in the payload", "DESIGN 2: the exact bytes are signed")
            .with("statement", signed(&header(COUNCIL_KEY), &spaced)),
        NewCase::accepted("an escape in a code", "DESIGN 2: the exact bytes are signed")
            .with("statement", signed(&header(COUNCIL_KEY), &escaped)),
        NewCase::accepted("no disclosures at all", SHAPE)
            .with("statement", of_council(r#"{"outcome":"NoFurtherAction"}"#, &[])),
        NewCase::accepted("data without members", SHAPE).with("statement", of_council("{}", &[])),
    ];
    let behalf = Writing { more: format!(r#""on_behalf_of":"{SCHOOL}","#), ..Writing::of_council("{}") };
    let rule = "DESIGN 2: on_behalf_of names an agency for which the registry lets this publisher sign";
    cases.push(
        NewCase::accepted("on behalf of a school", rule).with("statement", behalf.signed_by(COUNCIL_KEY)),
    );
    let later = Writing { event_type: "referral.made".into(), ..Writing::of_council("{}") }
        .payload()
        .replace(r#""version":1"#, r#""version":7"#);
    let rule = "DESIGN 2: a verifier verifies types and versions that it does not know";
    let unknown = compact(header(COUNCIL_KEY).as_bytes(), later.as_bytes(), COUNCIL_KEY, &[]);
    cases.push(
        NewCase::accepted("an unknown type and version", rule)
            .with("reader", "verifier")
            .with("statement", unknown),
    );
    let presented = of_council(&data, &disclosures[..1]);
    let rule = "DESIGN 2: the signed part verifies without its disclosures";
    cases.push(
        NewCase::accepted("a presentation of one disclosure", rule)
            .with("reader", "verifier")
            .with("statement", presented),
    );
    cases.extend(kept_cases());
    cases.extend(owner_cases());
    document::document(ABOUT, ledger::shared(), cases, outcome)
}

fn kept_cases() -> Vec<NewCase> {
    let (child, note) =
        (disclosure(1, &person(CHILD, "Child")), disclosure(2, &Value::from("Kept at home.")));
    let data = format!(
        r#"{{"child":{},"rationale":{},"kept":["rationale"]}}"#,
        digests(&[&child]),
        digests(&[&note])
    );
    let sent = of_council(&data, std::slice::from_ref(&child));
    let shown = of_council(&data, &[child, note]);
    vec![
        NewCase::accepted("a kept member is not sent", KEPT).with("statement", sent),
        NewCase::accepted("a kept member is presented later", KEPT)
            .with("reader", "verifier")
            .with("statement", shown),
    ]
}

fn owner_cases() -> Vec<NewCase> {
    let times = disclosure(1, &json(r#"{"occurred_at":"2026-03-01T09:00:00Z"}"#));
    let adult = disclosure(2, &person(MOTHER, "PersonOfConcern"));
    let second = disclosure(3, &person(CHILD, "Sibling"));
    let nobody = format!(r#"{{"times":{}}}"#, digests(&[&times]));
    let adult_only = format!(r#"{{"times":{},"person":{}}}"#, digests(&[&times]), digests(&[&adult]));
    let two = format!(r#"{{"others":{},"times":{}}}"#, digests(&[&adult, &second]), digests(&[&times]));
    let nested = disclosure(4, &json(&format!(r#"{{"of":{{"pseudonym":"{MOTHER}"}}}}"#)));
    let deeper = format!(r#"{{"refs":{}}}"#, digests(&[&nested]));
    let turned = [times.clone(), second, adult.clone()];
    vec![
        NewCase::accepted("nobody is named: the agency owns", OWNER)
            .with("statement", of_council(&nobody, std::slice::from_ref(&times))),
        NewCase::accepted("without a child the person named owns", OWNER)
            .with("statement", of_council(&adult_only, &[times, adult])),
        NewCase::accepted("the first person in the payload's order, not in that of the disclosures", OWNER)
            .with("statement", of_council(&two, &turned)),
        NewCase::accepted("a pseudonym further in names no owner", OWNER)
            .with("statement", of_council(&deeper, &[nested])),
    ]
}

pub(crate) fn refused_document() -> Value {
    let mut cases = statement_envelope::cases();
    cases.extend(statement_data::cases());
    cases.extend(statement_disclosures::cases());
    cases.extend(signatures::cases());
    document::document(ABOUT, ledger::shared(), cases, outcome)
}

const LENGTH: &str = "DESIGN 2: statement ≤ 48 KiB, disclosure ≤ 32 KiB, all together ≤ 256 KiB";
const OWNERS: &str = "DESIGN 2: at most 64 owners";

pub(crate) fn limits_document() -> Value {
    let mut cases = vec![
        NewCase::accepted("a statement of 49,152 bytes", LENGTH)
            .with("statement", statement_of(MAX_STATEMENT_BYTES)),
        NewCase::refused("a statement of 49,153 bytes", LENGTH, "too_long")
            .with("statement", statement_of(MAX_STATEMENT_BYTES + 1)),
        NewCase::accepted("a disclosure of 32,768 bytes", LENGTH)
            .with("statement", with_disclosures_of(&[MAX_DISCLOSURE_BYTES])),
        NewCase::refused("a disclosure of 32,770 bytes", LENGTH, "too_long")
            .with("statement", with_disclosures_of(&[MAX_DISCLOSURE_BYTES + 2])),
    ];
    let mut sizes = [32_000; 8];
    let rest = MAX_PRESENTATION_BYTES + 1 - with_disclosures_of(&sizes).len();
    sizes[7] += rest;
    if sizes[7] % 4 == 1 {
        (sizes[6], sizes[7]) = (sizes[6] + 2, sizes[7] - 2);
    }
    let whole = with_disclosures_of(&sizes);
    assert_eq!(whole.len(), MAX_PRESENTATION_BYTES + 1);
    cases.push(NewCase::refused("262,145 bytes in all", LENGTH, "too_long").with("statement", whole));
    cases.push(NewCase::accepted("64 owners", OWNERS).with("statement", crowd(64)));
    cases.push(NewCase::refused("65 owners", OWNERS, "too_many_owners").with("statement", crowd(65)));
    document::document(ABOUT, ledger::shared(), cases, outcome)
}

/// The council's statement whose `H.P.S` has this many bytes: white space in the payload makes it as long as needed.
fn statement_of(length: usize) -> String {
    let (mut header, payload) = (header(COUNCIL_KEY), Writing::of_council("{}").payload());
    loop {
        for spaces in (length * 3 / 4 - 1000)..length {
            let padded = format!("{payload}{}", " ".repeat(spaces));
            let encoded = (padded.len() * 4).div_ceil(3) + (header.len() * 4).div_ceil(3) + 2 + 86;
            if encoded == length {
                return compact(header.as_bytes(), padded.as_bytes(), COUNCIL_KEY, &[]);
            }
            if encoded > length {
                break;
            }
        }
        // No base64url text has a length of 4n + 1; a longer header shifts what is left for the payload.
        header.push(' ');
    }
}

/// The council's statement with a disclosure of each of these lengths, all of people that it names.
fn with_disclosures_of(lengths: &[usize]) -> String {
    let texts: Vec<String> = (1..).zip(lengths).map(|(salt, length)| disclosure_of(salt, *length)).collect();
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    of_council(&format!(r#"{{"recipient_names":{}}}"#, digests(&borrowed)), &texts)
}

fn disclosure_of(salt: u8, length: usize) -> String {
    let empty = disclosure(salt, &Value::from(""));
    let json_length = |base64url: usize| base64url * 3 / 4;
    let filler = json_length(length) - json_length(empty.len());
    let text = disclosure(salt, &Value::String("x".repeat(filler)));
    assert_eq!(text.len(), length, "no base64url text has this length");
    text
}

fn crowd(count: u8) -> String {
    let named = |n: u8| {
        let pseudonym = format!("nhs.1:{}", gt_core::base64url::encode(&[n; 32]));
        disclosure(n, &person(&pseudonym, "Sibling"))
    };
    let texts: Vec<String> = (0..count).map(named).collect();
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    of_council(&format!(r#"{{"others":{}}}"#, digests(&borrowed)), &texts)
}
