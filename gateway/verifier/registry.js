'use strict';
/**
 * The registry (DESIGN 4, FORMATS 6): a fold of the registrar's chain. It keeps when each key came and went, so that it can be
 * asked who was allowed to speak at any index.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json, statement: st } = gt;
  const SERVICE = 'ledger:service';
  const REGISTRAR = 'ledger:registrar';
  const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
  const isWord = (value) => typeof value === 'string' && /^[a-z_]{1,32}$/.test(value);
  const isSignature = (value) => bytes.exactlyFromBase64url(value, 64) !== null;
  const isBoolean = (value) => typeof value === 'boolean';

  /** Unicode's White_Space alone: `\s` lacks U+0085 and has U+FEFF besides. */
  const isBlank = (text) => /^(?:(?!\ufeff)[\s\u0085])*$/.test(text);

  const isName = (value) =>
    typeof value === 'string' && !isBlank(value) && bytes.utf8(value).length <= 200 && !CONTROL.test(value);

  const isVerifierKey = (text, origin) => {
    try {
      const key = gt.note.readKey(text);
      return key.name === origin && key.type !== gt.note.COSIGNATURE ? key : null;
    } catch (error) {
      if (error instanceof gt.Refusal) return null;
      throw error;
    }
  };

  const areVerifierKeys = (value, data) => {
    if (!Array.isArray(value) || value.length < 1 || value.length > 8) return false;
    const keys = value.map((text) => (typeof text === 'string' ? isVerifierKey(text, data.get('origin')) : null));
    return keys.every((key) => key !== null) && keys.some((key) => key.type === gt.note.ED25519);
  };

  const isEndorsement = (value) => {
    if (!json.isObject(value) || !st.isHash(value.get('kid')) || !isSignature(value.get('signature'))) return false;
    if (!json.hasExactly(value, ['kid', 'signature'])) gt.refuse('unknown_member');
    return true;
  };

  const isOrigin = (value) =>
    typeof value === 'string' && gt.note.isName(value) && bytes.utf8(value).length <= 200 && !CONTROL.test(value);

  const LEDGER_MEMBERS = {
    origin: isOrigin, verifier_keys: areVerifierKeys, registrar: json.isObject, recovery: json.isObject,
  };
  /** Members of each type's `data`; those after `optional` may be missing. */
  const FORMS = {
    'ledger.created': { required: LEDGER_MEMBERS },
    'ledger.rotated': { required: LEDGER_MEMBERS },
    'publisher.registered': {
      required: {
        publisher: st.isHash, agency: st.isAgency, name: isName, kind: isWord, key: json.isObject, proof: isSignature,
      },
      optional: {
        endorsement: isEndorsement, recovery: isBoolean,
        on_behalf_of: (value) => Array.isArray(value) && value.every(st.isAgency),
      },
    },
    'publisher.rotated': {
      required: { publisher: st.isHash, key: json.isObject, proof: isSignature },
      optional: { endorsement: isEndorsement, recovery: isBoolean },
    },
    'publisher.revoked': {
      required: { publisher: st.isHash, reason: isWord },
      optional: { suspect_from: (value) => gt.times.milliseconds(value) !== null },
    },
    'ledger.configured': {
      required: { legal: json.isObject, thresholds: json.isObject, calendar: json.isObject },
      optional: { retention: json.isObject },
    },
  };

  /** `data` of a statement of the registrar, as its type has it. @returns {object} its members by their names */
  const readData = (statement) => {
    if (!Object.hasOwn(FORMS, statement.type)) gt.refuse('unknown_type');
    if (statement.version !== 1) gt.refuse('unknown_version');
    const { required, optional = {} } = FORMS[statement.type];
    const { data } = statement;
    for (const member of data.keys()) {
      if (!Object.hasOwn(required, member) && !Object.hasOwn(optional, member)) gt.refuse('unknown_member');
    }
    for (const [member, isGood] of Object.entries({ ...required, ...optional })) {
      const missing = !data.has(member);
      if (missing ? Object.hasOwn(required, member) : !isGood(data.get(member), data)) {
        gt.refuse('registry_member', { member });
      }
    }
    return Object.fromEntries(data);
  };

  class Registry {
    /** What comes of `ledger.created`, sealed as entry 0 with this leaf hash. Its signature is not looked at. */
    static create(statement, genesis) {
      if (statement.type !== 'ledger.created') gt.refuse('not_genesis');
      const data = readData(statement);
      const registrar = gt.keys.fromJwk(data.registrar);
      const recovery = gt.keys.fromJwk(data.recovery);
      const zero = bytes.base64url(bytes.ZERO_HASH);
      const first =
        statement.seq === 0 && statement.prev === zero && statement.iss === REGISTRAR &&
        statement.publisher === registrar.thumbprint && statement.aud === data.origin &&
        statement.on_behalf_of === undefined;
      if (!first) gt.refuse('not_genesis');
      const registry = new Registry();
      registry.origin = data.origin;
      registry.genesis = genesis;
      registry.registrarId = registrar.thumbprint;
      registry.claim([registrar, recovery]);
      registry.setLedger(data, registrar, recovery, -1);
      registry.chained(statement);
      return registry;
    }

    constructor() {
      /** @type {Map<string, object>} publishers by their ids */
      this.publishers = new Map();
      this.seen = new Set();
      this.ledgerKeys = [];
      this.statements = 0;
      this.hashes = [];
      this.configuredAt = null;
    }

    /** Keys are registered once ever. */
    claim(keys) {
      for (const key of keys) {
        if (this.seen.has(key.thumbprint)) gt.refuse('key_seen_before');
        this.seen.add(key.thumbprint);
      }
    }

    setLedger(data, registrar, recovery, index) {
      this.ledgerKeys.push({ from: index, registrar, recovery });
      this.verifierKeys = data.verifier_keys;
    }

    chained(statement) {
      this.statements += 1;
      this.hashes.push(statement.hash);
    }

    /** The last of a list of things with `from`, an index, that was there before this index. */
    static before(list, index) {
      return list.findLast((item) => item.from < index);
    }

    /**
     * The key that must have signed this statement, if it was sealed at this index.
     * @returns {{x: Uint8Array, thumbprint: string}}
     */
    signer(statement, index) {
      if (statement.aud !== this.origin) gt.refuse('wrong_audience');
      if (statement.publisher === this.registrarId) return this.registrarsSigner(statement, index);
      const publisher = this.publishers.get(statement.publisher);
      if (publisher === undefined || publisher.keys[0].from >= index) gt.refuse('unknown_publisher');
      if (publisher.revoked !== null && publisher.revoked.index < index) gt.refuse('publisher_revoked');
      if (publisher.agency !== statement.iss) gt.refuse('wrong_agency');
      const behalf = statement.on_behalf_of;
      if (behalf !== undefined && !publisher.onBehalfOf.includes(behalf)) gt.refuse('not_on_behalf_of');
      const key = Registry.before(publisher.keys, index);
      if (key.thumbprint !== statement.kid) gt.refuse('key_not_in_force');
      return key;
    }

    registrarsSigner(statement, index) {
      if (statement.iss !== REGISTRAR) gt.refuse('wrong_agency');
      if (statement.on_behalf_of !== undefined) gt.refuse('not_on_behalf_of');
      const { registrar, recovery } = Registry.before(this.ledgerKeys, index);
      if (statement.kid === registrar.thumbprint) return registrar;
      if (statement.type === 'ledger.rotated' && statement.kid === recovery.thumbprint) return recovery;
      return gt.refuse('key_not_in_force');
    }

    /** Audience, signer and signature of a statement at an index. */
    async checkSigner(statement, index) {
      await st.checkSignature(statement, this.signer(statement, index).x);
    }

    /** Takes the registrar's next statement, whose signature and place in its chain are checked. */
    async apply(statement, index) {
      if (statement.type === 'ledger.created') gt.refuse('not_genesis');
      const data = readData(statement);
      await {
        'ledger.rotated': () => this.rotateLedger(data, index),
        'publisher.registered': () => this.register(data, index),
        'publisher.rotated': () => this.rotate(data, index),
        'publisher.revoked': () => this.revoke(data, index),
        'ledger.configured': () => { this.configuredAt = index; },
      }[statement.type]();
      this.chained(statement);
    }

    rotateLedger(data, index) {
      const registrar = gt.keys.fromJwk(data.registrar);
      const recovery = gt.keys.fromJwk(data.recovery);
      if (data.origin !== this.origin) gt.refuse('origin_changed');
      const now = this.ledgerKeys.at(-1);
      this.claim([
        ...(registrar.thumbprint === now.registrar.thumbprint ? [] : [registrar]),
        ...(recovery.thumbprint === now.recovery.thumbprint ? [] : [recovery]),
      ]);
      this.setLedger(data, registrar, recovery, index);
    }

    async register(data, index) {
      const key = gt.keys.fromJwk(data.key);
      if (this.publishers.has(data.publisher)) gt.refuse('already_registered');
      if (data.publisher !== key.thumbprint) gt.refuse('not_its_key');
      if (this.seen.has(key.thumbprint)) gt.refuse('key_seen_before');
      const onBehalfOf = data.on_behalf_of ?? [];
      const first = data.agency === SERVICE && this.statements === 1;
      if (data.agency.startsWith('ledger:') && !first) gt.refuse('reserved_agency');
      if (onBehalfOf.some((agency) => agency.startsWith('ledger:'))) gt.refuse('reserved_agency');
      await this.checkProof(data, key, data.agency);
      const further = [...this.publishers.values()].some((publisher) => publisher.agency === data.agency);
      if (further) await this.checkEndorsement(data, key, data.agency);
      this.claim([key]);
      this.publishers.set(data.publisher, {
        id: data.publisher, agency: data.agency, name: data.name, kind: data.kind, onBehalfOf, revoked: null,
        keys: [{ ...key, from: index, recovery: further && data.recovery === true }],
      });
    }

    inForce(id) {
      const publisher = this.publishers.get(id);
      if (publisher === undefined) gt.refuse('unknown_publisher');
      if (publisher.revoked !== null) gt.refuse('publisher_revoked');
      return publisher;
    }

    async rotate(data, index) {
      const key = gt.keys.fromJwk(data.key);
      const publisher = this.inForce(data.publisher);
      if (this.seen.has(key.thumbprint)) gt.refuse('key_seen_before');
      await this.checkProof(data, key, publisher.agency);
      await this.checkEndorsement(data, key, publisher.agency);
      this.claim([key]);
      publisher.keys.push({ ...key, from: index, recovery: data.recovery === true });
    }

    revoke(data, index) {
      const publisher = this.inForce(data.publisher);
      const suspectFrom = data.suspect_from === undefined ? null : gt.times.milliseconds(data.suspect_from);
      publisher.revoked = { index, reason: data.reason, suspectFrom };
    }

    async checkProof(data, key, agency) {
      const proved = bytes.concat(
        bytes.utf8('gt/key/1\0'), bytes.fromBase64url(this.genesis), bytes.fromBase64url(data.publisher), bytes.utf8(agency));
      const signature = bytes.fromBase64url(data.proof);
      if (!(await gt.keys.verify(key.x, signature, proved))) gt.refuse('bad_proof');
    }

    /** By a key of the agency that is in force now, or marked as recovery. */
    async checkEndorsement(data, key, agency) {
      if (data.recovery === true) return;
      const endorsers = [...this.publishers.values()].filter((one) => one.agency === agency && one.revoked === null);
      const kid = data.endorsement?.get('kid');
      const endorser = endorsers.map((one) => one.keys.at(-1)).find((one) => one.thumbprint === kid);
      if (endorser === undefined) gt.refuse('not_endorsed');
      const endorsed = bytes.concat(
        bytes.utf8('gt/endorse/1\0'), bytes.fromBase64url(this.genesis), bytes.fromBase64url(data.publisher),
        bytes.fromBase64url(key.thumbprint), bytes.utf8(agency));
      const signature = bytes.fromBase64url(data.endorsement.get('signature'));
      if (!(await gt.keys.verify(endorser.x, signature, endorsed))) gt.refuse('not_endorsed');
    }
  }

  gt.Registry = Registry;
  gt.registry = { readData };
})();
