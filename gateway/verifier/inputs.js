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

  /** What a bundle has beside its format. */
  const OF_A_BUNDLE = ['manifest', 'checkpoint', 'consistency', 'registrar', 'tip', 'records', 'completeness'];
  const OF_A_PIN = ['origin', 'genesis', 'verifier_keys'];

  /**
   * The object that a text is, read as leniently as browsers do, after a byte-order mark too: it says what a file means to be, and
   * nothing else of it is believed. Whoever checks it reads it strictly.
   * @param {Uint8Array} octets
   * @returns {Map|null} null if it is none
   */
  const looselyRead = (octets) => {
    try {
      const value = JSON.parse(new TextDecoder().decode(octets));
      return value !== null && typeof value === 'object' && !Array.isArray(value) ? new Map(Object.entries(value)) : null;
    } catch {
      return null;
    }
  };

  const meansBundle = (members) => members.has('format') || OF_A_BUNDLE.some((name) => members.has(name));
  const meansPin = (members) => !members.has('format') && OF_A_PIN.every((name) => members.has(name));
  /** Evidence of a fork, of whatever version. */
  const meansFork = (members) => {
    const format = members.get('format');
    return typeof format === 'string' && format.startsWith('gt/fork/');
  };

  const kindOfJson = (octets) => {
    const members = octets.length > MAX_SMALL ? null : looselyRead(octets);
    if (members === null) return 'bundle';
    if (meansFork(members)) return 'fork';
    return meansPin(members) ? 'pin' : 'bundle';
  };

  /** Whether this means to be a bundle. What does not, and is taken for one all the same, is only nothing else. */
  const isMeantAsBundle = (octets) => {
    const members = looselyRead(octets);
    return members !== null && meansBundle(members);
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

  /** The hash of a statement that its holder kept, with or without its disclosures. */
  const statementHash = (octets) => {
    const text = bytes.fromUtf8(octets) ?? gt.refuse('not_utf8');
    return gt.statement.read(text.split('~')[0].trim()).hash;
  };

  /** What reads the files beside what is checked. */
  const readers = {
    pin: readPin,
    policy: gt.policy.read,
    known: (octets) => gt.note.readCheckpoint(bytes.fromUtf8(octets) ?? gt.refuse('note_malformed')),
    statement: statementHash,
  };

  /** @returns {object} what of these kinds is there, read @throws a Refusal with `facts.kind` where it does not read */
  const readAll = (files, kinds) => {
    const read = {};
    for (const kind of kinds.filter((one) => files[one] !== undefined)) {
      try {
        read[kind] = readers[kind](files[kind]);
      } catch (error) {
        if (!(error instanceof gt.Refusal)) throw error;
        gt.refuse(error.code, { ...error.facts, kind });
      }
    }
    return read;
  };

  const checkReceipt = async (octets, held) => {
    const result = { kind: 'receipt', faults: [], unknowns: [] };
    try {
      Object.assign(result, await gt.receipt.check(octets, held));
      if (held.pin === undefined) result.unknowns.push({ code: 'nothing_pinned', place: '/receipt' });
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      result.faults.push({ code: error.code, place: '/receipt', facts: error.facts });
    }
    return result;
  };

  const checkFork = async (octets, { pin }) => {
    const result = { kind: 'fork', faults: [], unknowns: [] };
    if (pin === undefined) {
      result.unknowns.push({ code: 'nothing_pinned', place: '/fork' });
      return result;
    }
    try {
      result.proved = await gt.fork.check(octets, pin);
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

  /** What says nothing about each kind of evidence. It is not passed over in silence: somebody might take it for compared. */
  const NOT_BESIDE = {
    bundle: { code: 'beside_bundle', kinds: ['statement'] },
    receipt: { code: 'beside_receipt', kinds: ['known', 'mirror'] },
    fork: { code: 'beside_fork', kinds: ['known', 'policy', 'mirror', 'statement'] },
  };

  /**
   * Checks what is there.
   * @param {Object<string, Uint8Array>} files by their kinds
   * @param {{path: string, read: function(): Promise<Uint8Array>}[]} mirror files of a mirror's folder
   * @param {function(string, number, number): *} progress
   * @returns {Promise<object>} with `kind` and `verdict`
   * @throws {gt.Refusal} with `facts.kind`, if a file beside the evidence does not read or says nothing about it; `nothing_to_check`
   */
  const check = async (files, mirror, progress) => {
    const evidence = Object.keys(NOT_BESIDE).find((kind) => files[kind] !== undefined) ?? gt.refuse('nothing_to_check');
    const trusted = readAll(files, ['pin', 'policy']);
    const log = gt.openLog.fromFiles(mirror);
    const { code, kinds } = NOT_BESIDE[evidence];
    const useless = kinds.find((kind) => (kind === 'mirror' ? log : files[kind]) !== undefined);
    if (useless !== undefined) gt.refuse(code, { kind: useless });
    const held = { ...trusted, ...readAll(files, ['known', 'statement']) };
    if (evidence === 'bundle') {
      return { kind: 'bundle', ...(await gt.bundle.check({ octets: files.bundle, ...held, log, progress })) };
    }
    return withVerdict(await (evidence === 'receipt' ? checkReceipt : checkFork)(files[evidence], held));
  };

  gt.inputs = { kindOf, isMeantAsBundle, looselyRead, meansBundle, meansPin, check, readPin };
})();
