'use strict';
// Receipts as they are handed in, with what their holder has beside them: what these scripts find, and, given the program, that it
// finds the same. node receipts.js [PROGRAM] [HOW MANY] [SEED]; that many receipts are changed at random.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { alteredText, randomOf } = require('./agreement.js');
const { check, finish } = require('./checks.js');
const forks = require('./forks.js');
const { SampleLedger, sampleLedger, witnessOf } = require('./sample.js');
const { load } = require('./verifier.js');

const [program, howMany = '150', seed = '1'] = process.argv.slice(2);
const gt = load();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gt-receipts-'));

const { ledger } = sampleLedger(6);
const [north, south] = ['north', 'south'].map((name) => witnessOf(`witness.example/${name}`));
const note = ledger.checkpoint();
const seen = south.cosign(north.cosign(note));
const proof = ledger.proof(5);
const pin = JSON.stringify(ledger.pin());
const both = `witness north ${north.vkey}\nwitness south ${south.vkey}\ngroup both all north south\nquorum both\n`;
const statement = (index) => `${ledger.sealed[index].signed}~`;
const lastLine = (text) => text.slice(text.trimEnd().lastIndexOf('\n') + 1);

const otherHead = ledger.checkpoint().replace(`\n${ledger.entries.length}\n`, `\n${ledger.entries.length + 1}\n`);
const otherVkey = new SampleLedger('ledger.example/other').vkey();
const otherPin = JSON.stringify({ ...ledger.pin(), verifier_keys: [otherVkey], origin: 'ledger.example/other' });
const pinWith = (...keys) => JSON.stringify({ ...ledger.pin(), verifier_keys: keys });
const [head, path5] = [ledger.proof(4).split('\n').slice(0, 3), proof.split('\n').slice(3)];
const otherEntry = [...head, ...path5].join('\n');
const noEntry = proof.replace(/\nextra [^\n]*/, '');

/** What is given, and the verdict and codes that come of it. */
const CASES = [
  ['nothing but the pin', { receipt: proof + note, pin }, 'sound'],
  ['its statement', { receipt: proof + note, pin, statement: statement(5) }, 'sound'],
  ['another statement', { receipt: proof + note, pin, statement: statement(6) }, 'not_sound', 'other_statement'],
  ['another ledger is pinned', { receipt: proof + note, pin: otherPin }, 'not_sound', 'other_origin'],
  ['no entry, and another ledger is pinned', { receipt: noEntry + note, pin: otherPin }, 'not_sound', 'entry_absent'],
  ['a policy that is met', { receipt: proof + seen, pin, policy: both }, 'sound'],
  ['a policy that asks for nobody', { receipt: proof + note, pin, policy: 'quorum none\n' }, 'sound'],
  ['nobody of a policy has signed', { receipt: proof + note, pin, policy: both }, 'not_sound', 'quorum_not_met'],
  ['one of two has signed', { receipt: proof + north.cosign(note), pin, policy: both }, 'not_sound', 'quorum_not_met'],
  ['a witness signed another checkpoint', { receipt: `${proof}${seen}${lastLine(south.cosign(otherHead))}`, pin, policy: both },
    'not_sound', 'cosignature_bad'],
  ['a policy of another log', { receipt: proof + seen, pin, policy: `log ${new SampleLedger('ledger.example/other').vkey()}\n${both}` },
    'not_sound', 'policy_other_log'],
  ['a policy that is not met, and another ledger is pinned', { receipt: proof + note, pin: otherPin, policy: both },
    'not_sound', 'quorum_not_met'],
  ['a policy that is not met, and another statement', { receipt: proof + note, pin, policy: both, statement: statement(6) },
    'not_sound', 'quorum_not_met'],
  ['a policy that is not met, and no entry', { receipt: noEntry + note, pin, policy: both }, 'not_sound', 'quorum_not_met'],
  ['a policy that is not met, and no checkpoint', { receipt: proof, pin, policy: both }, 'not_sound', 'note_malformed'],
  ['a policy that is not met, and no pin', { receipt: proof + note, policy: both }, 'not_sound', 'quorum_not_met'],
  ['a policy that is met, and no pin', { receipt: proof + seen, policy: both }, 'could_not_tell', 'nothing_pinned'],
  ['no pin', { receipt: proof + note }, 'could_not_tell', 'nothing_pinned'],
  ['no pin, and its statement', { receipt: proof + note, statement: statement(5) }, 'could_not_tell', 'nothing_pinned'],
  ['no pin, and another statement', { receipt: proof + note, statement: statement(6) }, 'not_sound', 'other_statement'],
  ['no pin, and no entry', { receipt: noEntry + note }, 'not_sound', 'entry_absent'],
  ['no pin, and another entry', { receipt: otherEntry + note }, 'not_sound', 'not_included'],
  ['more than 1 MiB', { receipt: proof + note + '\n'.repeat(1 << 20), pin }, 'not_sound', 'receipt_too_long'],
];

