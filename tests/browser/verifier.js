'use strict';
// The verifier's files, as the page has them: run in this realm, or joined into the page. Both read the one list of them.
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const FOLDER = path.join(__dirname, '../../gateway/verifier');

const read = (name) => fs.readFileSync(path.join(FOLDER, name), 'utf8');

/** The two lists of files, in their order: those of the check itself, and those of the page around it. */
const lists = () => {
  const [check, page] = read('files.txt').trim().split('\n\n').map((part) => part.split('\n'));
  return { check, page };
};

const joined = (names) => names.map(read).join('');

/** For a Content-Security-Policy. */
const hashOf = (text) => `'sha256-${crypto.createHash('sha256').update(text).digest('base64')}'`;

/** The page as one file, as `gateway/src/http/verifier.rs` makes it too. */
const assemble = () => {
  const { check, page } = lists();
  const parts = { style: read('page.css'), verifier: joined(check), page: joined(page) };
  const policy = read('policy.txt').trim().split('\n').join('; ')
    .replace('{{scripts}}', `${hashOf(parts.verifier)} ${hashOf(parts.page)}`)
    .replace('{{style}}', hashOf(parts.style));
  return read('page.html').replaceAll(/\{\{(\w+)\}\}/g, (_, name) => ({ ...parts, policy })[name]);
};

/** Runs the files here and answers their global object. Node 18 keeps WebCrypto in a module. */
const load = () => {
  globalThis.crypto ??= require('node:crypto').webcrypto;
  for (const name of lists().check) vm.runInThisContext(read(name), { filename: path.join(FOLDER, name) });
  return globalThis.GoldenThread;
};

module.exports = { lists, read, assemble, load, FOLDER };
