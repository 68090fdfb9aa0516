//! What each finding means, for somebody who is no engineer. A sentence names a place and a rule, never a value of a statement.

use super::super::BundleError;
use super::finding::Whom;

/// One sentence about a finding.
pub(super) fn sentence(code: &str, whom: Whom<'_>) -> String {
    let meaning = meaning(code);
    match whom {
        Whom::Bundle => format!("The bundle: {meaning}."),
        Whom::Form(BundleError::Member { place, expected }) if place.is_empty() => {
            format!("The bundle: {expected}, so it was altered or is not of this format.")
        }
        Whom::Form(BundleError::Member { place, expected }) => {
            format!("The bundle, at {place}: {expected}, so it was altered or is not of this format.")
        }
        Whom::Form(error) => {
            format!("The bundle: {error}. It was damaged, cut off or altered, or it is something else.")
        }
        Whom::Registrar(0) => format!("The ledger's first statement: {meaning}."),
        Whom::Registrar(position) => format!("Statement {position} of the registrar: {meaning}."),
        Whom::Record(position) => format!("Record {} of the bundle: {meaning}.", position + 1),
        Whom::Entry(index) => format!("Entry {index}: {meaning}."),
        Whom::Tip => format!("The log's last entry, as the bundle has it: {meaning}."),
        Whom::Subject(position) => format!("Pseudonym {} of the child: {meaning}.", position + 1),
        Whom::Log(index) => format!("Entry {index} of the open log: {meaning}."),
    }
}

fn meaning(code: &str) -> &'static str {
    of_checkpoint(code)
        .or_else(|| of_proof(code))
        .or_else(|| of_registrar(code))
        .or_else(|| of_signer(code))
        .or_else(|| of_chain(code))
        .or_else(|| of_completeness(code))
        .or_else(|| of_log(code))
        .unwrap_or("the statement or a disclosure of it is not of the form that every statement has")
}

fn of_checkpoint(code: &str) -> Option<&'static str> {
    Some(match code {
        "note_malformed" => "its checkpoint is not a signed note, so nothing in it can be traced to a ledger",
        "checkpoint_malformed" => {
            "its checkpoint does not say which log it is the head of, in the one form for that"
        }
        "other_origin" => "it is of another ledger than the one that you pinned",
        "nothing_pinned" => {
            "nothing that you gave says which ledger is the right one, so whoever made this bundle may have made its ledger too"
        }
        "checkpoint_bad_signature" => "a signature of the ledger under its checkpoint does not hold",
        "checkpoint_not_signed" => "no key of the ledger signed its checkpoint",
        "checkpoint_downgraded" => {
            "one of the ledger's two kinds of signature is missing under its checkpoint"
        }
        "policy_other_log" => "your policy lists logs, and this one's keys are none of them",
        "cosignature_bad" => "the signature of a witness that your policy names does not hold",
        "quorum_not_met" => "too few of the witnesses that your policy asks for have seen its checkpoint",
        "bundle_format" => "its format is another, or a later version of this one",
        _ => return None,
    })
}

fn of_proof(code: &str) -> Option<&'static str> {
    Some(match code {
        "receipt_too_long"
        | "receipt_not_utf8"
        | "receipt_header"
        | "receipt_extra"
        | "receipt_index"
        | "receipt_path"
        | "receipt_no_separator" => "its proof does not read as a proof",
        "entry_absent" => "its proof carries no entry",
        "entry_too_long" | "entry_member" | "entry_not_canonical" => {
            "the entry is not of the form that every entry has"
        }
        "index_differs" => "the entry says that it stands at another place than its proof does",
        "index_outside_tree" => "its place lies beyond what the checkpoint covers",
        "inclusion_path_length" | "not_included" => {
            "its proof does not lead to the checkpoint, so the ledger did not seal this there"
        }
        "record_order" => "it does not stand in the order of the log, or it stands here twice",
        "registry_count" => {
            "it counts another number of the registrar's statements before it than are here, so one was left out or added"
        }
        _ => return None,
    })
}

