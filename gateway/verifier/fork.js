'use strict';
/** Evidence that one ledger signed two histories (FORMATS 13). */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json } = gt;
  const FORMAT = 'gt/fork/1';
  const MAX_BYTES = 1024 * 1024;
  const MEMBERS = ['format', 'checkpoints', 'other_root', 'consistency'];

  const isTextOrNull = (value) => value === null || typeof value === 'string';
  const isTwoTexts = (value) => Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'string');

  /**
   * @param {Uint8Array} octets
   * @returns {{checkpoints: string[], otherRoot: Uint8Array|null, consistency: string|null}}
   * @throws `fork_too_long`, section 1's codes, `fork_member`, `fork_format`
   */
  const read = (octets) => {
    if (octets.length > MAX_BYTES) gt.refuse('fork_too_long');
    const value = json.parse(octets);
    if (!json.isObject(value) || typeof value.get('format') !== 'string') gt.refuse('fork_member');
    if (value.get('format') !== FORMAT) gt.refuse('fork_format');
    const [, checkpoints, root, consistency] = MEMBERS.map((name) => value.get(name));
    const good =
      isTwoTexts(checkpoints) && isTextOrNull(consistency) && (root === null || gt.statement.isHash(root)) &&
      (root === null) === (consistency === null) && value.size === MEMBERS.length;
    if (!good) gt.refuse('fork_member');
    return { checkpoints, otherRoot: root === null ? null : bytes.fromBase64url(root), consistency };
  };

  /** The second history's root at the first checkpoint's size. */
  const rootAtFirst = ({ otherRoot }, first, second) => {
    if (first.size > second.size) gt.refuse('fork_order');
    if ((first.size === second.size) !== (otherRoot === null)) gt.refuse('fork_beginning');
    const root = otherRoot ?? second.root;
    if (bytes.equal(root, first.root)) gt.refuse('fork_same_history');
    return root;
  };

  const checkGrown = ({ size, path }, root, first, second) => {
    if (size !== first.size) gt.refuse('fork_not_proven');
    try {
      gt.tree.checkConsistency(size, second.size, path, root, second.root);
    } catch (error) {
      throw error instanceof gt.Refusal ? new gt.Refusal('fork_not_proven') : error;
    }
  };

  /**
   * Whether this proves, under the pin, that one ledger signed two histories.
   * @param {Uint8Array} octets @param {{origin: string, keys: object[]}} pin
   * @returns {Promise<{first: object, second: object, otherRoot: Uint8Array}>} the two checkpoints, and the second history's root at the
   *   first one's size
   * @throws {gt.Refusal} if it proves nothing
   */
  const check = async (octets, pin) => {
    const evidence = read(octets);
    const [first, second] = evidence.checkpoints.map(gt.note.readCheckpoint);
    const proof = evidence.consistency === null ? null : gt.bundleLog.readConsistency(evidence.consistency);
    for (const checkpoint of [first, second]) {
      if (checkpoint.origin !== pin.origin) gt.refuse('other_origin');
      await gt.note.checkSigned(checkpoint, pin.keys);
    }
    const otherRoot = rootAtFirst(evidence, first, second);
    if (proof !== null) checkGrown(proof, otherRoot, first, second);
    return { first, second, otherRoot };
  };

  gt.fork = { read, check };
})();
