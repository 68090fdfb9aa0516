//! Step 6: each record by itself. The bundle is about an alert, which claims nothing of the number of its records.

use base64ct::{Base64, Encoding};
use gt_core::entry::Entry;
use gt_core::{Hash, LeafIndex};
use serde_json::json;

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

const PROOF: &str = "/records/0/proof";

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = proofs(material);
    cases.extend(entries(material));
    cases.extend(places());
    cases.extend(statements(material));
    cases.extend(disclosures(material));
    cases.extend(left_out(material));
    cases
}

fn of(name: &str) -> Case {
    case(name, 6, "alert")
}

fn proof_of(name: &str, proof: &str, code: &str) -> Case {
    of(name).replace(PROOF, proof).fault(code, PROOF)
}

fn proofs(material: &Material) -> Vec<Case> {
    let proof = material.text("alert", PROOF);
    let note = material.text("alert", "/checkpoint");
    let lines: Vec<&str> = proof.lines().collect();
    let (first, second) = (lines[3], lines[4]);
    let swapped = proof.replacen(first, "1", 1).replacen(second, first, 1).replacen(
        "\n1\n",
        &format!("\n{second}\n"),
        1,
    );
    vec![
        proof_of("a proof of another version", &proof.replacen("@v1", "@v2", 1), "receipt_header"),
        proof_of("a hash of the path is cut short", &proof.replacen(first, &first[4..], 1), "receipt_path"),
        proof_of("a proof without its empty line", proof.trim_end(), "receipt_no_separator"),
        proof_of(
            "a hash of the path is cut short, and there is no empty line",
            proof.replacen(first, &first[4..], 1).trim_end(),
            "receipt_path",
        ),
        proof_of("something follows a proof", &format!("{proof}more"), "receipt_no_separator"),
        proof_of("a whole receipt as a proof", &format!("{proof}{note}"), "receipt_no_separator"),
        proof_of("the index is another", &proof.replacen("index 5\n", "index 4\n", 1), "index_differs"),
        proof_of("a hash too few", &proof.replacen(&format!("{first}\n"), "", 1), "inclusion_path_length"),
        proof_of(
            "a hash too many",
            &proof.replacen(first, &format!("{first}\n{first}"), 1),
            "inclusion_path_length",
        ),
        proof_of("the path in another order", &swapped, "not_included"),
        proof_of("a proof for a later size", &material.told.proof(5, 30), "not_included"),
        proof_of("an entry of another ledger's bundle", &other_ledgers(material), "inclusion_path_length"),
        of_child("an entry of another history under the same keys", 6)
            .replace("/records/8/proof", material.forked.proof(20, 25))
            .fault("not_included", "/records/8/proof")
            .fault("record_left_out", "/completeness/0/links/7"),
    ]
}

/// The proof of entry 5 of the ledger that begins with the same five entries and went on otherwise.
fn other_ledgers(material: &Material) -> String {
    material.text("forged-chains", "/records/0/proof")
}

fn entries(material: &Material) -> Vec<Case> {
    let proof = material.text("alert", PROOF);
    let line = proof.lines().nth(1).expect("an extra line");
    let entry = &material.told.sealed[5].bytes;
    let with = |bytes: &[u8]| proof.replacen(line, &format!("extra {}", Base64::encode_string(bytes)), 1);
    let text = String::from_utf8(entry.clone()).expect("UTF-8");
    let read = Entry::parse(entry).expect("sound");
    let beyond = Entry { index: LeafIndex(25), ..read.clone() }.to_bytes();
    let beyond = with(&beyond).replacen("index 5\n", "index 25\n", 1);
    let other = Entry { statement: Hash::of(b"another statement"), ..read.clone() }.to_bytes();
    let unlinked = Entry { links: Vec::new(), ..read.clone() }.to_bytes();
    let earlier = Entry { received_at: crate::bundles::world::time(4), ..read }.to_bytes();
    vec![
        proof_of("no entry", &proof.replacen(&format!("{line}\n"), "", 1), "entry_absent"),
        proof_of("an empty entry", &with(b""), "json_syntax"),
        proof_of("an entry without members", &with(b"{}"), "entry_member"),
        proof_of(
            "an entry in another spelling",
            &with(text.replacen(',', ", ", 1).as_bytes()),
            "entry_not_canonical",
        ),
        proof_of("an entry beyond the checkpoint", &beyond, "index_outside_tree"),
        proof_of("an entry that seals another statement", &with(&other), "not_included"),
        proof_of("an entry without its links", &with(&unlinked), "not_included"),
        proof_of("an entry that was received earlier", &with(&earlier), "not_included"),
    ]
}

fn places() -> Vec<Case> {
    vec![
        of("two records change places")
            .shift("/records/0", "/records/1")
            .fault("record_order", "/records/1/proof"),
        of("a record stands twice")
            .copy("/records/0", "/records/1")
            .fault("record_order", "/records/1/proof"),
        of("a record of the registrar's among the records")
            .copy("/registrar/5", "/records/2")
            .fault("record_order", "/records/2/proof"),
        case("entries that count and stand otherwise than they may", 6, "forged-entries")
            .fault("registry_count", "/records/4/proof")
            .fault("index_differs", "/records/5/proof")
            .fault("entry_prev", "/records/1/proof")
            .fault("received_at_decreases", "/records/2/proof")
            .fault("received_at_decreases", "/records/6/proof"),
    ]
}

