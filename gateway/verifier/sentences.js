'use strict';
/** What each code means, for somebody who is tired and no engineer: what was found, and what follows from it. */
(() => {
  const gt = globalThis.GoldenThread;

  const VERDICTS = {
    sound: { word: 'Sound', says: 'Everything that can be checked was checked, and it holds.' },
    not_sound: { word: 'Not sound', says: 'Something is wrong. What is listed below must be explained before this is relied on.' },
    could_not_tell: { word: 'Could not tell', says: 'Nothing is wrong with what is here, but something that is needed for an answer is not.' },
  };

  const ALTERED = 'It was changed after it was sealed, or made up.';
  const NOT_READ = 'It cannot be read, so nothing in it can be relied on.';
  const NOT_OURS = 'Whoever made it did not follow the format. Ask for the file again from whoever gave it to you.';
  const REGISTRY = 'The list of who may sign for which agency does not hold, so no signature in this file can be judged.';
  const MISSING = 'Something that belongs here was taken out.';
  const WHO = 'It cannot be counted as a statement of the agency that it names.';

  /** code → [what was found, what it means]. */
  const FAULTS = {
    json_syntax: ['The file is not well-formed JSON.', NOT_READ],
    json_number: ['A number is written in a way that is not allowed.', NOT_READ],
    json_duplicate_member: ['The same member stands twice, so two programs could read two different things.', NOT_READ],
    json_lone_surrogate: ['A text holds half a character.', NOT_READ],
    json_nul: ['A text holds a null character.', NOT_READ],
    json_byte_order_mark: ['The text begins with a byte-order mark.', NOT_READ],
    json_not_utf8: ['The text is not UTF-8.', NOT_READ],
    json_proto: ['A member has a name that is forbidden.', NOT_READ],
    json_too_deep: ['It is nested too deeply.', NOT_READ],
    bundle_too_long: ['The file is larger than 64 MiB.', NOT_READ],
    bundle_member: ['A part of the file is missing, unknown, or not of its form.', NOT_OURS],
    bundle_format: ['The file is no evidence bundle of a version that this page knows.', NOT_READ],
    note_malformed: ['The checkpoint is not a signed note.', NOT_READ],
    checkpoint_malformed: ['The checkpoint does not read.', NOT_READ],
    other_origin: ['The checkpoint is of another ledger than the pin.', 'This file comes from another ledger than the one that you trust.'],
    checkpoint_bad_signature: ['A signature of the ledger on the checkpoint is false.', 'The checkpoint was changed after it was signed, or the ledger never signed it.'],
    checkpoint_not_signed: ['No key of the ledger has signed the checkpoint.', 'Nothing shows that the ledger stands by this file.'],
    checkpoint_downgraded: ['One of the ledger’s two kinds of signature is missing.', 'The ledger signs with both. Somebody took one away.'],
    policy_other_log: ['No log that the policy lists has signed the checkpoint.', 'By your policy, this ledger is not to be trusted.'],
    cosignature_bad: ['A witness’s signature on the checkpoint is false.', 'The checkpoint was changed after the witness signed it, or the witness never did.'],
    quorum_not_met: ['Not enough witnesses have signed the checkpoint.', 'The ledger alone says that this is its history. Your policy asks for others to say so too.'],
    receipt_too_long: ['The proof is too long.', NOT_READ],
    receipt_not_utf8: ['The proof is not text.', NOT_READ],
    receipt_header: ['The proof does not begin as a proof must.', NOT_READ],
    receipt_extra: ['The entry in the proof does not read.', NOT_READ],
    receipt_index: ['The proof does not say which entry it is of.', NOT_READ],
    receipt_path: ['The proof has a line that is no hash.', NOT_READ],
    receipt_no_separator: ['The proof does not end where it must.', NOT_READ],
    entry_absent: ['The proof has no entry in it.', NOT_READ],
    entry_too_long: ['The entry is too long.', NOT_READ],
    entry_member: ['A member of the entry is missing or not of its form.', NOT_READ],
    entry_not_canonical: ['The entry is not written as the ledger writes entries.', ALTERED],
    entry_prev: ['The entry does not follow the one before it.', 'The chain is broken here: this entry, or the one before it, is not what was sealed.'],
    index_differs: ['The proof is of another entry than the one in it.', ALTERED],
    index_outside_tree: ['The entry stands beyond the end of the checkpoint’s log.', 'The checkpoint does not cover it.'],
    inclusion_path_length: ['The proof has too many or too few steps.', ALTERED],
    not_included: ['The proof does not lead from the entry to the checkpoint.', 'This entry is not part of the log that the ledger signed: it was changed, or made up.'],
    record_order: ['The records are not in the order of the log.', 'A record stands in the wrong place, or twice.'],
    registry_count: ['The entry counts another number of the registrar’s statements than are here.', 'A statement of the registrar was left out or put in. It may be one that revoked a key.'],
    received_at_decreases: ['The entry was received before the one that stands before it.', 'The ledger’s clock went back, or an entry was moved.'],
    other_statement: ['The statement is not the one that was sealed in this entry.', ALTERED],
    other_genesis: ['The ledger’s first entry is not the one that is pinned.', 'This is another ledger, which took the name of the one that you trust.'],
    not_genesis: ['The first statement does not found a ledger.', REGISTRY],
    wrong_key: ['The statement names another key than the one that had to sign.', WHO],
    bad_signature: ['The signature does not hold.', 'The statement was changed after it was signed, or the agency never signed it.'],
    wrong_audience: ['The statement is addressed to another ledger.', 'It was copied here from elsewhere.'],
    unknown_publisher: ['No such system was registered when this was sealed.', WHO],
    publisher_revoked: ['The system’s key had been revoked when this was sealed.', WHO],
    wrong_agency: ['The system speaks for another agency than the statement names.', WHO],
    not_on_behalf_of: ['The system was not allowed to speak on behalf of that agency.', WHO],
    key_not_in_force: ['The key that signed was not the system’s key at that time.', WHO],
    from_the_future: ['The statement is dated later than the ledger received it.', 'One of the two clocks was wrong, or the date is made up.'],
    registrar_statement_left_out: ['A statement of the registrar is not among the registrar’s.', 'One was left out. It may be one that revoked a key.'],
    left_out_differs: ['What is said to be left out is not what is left out.', MISSING],
    tip_not_last: ['What is shown as the log’s last entry is not its last.', 'So nothing shows that all statements of the registrar are here.'],
    chain_gap: ['A statement of the registrar is missing.', REGISTRY],
    chain_fork: ['Two statements stand in one place of a chain.', 'A key was copied, or a backup was restored.'],
    chain_prev: ['The statement does not follow the one that this system signed before.', 'A statement was exchanged, or two histories were signed.'],
    chain_order: ['The statements of one system are not in the order in which it signed them.', 'A statement was moved or repeated.'],
    manifest_differs: ['The list of entries is not that of the records that are here.', 'A record was taken out or put in after the list was made.'],
    entry_left_out: ['Not all entries are here that the file says it has.', MISSING],
    not_about: ['A statement is of another agency than the file says it is about.', 'It does not belong here.'],
    statement_left_out: ['A statement of this agency’s system is missing before this one.', MISSING],
    completeness_differs: ['What shows that a record is complete is not about the people that the file names.', 'Nothing shows that their records are complete.'],
    record_count: ['The numbers of a person’s entries do not run from the first on.', MISSING],
    record_left_out: ['An entry about this person is not among the records.', MISSING],
    link_repeated: ['A link of this person’s record stands in a second entry.', 'There is an entry about this person that the file does not have, or one was counted twice.'],
    link_not_opened: ['The entry has no such link of this person.', 'Another entry was put in the place of one about this person.'],
    record_not_linked: ['The record is about none of the people whom the file names.', 'It does not belong here.'],
    subject_not_linked: ['The record names a person, but is not counted among the entries about that person.', 'The count of that person’s entries cannot be complete.'],
    subject_not_owner: ['The record is counted among a person’s entries, but does not name that person.', 'Another record was put in its place.'],
    linked_identity_left_out: ['The record says that this person has another pseudonym, which the file leaves out.', 'Entries under the other pseudonym may be missing.'],
    consistency_malformed: ['A proof that the log only grew does not read.', NOT_READ],
    known_other_origin: ['The checkpoint that you know is of another ledger.', 'The two cannot be compared. Did you choose the right file?'],
    known_contradicted: ['The log is not the one whose checkpoint you know.', 'The ledger has shown two different histories. Keep both files: together they prove it.'],
    log_differs: ['The open log is not the one that the checkpoint was made of.', 'Either the mirror or the file shows another history.'],
    record_goes_on: ['The open log has an entry about this person that the file does not have.', MISSING],
    too_long: ['A statement or a disclosure is too long.', NOT_READ],
    not_compact: ['The statement does not have its three parts.', NOT_READ],
    key_binding_jwt: ['Something follows the statement’s last disclosure.', NOT_READ],
    not_utf8: ['The file is not text.', NOT_READ],
    base64url: ['A part of the statement is not written as it must be.', NOT_READ],
    header: ['The statement’s header is not as it must be.', NOT_READ],
    payload_member_bad: ['A member of the statement is not of its form.', NOT_READ],
    payload_member_missing: ['A member of the statement is missing.', NOT_READ],
    payload_member_unknown: ['The statement has a member that no statement has.', NOT_READ],
    data_member_name: ['A member of the statement has a name that is not allowed.', NOT_READ],
    digest_misplaced: ['A reference to something undisclosed stands where none may stand.', NOT_READ],
    digest_repeated: ['The same disclosure is referred to twice.', NOT_READ],
    too_many_elements: ['A member has more disclosures than it may have.', NOT_READ],
    personal_data_in_clear: ['The statement has something in the clear that may be about a person.', 'The ledger must not have sealed it.'],
    kept_bad: ['What is said to be kept at home is none of the statement’s disclosures.', NOT_READ],
    kept_but_sent: ['A disclosure was to be kept at home, and was sent.', NOT_OURS],
    disclosure_missing: ['A disclosure is missing.', MISSING],
    disclosure_unreferenced: ['A disclosure does not belong to this statement.', 'It was changed, or taken from another statement.'],
    disclosure_repeated: ['A disclosure is here twice.', NOT_OURS],
    disclosure_malformed: ['A disclosure does not have its two parts.', NOT_READ],
    salt_too_short: ['A disclosure’s salt is too short.', NOT_READ],
    digest_in_disclosure: ['A disclosure hides another disclosure.', NOT_READ],
    bad_pseudonym: ['A pseudonym is not of its form.', NOT_READ],
    too_many_owners: ['The statement is about too many people.', NOT_READ],
    unknown_type: ['The registrar has signed a statement of a kind that is not the registrar’s.', REGISTRY],
    unknown_version: ['The registrar has signed a statement of an unknown version.', REGISTRY],
    registry_member: ['A member of a registrar’s statement is missing or not of its form.', REGISTRY],
    unknown_member: ['A registrar’s statement has a member that it may not have.', REGISTRY],
    key_seen_before: ['A key was enrolled a second time.', REGISTRY],
    origin_changed: ['The ledger’s name was changed.', REGISTRY],
    already_registered: ['A system was registered a second time.', REGISTRY],
    not_its_key: ['A system was registered under the name of another key.', REGISTRY],
    reserved_agency: ['A system was registered for the ledger itself.', REGISTRY],
    bad_proof: ['Nobody has proved that the enrolled key is theirs.', REGISTRY],
    not_endorsed: ['A further key of an agency was enrolled without the agency’s consent.', REGISTRY],
    bad_key: ['A key is not a valid key.', REGISTRY],
    weak_key: ['A key is one of those under which anybody can sign.', REGISTRY],
    two_histories: ['The ledger has signed two histories that cannot both be true.', 'This is proof against the ledger. Show it to the ledger’s partners and witnesses.'],
  };

  /** code → [what could not be told, which file would tell]. */
  const UNKNOWNS = {
    nothing_pinned: ['Whether this comes from the ledger that you trust: no pin was given.', 'Choose the ledger’s pin, ledger.json. It must have reached you by another way than this file did.'],
    statement_left_out: ['Whether a statement of this agency’s system is missing: some are here without their text.', 'A copy in which no statement is withheld or ended.'],
    subject_not_shown: ['Whether the entries are about this person at all: no disclosure here names them.', 'A copy in which the disclosure that names the child is not withheld.'],
    subject_not_told_apart: ['Whether the entries that are counted are this person’s, or those of somebody who owns all of them too, or may own them.', 'A new copy in which less is withheld. It also has the ledger’s entry that the record was read for this one, which is about this person alone.'],
    known_not_compared: ['Whether the ledger shows the history that you knew before.', 'Choose the folder of a mirror of the open log, or ask for a bundle that was made for your checkpoint.'],
    completeness_not_checked: ['Whether there are further entries about the child: the open log was not given.', 'Choose the folder of a mirror of the open log, up to this checkpoint or beyond it.'],
    log_not_read: ['Whether the open log agrees: it cannot be read to the end.', 'Choose another mirror’s folder, or copy this one again.'],
    log_too_short: ['Whether the open log agrees: it ends before this checkpoint.', 'Choose a newer copy of the mirror’s folder.'],
    fork_proves_nothing: ['Whether the ledger signed two histories: this file does not prove it.', 'Nothing follows from it, neither against the ledger nor for it.'],
  };

  /** Why a file beside the bundle is of no use, or there is no verdict at all. */
  const PROBLEMS = {
    no_webcrypto: 'This browser does not let the page use its cryptography, so the page cannot check anything. Save the page to a file and open that, or use a current Chrome, Edge, Firefox or Safari.',
    no_ed25519: 'This browser cannot verify Ed25519 signatures, or not strictly enough. No verdict can be given. Use a current Chrome, Edge (version 137 or later), Firefox (129) or Safari (17).',
    no_sha256: 'This browser computes hashes wrongly. No verdict can be given. Use another browser.',
    nothing_to_check: 'There is nothing to check yet. Choose an evidence bundle, a receipt, or evidence of a fork.',
    pin_malformed: 'The pin does not read. It is a JSON file with origin, genesis and verifier_keys.',
    policy_malformed: 'The policy does not read.',
    beside_receipt: 'Nothing in a receipt is compared with it; leave it out.',
    beside_bundle: 'A bundle has its statements in it; leave it out.',
    beside_fork: 'Evidence of a fork has all in it that it needs but the pin; leave it out.',
    vkey_malformed: 'A key of a checkpoint does not read.',
    vkey_type: 'A key of a checkpoint is of a kind that this page does not know.',
  };

  const faultSentence = (code) => FAULTS[code] ?? [`A rule is broken (${code}).`, NOT_READ];

  const entryOf = (read) => (read?.entry === undefined ? '' : `, entry ${read.entry.index}`);

  /** Where in the file a JSON pointer leads, in words. */
  const placeOf = (pointer, result) => {
    const [, part, number, below, further] = pointer.split('/');
    const nth = Number(number) + 1;
    if (part === undefined) return 'the file as a whole';
    if (part === 'log') return number === undefined ? 'the open log' : `the open log, entry ${number}`;
    if (part === 'records') {
      const detail = { proof: 'proof', statement: 'statement', disclosures: `disclosure ${Number(further) + 1}`, left_out: 'what is left out' };
      return `record ${nth}${entryOf(result.records?.[number])}${below === undefined ? '' : `: ${detail[below] ?? below}`}`;
    }
    if (part === 'registrar') return `the registrar’s statement ${nth}${entryOf(result.registrar?.[number])}`;
    if (part === 'completeness' && number !== undefined) return `the completeness of person ${nth}’s record`;
    const names = {
      checkpoint: 'the checkpoint', tip: 'the log’s last entry', manifest: 'what the file says it holds',
      consistency: 'the proofs that the log only grew', completeness: 'the completeness of the record',
      format: 'the file’s kind', receipt: 'the receipt', fork: 'the evidence of a fork',
    };
    return names[part] ?? `the file, at ${pointer}`;
  };

  gt.sentences = { VERDICTS, FAULTS, UNKNOWNS, PROBLEMS, faultSentence, placeOf };
})();
