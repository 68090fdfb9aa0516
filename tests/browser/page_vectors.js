'use strict';
// The vectors and the tampered bundles in the browser: that is where panels run the check.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { drop, settled } = require('./browser.js');
const { bundleVectors } = require('./bundles.js');
const { check } = require('./checks.js');
const { verdictOf, codesOf, withPage } = require('./page_setup.js');
const { CASES, vectorFiles } = require('./vectors.js');
const { load } = require('./verifier.js');

/** The tampered bundles in the browser too, and some of them as a reader sees them. */
const tamperingsInBrowser = async (browser) => {
  const { bases, tamperings } = bundleVectors();
  const script = fs.readFileSync(path.join(__dirname, 'bundle_cases.js'), 'utf8');
  await check('tampered bundles in the browser', async () => {
    const { page, close } = await browser.open();
    await page.evaluate(script);
    const outcomes = await page.evaluate(async ([texts, all]) => {
      const { inputs, cases } = JSON.parse(all);
      const found = [];
      for (const one of cases) found.push(await globalThis.BundleCases.run(one, texts[one.base], inputs));
      return JSON.stringify(found);
    }, [bases, JSON.stringify(tamperings)]);
    const named = (found) => tamperings.cases.map((one, i) => ({ name: one.name, ...found[i] }));
    assert.deepEqual(named(JSON.parse(outcomes)), named(tamperings.cases.map((one) => one.expected)));
    await close();
  });
  load();
  vm.runInThisContext(script);
  // One case for each part of a bundle that can be wrong, of records one for each part of them, and one for each verdict.
  const kinds = new Map();
  for (const one of tamperings.cases) {
    const { faults, unknowns, verdict } = one.expected;
    const [, part, , below] = faults[0]?.place.split('/') ?? [];
    const isRead = faults[0]?.code !== 'bundle_member';
    const kind = faults.length === 0 ? `${verdict} ${unknowns.map(({ code }) => code)}` : `${isRead} ${part} ${part === 'records' ? below : ''}`;
    if (one.log === undefined && !kinds.has(kind)) kinds.set(kind, one);
  }
  for (const one of kinds.values()) {
    await check(`as a reader sees it: ${one.name}`, () => withPage(browser, {}, (page) => seen(page, one, bases, tamperings.inputs)));
  }
};

const WORDS = { sound: 'Sound', not_sound: 'Not sound', could_not_tell: 'Could not tell' };

/** The page says of a case what is expected, and marks the records that are broken. */
const seen = async (page, one, bases, inputs) => {
  const beside = { pin: (pin) => JSON.stringify(pin), known: (text) => text, policy: (text) => text };
  const files = Object.keys(beside)
    .filter((kind) => one[kind] !== undefined)
    .map((kind) => ({ name: kind, octets: Buffer.from(beside[kind](inputs[kind][one[kind]])) }));
  const text = globalThis.BundleCases.textOf(one, bases[one.base]);
  await drop(page, [{ name: 'evidence.bundle.json', octets: Buffer.from(text) }, ...files]);
  await settled(page);
  const { verdict, faults, unknowns } = one.expected;
  assert.equal(await verdictOf(page), WORDS[verdict]);
  assert.deepEqual(await codesOf(page), [...faults, ...unknowns].map(({ code, place }) => `${code} ${place}`.trim()));
  // A form that does not hold ends the check before any record is read.
  const marked = faults.some(({ code }) => code === 'bundle_member') ? [] : faults;
  const broken = new Set(marked.map(({ place }) => /^\/records\/[0-9]+/.exec(place)?.[0]).filter((place) => place !== undefined));
  assert.equal(await page.locator('.timeline > li.broken').count(), broken.size);
};

/** Every vector in the browser too: that is where panels run the check. */
const vectorsInBrowser = async (browser) => {
  const { page, close } = await browser.open();
  for (const name of CASES) await page.evaluate(fs.readFileSync(path.join(__dirname, name), 'utf8'));
  for (const { name, file: vectors } of vectorFiles()) {
    await check(`vectors in the browser: ${name}`, async () => {
      const outcomes = await page.evaluate(async ([which, text]) => {
        const all = JSON.parse(text);
        const found = [];
        for (const one of all.cases) {
          try {
            found.push({ accepted: true, ...(await globalThis.VectorCases[which](one, all)) });
          } catch (error) {
            if (!(error instanceof globalThis.GoldenThread.Refusal)) throw error;
            found.push({ accepted: false, code: error.code });
          }
        }
        return JSON.stringify(found);
      }, [name, JSON.stringify(vectors)]);
      assert.deepEqual(JSON.parse(outcomes), vectors.cases.map((one) => one.expected));
    });
  }
  await close();
};

module.exports = { vectorsInBrowser, tamperingsInBrowser };
