'use strict';
// A line for each check, and a count at the end.
let passed = 0;
let failed = 0;

/** @param {string} name @param {function(): *} run that throws if the check fails */
const check = async (name, run) => {
  const began = Date.now();
  try {
    await run();
    passed += 1;
    console.log(`ok      ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${String(error?.message ?? error).split('\n').map((line) => `          ${line}`).join('\n')}`);
  }
};

/** Prints the count and sets the exit status; a run without checks fails. */
const finish = (what) => {
  console.log(`${what}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
};

module.exports = { check, finish };
