'use strict';
/** What lies beside evidence and is chosen in its place: it is called by its name, and no verdict is given on it. */
(() => {
  const gt = globalThis.GoldenThread;
  const { looselyRead, meansBundle, meansPin } = gt.inputs;
  const MAX_SMALL = 1024 * 1024;
  const LINE_FEED = 10;
  const PROBLEM_TYPE = 'urn:goldenthread:problem:';

  const SAID = {
    empty: 'an empty file. Have the receipt or the bundle written anew.',
    page: 'a page for people, which proves nothing. Choose the bundle that was made with it (.bundle.json).',
    answer: 'an answer with a receipt in it. Save the text of its member “receipt” as a file, without the quotation marks and with real line ends, and choose that.',
    queued: 'an answer without a receipt: the draft is not sealed yet. Ask the agent for it again.',
    refused: 'an answer without a receipt: the draft was refused.',
    refusal: 'an answer without a receipt: a refusal, whose detail says why.',
    key: 'a key. Choose a receipt (.tlog-proof) or a bundle (.bundle.json), and keep a private key to yourself.',
    other: 'JSON of another kind, with nothing in it that a bundle has. Choose a receipt (.tlog-proof) or a bundle (.bundle.json).',
  };

  /** What would be taken for a bundle only because it is nothing else, and does not take the place of evidence. */
  gt.page.STRAY = 'JSON that does not read, or has nothing of a bundle. What was chosen before is still what is checked; to see what is wrong with this file, remove that and choose this again.';

  /** What an object is that an agent or a ledger answered. */
  const answerOf = (members) => {
    if (members.has('format')) return null;
    if (typeof members.get('receipt') === 'string') return 'answer';
    const status = typeof members.get('id') === 'string' ? members.get('status') : null;
    if (status === 'queued' || status === 'refused') return status;
    return String(members.get('type')).startsWith(PROBLEM_TYPE) ? 'refusal' : null;
  };

  /** What a whole file is that has members, and none of evidence. */
  const foreignKindOf = (members) => {
    const has = (name) => members.has(name);
    if (members.size === 0 || meansBundle(members) || meansPin(members)) return null;
    return has('kty') || (has('protected') && has('ciphertext')) ? 'key' : 'other';
  };

  /** A small file's object, or else its first line's: answers stand one a line. Of what is large there is but the first line. */
  const kindOfJson = (octets) => {
    const whole = octets.length > MAX_SMALL ? null : looselyRead(octets);
    // A bundle that something was put before is a damaged bundle, so a first line alone is no other thing.
    if (whole !== null) return answerOf(whole) ?? foreignKindOf(whole);
    const start = octets.findIndex((octet) => octet > 0x20 && octet < 0x80);
    const end = octets.indexOf(LINE_FEED, start);
    const line = end < 0 || end - start > MAX_SMALL ? null : looselyRead(octets.subarray(start, end));
    return line === null ? null : answerOf(line);
  };

  /**
   * What a file is that is no evidence and nothing to compare evidence with, in words.
   * @param {Uint8Array} octets
   * @returns {string|null} null if it is evidence, or might be meant for it
   */
  gt.page.mistaken = (octets) => {
    const beginning = new TextDecoder().decode(octets.subarray(0, MAX_SMALL)).trim();
    if (beginning === '') return octets.length > MAX_SMALL ? null : SAID.empty;
    if (beginning.startsWith('<')) return SAID.page;
    return beginning.startsWith('{') ? (SAID[kindOfJson(octets)] ?? null) : null;
  };
})();
