'use strict';
// The page, as a panel uses it: node page.js MODULES CHROMIUM [PAGE.html]
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { launch, drop, settled, violations } = require('./browser.js');
const { check, finish } = require('./checks.js');
const { sampleLedger } = require('./sample.js');
const { assemble, lists, read } = require('./verifier.js');
const { vectorFiles } = require('./vectors.js');

const [modules, chromium, file] = process.argv.slice(2);
const json = (value) => Buffer.from(JSON.stringify(value));
const bundleFile = (bundle) => ({ name: 'evidence.bundle.json', octets: json(bundle) });

const { ledger, children } = sampleLedger(12);
const pinFile = { name: 'ledger.json', octets: json(ledger.pin()) };
const wholeBundle = () => ledger.bundle({ kind: 'entries', first: 0, last: ledger.entries.length - 1 });

const verdictOf = (page) => page.getByRole('region', { name: /^(Sound|Not sound|Could not tell)$/ }).getByRole('heading').innerText();
const codesOf = (page) => page.locator('.findings .code').allInnerTexts();

/** Opens the page, runs, and asks each time: nothing was asked of a network, nothing failed, and nothing is inaccessible. */
const withPage = async (browser, options, run) => {
  const { page, asked, errors, close } = await browser.open(options);
  try {
    await run(page);
    assert.deepEqual(await violations(page, browser.axe), [], 'axe-core');
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

const soundBundles = async (browser) => {
  await check('the empty page says what to do', () => withPage(browser, {}, async (page) => {
    await page.getByRole('heading', { name: 'Check evidence from a Golden Thread ledger' }).waitFor();
    assert.equal(await page.getByRole('status').innerText(), '');
    assert.match(await page.locator('main').ariaSnapshot(), /button "Choose files"/);
  }));
  for (const colorScheme of ['light', 'dark']) {
    await check(`a sound bundle, ${colorScheme}`, () => withPage(browser, { colorScheme }, async (page) => {
      await checkFile(page, [bundleFile(wholeBundle()), pinFile]);
      assert.equal(await verdictOf(page), 'Sound');
      assert.match(await page.getByRole('status').innerText(), /^Verdict: Sound\./);
      assert.equal(await page.locator('#faults').count(), 0);
      const events = page.getByRole('region', { name: 'Timeline' }).locator('.timeline > li');
      assert.equal(await events.count(), 12);
      const told = await events.first().ariaSnapshot();
      assert.match(told, /heading "The child went missing, or was away without authorisation"/);
      assert.match(told, /Entry 3 — received 2 March 2026, 08:00:03 UTC/);
      assert.match(told, /Police force 32 \(police:32\) — Missing persons system of a fictional force/);
      assert.match(told, /term: Occurred at\s+- definition: 1 March 2026, 21:20:00 UTC/);
    }));
  }
  await check('nothing pinned: could not tell, and which file would', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [bundleFile(wholeBundle())]);
    assert.equal(await verdictOf(page), 'Could not tell');
    assert.deepEqual(await codesOf(page), ['nothing_pinned /checkpoint']);
    assert.match(await page.locator('#result').innerText(), /What would tell: Choose the ledger’s pin, ledger\.json/);
  }));
  await check('a child’s record with a mirror’s folder', () => withPage(browser, {}, async (page) => {
    const mirror = path.join(browser.folder, 'mirror');
    for (const tile of ledger.tiles()) {
      fs.mkdirSync(path.join(mirror, path.dirname(tile.path)), { recursive: true });
      fs.writeFileSync(path.join(mirror, tile.path), tile.octets);
    }
    await checkFile(page, [bundleFile(ledger.bundle({ kind: 'child', subjects: [children[0]] })), pinFile]);
    assert.deepEqual(await codesOf(page), ['completeness_not_checked /completeness']);
    await page.setInputFiles('#choose-folder', mirror);
    await page.getByRole('region', { name: 'Sound' }).waitFor();
    assert.match(await page.getByRole('list', { name: 'Chosen files' }).innerText(), /Mirror’s folder: mirror, 1 files of entries/);
  }));
};

