'use strict';
// The verifier's files, as the page has them: run in this realm, or joined into the page. Both read the one list of them.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const FOLDER = path.join(__dirname, '../../gateway/verifier');

/** Names of the files of the check itself, in their order. */
const names = () => fs.readFileSync(path.join(FOLDER, 'files.txt'), 'utf8').trim().split('\n');

const read = (name) => fs.readFileSync(path.join(FOLDER, name), 'utf8');

/** Runs the files here and answers their global object. Node 18 keeps WebCrypto in a module. */
const load = () => {
  globalThis.crypto ??= require('node:crypto').webcrypto;
  for (const name of names()) vm.runInThisContext(read(name), { filename: path.join(FOLDER, name) });
  return globalThis.GoldenThread;
};

module.exports = { names, read, load, FOLDER };
