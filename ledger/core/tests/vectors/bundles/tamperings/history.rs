//! Steps 10 and 11: checkpoints that are known, and the open log.

use super::{Case, case, of_child};
use crate::bundles::documents::Material;

const PLACE: &str = "/consistency";

pub(super) fn cases(material: &Material) -> Vec<Case> {
    let mut cases = known();
    cases.extend(proofs(material));
    cases.extend(forks());
    cases.extend(logs());
    cases
}

fn of(name: &str, known: &'static str) -> Case {
    case(name, 10, "alert").given("known", known)
}

fn known() -> Vec<Case> {
    let not_compared = |case: Case| case.unknown("known_not_compared", PLACE);
    vec![
        of("the same checkpoint is known", "size_25"),
        of("an earlier checkpoint is known, to which the bundle has a proof", "size_7"),
        not_compared(of("an earlier checkpoint is known, to which the bundle has no proof", "size_18")),
        of("the same with the log, which has it", "size_18").given("log", "open"),
        of("the same with a log that ends after it", "size_18")
            .given("log", "short")
            .unknown("log_too_short", "/log"),
        of("the checkpoint of the empty log is known", "empty"),
        not_compared(of("a later checkpoint is known", "size_30")),
        not_compared(of("a later checkpoint is known than the log reaches", "size_30").given("log", "open")),
        of("a later checkpoint is known, and the log has it", "size_30").given("log", "grown"),
        of("the checkpoint of another ledger is known", "other_ledger").fault("known_other_origin", PLACE),
        of_child("a child's bundle with everything given", 10)
            .given("known", "size_16")
            .given("policy", "both"),
    ]
}

fn proofs(material: &Material) -> Vec<Case> {
    let proof = material.text("alert", "/consistency/0");
    let hashes: Vec<&str> = proof.lines().skip(1).collect();
    let first = format!("{}\n", hashes[0]);
    let with = |name: &str, text: String| of(name, "size_7").replace("/consistency/0", text);
    let malformed = |name: &str, text: String| {
        with(name, text).fault("consistency_malformed", "/consistency/0").unknown("known_not_compared", PLACE)
    };
    vec![
        malformed("a consistency proof without its first line", first.clone()),
        malformed("a consistency proof without its empty line", proof.trim_end().to_owned() + "\n"),
        malformed("something follows a consistency proof", format!("{proof}more")),
        malformed(
            "a consistency proof from a size with a leading zero",
            proof.replacen("old 7", "old 07", 1),
        ),
        with("a consistency proof without a hash", proof.replacen(&first, "", 1))
            .fault("known_contradicted", PLACE),
        with("a consistency proof with its hashes in another order", {
            let swapped = format!("{}\n{}\n", hashes[1], hashes[0]);
            proof.replacen(&format!("{}\n{}\n", hashes[0], hashes[1]), &swapped, 1)
        })
        .fault("known_contradicted", PLACE),
        with("a consistency proof from another size", proof.replacen("old 7", "old 8", 1))
            .unknown("known_not_compared", PLACE),
        of("the first proof of two from the same size counts", "size_16")
            .replace("/consistency/0", proof.replacen("old 7", "old 16", 1))
            .fault("known_contradicted", PLACE),
        case("a consistency proof that nobody needs does not read", 10, "alert")
            .replace("/consistency/1", "")
            .fault("consistency_malformed", "/consistency/1"),
        case("consistency proofs that nobody needs are taken away", 10, "alert")
            .remove("/consistency/1")
            .remove("/consistency/0"),
    ]
}

/// Two histories under the same keys.
fn forks() -> Vec<Case> {
    let contradicted = |case: Case| case.fault("known_contradicted", PLACE);
    let fork = |name: &str, known: &'static str| case(name, 10, "forked").given("known", known);
    vec![
        case("another history under the same keys, by itself", 10, "forked").given("log", "forked"),
        contradicted(of("an earlier checkpoint of another history is known", "forked_16")),
        contradicted(of("the same with the log", "forked_16").given("log", "open")),
        contradicted(of("a checkpoint of another history and the same size is known", "forked_25")),
        contradicted(
            of("a later checkpoint of another history is known, and the log", "forked_30")
                .given("log", "grown"),
        ),
        contradicted(fork("a bundle of another history than the known checkpoint", "size_16")),
        contradicted(fork("a bundle of another history than a known checkpoint of the same size", "size_25")),
        fork("a bundle of another history, and a checkpoint from before it parts", "size_7"),
        fork("a bundle of another history than the log", "size_7")
            .given("log", "open")
            .fault("registry_count", "/log/18"),
        of_child("a log of another history than the bundle", 11)
            .given("log", "forked")
            .fault("registry_count", "/log/18"),
    ]
}

fn logs() -> Vec<Case> {
    let with = |name: &str, log: &'static str, code: &str| {
        of_child(name, 11).given("log", log).fault(code, "/log/9")
    };
    vec![
        case("a range of entries with the log", 11, "entries").given("log", "open"),
        of_child("a log that ends too early", 11).given("log", "short").unknown("log_too_short", "/log"),
        with("an entry of the log does not read", "unreadable", "entry_member"),
        with("an entry of the log says that it stands elsewhere", "other_index", "index_differs"),
        with("an entry of the log does not follow the one before", "other_prev", "entry_prev"),
        with(
            "an entry of the log was received earlier than the one before",
            "earlier",
            "received_at_decreases",
        ),
        with("an entry of the log counts otherwise", "other_count", "registry_count"),
        of_child("the log's last entry is another", 11)
            .given("log", "last_exchanged")
            .fault("log_differs", "/log"),
        case("the log of another ledger that begins the same", 11, "alert")
            .given("log", "forged_links")
            .fault("registry_count", "/log/8"),
    ]
}
