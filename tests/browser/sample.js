'use strict';
// A fictional ledger of any size, made here, for what fixed bundles are too small for: large bundles, open logs, pages full of
// events. It signs with Node's own cryptography. All people in it are made up.
const crypto = require('node:crypto');

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), crypto.createHash('sha256')).digest();
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), crypto.createHmac('sha256', key)).digest();
const b64u = (octets) => Buffer.from(octets).toString('base64url');
const u64 = (number) => {
  const octets = Buffer.alloc(8);
  octets.writeBigUInt64BE(BigInt(number));
  return octets;
};

/** A key of a published seed. */
const keyOf = (seed) => {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), sha256(`sample ${seed}`)]);
  const secret = crypto.createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  const { x } = crypto.createPublicKey(secret).export({ format: 'jwk' });
  const id = b64u(sha256(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`));
  return { x, id, jwk: { kty: 'OKP', crv: 'Ed25519', x }, sign: (message) => crypto.sign(null, Buffer.from(message), secret) };
};

const largestPowerBelow = (n) => 2 ** Math.floor(Math.log2(n - 1));

/** Roots of subtrees, remembered: they are asked for once for each proof. */
class Merkle {
  constructor(leaves) {
    this.leaves = leaves;
    this.known = new Map();
  }

  root(from = 0, to = this.leaves.length) {
    if (to - from === 1) return this.leaves[from];
    const at = `${from} ${to}`;
    if (!this.known.has(at)) {
      const middle = from + largestPowerBelow(to - from);
      this.known.set(at, sha256(Buffer.of(1), this.root(from, middle), this.root(middle, to)));
    }
    return this.known.get(at);
  }

  path(index, from = 0, to = this.leaves.length) {
    if (to - from === 1) return [];
    const middle = from + largestPowerBelow(to - from);
    return index < middle
      ? [...this.path(index, from, middle), this.root(middle, to)]
      : [...this.path(index, middle, to), this.root(from, middle)];
  }

  /** RFC 6962, section 2.1.2: from the tree of `size` leaves to this one. */
  consistency(size, from = 0, to = this.leaves.length, isWhole = true) {
    if (size === to - from) return isWhole ? [] : [this.root(from, to)];
    const middle = from + largestPowerBelow(to - from);
    return size <= middle - from
      ? [...this.consistency(size, from, middle, isWhole), this.root(middle, to)]
      : [...this.consistency(size - (middle - from), middle, to, false), this.root(from, middle)];
  }
}

class SampleLedger {
  constructor(origin = 'ledger.example/sample') {
    this.origin = origin;
    this.keys = { checkpoint: keyOf('checkpoint'), registrar: keyOf('registrar'), recovery: keyOf('recovery') };
    this.entries = [];
    this.leaves = [];
    this.sealed = [];
    this.chains = new Map();
    this.owners = new Map();
    this.registry = 0;
    this.found();
  }

  vkey() {
    const material = Buffer.concat([Buffer.of(1), Buffer.from(this.keys.checkpoint.x, 'base64url')]);
    const id = sha256(`${this.origin}\n`, material).subarray(0, 4).toString('hex');
    return `${this.origin}+${id}+${material.toString('base64')}`;
  }

  found() {
    const { registrar, recovery } = this.keys;
    this.registrars('ledger.created', {
      origin: this.origin, verifier_keys: [this.vkey()], registrar: registrar.jwk, recovery: recovery.jwk,
    });
    this.genesis = b64u(this.leaves[0]);
  }

  registrars(type, data) {
    const publisher = { key: this.keys.registrar, iss: 'ledger:registrar', id: this.keys.registrar.id };
    return this.publish(publisher, type, { clear: data, ofRegistrar: true });
  }

  register(agency, name) {
    const key = keyOf(name);
    const proved = Buffer.concat([
      Buffer.from('gt/key/1\0'), Buffer.from(this.genesis, 'base64url'), Buffer.from(key.id, 'base64url'), Buffer.from(agency)]);
    const data = { publisher: key.id, agency, name, kind: 'case_system', key: key.jwk, proof: b64u(key.sign(proved)) };
    this.registrars('publisher.registered', data);
    return { key, iss: agency, id: key.id };
  }

  /** @param {{clear: object, disclosed: object, owners: string[], ofRegistrar: boolean}} what */
  publish(publisher, type, { clear = {}, disclosed = {}, owners = [], ofRegistrar = false }) {
    const disclosures = [];
    const data = { ...clear };
    for (const [name, value] of Object.entries(disclosed)) {
      const salt = b64u(sha256(`salt ${this.entries.length} ${name}`).subarray(0, 16));
      const text = b64u(JSON.stringify([salt, value]));
      disclosures.push(text);
      data[name] = [{ '...': b64u(sha256(text)) }];
    }
    const chain = this.chains.get(publisher.id) ?? { seq: 0, prev: this.genesis ?? b64u(Buffer.alloc(32)) };
    const header = { alg: 'Ed25519', typ: 'statement+sd-jwt', kid: publisher.key.id };
    const payload = {
      iss: publisher.iss, aud: this.origin, iat: 1772438400 + this.entries.length, publisher: publisher.id, ...chain,
      type, version: 1, data, _sd_alg: 'sha-256',
    };
    const input = `${b64u(JSON.stringify(header))}.${b64u(JSON.stringify(payload))}`;
    const signed = `${input}.${b64u(publisher.key.sign(input))}`;
    this.chains.set(publisher.id, { seq: chain.seq + 1, prev: b64u(sha256(signed)) });
    return this.seal(signed, disclosures, owners, ofRegistrar);
  }

  seal(signed, disclosures, owners, ofRegistrar) {
    const index = this.entries.length;
    const links = owners.map((owner) => this.link(owner, index)).sort();
    const entry = Buffer.from(JSON.stringify({
      index, prev: b64u(index === 0 ? Buffer.alloc(32) : this.leaves[index - 1]),
      received_at: new Date(1772438400000 + index * 1000 + 250).toISOString(),
      registry: this.registry, links, statement: b64u(sha256(signed)),
    }));
    this.registry += ofRegistrar ? 1 : 0;
    this.entries.push(entry);
    this.leaves.push(sha256(Buffer.of(0), entry));
    this.sealed.push({ index, signed, disclosures, ofRegistrar });
    return index;
  }

  link(owner, index) {
    const key = sha256(`link key ${owner}`);
    if (!this.owners.has(owner)) this.owners.set(owner, []);
    const places = this.owners.get(owner);
    const n = places.length;
    const name = (count) => hmac(key, Buffer.of(1), u64(count)).subarray(0, 16);
    const r = hmac(key, Buffer.of(2), u64(n));
    const c = sha256(r, u64(n), name(n), name(n + 1)).subarray(0, 16);
    places.push({ n, index, name: b64u(name(n)), blinding: b64u(r), next: b64u(name(n + 1)) });
    return b64u(Buffer.concat([name(n), c]));
  }

  checkpoint() {
    const text = `${this.origin}\n${this.entries.length}\n${this.tree().root().toString('base64')}\n`;
    const id = Buffer.from(this.vkey().split('+')[1], 'hex');
    const blob = Buffer.concat([id, this.keys.checkpoint.sign(text)]);
    return `${text}\n\u2014 ${this.origin} ${blob.toString('base64')}\n`;
  }

  tree() {
    if (this.merkle?.leaves.length !== this.leaves.length) this.merkle = new Merkle([...this.leaves]);
    return this.merkle;
  }

  proof(index) {
    const lines = this.tree().path(index).map((hash) => `${hash.toString('base64')}\n`).join('');
    return `c2sp.org/tlog-proof@v1\nextra ${this.entries[index].toString('base64')}\nindex ${index}\n${lines}\n`;
  }

  /** What C2SP tlog-witness puts before a checkpoint. */
  consistency(size) {
    const lines = this.tree().consistency(size).map((hash) => `${hash.toString('base64')}\n`);
    return `old ${size}\n${lines.join('')}\n`;
  }

  record({ index, signed, disclosures }) {
    return { proof: this.proof(index), statement: signed, disclosures, left_out: [] };
  }

  pin() {
    return { origin: this.origin, genesis: this.genesis, verifier_keys: [this.vkey()] };
  }

  /** @param {object} about the manifest's @returns {object} the bundle */
  bundle(about) {
    const shown = this.sealed.filter((one) => !one.ofRegistrar && this.isAbout(one, about));
    const completeness = about.kind !== 'child' ? [] : about.subjects.map((subject) => {
      const links = this.owners.get(subject);
      return { subject, links: links.map(({ n, index, name, blinding }) => ({ n, index, name, blinding })), next: links.at(-1).next };
    });
    return {
      format: 'gt/bundle/1',
      manifest: { about, made_at: '2026-04-01T09:00:00Z', entries: shown.map((one) => one.index) },
      checkpoint: this.checkpoint(),
      consistency: [],
      registrar: this.sealed.filter((one) => one.ofRegistrar).map((one) => this.record(one)),
      tip: this.proof(this.entries.length - 1),
      records: shown.map((one) => this.record(one)),
      completeness,
    };
  }

  isAbout({ index }, about) {
    if (about.kind === 'entries') return index >= about.first && index <= about.last;
    return about.subjects.some((subject) => this.owners.get(subject).some((place) => place.index === index));
  }

  /** The open log as a mirror has it. @returns {{path: string, octets: Buffer}[]} */
  tiles() {
    const files = [];
    for (let at = 0; at < this.entries.length; at += 256) {
      const part = this.entries.slice(at, at + 256);
      const digits = String(at / 256).padStart(3, '0');
      const octets = Buffer.concat(part.flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 255), entry]));
      files.push({ path: `tile/entries/${digits}${part.length === 256 ? '' : `.p/${part.length}`}`, octets });
    }
    return files;
  }
}

/**
 * A witness of a published seed: `vkey`, and `cosign`, which puts its cosignature below a checkpoint (C2SP tlog-cosignature,
 * `cosignature/v1`).
 */
const witnessOf = (name) => {
  const key = keyOf(name);
  const material = Buffer.concat([Buffer.of(4), Buffer.from(key.x, 'base64url')]);
  const id = sha256(`${name}\n`, material).subarray(0, 4);
  const time = 1772500000;
  const cosign = (note) => {
    const text = note.slice(0, note.indexOf('\n\n') + 1);
    const blob = Buffer.concat([id, u64(time), key.sign(`cosignature/v1\ntime ${time}\n${text}`)]);
    return `${note}\u2014 ${name} ${blob.toString('base64')}\n`;
  };
  return { vkey: `${name}+${id.toString('hex')}+${material.toString('base64')}`, cosign };
};

const pseudonym = (name) => `nhs.1:${b64u(sha256(`a fictional child: ${name}`))}`;

/** A ledger with two systems and events about two children in turn. @param {number} events */
const sampleLedger = (events) => {
  const ledger = new SampleLedger();
  const council = ledger.register('gss:E06000005', 'Case system of a fictional council');
  const police = ledger.register('police:32', 'Missing persons system of a fictional force');
  const children = [pseudonym('Ava'), pseudonym('Ben')];
  for (let i = 0; i < events; i += 1) {
    const child = children[i % 2];
    const times = { occurred_at: new Date(1772400000000 + i * 1000).toISOString() };
    const disclosed = { child: { pseudonym: child, role: 'Child' }, times };
    if (i % 3 === 0) {
      ledger.publish(police, 'missing.started', { clear: { kind: 'Missing', from: 'Home', risk: 'Medium' }, disclosed, owners: [child] });
    } else {
      const more = { ...disclosed, rationale: `Made up for a test, number ${i}.`, refs: { case: `C-${i}`, joined: ['one', 'two'] } };
      ledger.publish(council, 'decision.recorded', { clear: { decision: 'SharePart', emergency: false }, disclosed: more, owners: [child] });
    }
  }
  return { ledger, children };
};

module.exports = { SampleLedger, sampleLedger, witnessOf, pseudonym };
