'use strict';
// Bundles, receipts and what else is dropped on the page.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { drop, settled } = require('./browser.js');
const { check } = require('./checks.js');
const forks = require('./forks.js');
const {
  json, bundleFile, ledger, children, pinFile, wholeBundle, verdictOf, codesOf, withPage, checkFile, tampered, flipLast,
} = require('./page_setup.js');
const { sampleLedger, witnessOf } = require('./sample.js');

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
  await check('a receipt that too few witnesses saw', () => withPage(browser, {}, async (page) => {
    const north = witnessOf('witness.example/north');
    const policy = { name: 'policy', octets: Buffer.from(`witness north ${north.vkey}\nquorum north\n`) };
    const receipt = (note) => ({ name: 'r.tlog-proof', octets: Buffer.from(ledger.proof(5) + note) });
    await checkFile(page, [receipt(ledger.checkpoint()), pinFile, policy]);
    assert.equal(await verdictOf(page), 'Not sound');
    assert.deepEqual(await codesOf(page), ['quorum_not_met /receipt']);
    await drop(page, [receipt(north.cosign(ledger.checkpoint()))]);
    await page.getByRole('region', { name: 'Sound', exact: true }).waitFor();
    await settled(page);
    assert.match(await page.locator('#result').innerText(), /Witnesses that signed\s+north/);
  }));
  await check('a checkpoint beside a receipt is not passed over in silence', () => withPage(browser, {}, async (page) => {
    const receipt = { name: 'r.tlog-proof', octets: Buffer.from(ledger.proof(5) + ledger.checkpoint()) };
    await drop(page, [receipt, pinFile, { name: 'checkpoint', octets: Buffer.from(ledger.checkpoint()) }]);
    await page.locator('.problem').waitFor();
    assert.match(await page.locator('.problem').innerText(), /The checkpoint that you know: Nothing in a receipt is compared with it; leave it out\./);
    assert.equal(await page.locator('#verdict').count(), 0);
    await page.getByRole('button', { name: 'Remove Checkpoint you know: checkpoint' }).click();
    await page.getByRole('region', { name: 'Sound', exact: true }).waitFor();
  }));
  await check('evidence of a fork', () => withPage(browser, {}, async (page) => {
    const pin = { name: 'ledger.json', octets: json(forks.pin) };
    await checkFile(page, [{ name: 'fork.json', octets: json(forks.twoSizes) }, pin]);
    assert.equal(await verdictOf(page), 'Not sound');
    assert.match(await page.locator('#result').innerText(), /The ledger has signed two histories that cannot both be true\./);
    await drop(page, [{ name: 'fork.json', octets: json({ ...forks.twoSizes, format: 'gt/fork/2' }) }]);
    await page.getByRole('region', { name: 'Could not tell' }).waitFor();
    await settled(page);
    assert.deepEqual(await codesOf(page), ['fork_proves_nothing /fork']);
    await drop(page, [{ name: 'fork.json', octets: json(forks.honest) }]);
    await page.getByRole('region', { name: 'Could not tell' }).waitFor();
    await settled(page);
    assert.deepEqual(await codesOf(page), ['fork_proves_nothing /fork']);
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
  await check('what lies beside evidence is called by its name, and has no verdict', () => withPage(browser, {}, async (page) => {
    const refusal = { type: 'urn:goldenthread:problem:missing_member', status: 422 };
    for (const [name, octets, said] of [
      ['empty', Buffer.from('\n'), /is an empty file/],
      ['bundle.html', Buffer.from('<!doctype html>'), /a page for people, which proves nothing/],
      ['answer.json', json({ id: 'a', status: 'sealed', receipt: ledger.proof(5) + ledger.checkpoint() }), /an answer with a receipt in it/],
      ['queued.json', json({ id: 'a', status: 'queued' }), /not sealed yet/],
      ['answers', Buffer.from('{"id":"a","status":"refused"}\n{"id":"b","status":"queued"}\n'), /the draft was refused/],
      ['a day of answers', Buffer.from('{"id":"a","status":"queued"}\n'.repeat(40000)), /not sealed yet/],
      ['refusal.json', json(refusal), /a refusal, whose detail says why/],
      ['key.jwk', json({ kty: 'OKP', d: 'x' }), /keep a private key to yourself/],
      ['locked.jwk', json({ protected: 'x', ciphertext: 'y' }), /keep a private key to yourself/],
      ['package.json', json({ name: 'x', version: 0.5 }), /JSON of another kind/],
    ]) {
      await drop(page, [{ name, octets }]);
      await page.getByText('No evidence:').waitFor();
      assert.match(await page.locator('#chosen').innerText(), said);
      assert.match(await page.getByRole('status').innerText(), /nothing to check yet/);
      assert.equal(await page.locator('#verdict').count(), 0, name);
      await page.getByRole('button', { name: `Remove No evidence: ${name}` }).click();
      assert.equal(await page.locator('#chosen li').count(), 0);
    }
  }));
  await check('what is left of a bundle is not sound, and not called something else', () => withPage(browser, {}, async (page) => {
    const { records } = wholeBundle();
    const lefts = ['{}', JSON.stringify({ records }), JSON.stringify({ records, id: 'a', name: 'x' })];
    for (const left of [`{"kty":"OKP"}\n${JSON.stringify(wholeBundle())}`, ...lefts]) {
      await checkFile(page, [{ name: 'b.bundle.json', octets: Buffer.from(left) }, pinFile]);
      assert.equal(await verdictOf(page), 'Not sound', left.slice(0, 40));
      assert.equal(await page.getByText('No evidence:').count(), 0, left.slice(0, 40));
    }
  }));
  await check('a pin with a byte-order mark is a pin, and refused for that', () => withPage(browser, {}, async (page) => {
    const marked = { name: 'ledger.json', octets: Buffer.concat([Buffer.from('\ufeff'), pinFile.octets]) };
    await drop(page, [bundleFile(wholeBundle()), marked]);
    await page.locator('.problem').waitFor();
    assert.match(await page.locator('.problem').innerText(), /^The pin: The text begins with a byte-order mark\./);
    assert.equal(await page.locator('#verdict').count(), 0);
    await drop(page, [pinFile]);
    await page.getByRole('region', { name: 'Sound', exact: true }).waitFor();
  }));
  await check('what is a bundle only because it is nothing else takes no evidence’s place', () => withPage(browser, {}, async (page) => {
    await checkFile(page, [bundleFile(wholeBundle()), pinFile]);
    const lines = '{"a":1}\n'.repeat(150000);
    for (const [name, text] of [['cut.json', '{"format":"gt/bundle/1",'], ['nothing.json', '{}'], ['lines', lines]]) {
      await drop(page, [{ name, octets: Buffer.from(text) }]);
      await page.getByRole('button', { name: `Remove No evidence: ${name}` }).waitFor();
      assert.match(await page.locator('#chosen').innerText(), /is JSON that does not read, or has nothing of a bundle/);
      assert.equal(await verdictOf(page), 'Sound', name);
      await page.getByRole('button', { name: `Remove No evidence: ${name}` }).click();
      await page.getByRole('region', { name: 'Sound', exact: true }).waitFor();
    }
    // What means to be a bundle does, and is damaged.
    await drop(page, [{ name: 'marked.bundle.json', octets: Buffer.from(`\ufeff${JSON.stringify(wholeBundle())}`) }]);
    await page.getByRole('region', { name: 'Not sound' }).waitFor();
    await settled(page);
    assert.deepEqual(await codesOf(page), ['json_byte_order_mark']);
  }));
};

module.exports = { soundBundles, tamperedBundles, otherFiles };