const mirror = ledger.tiles().map((file) => ({ path: file.path, read: async () => new Uint8Array(file.octets) }));
const bundle = JSON.stringify(ledger.bundle({ kind: 'entries', first: 0, last: ledger.entries.length - 1 }));
const fork = JSON.stringify(forks.twoSizes);
const forkPin = JSON.stringify(forks.pin);

/** What is given, the code and the kind of what is of no use, and what the program says. */
const REFUSED = [
  ['a known checkpoint beside a receipt', { receipt: proof + note, pin, known: note }, 'beside_receipt', 'known', /is a receipt; leave --known out/],
  ['a mirror beside a receipt', { receipt: proof + note, pin, mirror }, 'beside_receipt', 'mirror', /is a receipt; leave --log out/],
  ['a statement beside a bundle', { bundle, pin, statement: statement(5) }, 'beside_bundle', 'statement', /leave --statement out/],
  ['a known checkpoint beside a fork', { fork, pin: forkPin, known: note }, 'beside_fork', 'known', /leave --known out/],
  ['a policy beside a fork', { fork, pin: forkPin, policy: both }, 'beside_fork', 'policy', /leave --policy out/],
  ['a mirror beside a fork', { fork, pin: forkPin, mirror }, 'beside_fork', 'mirror', /leave --log out/],
  ['a statement beside a fork', { fork, pin: forkPin, statement: statement(5) }, 'beside_fork', 'statement', /leave --statement out/],
  ['a statement that is none', { receipt: proof + note, pin, statement: 'a.b.c~' }, 'base64url', 'statement', /is no statement/],
  ['a pin with a byte-order mark', { receipt: proof + note, pin: `\ufeff${pin}` }, 'json_byte_order_mark', 'pin', /does not read/],
  ['a pin of keys of another name', { receipt: proof + note, pin: pinWith(otherVkey) }, 'pin_malformed', 'pin', /verifier key 1 bears the name/],
  ['a pin of a witness’s key', { receipt: proof + note, pin: pinWith(ledger.vkey(), witnessOf(ledger.origin).vkey) }, 'pin_malformed', 'pin', /verifier key 2 is a witness/],
  ['a pin without keys', { receipt: proof + note, pin: pinWith() }, 'pin_malformed', 'pin', /no verifier key of type 0x01/],
  ['a policy that is none', { receipt: proof + note, pin, policy: 'quorum north\n' }, 'policy_malformed', 'policy', /is no policy/],
];

const octets = (text) => new Uint8Array(Buffer.from(text));

const ours = async ({ mirror: tiles = [], ...texts }) => {
  const files = Object.fromEntries(Object.entries(texts).map(([kind, text]) => [kind, octets(text)]));
  const { verdict, faults, unknowns } = await gt.inputs.check(files, tiles, () => {});
  return { verdict, codes: [...faults, ...unknowns].map(({ code }) => code) };
};

const EVIDENCE = ['receipt', 'bundle', 'fork'];

/** Runs the program on the same. */
const run = ({ mirror: tiles, ...texts }) => {
  const file = ([kind, text]) => {
    const name = path.join(folder, kind);
    fs.writeFileSync(name, text);
    return EVIDENCE.includes(kind) ? [name] : [`--${kind}`, name];
  };
  const log = tiles === undefined ? [] : ['--log', folder];
  return spawnSync(program, ['verify', ...Object.entries(texts).flatMap(file), ...log, '--json'], { encoding: 'utf8' });
};

const said = (ran) => {
  const { verdict, faults, unknowns } = JSON.parse(ran.stdout);
  return { verdict, codes: [...faults, ...unknowns].map(({ code }) => code) };
};