fn statements(material: &Material) -> Vec<Case> {
    let place = "/records/0/statement";
    let statement = material.text("alert", place);
    let (signed, signature) = statement.rsplit_once('.').expect("a signature");
    let (header, _) = statement.split_once('.').expect("a payload");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let flipped = format!("{signed}.{first}{}", &signature[1..]);
    vec![
        of("the statements of two records change places")
            .shift("/records/1/statement", "/records/1/was")
            .copy(place, "/records/1/statement")
            .shift("/records/1/was", place)
            .fault("other_statement", place)
            .fault("other_statement", "/records/1/statement"),
        of("another signature under the statement").replace(place, flipped).fault("other_statement", place),
        of("a statement without a signature").replace(place, signed).fault("not_compact", place),
        of("a statement with its tilde").replace(place, format!("{statement}~")).fault("base64url", place),
        of("a statement without a payload")
            .replace(place, format!("{header}..{signature}"))
            .fault("json_syntax", place),
        case("signers who may not speak so, each in one record", 6, "forged-signers")
            .fault("bad_signature", "/records/0/statement")
            .fault("bad_signature", "/records/1/statement")
            .fault("key_not_in_force", "/records/2/statement")
            .fault("publisher_revoked", "/records/3/statement")
            .fault("unknown_publisher", "/records/4/statement")
            .fault("wrong_agency", "/records/5/statement")
            .fault("not_on_behalf_of", "/records/6/statement")
            .fault("key_not_in_force", "/records/7/statement")
            .fault("from_the_future", "/records/8/statement")
            .fault("wrong_audience", "/records/9/statement")
            .fault("personal_data_in_clear", "/records/10/statement"),
        of_child("a fault of one statement leaves the record's links alone", 6)
            .copy("/records/2/statement", "/records/4/statement")
            .fault("other_statement", "/records/4/statement"),
    ]
}

fn disclosures(material: &Material) -> Vec<Case> {
    let text = material.text("alert", "/records/0/disclosures/1");
    let changed = gt_core::base64url::encode(
        &String::from_utf8(gt_core::base64url::decode(&text).expect("base64url"))
            .expect("UTF-8")
            .replacen("afraid", "happy", 1)
            .into_bytes(),
    );
    assert_ne!(text, changed, "the rationale speaks of fear");
    let of_first = "/records/0/disclosures";
    vec![
        of("disclosures in another order").shift("/records/0/disclosures/2", "/records/0/disclosures/0"),
        of("a disclosure is moved to another statement")
            .shift("/records/0/disclosures/1", "/records/1/disclosures/1")
            .fault("left_out_differs", "/records/0/left_out")
            .fault("disclosure_unreferenced", "/records/1/disclosures/1"),
        of("a disclosure says something else")
            .replace("/records/0/disclosures/1", changed)
            .fault("disclosure_unreferenced", "/records/0/disclosures/1"),
        of("one member's disclosure in the place of another's")
            .copy("/records/0/disclosures/0", "/records/0/disclosures/1")
            .remove("/records/0/disclosures/2")
            .fault("disclosure_repeated", "/records/0/disclosures/1"),
        of("a disclosure stands twice")
            .copy("/records/0/disclosures/0", "/records/0/disclosures/-")
            .fault("disclosure_repeated", "/records/0/disclosures/3"),
        of("a disclosure that is no base64url, and another after it")
            .replace(of_first, json!([text, "!", "?"]))
            .fault("base64url", "/records/0/disclosures/1"),
        of("a disclosure is left out without a word")
            .remove("/records/1/disclosures/2")
            .fault("left_out_differs", "/records/1/left_out"),
        of("a kept disclosure is not presented").remove("/records/0/disclosures/2"),
    ]
}

fn left_out(material: &Material) -> Vec<Case> {
    let here = gt_core::statement::Disclosure::digest_of(&material.text("alert", "/records/1/disclosures/2"));
    let kept = gt_core::statement::Disclosure::digest_of(&material.text("alert", "/records/0/disclosures/2"));
    let listed = |digest: &Hash, why: &str| json!({"digest": digest.to_string(), "why": why});
    let place = "/records/1/left_out";
    let differs = |case: Case| case.fault("left_out_differs", place);
    vec![
        of("a disclosure is left out and accounted for")
            .remove("/records/1/disclosures/2")
            .replace(place, json!([listed(&here, "withheld")])),
        differs(
            of("accounted for twice")
                .remove("/records/1/disclosures/2")
                .replace(place, json!([listed(&here, "withheld"), listed(&here, "ended")])),
        ),
        differs(of("said to be left out, and here").replace(place, json!([listed(&here, "ended")]))),
        differs(
            of("another digest is accounted for")
                .remove("/records/1/disclosures/2")
                .replace(place, json!([listed(&kept, "ended")])),
        ),
        of("a kept member is accounted for")
            .remove("/records/0/disclosures/2")
            .replace("/records/0/left_out", json!([listed(&kept, "withheld")]))
            .fault("left_out_differs", "/records/0/left_out"),
        of_child("another reason is given for what is left out", 6)
            .replace("/records/1/left_out/0/why", "withheld")
            .replace("/records/7/absent", "ended"),
    ]
}
