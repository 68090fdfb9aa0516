'use strict';
/** What a reader hands in: which kind of file each is, by its content, and the check that fits what is there. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json } = gt;
  const MAX_SMALL = 1024 * 1024;

  const readPin = (octets) => {
    const value = json.parse(octets);
    const texts = (list) => Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === 'string');
    const good =
      json.isObject(value) && typeof value.get('origin') === 'string' && gt.statement.isHash(value.get('genesis')) &&
      texts(value.get('verifier_keys'));
    if (!good) gt.refuse('pin_malformed');
    const keys = value.get('verifier_keys').map(gt.note.readKey);
    const fits = (key) => key.name === value.get('origin') && key.type !== gt.note.COSIGNATURE;
    if (!keys.every(fits) || !keys.some((key) => key.type === gt.note.ED25519)) gt.refuse('pin_malformed');
    return { origin: value.get('origin'), genesis: value.get('genesis'), keys };
  };

  const kindOfJson = (octets) => {
    if (octets.length > MAX_SMALL) return 'bundle';
    let value;
    try {
      value = json.parse(octets);
    } catch (error) {
      if (error instanceof gt.Refusal) return 'bundle';
      throw error;
    }
    if (value.get('format') === gt.fork.FORMAT) return 'fork';
    const isPin = value.has('verifier_keys') && value.has('origin') && !value.has('format');
    return isPin ? 'pin' : 'bundle';
  };

  /**
   * Which kind of file this is. JSON that is nothing else is taken for a bundle, so that its faults are told.
   * @param {Uint8Array} octets
   * @returns {'bundle'|'pin'|'fork'|'receipt'|'known'|'policy'|'statement'|null}
   */
  const kindOf = (octets) => {
    const start = bytes.fromUtf8(octets.subarray(0, 64).filter((octet) => octet < 0x80)) ?? '';
    if (/^[ \t\r\n]*\{/.test(start)) return kindOfJson(octets);
    const text = octets.length <= MAX_SMALL ? bytes.fromUtf8(octets) : null;
    if (text === null) return null;
    if (text.startsWith('c2sp.org/tlog-proof@')) return 'receipt';
    if (text.includes('\n\n\u2014 ')) return 'known';
    if (/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(~|\s*$)/.test(text)) return 'statement';
    return /^[ \t]*quorum[ \t]/m.test(text) ? 'policy' : null;
  };

  /** Reads one of the files beside a bundle. @throws a Refusal with `facts.kind` where it does not read */
  const readers = {
    pin: readPin,
    policy: gt.policy.read,
    known: (octets) => gt.note.readCheckpoint(bytes.fromUtf8(octets) ?? gt.refuse('note_malformed')),
  };

  /** The hash of a statement that its holder kept, with or without its disclosures. */
  const statementHash = (octets) => {
    const text = bytes.fromUtf8(octets) ?? gt.refuse('not_utf8');
    return gt.statement.read(text.split('~')[0].trim()).hash;
  };

  const checkReceipt = async ({ receipt, statement, pin }) => {
    const result = { kind: 'receipt', faults: [], unknowns: [], statementCompared: statement !== undefined };
    try {
      const hash = statement === undefined ? undefined : statementHash(statement);
      const proof = gt.receipt.readProof(bytes.fromUtf8(receipt) ?? gt.refuse('receipt_not_utf8'));
      const checkpoint = gt.note.readCheckpoint(proof.checkpoint);
      if (pin === undefined) {
        result.unknowns.push({ code: 'nothing_pinned', place: '/receipt' });
        result.entry = gt.receipt.readEntry(proof);
        gt.tree.checkInclusion(result.entry.leaf, proof.index, checkpoint.size, proof.path, checkpoint.root);
        if (hash !== undefined && hash !== result.entry.statement) gt.refuse('other_statement');
      } else {
        result.entry = (await gt.receipt.check(receipt, pin, hash)).entry;
      }
      result.checkpoint = checkpoint;
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      result.faults.push({ code: error.code, place: '/receipt', facts: error.facts });
    }
    return result;
  };

  const checkFork = async ({ fork, pin }) => {
    const result = { kind: 'fork', faults: [], unknowns: [] };
    if (pin === undefined) {
      result.unknowns.push({ code: 'nothing_pinned', place: '/fork' });
      return result;
    }
    try {
      result.proved = await gt.fork.check(fork, pin);
      result.faults.push({ code: 'two_histories', place: '/fork' });
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      result.unknowns.push({ code: 'fork_proves_nothing', place: '/fork', why: error.code });
    }
    return result;
  };

  const withVerdict = (result) => {
    const verdict = result.faults.length > 0 ? 'not_sound' : result.unknowns.length > 0 ? 'could_not_tell' : 'sound';
    return { ...result, verdict };
  };

  /**
   * Checks what is there.
   * @param {Object<string, Uint8Array>} files by their kinds
   * @param {{path: string, read: function(): Promise<Uint8Array>}[]} mirror files of a mirror's folder
   * @param {function(string, number, number): *} progress
   * @returns {Promise<object>} with `kind` and `verdict`
   * @throws {gt.Refusal} with `facts.kind`, if a pin, policy or checkpoint does not read
   */
  const check = async (files, mirror, progress) => {
    const read = {};
    for (const [kind, reader] of Object.entries(readers)) {
      if (files[kind] === undefined) continue;
      try {
        read[kind] = reader(files[kind]);
      } catch (error) {
        if (!(error instanceof gt.Refusal)) throw error;
        gt.refuse(error.code, { ...error.facts, kind });
      }
    }
    if (files.bundle !== undefined) {
      const log = gt.openLog.fromFiles(mirror);
      return { kind: 'bundle', ...(await gt.bundle.check({ octets: files.bundle, ...read, log, progress })) };
    }
    if (files.receipt !== undefined) return withVerdict(await checkReceipt({ ...files, ...read }));
    if (files.fork !== undefined) return withVerdict(await checkFork({ ...files, ...read }));
    return gt.refuse('nothing_to_check');
  };

  gt.inputs = { kindOf, check, readPin };
})();
