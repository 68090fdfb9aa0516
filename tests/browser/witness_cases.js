'use strict';
/**
 * What a witness and the log that asks it must make of the vectors (C2SP tlog-witness, FORMATS 11). The page needs none of it; it is here so
 * that a second implementation runs every vector. A plain script, after `cases.js`.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const MAX_BYTES = 64 * 1024;
  const MAX_PROOF = 63;

  const octets = (one, member) =>
    one[member] === undefined ? bytes.fromBase64url(one[`${member}_base64url`]) : bytes.utf8(one[member]);

  /** Splits off the next line. @returns {[string, string]|null} the line and the rest */
  const line = (text) => {
    const end = text.indexOf('\n');
    return end < 0 ? null : [text.slice(0, end), text.slice(end + 1)];
  };

  /** C2SP gives a witness another status for an empty tree's wrong root than for what does not read. */
  const readCheckpoint = (note) => {
    try {
      return gt.note.readCheckpoint(note);
    } catch (error) {
      throw error instanceof gt.Refusal && error.facts.isEmptyTree ? new gt.Refusal('empty_tree_root') : error;
    }
  };

  /** @returns {{old: number, proof: Uint8Array[], checkpoint: object}} */
  const readRequest = (request) => {
    if (request.length > MAX_BYTES) gt.refuse('request_too_long');
    const text = bytes.fromUtf8(request) ?? gt.refuse('not_utf8');
    let [first, rest] = line(text) ?? gt.refuse('old_size');
    const old = first.startsWith('old ') ? bytes.decimal(first.slice('old '.length)) : null;
    if (old === null) gt.refuse('old_size');
    const proof = [];
    for (;;) {
      [first, rest] = line(rest) ?? gt.refuse('no_separator');
      if (first === '') break;
      if (proof.length === MAX_PROOF) gt.refuse('proof_too_long');
      proof.push(bytes.hashFromBase64(first) ?? gt.refuse('proof_hash'));
    }
    return { old, proof, checkpoint: readCheckpoint(rest) };
  };

  const isSigned = async (checkpoint, keys) => {
    try {
      await gt.note.checkSigned(checkpoint, keys);
      return true;
    } catch (error) {
      if (error instanceof gt.Refusal) return false;
      throw error;
    }
  };

  const checkGrowth = ({ old, proof, checkpoint }, seenRoot) => {
    if (old === 0 && proof.length > 0) gt.refuse('proof_from_nothing');
    if (old === 0) return;
    if (old === checkpoint.size && !bytes.equal(seenRoot, checkpoint.root)) gt.refuse('other_root');
    try {
      gt.tree.checkConsistency(old, checkpoint.size, proof, seenRoot, checkpoint.root);
    } catch (error) {
      throw error instanceof gt.Refusal ? new gt.Refusal('inconsistent') : error;
    }
  };

  const witness = async (one) => {
    const request = readRequest(octets(one, 'request'));
    const { old, checkpoint } = request;
    const keys = one.keys.map(gt.note.readKey);
    if (keys.length === 0) gt.refuse('unknown_origin');
    if (!(await isSigned(checkpoint, keys))) gt.refuse('not_signed');
    if (old > checkpoint.size) gt.refuse('old_above_size');
    if (old !== (one.seen?.size ?? 0)) gt.refuse('conflict');
    checkGrowth(request, one.seen === null ? null : bytes.fromBase64url(one.seen.root));
    return { size: checkpoint.size };
  };

  /** The time of a cosignature, in seconds. */
  const timeOf = (signature) => Number(signature.slice(0, 8).reduce((number, octet) => number * 256n + BigInt(octet), 0n));

  const cosignatures = async (one) => {
    const answer = octets(one, 'answer');
    if (answer.length > MAX_BYTES) gt.refuse('answer_too_long');
    const checkpoint = gt.note.readCheckpoint(one.checkpoint);
    const keys = one.keys.map(gt.note.readKey);
    const { text, signatures } = gt.note.read(`-\n\n${bytes.fromUtf8(answer) ?? gt.refuse('note_malformed')}`);
    if (text !== '-\n') gt.refuse('note_malformed');
    const taken = [];
    for (const signature of signatures) {
      const key = keys.find(({ name, id }) => name === signature.name && id === signature.id);
      if (key === undefined) continue;
      if ((await gt.note.signedBy({ ...checkpoint, signatures: [signature] }, key)) === 'bad') gt.refuse('cosignature_bad');
      const time = timeOf(signature.signature);
      if (time === 0) gt.refuse('cosignature_without_time');
      taken.push({ name: signature.name, key_id: signature.id, time });
    }
    if (taken.length === 0) gt.refuse('not_cosigned');
    return { cosignatures: taken };
  };

  Object.assign(globalThis.VectorCases, { 'witness.json': witness, 'cosignatures.json': cosignatures });
})();
