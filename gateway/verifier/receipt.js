'use strict';
/** Receipts (FORMATS 5): C2SP tlog-proofs whose extra data is the entry. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const HEADER = 'c2sp.org/tlog-proof@v1';
  const MAX_PATH = 63;

  /**
   * Reads a proof: everything up to its checkpoint.
   * @param {string} text proof and checkpoint
   * @returns {{index: number, path: Uint8Array[], extra: Uint8Array|null, checkpoint: string}}
   * @throws `receipt_header`, `receipt_extra`, `receipt_index`, `receipt_no_separator`, `receipt_path`
   */
  const readProof = (text) => {
    let at = 0;
    const line = () => {
      const end = text.indexOf('\n', at);
      return end < 0 ? null : text.slice(at, end);
    };
    if (line() !== HEADER) gt.refuse('receipt_header');
    at += HEADER.length + 1;
    let extra = null;
    if (line()?.startsWith('extra ')) {
      extra = bytes.fromBase64(line().slice('extra '.length)) ?? gt.refuse('receipt_extra');
      at += line().length + 1;
    }
    const index = line()?.startsWith('index ') ? bytes.decimal(line().slice('index '.length)) : null;
    if (index === null) gt.refuse('receipt_index');
    at += line().length; // The newline stays: it is the first of two where the path is empty.
    const end = text.indexOf('\n\n', at);
    if (end < 0) gt.refuse('receipt_no_separator');
    const lines = end === at ? [] : text.slice(at + 1, end).split('\n');
    const path = lines.map((hash) => bytes.hashFromBase64(hash) ?? gt.refuse('receipt_path'));
    if (path.length > MAX_PATH) gt.refuse('receipt_path');
    return { index, path, extra, checkpoint: text.slice(end + 2) };
  };

  /** The entry of a proof. @throws `entry_absent`, entry codes, `index_differs` */
  const readEntry = (proof) => {
    const entry = gt.entry.read(proof.extra ?? gt.refuse('entry_absent'));
    if (entry.index !== proof.index) gt.refuse('index_differs');
    return entry;
  };

  const checkGenesis = (entry, genesis) => {
    const seen = { 0: entry.leafHash, 1: entry.prev }[entry.index];
    if (seen !== undefined && seen !== genesis) gt.refuse('other_genesis');
  };

  /**
   * @param {Uint8Array} octets of the receipt
   * @param {{origin: string, keys: object[], genesis: string|undefined}} pin
   * @param {string|undefined} statement hash of the statement that its holder signed
   * @returns {Promise<{entry: object, checkpoint: object, statementCompared: boolean}>}
   */
  const check = async (octets, pin, statement) => {
    const proof = readProof(bytes.fromUtf8(octets) ?? gt.refuse('receipt_not_utf8'));
    const checkpoint = gt.note.readCheckpoint(proof.checkpoint);
    if (checkpoint.origin !== pin.origin) gt.refuse('other_origin');
    await gt.note.checkSigned(checkpoint, pin.keys);
    const entry = readEntry(proof);
    gt.tree.checkInclusion(entry.leaf, entry.index, checkpoint.size, proof.path, checkpoint.root);
    if (pin.genesis !== undefined) checkGenesis(entry, pin.genesis);
    if (statement !== undefined && entry.statement !== statement) gt.refuse('other_statement');
    return { entry, checkpoint, statementCompared: statement !== undefined };
  };

  gt.receipt = { readProof, readEntry, check };
})();
