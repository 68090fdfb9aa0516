'use strict';
/** Trust policies (C2SP tlog-policy, FORMATS 11): which logs, which witnesses, and which of them suffice. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, note } = gt;
  const MAX_BYTES = 64 * 1024;
  const MAX_OF_A_KIND = 64;
  const malformed = (line) => gt.refuse('policy_malformed', { line });

  /** A key of one of these types, which no line before it has. */
  const keyOf = (text, types, seen, line) => {
    let key;
    try {
      key = note.readKey(bytes.fromUtf8(Uint8Array.from(text, (octet) => octet.charCodeAt(0))) ?? '');
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      malformed(line);
    }
    const material = bytes.hex(key.key);
    if (!types.includes(key.type) || seen.has(material)) malformed(line);
    seen.add(material);
    return key;
  };

  const quorumOf = (text, count) => {
    if (text === 'any') return 1;
    if (text === 'all') return count;
    const number = bytes.decimal(text);
    return number !== null && number >= 1 && number <= count ? number : null;
  };

  class Reader {
    constructor() {
      this.logs = [];
      this.rules = new Map();
      this.used = new Set();
      this.logKeys = new Set();
      this.witnessKeys = new Set();
      this.quorum = null;
    }

    count(kind) {
      return [...this.rules.values()].filter((rule) => rule.kind === kind).length;
    }

    define(name, rule, line) {
      if (name === 'none' || this.rules.has(name) || this.count(rule.kind) >= MAX_OF_A_KIND) malformed(line);
      this.rules.set(name, rule);
    }

    log(items, line) {
      if (items.length < 1 || items.length > 2 || this.logs.length >= MAX_OF_A_KIND) malformed(line);
      this.logs.push(keyOf(items[0], [note.ED25519, note.ML_DSA], this.logKeys, line));
    }

    witness(items, line) {
      if (items.length < 2 || items.length > 3) malformed(line);
      const key = keyOf(items[1], [note.COSIGNATURE, note.ML_DSA], this.witnessKeys, line);
      this.define(items[0], { kind: 'witness', key }, line);
    }

    group(items, line) {
      const [name, threshold, ...members] = items;
      const needed = members.length > 0 ? quorumOf(threshold, members.length) : null;
      if (needed === null) malformed(line);
      for (const member of members) {
        if (!this.rules.has(member) || this.used.has(member)) malformed(line);
        this.used.add(member);
      }
      this.define(name, { kind: 'group', needed, members }, line);
    }

    setQuorum(items, line) {
      const known = items.length === 1 && (items[0] === 'none' || this.rules.has(items[0]));
      if (!known || this.quorum !== null) malformed(line);
      [this.quorum] = items;
    }

    read(text, line) {
      const [keyword, ...items] = text.split(/[ \t]+/).filter((item) => item !== '');
      if (keyword === undefined || keyword.startsWith('#')) return;
      if (keyword === 'log') this.log(items, line);
      else if (keyword === 'witness') this.witness(items, line);
      else if (keyword === 'group') this.group(items, line);
      else if (keyword === 'quorum') this.setQuorum(items, line);
      else malformed(line);
    }
  }

  /**
   * @param {Uint8Array} octets
   * @returns {{logs: object[], rules: Map<string, object>, quorum: string}}
   * @throws `policy_malformed`, with the line
   */
  const read = (octets) => {
    if (octets.length > MAX_BYTES) malformed(0);
    // A character an octet: what is not ASCII is opaque to a policy.
    const text = Array.from(octets, (octet) => String.fromCharCode(octet)).join('');
    if (/[^\t\n\u0020-\u007e\u0080-\u00ff]/.test(text)) malformed(0);
    const lines = text.split('\n');
    // The last line may lack its newline, as files that people write do.
    const reader = new Reader();
    lines.forEach((line, i) => reader.read(line, i + 1));
    if (reader.quorum === null) malformed(lines.length);
    return { logs: reader.logs, rules: reader.rules, quorum: reader.quorum };
  };

  const isMet = (policy, name, witnessed) => {
    const rule = policy.rules.get(name);
    if (rule.kind === 'witness') return witnessed.has(name);
    return rule.members.filter((member) => isMet(policy, member, witnessed)).length >= rule.needed;
  };

  const isSignedByLog = async (policy, checkpoint) => {
    for (const key of policy.logs) {
      if (key.name === checkpoint.origin && (await note.signedBy(checkpoint, key)) === 'good') return true;
    }
    return policy.logs.length === 0;
  };

  /**
   * Section 12, step 3.
   * @param {object} policy @param {object} checkpoint
   * @returns {Promise<string[]>} names of the witnesses that cosigned, as the policy has them
   * @throws `policy_other_log`, `cosignature_bad`, `quorum_not_met`
   */
  const check = async (policy, checkpoint) => {
    if (!(await isSignedByLog(policy, checkpoint))) gt.refuse('policy_other_log');
    const witnessed = new Set();
    for (const [name, rule] of policy.rules) {
      const outcome = rule.kind === 'witness' ? await note.signedBy(checkpoint, rule.key) : 'none';
      if (outcome === 'bad') gt.refuse('cosignature_bad', { name });
      if (outcome === 'good') witnessed.add(name);
    }
    if (policy.quorum !== 'none' && !isMet(policy, policy.quorum, witnessed)) gt.refuse('quorum_not_met');
    return [...witnessed];
  };

  gt.policy = { read, check };
})();
