'use strict';
// The copy for who asks to see a record, made by the program from a demonstration's ledger: these scripts find it sound, and whatever is
// put back into it or taken out of it they find too.
//
//   node subject_access.js PROGRAM
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { load } = require('./verifier.js');

const [program] = process.argv.slice(2);
const gt = load();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gt-subject-access-'));
const at = (name) => path.join(folder, name);

const run = (...args) => {
  const ran = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(ran.status, 0, `${args[0]}: ${ran.stderr}`);
  return ran.stdout;
};

/** The files of a folder with their paths from it, as a browser hands them over. */
const filesOf = (root, below = '') => fs.readdirSync(path.join(root, below), { withFileTypes: true }).flatMap((item) => {
  const name = path.posix.join(below, item.name);
  if (item.isDirectory()) return filesOf(root, name);
  return [{ path: name, read: async () => new Uint8Array(fs.readFileSync(path.join(root, name))) }];
});

/** A checked copy of the open log, of the ledger while it is served. */
const mirrored = async () => {
  const server = spawn(program, ['serve', '--json', '--listen', '127.0.0.1:0', '--data', at('ledger')], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => { server.on('exit', resolve); });
  try {
    const line = await new Promise((resolve, reject) => {
      server.stdout.once('data', resolve);
      server.once('exit', () => reject(new Error('the ledger is not served')));
    });
    run('mirror', '--url', JSON.parse(line).listening, '--out', at('mirror'), '--pin', at('ledger.secrets/ledger.json'));
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
  return filesOf(at('mirror'));
};

/** Withholds what names somebody else, and one statement in silence; the rest is disclosed. */
const decide = (file) => {
  const sheet = JSON.parse(fs.readFileSync(file));
  const silent = sheet.items.findLast((item) => item.kind === 'statement' && item.of === 'subject').entry;
  for (const item of sheet.items) {
    if (item.entry === silent) {
      if (item.kind === 'statement') Object.assign(item, { decision: 'withhold_silently', exemption: 'CrimeOrTaxation' });
    } else if (item.kind === 'disclosure' && item.of === 'another') {
      Object.assign(item, { decision: 'withhold', exemption: 'ThirdParty' });
    } else {
      item.decision = 'disclose';
    }
  }
  fs.writeFileSync(file, JSON.stringify(sheet));
  return sheet.items.filter((item) => item.decision === 'withhold').length;
};

const check = async (bundle, pin, mirror) => {
  const octets = new TextEncoder().encode(JSON.stringify(bundle));
  const { verdict, faults, unknowns } = await gt.inputs.check({ bundle: octets, pin }, mirror, () => {});
  return { verdict, codes: [...faults, ...unknowns].map(({ code }) => code) };
};

const main = async () => {
  run('demo', '--data', at('ledger'), '--exit', '--listen', '127.0.0.1:0');
  // A decision that names other people, of the demonstration itself.
  run('bundle', '--agency', 'gss:E06000999', '--purpose', 'Audit', '--data', at('ledger'), '--out', at('agency.bundle.json'));
  const disclosed = JSON.parse(fs.readFileSync(at('agency.bundle.json'))).records
    .flatMap((record) => record.disclosures.map((text) => JSON.parse(Buffer.from(text, 'base64url'))[1]));
  const child = disclosed.find((value) => value?.role === 'Child' && value.pseudonym).pseudonym;
  const place = ['--data', at('ledger')];
  run('bundle', '--subject-access', '--child', child, ...place, '--out', at('request'));
  const withheld = decide(at('request/worksheet.json'));
  assert.ok(withheld > 0, 'somebody else is named');
  run('bundle', '--subject-access', '--decisions', at('request/worksheet.json'), ...place, '--out', at('copy.bundle.json'));
  const pin = new Uint8Array(fs.readFileSync(at('ledger.secrets/ledger.json')));
  const [full, copy] = ['request/full.bundle.json', 'copy.bundle.json'].map((name) => JSON.parse(fs.readFileSync(at(name))));
  const mirror = await mirrored();
  assert.deepEqual(await check(copy, pin, mirror), { verdict: 'sound', codes: [] });
  const some = copy.records.findIndex((record) => record.left_out?.length > 0);
  const changed = async (change) => {
    const spoilt = structuredClone(copy);
    change(spoilt);
    return (await check(spoilt, pin, mirror)).codes;
  };
  assert.ok((await changed((one) => one.records[some].left_out.pop())).includes('left_out_differs'));
  assert.ok((await changed((one) => { one.records[some].disclosures = full.records[some].disclosures; })).includes('left_out_differs'));
  const absent = copy.records.findIndex((record) => record.absent === 'withheld');
  const dropped = await changed((one) => {
    one.records.splice(absent, 1);
    one.manifest.entries.splice(absent, 1);
  });
  assert.ok(dropped.includes('record_left_out'), `${dropped}`);
  console.log(`subject access: the copy is sound without ${withheld} disclosures and one statement, and 3 changes of it are found`);
};

main().finally(() => fs.rmSync(folder, { recursive: true, force: true })).catch((error) => {
  console.error(`subject access: ${error.message}`);
  process.exitCode = 1;
});
