'use strict';
// Ways to use the page: by keyboard, with large files, on paper, and in browsers that lack something.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { drop, settled } = require('./browser.js');
const { check } = require('./checks.js');
const { json, bundleFile, pinFile, wholeBundle, verdictOf, withPage, checkFile, tampered, flipLast } = require('./page_setup.js');
const { sampleLedger } = require('./sample.js');

/** Presses Enter until the browser asks for files: without a window it now and then drops the press that follows a jump within the page. */
const choosing = async (page) => {
  for (let i = 0; i < 6; i += 1) {
    const asked = page.waitForEvent('filechooser', { timeout: 5000 }).catch(() => null);
    await page.keyboard.press('Enter');
    const chooser = await asked;
    if (chooser !== null) return chooser;
  }
  return assert.fail('Enter on the button asks for no files');
};

const waysOfUse = async (browser) => {
  await check('with the keyboard alone', () => withPage(browser, {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the files');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'choose-files');
    const chooser = await choosing(page);
    const altered = tampered((bundle) => { bundle.records[1].statement = flipLast(bundle.records[1].statement); });
    await chooser.setFiles([altered, pinFile].map(({ name, octets }) => ({ name, mimeType: 'application/json', buffer: octets })));
    await settled(page);
    assert.equal(await verdictOf(page), 'Not sound');
    // Folder, summary, two buttons, then the link to the record that is broken.
    const passed = [];
    for (let i = 0; i < 12 && !(await focused()).startsWith('record 2'); i += 1) {
      await page.keyboard.press('Tab');
      passed.push(await focused());
    }
    assert.equal(await focused(), 'record 2, entry 4: statement', passed.join(' | '));
    await page.keyboard.press('Enter');
    assert.equal(await focused(), 'record-1');
  }));
  await check('a large bundle is checked in a worker, with its progress shown', () => withPage(browser, { isLarge: true }, async (page) => {
    const large = sampleLedger(600);
    await page.evaluate(() => {
      globalThis.longest = 0;
      new PerformanceObserver((list) => {
        for (const task of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, task.duration);
      }).observe({ type: 'longtask' });
      globalThis.sawProgress = false;
      new MutationObserver(() => {
        const bar = document.getElementById('progress');
        if (bar !== null && bar.value > 0) globalThis.sawProgress = true;
      }).observe(document.getElementById('progress-place'), { attributes: true, childList: true, subtree: true });
    });
    const name = path.join(browser.folder, 'large.bundle.json');
    fs.writeFileSync(name, json(large.ledger.bundle({ kind: 'entries', first: 0, last: large.ledger.entries.length - 1 })));
    const pin = path.join(browser.folder, 'ledger.json');
    fs.writeFileSync(pin, json(large.ledger.pin()));
    await page.setInputFiles('#choose-files', [name, pin]);
    await settled(page);
    assert.equal(await verdictOf(page), 'Sound');
    assert.equal(page.workers().length, 1);
    assert.equal(await page.evaluate(() => globalThis.sawProgress), true);
    assert.equal(await page.locator('.timeline > li').count(), 600);
    console.log(`        the longest that the page was busy: ${Math.round(await page.evaluate(() => globalThis.longest))} ms`);
  }));
  const noWorker = () => { globalThis.Worker = class { constructor() { throw new Error('none here'); } }; };
  await check('without workers it checks in the page', () => withPage(browser, { before: noWorker }, async (page) => {
    await checkFile(page, [bundleFile(wholeBundle()), pinFile]);
    assert.equal(await verdictOf(page), 'Sound');
    assert.equal(page.workers().length, 0);
  }));
  const lacking = () => {
    globalThis.Worker = undefined;
    SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'));
  };
  await check('without Ed25519 there is no verdict', () => withPage(browser, { before: lacking }, async (page) => {
    await page.locator('.problem').waitFor();
    await drop(page, [bundleFile(wholeBundle()), pinFile]);
    await page.getByText('No verdict.').waitFor();
    assert.match(await page.locator('.problem').innerText(), /cannot verify Ed25519/);
    assert.equal(await page.locator('#verdict').count(), 0);
  }));
  const lax = () => {
    globalThis.Worker = undefined;
    SubtleCrypto.prototype.verify = () => Promise.resolve(true);
  };
  await check('with an Ed25519 that is too lax there is no verdict', () => withPage(browser, { before: lax }, async (page) => {
    await page.locator('.problem').waitFor();
    assert.match(await page.locator('.problem').innerText(), /not strictly enough/);
  }));
  await check('on paper: everything is open, and what is for the screen is gone', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [bundleFile(wholeBundle()), pinFile]);
    await page.evaluate(() => {
      document.querySelectorAll('#result details').forEach((details) => { details.open = false; });
      globalThis.dispatchEvent(new Event('beforeprint'));
    });
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('#result details:not([open])').count(), 0);
    assert.equal(await page.locator('#drop').isVisible(), false);
    assert.equal(await page.getByRole('region', { name: 'Sound' }).isVisible(), true);
    await page.emulateMedia({ media: 'screen' });
  }));
};

module.exports = { waysOfUse };
