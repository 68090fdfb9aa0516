'use strict';
// Every case of tests/vectors/bundles, under Node: the exact faults and unknowns, in their order.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { load } = require('./verifier.js');

const BUNDLES = path.join(__dirname, '../vectors/bundles');

/** @returns {{bases: Object<string, string>, tamperings: object}} texts of the base bundles by name, and the cases */
const bundleVectors = () => {
  const text = (name) => fs.readFileSync(path.join(BUNDLES, name), 'utf8');
  const names = fs.readdirSync(BUNDLES).filter((name) => name.endsWith('.bundle.json'));
  const bases = Object.fromEntries(names.map((name) => [name.replace('.bundle.json', ''), text(name)]));
  return { bases, tamperings: JSON.parse(text('tamperings.json')) };
};

const main = async () => {
  load();
  vm.runInThisContext(fs.readFileSync(path.join(__dirname, 'bundle_cases.js'), 'utf8'), { filename: 'bundle_cases.js' });
  const { bases, tamperings } = bundleVectors();
  let passed = 0;
  let failed = 0;
  for (const one of tamperings.cases) {
    try {
      assert.deepStrictEqual(await globalThis.BundleCases.run(one, bases[one.base], tamperings.inputs), one.expected);
      passed += 1;
    } catch (error) {
      failed += 1;
      console.error(`${one.name} (${one.rule}): ${error.message}`);
    }
  }
  console.log(`bundles: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
};

module.exports = { bundleVectors };
if (require.main === module) main();
