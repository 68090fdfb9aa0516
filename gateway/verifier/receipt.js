'use strict';
/** Receipts (FORMATS 5): C2SP tlog-proofs whose extra data is the entry. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const HEADER = 'c2sp.org/tlog-proof@v1';
  const MAX_BYTES = 1024 * 1024;
  const MAX_PATH = 63;

  /** The path from a place in the text on, line by line, and what follows the empty line that ends it. */
  const readPath = (text, start) => {
    const path = [];
    for (let at = start; ;) {
      const end = text.indexOf('\n', at);
      if (end < 0) gt.refuse('receipt_no_separator');
      if (end === at) return { path, rest: text.slice(end + 1) };
      if (path.length === MAX_PATH) gt.refuse('receipt_path');
      path.push(bytes.hashFromBase64(text.slice(at, end)) ?? gt.refuse('receipt_path'));
      at = end + 1;
    }
  };

  /**
   * Reads a proof: everything up to its checkpoint.
   * @param {string} text proof and checkpoint
   * @returns {{index: number, path: Uint8Array[], extra: Uint8Array|null, rest: string}} with what follows it
   * @throws `receipt_too_long`, `receipt_header`, `receipt_extra`, `receipt_index`, `receipt_path`, `receipt_no_separator`
   */
  const readProof = (text) => {
    if (bytes.utf8(text).length > MAX_BYTES) gt.refuse('receipt_too_long');
    let at = 0;
    const line = () => {
      const end = text.indexOf('\n', at);
      return end < 0 ? null : text.slice(at, end);
    };
    const begins = (word) => text.startsWith(word, at);
    if (line() !== HEADER) gt.refuse('receipt_header');
    at += HEADER.length + 1;
    let extra = null;
    if (begins('extra ')) {
      // A line that the end of the text cuts is none.
      extra = bytes.fromBase64((line() ?? gt.refuse('receipt_extra')).slice('extra '.length)) ?? gt.refuse('receipt_extra');
      at += line().length + 1;
    }
    const index = begins('index ') && line() !== null ? bytes.decimal(line().slice('index '.length)) : null;
    if (index === null) gt.refuse('receipt_index');
    return { index, extra, ...readPath(text, at + line().length + 1) };
  };

  const readReceipt = (octets) => {
    if (octets.length > MAX_BYTES) gt.refuse('receipt_too_long');
    const proof = readProof(bytes.fromUtf8(octets) ?? gt.refuse('receipt_not_utf8'));
    return { proof, checkpoint: gt.note.readCheckpoint(proof.rest) };
  };

  /** The entry of a proof. @throws `entry_absent`, entry codes, `index_differs` */
  const readEntry = (proof) => {
    const entry = gt.entry.read(proof.extra ?? gt.refuse('entry_absent'));
    if (entry.index !== proof.index) gt.refuse('index_differs');
    return entry;
  };

  const checkPinned = async (checkpoint, pin) => {
    if (checkpoint.origin !== pin.origin) gt.refuse('other_origin');
    await gt.note.checkSigned(checkpoint, pin.keys);
  };

  const checkGenesis = (entry, genesis) => {
    const seen = { 0: entry.leafHash, 1: entry.prev }[entry.index];
    if (seen !== undefined && seen !== genesis) gt.refuse('other_genesis');
  };

  /**
   * Checks a receipt against what its reader has; the first fault counts (FORMATS 5).
   * @param {Uint8Array} octets of the receipt
   * @param {object} [held]
   * @param {{origin: string, keys: object[], genesis: string|undefined}} [held.pin]
   * @param {object} [held.policy] as `gt.policy.read` makes it
   * @param {string} [held.statement] hash of the statement that its holder signed
   * @returns {Promise<{entry: object, checkpoint: object, statementCompared: boolean, cosigned: string[]|undefined}>} `cosigned` as
   *   `gt.policy.check` answers
   */
  const check = async (octets, { pin, policy, statement } = {}) => {
    const { proof, checkpoint } = readReceipt(octets);
    const cosigned = policy === undefined ? undefined : await gt.policy.check(policy, checkpoint);
    const entry = readEntry(proof);
    if (pin !== undefined) await checkPinned(checkpoint, pin);
    gt.tree.checkInclusion(entry.leaf, entry.index, checkpoint.size, proof.path, checkpoint.root);
    if (pin?.genesis !== undefined) checkGenesis(entry, pin.genesis);
    if (statement !== undefined && entry.statement !== statement) gt.refuse('other_statement');
    return { entry, checkpoint, statementCompared: statement !== undefined, cosigned };
  };

  gt.receipt = { readProof, readEntry, check };
})();
