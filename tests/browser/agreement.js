'use strict';
// Two implementations of one page of rules: bundles that are changed at random, and what the program and these scripts find in
// them. node agreement.js PROGRAM [HOW MANY] [SEED]. The same seed makes the same changes.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { bundleVectors } = require('./bundles.js');
const { sampleLedger } = require('./sample.js');
const { load } = require('./verifier.js');

const [program, howMany = '60', seed = '1'] = process.argv.slice(2);
const gt = load();

/** xorshift of 32 bits. @returns {function(number): number} a whole number below the one that is given */
const randomOf = (start) => {
  let state = (start * 2654435761) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
};

/** Every place in a JSON value: the container and the step. */
const placesIn = (value, found = []) => {
  if (value === null || typeof value !== 'object') return found;
  for (const step of Object.keys(value)) {
    found.push([value, step]);
    placesIn(value[step], found);
  }
  return found;
};

const CHARACTERS = 'ABCXYZabcxyz0189-_+/=~. \n"\u00e9\u2014';

const alteredText = (text, random) => {
  const at = random(text.length + 1);
  const character = CHARACTERS[random(CHARACTERS.length)];
  return [
    () => text.slice(0, at) + character + text.slice(at + 1),
    () => text.slice(0, at) + character + text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at),
    () => '',
  ][random(5)]();
};

/** Changes inside the signed parts, which a changed character of base64url seldom makes. */
const alteredWithin = (text, random) => {
  const parts = text.split('.');
  if (parts.length !== 3) return alteredText(text, random);
  const payload = JSON.parse(Buffer.from(parts[1], 'base64url').toString());
  mutate(payload, random);
  return [parts[0], Buffer.from(JSON.stringify(payload)).toString('base64url'), parts[2]].join('.');
};

/** One change somewhere in the value. */
const mutate = (root, random) => {
  const places = placesIn(root);
  if (places.length === 0) return;
  const [container, step] = places[random(places.length)];
  const value = container[step];
  const [from, other] = places[random(places.length)];
  const isList = Array.isArray(container);
  const changes = [
    () => { if (isList) container.splice(Number(step), 1); else delete container[step]; },
    () => { container[step] = structuredClone(from[other]); },
    () => { if (isList) container.splice(Number(step), 0, structuredClone(value)); else container[`${step}_`] = value; },
    () => { if (isList) container.reverse(); else container[step] = [null, true, 0, -1, '', [], {}][random(7)]; },
  ];
  if (typeof value === 'string') for (let i = 0; i < 5; i += 1) changes.push(() => { container[step] = alteredText(value, random); });
  if (step === 'statement') for (let i = 0; i < 4; i += 1) changes.push(() => { container[step] = alteredWithin(value, random); });
  if (typeof value === 'number') for (let i = 0; i < 4; i += 1) changes.push(() => { container[step] = value + random(5) - 2; });
  changes[random(changes.length)]();
};

const plainly = (found) => found.map(({ code, place }) => `${code} ${place}`);

const theirs = (file, pin, known) => {
  const beside = ['--pin', pin, ...(known === null ? [] : ['--known', known])];
  const ran = spawnSync(program, ['verify', file, ...beside, '--json'], { encoding: 'utf8' });
  const told = JSON.parse(ran.stdout);
  return { verdict: told.verdict, faults: plainly(told.faults), unknowns: plainly(told.unknowns) };
};

const ours = async (octets, pin, known) => {
  const files = { bundle: octets, pin, ...(known === null ? {} : { known }) };
  const { verdict, faults, unknowns } = await gt.inputs.check(files, [], () => {});
  return { verdict, faults: plainly(faults), unknowns: plainly(unknowns) };
};

/** What is changed: the vectors' bundles, and one of a ledger that the program had no part in. */
const basesOf = () => {
  const { bases, tamperings } = bundleVectors();
  const fromVectors = ['child', 'entries', 'agency', 'alert', 'recovered'].map((name) => ({
    name, bundle: bases[name], pin: Object.values(tamperings.inputs.pin)[0], known: Object.values(tamperings.inputs.known)[0],
  }));
  const { ledger, children } = sampleLedger(9);
  const child = JSON.stringify(ledger.bundle({ kind: 'child', subjects: [children[0]] }));
  return [...fromVectors, { name: 'sample', bundle: child, pin: ledger.pin(), known: ledger.checkpoint() }];
};

const main = async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gt-agreement-'));
  const file = (name, octets) => {
    fs.writeFileSync(path.join(folder, name), octets);
    return path.join(folder, name);
  };
  const bases = basesOf();
  const random = randomOf(Number(seed));
  const seen = new Set();
  let differ = 0;
  for (let i = 0; i < Number(howMany) + bases.length; i += 1) {
    const base = bases[i % bases.length];
    const bundle = JSON.parse(base.bundle);
    // The first round is of bundles as they are.
    for (let changes = i < bases.length ? 0 : 1 + random(2); changes > 0; changes -= 1) mutate(bundle, random);
    const octets = Buffer.from(JSON.stringify(bundle));
    const pin = Buffer.from(JSON.stringify(base.pin));
    const known = random(4) === 0 ? Buffer.from(base.known) : null;
    const found = await ours(new Uint8Array(octets), new Uint8Array(pin), known === null ? null : new Uint8Array(known));
    found.faults.forEach((fault) => seen.add(fault.split(' ')[0]));
    try {
      const paths = [file('a.bundle.json', octets), file('ledger.json', pin), known === null ? null : file('known', known)];
      assert.deepEqual(found, theirs(...paths));
    } catch (error) {
      differ += 1;
      const kept = path.join(os.tmpdir(), `gt-differs-${seed}-${i}.bundle.json`);
      fs.writeFileSync(kept, octets);
      console.error(`change ${i} of ${base.name}, kept as ${kept}: ${error.message}`);
    }
  }
  fs.rmSync(folder, { recursive: true });
  console.log(`agreement: ${howMany} changed bundles, ${seen.size} codes seen, ${differ} differences`);
  process.exitCode = differ === 0 ? 0 : 1;
};

module.exports = { randomOf, alteredText };
if (require.main === module) main();
