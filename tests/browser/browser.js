'use strict';
// A headless Chromium with the page in it, opened from a file, with no way to the network.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

/**
 * @param {{chromium: string, modules: string, html: string}} where program, npm's folder, and the page's text
 * @returns {Promise<{open: function, close: function, folder: string, axe: string}>}
 */
const launch = async ({ chromium, modules, html }) => {
  const playwright = require(path.join(modules, 'playwright-core'));
  const axe = fs.readFileSync(path.join(modules, 'axe-core/axe.min.js'), 'utf8');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gt-browser-'));
  const file = path.join(folder, 'verifier.html');
  fs.writeFileSync(file, html);
  const isRoot = process.getuid?.() === 0;
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: isRoot ? ['--no-sandbox'] : [] });
  const close = async () => {
    await browser.close();
    fs.rmSync(folder, { recursive: true });
  };

  /** A new window with the page. `asked` are addresses that it asked for, besides itself and its own worker. */
  const open = async ({ before, colorScheme } = {}) => {
    const context = await browser.newContext({ offline: true, colorScheme });
    const page = await context.newPage();
    const asked = [];
    const errors = [];
    const own = pathToFileURL(file).href;
    page.on('request', (request) => {
      const url = request.url().split('#')[0];
      if (url !== own && !url.startsWith('blob:null/')) asked.push(url);
    });
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
    if (before !== undefined) await page.addInitScript(before);
    await page.goto(own);
    return { page, asked, errors, close: () => context.close() };
  };
  return { open, close, folder, axe };
};

/** Drops files on the page, as a mouse does. @param {{name: string, octets: Buffer}[]} files */
const drop = (page, files) =>
  page.evaluate((all) => {
    const transfer = new DataTransfer();
    for (const { name, base64 } of all) {
      const octets = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      transfer.items.add(new File([octets], name));
    }
    document.getElementById('drop').dispatchEvent(
      new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, files.map(({ name, octets }) => ({ name, base64: Buffer.from(octets).toString('base64') })));

/** Until a result is there in full. */
const settled = (page) => page.waitForSelector('#result[data-complete]', { state: 'attached' });

/** What axe-core finds against WCAG 2.2 A and AA. @returns {Promise<string[]>} */
const violations = async (page, axe) => {
  await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },
    }));
  return found.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join('; ')}`);
};

module.exports = { launch, drop, settled, violations };