const theirs = (given) => said(run(given));

const theyRefuse = (given, says) => {
  const { status, stdout, stderr } = run(given);
  assert.equal(status, 2);
  assert.match(stdout + stderr, says);
};

/** A byte within what a line holds as base64, or a whole line. */
const alteredLine = (text, random) => {
  const lines = text.split('\n');
  const at = random(lines.length);
  const [, head, encoded] = /^(.* )?([A-Za-z0-9+/]+=*)$/.exec(lines[at]) ?? [null, '', ''];
  const held = Buffer.from(encoded, 'base64');
  if (held.length > 0) held[random(held.length)] ^= 1 << random(8);
  [
    () => { lines[at] = `${head ?? ''}${held.toString('base64')}`; },
    () => { lines[at] = `${head ?? ''}${held.subarray(0, random(held.length + 1)).toString('base64')}`; },
    () => lines.splice(at, 1),
    () => lines.splice(at, 0, lines[random(lines.length)]),
    () => lines.splice(at, lines.length, ''),
  ][random(5)]();
  return lines.join('\n');
};

/** Whether nothing is there, or nothing but the ends of lines was changed since it was a receipt that this is. */
const isOnlyRewritten = (receipt) => {
  const lines = receipt.replaceAll('\r\n', '\n').replace(/\n+$/, '\n');
  return receipt.trim() === '' || lines !== receipt;
};

/** Of such a one the program says what to do, and no more; to these scripts it is as faulty as any. Nobody accepts it. */
const bothRefuse = (found, ran, receipt) => {
  const { verdict = 'could_not_tell' } = JSON.parse(ran.stdout);
  assert.deepEqual([found.verdict, ran.status, verdict], ['not_sound', 2, 'could_not_tell'], JSON.stringify(receipt));
};

const agreement = async () => {
  const random = randomOf(Number(seed));
  const codes = new Set();
  for (let i = 0; i < Number(howMany); i += 1) {
    let receipt = ledger.proof(random(ledger.entries.length)) + [note, seen][random(2)];
    for (let changes = 1 + random(2); changes > 0; changes -= 1) receipt = [alteredText, alteredLine][random(2)](receipt, random);
    const given = { receipt, ...(random(4) === 0 ? {} : { pin }), ...(random(2) === 0 ? { policy: both } : {}), ...(random(4) === 0 ? { statement: statement(5) } : {}) };
    const found = await ours(given);
    found.codes.forEach((code) => codes.add(code));
    const ran = run(given);
    if (ran.status === 2 && isOnlyRewritten(receipt)) bothRefuse(found, ran, receipt);
    else assert.deepEqual(found, said(ran), `change ${i} of seed ${seed}: ${JSON.stringify(receipt)}`);
  }
  console.log(`        ${howMany} changed receipts, ${codes.size} codes seen`);
};

const main = async () => {
  for (const [name, given, verdict, ...codes] of CASES) {
    await check(`receipt: ${name}`, async () => {
      assert.deepEqual(await ours(given), { verdict, codes });
      if (program !== undefined) assert.deepEqual(theirs(given), { verdict, codes });
    });
  }
  for (const [name, given, code, kind, says] of REFUSED) {
    await check(`no verdict: ${name}`, async () => {
      await assert.rejects(ours(given), (error) => error.code === code && error.facts.kind === kind);
      if (program !== undefined) theyRefuse(given, says);
    });
  }
  await check('a note has at most 1 MiB', () => {
    const long = (length) => `${'a'.repeat(length - 17)}\n\n\u2014 a AAAAAAA=\n`;
    assert.equal(Buffer.byteLength(long(1 << 20)), 1 << 20);
    assert.equal(gt.note.read(long(1 << 20)).signatures.length, 1);
    assert.throws(() => gt.note.read(long((1 << 20) + 1)), { code: 'note_malformed' });
  });
  if (program !== undefined) {
    await check('receipts whose line ends were changed: nobody accepts them', async () => {
      for (const receipt of ['', `${proof}${note}\n`, (proof + note).replaceAll('\n', '\r\n')]) {
        const given = { receipt, pin };
        bothRefuse(await ours(given), run(given), receipt);
      }
    });
    await check('changed receipts: the program finds the same', agreement);
  }
  finish('receipts');
};

main().finally(() => fs.rmSync(folder, { recursive: true }));
