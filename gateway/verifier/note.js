'use strict';
/** Signed notes, checkpoints and their keys (C2SP signed-note, tlog-checkpoint, tlog-cosignature; FORMATS 10). */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const ED25519 = 0x01;
  const COSIGNATURE = 0x04;
  const ML_DSA = 0x06;
  const MAX_BYTES = 1024 * 1024;
  const MAX_SIGNATURES = 64;
  const KEY_BYTES = { [ED25519]: 32, [COSIGNATURE]: 32, [ML_DSA]: gt.mldsa.PUBLIC_KEY_BYTES };
  /** No key name has Unicode's White_Space (`\s` lacks U+0085 and has U+FEFF besides), control characters or a plus. */
  const NAME = /^(?:[^\s\u0085\u0000-\u001f+]|\ufeff)+$/u;
  const isName = (text) => NAME.test(text);

  /**
   * Reads a vkey, `<name>+<id>+<base64 of type and key>`.
   * @param {string} text
   * @returns {{name: string, id: string, type: number, key: Uint8Array, text: string}} `id` in hexadecimal
   * @throws `vkey_malformed`, `vkey_type`, `bad_key`, `weak_key`
   */
  const readKey = (text) => {
    const match = /^([^+]*)\+([0-9a-f]{8})\+(.*)$/s.exec(text);
    const material = match === null ? null : bytes.fromBase64(match[3]);
    if (material === null || material.length === 0 || !isName(match[1])) gt.refuse('vkey_malformed');
    const [, name, id] = match;
    const [type] = material;
    const key = material.subarray(1);
    if (!Object.hasOwn(KEY_BYTES, type)) gt.refuse('vkey_type');
    const computed = gt.sha256(bytes.utf8(`${name}\n`), material).subarray(0, 4);
    if (key.length !== KEY_BYTES[type] || bytes.hex(computed) !== id) gt.refuse('vkey_malformed');
    if (type !== ML_DSA) gt.keys.checkKey(key);
    return { name, id, type, key, text };
  };

  const readSignatureLine = (line) => {
    const match = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line);
    const blob = match === null ? null : bytes.fromBase64(match[2]);
    if (blob === null || blob.length < 5 || !isName(match[1])) gt.refuse('note_malformed');
    return { name: match[1], id: bytes.hex(blob.subarray(0, 4)), signature: blob.subarray(4) };
  };

  /**
   * Reads a signed note: its text, with its last newline, and its signatures, 1–64.
   * @param {string} note
   * @returns {{text: string, signatures: {name: string, id: string, signature: Uint8Array}[]}}
   */
  const read = (note) => {
    const end = note.lastIndexOf('\n\n');
    const lines = note.slice(end + 2).split('\n');
    const ended = end >= 0 && lines.length > 1 && lines.pop() === '';
    const bounded = bytes.utf8(note).length <= MAX_BYTES && lines.length <= MAX_SIGNATURES;
    if (!ended || !bounded || /[\u0000-\u0009\u000b-\u001f]/.test(note)) gt.refuse('note_malformed');
    return { text: note.slice(0, end + 1), signatures: lines.map(readSignatureLine) };
  };

  /**
   * Reads a checkpoint without extension lines.
   * @param {string} note
   * @returns {{origin: string, size: number, root: Uint8Array, text: string, signatures: object[], note: string}}
   * @throws `note_malformed`, `checkpoint_malformed`
   */
  const readCheckpoint = (note) => {
    const { text, signatures } = read(note);
    const [origin, size, root, rest, ...more] = text.split('\n');
    const good = origin !== '' && rest === '' && more.length === 0;
    const checkpoint = good ? { size: bytes.decimal(size), root: bytes.hashFromBase64(root) } : {};
    if (!good || !Number.isSafeInteger(checkpoint.size) || checkpoint.root === null) gt.refuse('checkpoint_malformed');
    // The tree without entries has one root; a witness has a code of its own for another.
    const isPossible = checkpoint.size > 0 || bytes.equal(checkpoint.root, gt.tree.EMPTY_ROOT);
    if (!isPossible) gt.refuse('checkpoint_malformed', { isEmptyTree: true });
    return { origin, ...checkpoint, text, signatures, note };
  };

  const TIMESTAMP_BYTES = 8;

  /** `timestamped_signature` of tlog-cosignature. @returns {{timestamp: bigint, octets: Uint8Array, signature: Uint8Array}|null} */
  const readTimestamped = (blob, length) => {
    if (blob.length !== TIMESTAMP_BYTES + length) return null;
    const octets = blob.subarray(0, TIMESTAMP_BYTES);
    const timestamp = octets.reduce((number, octet) => number * 256n + BigInt(octet), 0n);
    return timestamp < 2n ** 63n ? { timestamp, octets, signature: blob.subarray(TIMESTAMP_BYTES) } : null;
  };

  const verifyCosignature = async (checkpoint, key, blob) => {
    const timed = readTimestamped(blob, 64);
    if (timed === null) return false;
    const message = `cosignature/v1\ntime ${timed.timestamp}\n${checkpoint.text}`;
    return gt.keys.verify(key.key, timed.signature, bytes.utf8(message));
  };

  /** `cosigned_message` of tlog-cosignature, of the whole tree. */
  const subtreeMessage = (checkpoint, name, timestamp) => {
    const opaque = (text) => bytes.concat(Uint8Array.of(bytes.utf8(text).length), bytes.utf8(text));
    return bytes.concat(
      bytes.utf8('subtree/v1\n\0'), opaque(name), timestamp, opaque(checkpoint.origin),
      bytes.u64(0), bytes.u64(checkpoint.size), checkpoint.root,
    );
  };

  const verifyMlDsa = (checkpoint, key, blob) => {
    const timed = readTimestamped(blob, gt.mldsa.SIGNATURE_BYTES);
    const tooLong = [key.name, checkpoint.origin].some((text) => bytes.utf8(text).length > 255);
    if (timed === null || tooLong) return false;
    return gt.mldsa.verify(key.key, timed.signature, subtreeMessage(checkpoint, key.name, timed.octets));
  };

  /** Whether this blob is a signature of this key on the checkpoint. @returns {Promise<boolean>} */
  const verify = async (checkpoint, key, blob) => {
    if (key.type === ED25519) return gt.keys.verify(key.key, blob, bytes.utf8(checkpoint.text));
    return key.type === COSIGNATURE ? verifyCosignature(checkpoint, key, blob) : verifyMlDsa(checkpoint, key, blob);
  };

  /**
   * What the signatures that bear this key's name and id are worth.
   * @returns {Promise<'none'|'good'|'bad'>} `bad` if any of them is
   */
  const signedBy = async (checkpoint, key) => {
    const lines = checkpoint.signatures.filter((line) => line.name === key.name && line.id === key.id);
    for (const line of lines) if (!(await verify(checkpoint, key, line.signature))) return 'bad';
    return lines.length > 0 ? 'good' : 'none';
  };

  /**
   * Section 10's rule.
   * @param {object} checkpoint @param {object[]} keys as `readKey` makes them
   * @throws `checkpoint_bad_signature`, `checkpoint_not_signed`, `checkpoint_downgraded`
   */
  const checkSigned = async (checkpoint, keys) => {
    const wanted = new Set(keys.map((key) => key.type));
    const found = new Set();
    for (const key of keys) {
      const outcome = await signedBy(checkpoint, key);
      if (outcome === 'bad') gt.refuse('checkpoint_bad_signature');
      if (outcome === 'good') found.add(key.type);
    }
    if (found.size === 0) gt.refuse('checkpoint_not_signed');
    if (found.size < wanted.size) gt.refuse('checkpoint_downgraded');
  };

  gt.note = { readKey, read, readCheckpoint, signedBy, checkSigned, isName, ED25519, COSIGNATURE, ML_DSA };
})();
