'use strict';
/** Evidence that one ledger signed two histories (FORMATS 13). */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json } = gt;
  const FORMAT = 'gt/fork/1';
  const MAX_BYTES = 256 * 1024;

  const isTextOrNull = (value) => value === null || typeof value === 'string';

  /**
   * @param {Uint8Array} octets
   * @returns {{checkpoints: string[], otherRoot: Uint8Array|null, consistency: string|null}}
   * @throws `json_…`, `fork_member`, `fork_format`, `fork_too_long`
   */
  const read = (octets) => {
    if (octets.length > MAX_BYTES) gt.refuse('fork_too_long');
    const value = json.parse(octets);
    if (!json.hasExactly(value, ['format', 'checkpoints', 'other_root', 'consistency'])) gt.refuse('fork_member');
    if (value.get('format') !== FORMAT) gt.refuse('fork_format');
    const checkpoints = value.get('checkpoints');
    const root = value.get('other_root');
    const good =
      Array.isArray(checkpoints) && checkpoints.length === 2 && checkpoints.every((one) => typeof one === 'string') &&
      isTextOrNull(value.get('consistency')) && (root === null || gt.statement.isHash(root));
    if (!good) gt.refuse('fork_member');
    return { checkpoints, otherRoot: root === null ? null : bytes.fromBase64url(root), consistency: value.get('consistency') };
  };

  const checkSameSize = (evidence, first, second) => {
    if (evidence.otherRoot !== null || evidence.consistency !== null) gt.refuse('fork_proves_nothing');
    if (bytes.equal(first.root, second.root)) gt.refuse('fork_proves_nothing');
  };

  const checkTwoSizes = (evidence, first, second) => {
    const complete = evidence.otherRoot !== null && evidence.consistency !== null;
    if (first.size > second.size || !complete || bytes.equal(evidence.otherRoot, first.root)) {
      gt.refuse('fork_proves_nothing');
    }
    const { size, path } = gt.bundleLog.readConsistency(evidence.consistency);
    if (size !== first.size) gt.refuse('fork_proves_nothing');
    gt.tree.checkConsistency(size, second.size, path, evidence.otherRoot, second.root);
  };

  /**
   * Whether this proves, under the pin, that one ledger signed two histories.
   * @param {Uint8Array} octets @param {{origin: string, keys: object[]}} pin
   * @returns {Promise<{first: object, second: object}>} the two checkpoints
   * @throws {gt.Refusal} if it proves nothing
   */
  const check = async (octets, pin) => {
    const evidence = read(octets);
    const [first, second] = evidence.checkpoints.map(gt.note.readCheckpoint);
    for (const checkpoint of [first, second]) {
      if (checkpoint.origin !== pin.origin) gt.refuse('other_origin');
      await gt.note.checkSigned(checkpoint, pin.keys);
    }
    if (first.size === second.size) checkSameSize(evidence, first, second);
    else checkTwoSizes(evidence, first, second);
    return { first, second };
  };

  gt.fork = { read, check, FORMAT };
})();
