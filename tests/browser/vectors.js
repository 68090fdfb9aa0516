'use strict';
// Every case of tests/vectors, under Node.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { load } = require('./verifier.js');

const VECTORS = path.join(__dirname, '../vectors');
/** The scripts that know what to do with a case. */
const CASES = ['cases.js', 'witness_cases.js'];

/** @returns {{name: string, file: object}[]} */
const vectorFiles = () =>
  fs.readdirSync(VECTORS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, file: JSON.parse(fs.readFileSync(path.join(VECTORS, name), 'utf8')) }));

const outcomeOf = async (gt, run, one, file) => {
  try {
    return { accepted: true, ...(await run(one, file)) };
  } catch (error) {
    if (error instanceof gt.Refusal) return { accepted: false, code: error.code };
    throw error;
  }
};

const main = async () => {
  const gt = load();
  for (const filename of CASES) vm.runInThisContext(fs.readFileSync(path.join(__dirname, filename), 'utf8'), { filename });
  let passed = 0;
  let failed = 0;
  for (const { name, file } of vectorFiles()) {
    const run = globalThis.VectorCases[name];
    assert.ok(run, `nobody says what to do with a case of ${name}`);
    for (const one of file.cases) {
      try {
        assert.deepStrictEqual(await outcomeOf(gt, run, one, file), one.expected);
        passed += 1;
      } catch (error) {
        failed += 1;
        console.error(`${name}: ${one.name}: ${error.message}`);
      }
    }
  }
  console.log(`vectors: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
};

module.exports = { vectorFiles, outcomeOf, CASES };
if (require.main === module) main();