/** A bundle with something done to it. */
const tampered = (change) => {
  const bundle = structuredClone(wholeBundle());
  change(bundle);
  return bundleFile(bundle);
};
const flipLast = (text) => text.slice(0, -2) + (text.at(-2) === 'A' ? 'B' : 'A') + text.at(-1);

const tamperedBundles = async (browser) => {
  await check('an altered statement: where the break is', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [tampered((bundle) => { bundle.records[4].statement = flipLast(bundle.records[4].statement); }), pinFile]);
    assert.equal(await verdictOf(page), 'Not sound');
    assert.deepEqual(await codesOf(page), ['other_statement /records/4/statement']);
    const broken = page.locator('.timeline > li.broken');
    assert.equal(await broken.count(), 1);
    assert.match(await broken.ariaSnapshot(), /Broken here: The statement is not the one that was sealed in this entry\./);
    const link = page.getByRole('region', { name: /What is wrong/ }).getByRole('link');
    assert.equal(await link.innerText(), 'record 5, entry 7: statement');
    await link.click();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'record-4');
  }));
  await check('a record taken out', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [tampered((bundle) => { bundle.records.splice(2, 1); }), pinFile]);
    assert.equal(await verdictOf(page), 'Not sound');
    assert.deepEqual(await codesOf(page), ['manifest_differs /manifest/entries', 'entry_left_out /manifest/about']);
  }));
  await check('what is left out, and why', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [tampered((bundle) => {
      const [first, second] = bundle.records;
      const digestOf = (record, name) =>
        JSON.parse(Buffer.from(record.statement.split('.')[1], 'base64url')).data[name][0]['...'];
      first.left_out.push({ digest: digestOf(first, 'times'), why: 'ended' });
      first.disclosures.splice(1, 1);
      second.left_out.push({ digest: digestOf(second, 'rationale'), why: 'withheld' });
      second.disclosures.splice(2, 1);
      bundle.records[2] = { proof: bundle.records[2].proof, absent: 'ended' };
    }), pinFile]);
    assert.equal(await verdictOf(page), 'Sound');
    const events = page.locator('.timeline > li');
    assert.match(await events.nth(0).innerText(), /Ended, its keys are gone: Times\./);
    assert.match(await events.nth(1).innerText(), /Withheld from this copy: Rationale\./);
    assert.match(await events.nth(2).innerText(), /An entry whose statement is not here\s+Entry 5/);
  }));
  await check('no JSON at all', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [{ name: 'x.bundle.json', octets: Buffer.from('{"format":"gt/bundle/1",') }]);
    assert.equal(await verdictOf(page), 'Not sound');
    assert.deepEqual(await codesOf(page), ['json_syntax']);
  }));
};

const HOSTILE = '<img src="https://evil.example/x" onerror="document.title=1"><script>document.title=2</script>';

