'use strict';
// The page has words for everything that it can find and for every type of event that there is a schema for.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { check, finish } = require('./checks.js');
const { lists, read, load } = require('./verifier.js');

const SCHEMAS = path.join(__dirname, '../../schemas/json');
const gt = load();

/** Codes that the sources refuse with or list, by where they stand. */
const codesIn = (pattern) => {
  const text = lists().check.map(read).join('');
  return new Set([...text.matchAll(pattern)].map((match) => match[1]));
};

/** Codes of identifiers, which no file that is checked can bring about. */
const OF_IDENTIFIERS = new Set([
  'characters', 'length', 'placeholder', 'never_issued', 'check_character', 'form', 'no_childrens_services', 'no_scheme',
  'unknown_scheme', 'blank',
]);
/** What only a sealer or a reader of whole successions refuses with. */
const ELSEWHERE = new Set(['entry_index', 'entry_time', 'entry_registry', 'fork_member', 'fork_format', 'fork_too_long',
  'fork_order', 'fork_beginning', 'fork_same_history', 'fork_not_proven',
  'consistency_shrinks', 'consistency_path_length', 'consistency_old_root', 'consistency_new_root']);

const main = async () => {
  const { FAULTS, UNKNOWNS, PROBLEMS } = gt.sentences;
  await check('every code that a fault can have has its sentences', () => {
    const refused = new Set([
      ...codesIn(/(?:refuse|fault)\(\s*(?:'[^']*',\s*)?'([a-z_0-9]+)'/g), ...codesIn(/\bcode: '([a-z_]+)'/g),
    ]);
    assert.ok(refused.size > 90, `only ${refused.size} codes were found in the sources`);
    const without = [...refused].filter((code) =>
      ![FAULTS, UNKNOWNS, PROBLEMS].some((table) => Object.hasOwn(table, code)) && !OF_IDENTIFIERS.has(code) && !ELSEWHERE.has(code));
    assert.deepEqual(without, []);
  });
  await check('every code that an unknown can have says which file would tell', () => {
    const unknown = codesIn(/unknowns?(?:\.push)?\((?:\{ code: )?'([a-z_]+)'/g);
    assert.ok(unknown.size >= 5);
    assert.deepEqual([...unknown].filter((code) => !Object.hasOwn(UNKNOWNS, code)), []);
  });
  await check('sentences are sentences', () => {
    for (const [code, pair] of [...Object.entries(FAULTS), ...Object.entries(UNKNOWNS)]) {
      assert.equal(pair.length, 2, code);
      for (const text of pair) assert.match(text, /^[A-Z].*[.?]$/, code);
    }
  });
  await check('every type and version that has a schema is interpreted', () => {
    const versions = new Map();
    for (const file of fs.readdirSync(SCHEMAS)) {
      const match = /^([a-z_]+\.[a-z_]+)\.v([0-9]+)\.(?:draft\.)?schema\.json$/.exec(file);
      if (match !== null) versions.set(match[1], Math.max(versions.get(match[1]) ?? 0, Number(match[2])));
    }
    assert.ok(versions.size > 40);
    for (const [type, version] of versions) {
      assert.equal(gt.words.event(type, version).interpreted, true, `${type} ${version}`);
      assert.equal(gt.words.event(type, version + 1).interpreted, false, `${type} ${version + 1}`);
    }
  });
  await check('names and codes become words', () => {
    assert.equal(gt.words.member('risk_of_not_sharing'), 'Risk of not sharing');
    assert.equal(gt.words.value('FindMissingChild'), 'Find missing child');
    assert.equal(gt.words.value('CSE'), 'CSE');
    assert.equal(gt.words.value('police:32'), 'Police force 32 (police:32)');
    assert.equal(gt.words.value('2026-03-01T09:00:00Z'), '1 March 2026, 09:00:00 UTC');
    assert.equal(gt.words.event('constructor', 1).interpreted, false);
  });
  finish('words');
};

main();
