'use strict';
// The page, as a panel uses it: node page.js MODULES CHROMIUM [PAGE.html]
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { launch } = require('./browser.js');
const { check, finish } = require('./checks.js');
const { soundBundles, tamperedBundles, otherFiles } = require('./page_files.js');
const { waysOfUse } = require('./page_use.js');
const { vectorsInBrowser, tamperingsInBrowser } = require('./page_vectors.js');
const { assemble, lists, read } = require('./verifier.js');

const main = async () => {
  const [modules, chromium, file] = process.argv.slice(2);
  const html = file === undefined ? assemble() : fs.readFileSync(file, 'utf8');
  await check('the page has every file in it, and it is what the program writes', () => {
    assert.ok(html === assemble(), 'the program and this test make two different pages of the same files');
    for (const name of [...lists().check, ...lists().page]) assert.ok(html.includes(read(name)), name);
  });
  const browser = await launch({ chromium, modules, html });
  try {
    await soundBundles(browser);
    await tamperedBundles(browser);
    await otherFiles(browser);
    await waysOfUse(browser);
    await vectorsInBrowser(browser);
    await tamperingsInBrowser(browser);
  } finally {
    await browser.close();
  }
  finish('page');
};

main();
