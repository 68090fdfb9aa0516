'use strict';
// What the checks of the page share: the files that they drop, and what they read of the page.
const assert = require('node:assert/strict');
const { drop, settled, violations } = require('./browser.js');
const { sampleLedger } = require('./sample.js');

const json = (value) => Buffer.from(JSON.stringify(value));
const bundleFile = (bundle) => ({ name: 'evidence.bundle.json', octets: json(bundle) });

const { ledger, children } = sampleLedger(12);
const pinFile = { name: 'ledger.json', octets: json(ledger.pin()) };
const wholeBundle = () => ledger.bundle({ kind: 'entries', first: 0, last: ledger.entries.length - 1 });

const verdictOf = (page) => page.getByRole('region', { name: /^(Sound|Not sound|Could not tell)$/ }).getByRole('heading').innerText();
const codesOf = (page) => page.locator('.findings .code').allInnerTexts();

/**
 * Opens the page, runs, and asks each time: nothing was asked of a network, nothing failed, and nothing is inaccessible. A page
 * with very many events is made of the same parts as one with few; axe-core would take minutes for it.
 */
const withPage = async (browser, options, run) => {
  const { page, asked, errors, close } = await browser.open(options);
  try {
    await run(page);
    if (!options.isLarge) assert.deepEqual(await violations(page, browser.axe), [], 'axe-core');
    assert.deepEqual(asked, [], 'requests');
    assert.deepEqual(errors, [], 'errors on the console');
  } finally {
    await close();
  }
};

const checkFile = async (page, files) => {
  await drop(page, files);
  await settled(page);
};

/** A bundle with something done to it. */
const tampered = (change) => {
  const bundle = structuredClone(wholeBundle());
  change(bundle);
  return bundleFile(bundle);
};
const flipLast = (text) => text.slice(0, -2) + (text.at(-2) === 'A' ? 'B' : 'A') + text.at(-1);

module.exports = {
  json, bundleFile, ledger, children, pinFile, wholeBundle, verdictOf, codesOf, withPage, checkFile, tampered, flipLast,
};
