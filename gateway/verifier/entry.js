'use strict';
/** Entries (DESIGN 3, FORMATS 4): the bytes of a leaf, which must re-serialise to themselves, and how one follows another. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json, times } = gt;
  const MAX_BYTES = 4096;
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const { isHash } = gt.statement;

  const areLinks = (links) =>
    Array.isArray(links) && links.every((link) => isHash(link)) && new Set(links).size === links.length;

  const isMember = {
    index: isCount,
    prev: isHash,
    received_at: (value) => times.milliseconds(value) !== null,
    registry: isCount,
    links: areLinks,
    statement: isHash,
  };

  /** The bytes that an entry's values have: members in this order, links sorted, no white space. */
  const serialise = (entry, receivedAt) =>
    JSON.stringify({
      index: entry.get('index'),
      prev: entry.get('prev'),
      received_at: times.withThreeDecimals(receivedAt),
      registry: entry.get('registry'),
      links: [...entry.get('links')].sort(bytes.compareAscii),
      statement: entry.get('statement'),
    });

  /**
   * @param {Uint8Array} octets
   * @returns {{index: number, prev: string, receivedAt: number, registry: number, links: string[], statement: string,
   *   octets: Uint8Array, leaf: Uint8Array, leafHash: string}} `receivedAt` in milliseconds
   * @throws {gt.Refusal} `entry_…`, `json_…`
   */
  const read = (octets) => {
    if (octets.length > MAX_BYTES) gt.refuse('entry_too_long');
    const entry = json.parse(octets);
    if (!json.isObject(entry)) gt.refuse('entry_member');
    for (const [member, isGood] of Object.entries(isMember)) {
      if (!entry.has(member) || !isGood(entry.get(member))) gt.refuse('entry_member', { member });
    }
    const receivedAt = times.milliseconds(entry.get('received_at'));
    if (!bytes.equal(bytes.utf8(serialise(entry, receivedAt)), octets)) gt.refuse('entry_not_canonical');
    const leaf = gt.tree.leafHash(octets);
    return {
      index: entry.get('index'),
      prev: entry.get('prev'),
      receivedAt,
      registry: entry.get('registry'),
      links: entry.get('links'),
      statement: entry.get('statement'),
      octets,
      leaf,
      leafHash: bytes.base64url(leaf),
    };
  };

  /** What stands before entry 0. */
  const start = () => ({ size: 0, leafHash: bytes.base64url(bytes.ZERO_HASH), receivedAt: -Infinity, registry: 0 });

  /**
   * Whether an entry comes next.
   * @param {object} before as `start` makes it @param {object} entry @param {boolean} ofRegistrar whether its statement is
   *   the registrar's
   * @returns {object} what stands before the entry after it
   */
  const follow = (before, entry, ofRegistrar) => {
    if (entry.index !== before.size) gt.refuse('entry_index');
    if (entry.prev !== before.leafHash) gt.refuse('entry_prev');
    if (entry.receivedAt < before.receivedAt) gt.refuse('entry_time');
    if (entry.registry !== before.registry) gt.refuse('entry_registry');
    return {
      size: before.size + 1,
      leafHash: entry.leafHash,
      receivedAt: entry.receivedAt,
      registry: before.registry + (ofRegistrar ? 1 : 0),
    };
  };

  gt.entry = { read, start, follow, isCount };
})();
