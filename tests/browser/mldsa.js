'use strict';
// ML-DSA-44 beside another implementation, @noble/post-quantum: what one signs the other accepts, and what is altered both
// refuse. Without its folder (node mldsa.js [NODE_MODULES]) only the fixed signatures are tried.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { load } = require('./verifier.js');

const gt = load();
const from = gt.bytes.fromBase64url;
const Z_START = 32;
const HINT_START = 2420 - 84;
const OMEGA = 80;

/** A copy with other bytes. */
const altered = (octets, change) => {
  const copy = Uint8Array.from(octets);
  change(copy);
  return copy;
};

/** The hint's indexes of a signature, row by row, to make other encodings of. */
const rowsOf = (signature) => {
  const y = signature.subarray(HINT_START);
  const ends = [...y.subarray(OMEGA)];
  return ends.map((end, i) => [...y.subarray(i === 0 ? 0 : ends[i - 1], end)]);
};

/** Every part of the encoding, broken by itself. @returns {[string, Uint8Array][]} */
const brokenSignatures = (signature) => {
  const change = (run) => altered(signature, run);
  const rows = rowsOf(signature);
  const longRow = rows.findIndex((row) => row.length >= 2);
  const start = rows.slice(0, longRow).flat().length + HINT_START;
  const used = rows.flat().length;
  assert.ok(longRow >= 0 && used < OMEGA, 'this signature is of no use here: take another');
  return [
    ['the first bit of c̃', change((s) => { s[0] ^= 1; })],
    ['the last bit of c̃', change((s) => { s[31] ^= 0x80; })],
    ['a z of γ1, above its range', change((s) => { s.fill(0, Z_START, Z_START + 2); s[Z_START + 2] &= 0xfc; })],
    ['a z of 1 − γ1, below its range', change((s) => { s.fill(0xff, Z_START, Z_START + 2); s[Z_START + 2] |= 0x03; })],
    ['the last z out of its range', change((s) => { s.fill(0, HINT_START - 2, HINT_START); s[HINT_START - 3] &= 0x3f; })],
    ['another z', change((s) => { s[Z_START + 700] ^= 1; })],
    ['indexes of a hint that fall', change((s) => { [s[start], s[start + 1]] = [s[start + 1], s[start]]; })],
    ['an index of a hint twice', change((s) => { s[start + 1] = s[start]; })],
    ['a row that ends before the one above', change((s) => { s[HINT_START + OMEGA + 1] = s[HINT_START + OMEGA] - 1; })],
    ['a row that ends beyond ω', change((s) => { s[HINT_START + OMEGA + 3] = OMEGA + 1; })],
    ['an index after the last row', change((s) => { s[HINT_START + used] = 1; })],
    ['a hint more', change((s) => { s[HINT_START + used] = 255; s[HINT_START + OMEGA + 3] += 1; })],
    ['a byte too few', signature.subarray(0, 2419)],
    ['a byte too many', gt.bytes.concat(signature, Uint8Array.of(0))],
  ];
};

const checkBroken = (one, verifiers) => {
  const flip = (octets, at) => altered(octets, (copy) => { copy[at] ^= 1; });
  const cases = [
    ...brokenSignatures(one.signature).map(([name, signature]) => [name, { ...one, signature }]),
    ['another message', { ...one, message: gt.bytes.concat(one.message, Uint8Array.of(0)) }],
    ['another ρ', { ...one, publicKey: flip(one.publicKey, 0) }],
    ['another t1', { ...one, publicKey: flip(one.publicKey, 1311) }],
    ['a key cut short', { ...one, publicKey: one.publicKey.subarray(0, 1311) }],
  ];
  for (const [name, broken] of cases) {
    for (const [who, verify] of Object.entries(verifiers)) assert.equal(verify(broken), false, `${who} accepts ${name}`);
  }
  return cases.length;
};

const ours = ({ publicKey, signature, message }) => gt.mldsa.verify(publicKey, signature, message);

/** Signatures that another implementation made, kept so that this test needs nothing. */
const checkFixed = () => {
  const { cases } = JSON.parse(fs.readFileSync(path.join(__dirname, 'mldsa-vectors.json'), 'utf8'));
  let count = 0;
  for (const one of cases) {
    const signed = { publicKey: from(one.public_key), message: from(one.message), signature: from(one.signature) };
    assert.equal(ours(signed), true, one.name);
    count += 1 + checkBroken(signed, { ours });
  }
  return count;
};

const checkShake = () => {
  for (const length of [0, 1, 135, 136, 137, 167, 168, 169, 1000]) {
    const message = Uint8Array.from({ length }, (_, i) => i & 0xff);
    for (const [name, shake] of [['shake128', gt.shake128], ['shake256', gt.shake256]]) {
      const wanted = crypto.createHash(name, { outputLength: 500 }).update(message).digest('hex');
      assert.equal(gt.bytes.hex(shake(message).bytes(500)), wanted, `${name} of ${length} bytes`);
    }
  }
  return 18;
};

/** @param {string} modules the folder in which npm put the packages */
const checkAgainstNoble = async (modules) => {
  const file = path.join(modules, '@noble/post-quantum/ml-dsa.js');
  const { ml_dsa44: noble } = await import(pathToFileURL(file).href);
  const theirs = ({ publicKey, signature, message }) => {
    try {
      return noble.verify(signature, message, publicKey);
    } catch {
      return false; // A length that is none.
    }
  };
  let count = 0;
  for (let i = 0; i < 25; i += 1) {
    const keys = noble.keygen(gt.sha256(gt.bytes.utf8(`key ${i}`)));
    const message = Uint8Array.from({ length: i * 37 }, (_, k) => (k * i) & 0xff);
    const signature = noble.sign(message, keys.secretKey);
    const one = { publicKey: keys.publicKey, message, signature };
    assert.equal(ours(one), true, `what noble signed, ${i}`);
    assert.equal(theirs(one), true);
    count += 2;
    const usable = rowsOf(signature).some((row) => row.length >= 2) && rowsOf(signature).flat().length < OMEGA;
    if (usable && i < 10) count += checkBroken(one, { ours, theirs });
  }
  return count;
};

const main = async () => {
  let count = checkShake() + checkFixed();
  if (process.argv[2] !== undefined) count += await checkAgainstNoble(process.argv[2]);
  console.log(`ml-dsa-44: ${count} checks passed`);
};

main();
