//! Steps 4 and 5: the registrar's chain, and the tip that shows it whole.

use serde_json::json;

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = chain_changed(material);
    cases.extend(forged_chains());
    cases.extend(left_out(material));
    cases.extend(tips(material));
    cases
}

fn chain_changed(material: &Material) -> Vec<Case> {
    let of = |name: &str| of_child(name, 4);
    let proof = material.text("child", "/registrar/4/proof");
    let digest = material.text("child", "/records/1/left_out/0/digest");
    vec![
        of("a statement of the registrar is taken out of the middle")
            .remove("/registrar/8")
            .fault("chain_gap", "/registrar/8/statement"),
        of("two statements of the registrar change places")
            .shift("/registrar/3", "/registrar/4")
            .fault("chain_gap", "/registrar/3/statement"),
        of("a statement of the registrar stands twice")
            .copy("/registrar/3", "/registrar/4")
            .fault("record_order", "/registrar/4/proof"),
        of("ledger.created is taken away")
            .remove("/registrar/0")
            .fault("not_genesis", "/registrar/0/statement"),
        of("another statement under a proof of the registrar's")
            .copy("/registrar/3/statement", "/registrar/4/statement")
            .fault("other_statement", "/registrar/4/statement"),
        of("no statement under a proof of the registrar's")
            .replace("/registrar/4/statement", "")
            .fault("not_compact", "/registrar/4/statement"),
        of("an agency's statement in the registrar's chain")
            .copy("/records/0", "/registrar/5")
            .fault("unknown_publisher", "/registrar/5/statement"),
        of("a proof of the registrar's for another size")
            .replace("/registrar/4/proof", material.told.proof(4, 30))
            .fault("not_included", "/registrar/4/proof"),
        of("a proof of the registrar's without a hash")
            .replace("/registrar/4/proof", proof.replacen(proof.lines().nth(3).expect("a hash"), "", 1))
            .fault("receipt_no_separator", "/registrar/4/proof"),
        of("a disclosure of a statement that has none")
            .copy("/records/0/disclosures/0", "/registrar/2/disclosures/0")
            .fault("left_out_differs", "/registrar/2/left_out"),
        of("something left out of a statement that has nothing to leave out")
            .replace("/registrar/2/left_out", json!([{"digest": digest, "why": "ended"}]))
            .fault("left_out_differs", "/registrar/2/left_out"),
    ]
}

/// The sealer accepted these; the registry's rules do not.
fn forged_chains() -> Vec<Case> {
    let last = |name: &str, base: &'static str, code: &str| {
        case(name, 4, base).fault(code, "/registrar/5/statement")
    };
    let creator = |name: &str, base: &'static str, code: &str| {
        case(name, 4, base)
            .without("pin")
            .fault(code, "/registrar/0/statement")
            .unknown("nothing_pinned", "/checkpoint")
    };
    vec![
        case("the recovery key replaces the registrar's", 4, "recovered"),
        last("a key of small order is registered", "forged-weak-key", "weak_key"),
        last("a second key of an agency, endorsed by nobody", "forged-not-endorsed", "not_endorsed"),
        last("a key whose holder did not sign for it", "forged-bad-proof", "bad_proof"),
        last("a publisher under another id than its key's", "forged-not-its-key", "not_its_key"),
        last("a key is enrolled twice", "forged-key-twice", "key_seen_before"),
        last("a type that the registrar does not seal", "forged-type", "unknown_type"),
        case("the registrar's old key signs on", 4, "forged-old-registrar")
            .fault("key_not_in_force", "/registrar/6/statement"),
        last("the recovery key revokes a publisher", "forged-recovery-key", "key_not_in_force"),
        last("the registrar skips a number", "forged-registrar-seq", "chain_gap"),
        last("the registrar names another statement before", "forged-registrar-prev", "chain_prev"),
        last("the registrar speaks to another ledger", "forged-registrar-audience", "wrong_audience"),
        last("a publisher speaks as the registrar", "forged-registrar-publisher", "unknown_publisher"),
        case("an entry of the registrar miscounts", 4, "forged-registrar-count")
            .fault("registry_count", "/registrar/5/proof"),
        creator("somebody else created the ledger", "forged-creator", "wrong_key"),
        creator("somebody else signed as the registrar", "forged-creator-signature", "bad_signature"),
    ]
}

/// A revocation that is cut off with what follows it.
fn left_out(material: &Material) -> Vec<Case> {
    let cut = |name: &str, tip: &str| {
        let case = of_child(name, 5).remove("/registrar/9").remove("/registrar/8");
        let case = match tip {
            "" => case.fault("registrar_statement_left_out", "/tip"),
            tip => case.replace("/tip", tip).fault("tip_not_last", "/tip"),
        };
        case.fault("registry_count", "/records/7/proof")
            .fault("registry_count", "/records/8/proof")
            .fault("registry_count", "/records/9/proof")
            .fault("record_left_out", "/completeness/0/links/6")
            .fault("record_left_out", "/completeness/1/links/2")
            .fault("registry_count", "/log/18")
    };
    vec![
        cut("a revocation and what follows are left out", ""),
        cut(
            "a revocation and what follows are left out, and the tip is from before",
            &material.told.proof(16, 25),
        ),
        case("the registrar's last statement is left out, and no record is later", 5, "alert")
            .remove("/registrar/9")
            .fault("registrar_statement_left_out", "/tip"),
        of_child("the registrar's last statement is left out", 5)
            .remove("/registrar/9")
            .fault("registrar_statement_left_out", "/tip")
            .fault("registry_count", "/records/9/proof")
            .fault("record_left_out", "/completeness/1/links/2")
            .fault("registry_count", "/log/23"),
        case(
            "a statement of the registrar that the sealer does not count, among the records",
            6,
            "forged-uncounted",
        )
        .fault("registrar_statement_left_out", "/records/0/statement"),
    ]
}

fn tips(material: &Material) -> Vec<Case> {
    let tip = material.text("alert", "/tip");
    let of =
        |name: &str, tip: &str, code: &str| case(name, 5, "alert").replace("/tip", tip).fault(code, "/tip");
    let extra = tip.lines().nth(1).expect("an extra line");
    vec![
        of("no tip", "", "receipt_header"),
        of("a tip without an entry", &tip.replacen(&format!("{extra}\n"), "", 1), "entry_absent"),
        of("an earlier entry as the tip", &material.told.proof(23, 25), "tip_not_last"),
        of("a tip under a later checkpoint", &material.told.proof(24, 30), "inclusion_path_length"),
        of("the last entry of another history as the tip", &material.forked.proof(24, 25), "not_included"),
        of("a tip beyond the checkpoint", &material.told.proof(29, 30), "index_outside_tree"),
    ]
}