const otherFiles = async (browser) => {
  await check('what a bundle says is text and nothing else', () => withPage(browser, {}, async (page) => {
    const { ledger: hostile, children: [child] } = sampleLedger(2);
    const council = hostile.register('ods:RX1', HOSTILE);
    hostile.publish(council, 'decision.recorded', {
      clear: { decision: 'Share' }, owners: [child],
      disclosed: { child: { pseudonym: child, role: 'Child' }, rationale: HOSTILE, [`${'a'.repeat(60)}`]: { [HOSTILE]: [HOSTILE] } },
    });
    const bundle = hostile.bundle({ kind: 'entries', first: 5, last: 6 });
    await checkFile(page, [bundleFile(bundle), { name: '<img onerror=x>.json', octets: json(hostile.pin()) }]);
    assert.equal(await verdictOf(page), 'Sound');
    assert.equal(await page.locator('img, #result script').count(), 0);
    assert.equal(await page.title(), 'Check evidence – Golden Thread');
    assert.ok((await page.locator('.timeline').innerText()).includes(HOSTILE));
  }));
  await check('a receipt, its statement and the pin', () => withPage(browser, {}, async (page) => {
    const receipt = { name: 'r.tlog-proof', octets: Buffer.from(ledger.proof(5) + ledger.checkpoint()) };
    const statement = { name: 's.txt', octets: Buffer.from(`${ledger.sealed[5].signed}~${ledger.sealed[5].disclosures.join('~')}~`) };
    await checkFile(page, [receipt, pinFile, statement]);
    assert.equal(await verdictOf(page), 'Sound');
    assert.match(await page.locator('#result').innerText(), /Compared with the statement that you chose\./);
    const other = { name: 't.txt', octets: Buffer.from(`${ledger.sealed[6].signed}~`) };
    await drop(page, [other]);
    await page.getByRole('region', { name: 'Not sound' }).waitFor();
    await settled(page);
    assert.deepEqual(await codesOf(page), ['other_statement /receipt']);
  }));
  await check('a pin that does not read gives no verdict', () => withPage(browser, {}, async (page) => {
    await drop(page, [bundleFile(wholeBundle()), { name: 'ledger.json', octets: json({ ...ledger.pin(), genesis: 'x' }) }]);
    await page.locator('.problem').waitFor();
    assert.match(await page.locator('.problem').innerText(), /The pin does not read/);
    assert.equal(await page.locator('#verdict').count(), 0);
  }));
  await check('a checkpoint that is known already, and contradicts', () => withPage(browser, {}, async (page) => {
    const lines = ledger.checkpoint().split('\n');
    lines[2] = Buffer.alloc(32).toString('base64');
    await checkFile(page, [bundleFile(wholeBundle()), pinFile, { name: 'checkpoint', octets: Buffer.from(lines.join('\n')) }]);
    assert.deepEqual(await codesOf(page), ['known_contradicted /consistency']);
  }));
  await check('a file that is nothing of all this', () => withPage(browser, {}, async (page) => {
    await drop(page, [{ name: 'holiday.jpg', octets: Buffer.from([0xff, 0xd8, 0xff]) }]);
    await page.getByText('Not recognised:').waitFor();
    assert.match(await page.getByRole('status').innerText(), /nothing to check yet/);
    await page.getByRole('button', { name: 'Remove Not recognised: holiday.jpg' }).click();
    assert.equal(await page.locator('#chosen li').count(), 0);
  }));
};

const waysOfUse = async (browser) => {
  await check('with the keyboard alone', () => withPage(browser, {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the files');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'choose-files');
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Enter');
    const altered = tampered((bundle) => { bundle.records[1].statement = flipLast(bundle.records[1].statement); });
    await (await chooser).setFiles([altered, pinFile].map(({ name, octets }) => ({ name, mimeType: 'application/json', buffer: octets })));
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
  await check('a large bundle is checked in a worker, with its progress shown', () => withPage(browser, {}, async (page) => {
    const large = sampleLedger(1500);
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
    assert.equal(await page.locator('.timeline > li').count(), 1500);
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

/** Every vector in the browser too: that is where panels run the check. */
const vectorsInBrowser = async (browser) => {
  const { page, close } = await browser.open();
  await page.evaluate(fs.readFileSync(path.join(__dirname, 'cases.js'), 'utf8'));
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

const main = async () => {
  const html = file === undefined ? assemble() : fs.readFileSync(file, 'utf8');
  await check('the page has every file in it, and it is what the program writes', () => {
    assert.equal(html, assemble());
    for (const name of [...lists().check, ...lists().page]) assert.ok(html.includes(read(name)), name);
  });
  const browser = await launch({ chromium, modules, html });
  try {
    await soundBundles(browser);
    await tamperedBundles(browser);
    await otherFiles(browser);
    await waysOfUse(browser);
    await vectorsInBrowser(browser);
  } finally {
    await browser.close();
  }
  finish('page');
};

main();