fn of_registrar(code: &str) -> Option<&'static str> {
    Some(match code {
        "not_genesis" => "it is not the statement with which a ledger begins",
        "other_genesis" => "the ledger begins otherwise than the one that you pinned",
        "tip_not_last" => {
            "the entry is not the last one under the checkpoint, so it does not show that nothing of the registrar is missing"
        }
        "registrar_statement_left_out" => {
            "the registrar made a statement that is not here, such as the revocation of a key"
        }
        "unknown_type" | "unknown_version" | "unknown_member" | "registry_member" => {
            "it is not of the form that the registrar's statements have"
        }
        "bad_key" | "weak_key" => "it enrols a key with which anybody could sign, or that is no key",
        "not_its_key" | "already_registered" | "key_seen_before" => {
            "it enrols a publisher or a key that may not be enrolled so, or not again"
        }
        "bad_proof" => "nobody showed that they hold the key that it enrols",
        "not_endorsed" => {
            "it enrols a further key of an agency, and no valid key of that agency vouched for it"
        }
        "reserved_agency" => "it uses a code that is kept for the ledger itself",
        "origin_changed" => "it changes the ledger's name, which never changes",
        _ => return None,
    })
}

fn of_signer(code: &str) -> Option<&'static str> {
    Some(match code {
        "other_statement" => "the statement shown is not the one that was sealed there",
        "wrong_audience" => "the statement was made for another ledger",
        "unknown_publisher" => "the statement was signed by a system that was not registered at that time",
        "publisher_revoked" => "the statement was signed by a system that had been revoked",
        "wrong_agency" => "the statement speaks for an agency that its signer does not belong to",
        "not_on_behalf_of" => {
            "the statement speaks in the name of an agency that its signer may not speak for"
        }
        "key_not_in_force" | "wrong_key" => {
            "the statement was signed with another key than the one in force at that time"
        }
        "bad_signature" => "the signature under the statement does not hold",
        "from_the_future" => "the statement is dated more than five minutes after the ledger received it",
        "left_out_differs" => "what is said to be left out of it is not what is missing",
        _ => return None,
    })
}

fn of_chain(code: &str) -> Option<&'static str> {
    Some(match code {
        "chain_order" => "its publisher numbered it no higher than an earlier one",
        "chain_gap" => {
            "its number is not the next of its publisher's, so a statement is missing or was added"
        }
        "chain_prev" => "it does not follow its publisher's statement before it, so that one was exchanged",
        "entry_prev" => "it does not follow the entry before it, so one of the two was exchanged",
        "received_at_decreases" => "it was received earlier than an entry that stands before it",
        "manifest_differs" => "the list of its records in the manifest is not that of the records",
        "entry_left_out" => {
            "an entry of the range that it claims is missing, or one of another range was added"
        }
        "not_about" => "the statement is not one of the agency that the bundle is about",
        "statement_left_out" => {
            "its publisher made a statement between this one and the one before, and it is not here"
        }
        _ => return None,
    })
}

fn of_completeness(code: &str) -> Option<&'static str> {
    Some(match code {
        "completeness_differs" => "its lists of links are not those of the people that it is about",
        "record_count" => {
            "the numbers of the record's entries have a gap, so an entry of the record was left out"
        }
        "record_left_out" => "an entry of the record is listed and is not here",
        "link_not_opened" => {
            "an entry does not hold the link that is claimed of it, or the record goes on otherwise than is claimed"
        }
        "link_repeated" => "a link that belongs to one entry of one record stands elsewhere too",
        "record_not_linked" => "nothing shows that it is about the child",
        "subject_not_linked" => "it names the child, and the child's list of links leaves it out",
        "subject_not_owner" => "it is listed as the child's and names somebody else",
        "linked_identity_left_out" => "it joins the child to a further identity, whose record is not here",
        "subject_not_shown" => {
            "what would name this pseudonym is withheld, so whether the entries are about it is the maker's word"
        }
        "subject_not_told_apart" => {
            "somebody else owns all of its entries too, or may own them, so the links may be that person's and entries of the child's may be missing"
        }
        "completeness_not_checked" => {
            "whether the child's record is whole shows only against the open log, which was not given"
        }
        "record_goes_on" => "it belongs to the child's record and was left out",
        _ => return None,
    })
}

fn of_log(code: &str) -> Option<&'static str> {
    Some(match code {
        "consistency_malformed" => "a consistency proof in it does not read",
        "known_other_origin" => "the checkpoint that you hold is of another ledger",
        "known_contradicted" => {
            "its checkpoint contradicts the one that you hold: one of the two histories was rewritten, or the proof between them was damaged"
        }
        "known_not_compared" => {
            "nothing here shows whether its checkpoint and the one that you hold are of one history"
        }
        "log_not_read" => "the open log that you gave could not be read to the end",
        "log_too_short" => "the open log that you gave ends before the bundle's checkpoint",
        "log_differs" => "the open log that you gave is of another history than the bundle",
        _ => return None,
    })
}
