'use strict';
// Evidence of a fork (FORMATS 13): what proves that one ledger signed two histories, and what proves nothing.
const assert = require('node:assert/strict');
const { check, finish } = require('./checks.js');
const { sampleLedger } = require('./sample.js');
const { load } = require('./verifier.js');

const gt = load();
const root = (ledger, size = ledger.entries.length) => ledger.tree().root(0, size).toString('base64url');

/** Three histories of one ledger: the first, one that differs in the middle, and one that only grew. */
const first = sampleLedger(8).ledger;
const grown = sampleLedger(20).ledger;
const other = (() => {
  const { ledger } = sampleLedger(3);
  const council = ledger.register('ods:RX1', 'A system that the first history does not have');
  for (let i = 0; i < 12; i += 1) ledger.publish(council, 'meeting.held', {});
  return ledger;
})();
const size = first.entries.length;

const evidence = (a, b, rest = {}) => ({
  format: 'gt/fork/1', checkpoints: [a.checkpoint(), b.checkpoint()], other_root: null, consistency: null, ...rest,
});
const twoSizes = evidence(first, other, { other_root: root(other, size), consistency: other.consistency(size) });
const sameSize = () => {
  const { ledger } = sampleLedger(7);
  ledger.publish({ key: ledger.keys.registrar, iss: 'ledger:registrar', id: ledger.keys.registrar.id }, 'meeting.held', {});
  return evidence(first, ledger);
};

const octets = (value) => new Uint8Array(Buffer.from(JSON.stringify(value)));
const pin = gt.inputs.readPin(octets(first.pin()));
const proves = async (value) => gt.fork.check(octets(value), pin);
const provesNothing = (name, value, code) =>
  check(`proves nothing: ${name}`, () =>
    assert.rejects(gt.fork.check(octets(value), pin), { code }));

const main = async () => {
  await check('two roots of one size', async () => assert.equal((await proves(sameSize())).first.size, size));
  await check('two sizes, whose smaller one is not part of the larger', async () => {
    assert.equal((await proves(twoSizes)).second.size, other.entries.length);
  });
  await check('a log that only grew is no fork', async () => {
    const proof = grown.consistency(size);
    const honest = evidence(first, grown, { other_root: root(first), consistency: proof });
    await assert.rejects(proves(honest), { code: 'fork_same_history' });
  });
  await provesNothing('one checkpoint twice', evidence(first, first), 'fork_same_history');
  await provesNothing('two sizes without a proof', evidence(first, other), 'fork_beginning');
  await provesNothing('the larger first', evidence(other, first, { other_root: root(other, size), consistency: other.consistency(size) }), 'fork_order');
  await provesNothing('a root that nobody signed', { ...twoSizes, other_root: root(grown, size - 1) }, 'fork_not_proven');
  await provesNothing('a proof from another size', { ...twoSizes, consistency: other.consistency(size - 1) }, 'fork_not_proven');
  await provesNothing('a root beside two of one size', { ...sameSize(), other_root: root(first) }, 'fork_member');
  await provesNothing('a member more', { ...twoSizes, note: '' }, 'fork_member');
  await provesNothing('another format', { ...twoSizes, format: 'gt/fork/2' }, 'fork_format');
  await check('evidence of a later version is known as evidence of a fork', () => {
    assert.equal(gt.inputs.kindOf(octets({ ...twoSizes, format: 'gt/fork/2' })), 'fork');
    assert.equal(gt.inputs.kindOf(octets({ ...twoSizes, format: 'gt/bundle/1' })), 'bundle');
  });
  await provesNothing('a checkpoint of another ledger',
    { ...twoSizes, checkpoints: [twoSizes.checkpoints[0], twoSizes.checkpoints[1].replaceAll('sample', 'simple')] }, 'other_origin');
  await provesNothing('a checkpoint that nobody signed',
    { ...twoSizes, checkpoints: [twoSizes.checkpoints[0], twoSizes.checkpoints[1].replace(`\n${other.entries.length}\n`, `\n${other.entries.length + 1}\n`)] },
    'checkpoint_bad_signature');
  finish('forks');
};

module.exports = { twoSizes, honest: evidence(first, first), pin: first.pin() };
if (require.main === module) main();
