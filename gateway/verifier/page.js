'use strict';
/** The page: files come in, are recognised, and are checked as soon as there is something to check. */
(() => {
  const gt = globalThis.GoldenThread;
  const { make, show } = gt.page;
  const byId = (id) => document.getElementById(id);
  const MAX_SMALL = 1024 * 1024;
  const MAX_BUNDLE = 64 * 1024 * 1024;

  const NAMES = {
    bundle: 'Evidence bundle', pin: 'Pin', fork: 'Evidence of a fork', receipt: 'Receipt', known: 'Checkpoint you know',
    policy: 'Policy', statement: 'Statement', mirror: 'Mirror’s folder',
  };
  const TO_CHECK = ['bundle', 'receipt', 'fork'];

  /** @type {Map<string, {name: string, octets: Uint8Array}>} the chosen files by their kinds; one of each */
  const chosen = new Map();
  let mirror = { name: '', files: [] };
  /** @type {{name: string, why: string|null}[]} what is no evidence, and what it is instead, if that is known */
  const unknown = [];
  let run = 0;
  let worker = null;

  const say = (text) => { byId('status').textContent = text; };

  const removable = (label, name, remove, why = null) => {
    const button = make('button', { type: 'button', text: 'Remove', 'aria-label': `Remove ${label}: ${name}` });
    button.addEventListener('click', () => {
      remove();
      list();
      byId('choose-files').focus();
      check();
    });
    const said = document.createTextNode(why === null ? name : `${name} is ${why}`);
    return make('li', {}, make('span', {}, make('strong', { text: `${label}: ` }), said), button);
  };

  const list = () => {
    const items = [...chosen].map(([kind, { name }]) => removable(NAMES[kind], name, () => chosen.delete(kind)));
    if (mirror.files.length > 0) {
      items.push(removable(NAMES.mirror, mirror.name, () => { mirror = { name: '', files: [] }; }));
    }
    unknown.forEach((one) => {
      const label = one.why === null ? 'Not recognised' : 'No evidence';
      items.push(removable(label, one.name, () => unknown.splice(unknown.indexOf(one), 1), one.why));
    });
    byId('chosen').replaceChildren(...items);
  };

  /** Whether evidence is there, and this is a bundle only because it is nothing else: whoever chooses a wrong file keeps the right one. */
  const isStray = (octets) => {
    const isEvidence = (kind) => kind !== 'bundle' || gt.inputs.isMeantAsBundle(chosen.get(kind).octets);
    const held = TO_CHECK.filter((kind) => chosen.has(kind));
    return held.length > 0 && !gt.inputs.isMeantAsBundle(octets) && held.some(isEvidence);
  };

  const take = async (file) => {
    const octets = file.size > MAX_BUNDLE + MAX_SMALL ? null : new Uint8Array(await file.arrayBuffer());
    let why = octets === null ? null : gt.page.mistaken(octets);
    let kind = octets === null || why !== null ? null : gt.inputs.kindOf(octets);
    if (kind === 'bundle' && isStray(octets)) [kind, why] = [null, gt.page.STRAY];
    if (kind === null) unknown.push({ name: file.name, why });
    else chosen.set(kind, { name: file.name, octets });
    // One thing is checked at a time: the newest.
    if (TO_CHECK.includes(kind)) TO_CHECK.filter((other) => other !== kind).forEach((other) => chosen.delete(other));
  };

  /** @param {{path: string, file: File}[]} found files, those of folders with their paths */
  const takeAll = async (found) => {
    const tiles = found.filter(({ path }) => gt.openLog.placeOf(path) !== null);
    const isFolder = found.some(({ path }) => path.includes('/'));
    if (tiles.length > 0) mirror = { name: `${tiles[0].path.split('/')[0]}, ${tiles.length} files of entries`, files: tiles };
    else if (isFolder) unknown.push({ name: `${found[0].path.split('/')[0]}, a folder without an open log`, why: null });
    for (const { file } of found.filter(({ path }) => !path.includes('/'))) await take(file);
    list();
    await check();
  };

  const progressBar = (isCurrent) => {
    const bar = make('progress', { id: 'progress', 'aria-label': 'Progress of the check' });
    byId('progress-place').replaceChildren(bar);
    const words = { records: 'records', log: 'entries of the open log' };
    return ({ what, done, total }) => {
      if (!isCurrent()) return;
      bar.max = total;
      bar.value = done;
      bar.textContent = `${done} of ${total} ${words[what]}`;
    };
  };

  /** The address of the check's own text, under the one name that the page's policy allows for such. */
  const addressOfCheck = () => {
    const source = new Blob([byId('verifier').textContent], { type: 'text/javascript' });
    const address = URL.createObjectURL(source);
    const trusted = globalThis.trustedTypes?.createPolicy('golden-thread', { createScriptURL: (url) => url });
    return trusted?.createScriptURL(address) ?? address;
  };
  let scriptAddress = null;

  /** A worker made of this page's own text; null if this browser does not allow one. */
  const startWorker = () => {
    try {
      scriptAddress ??= addressOfCheck();
      return new Worker(scriptAddress);
    } catch {
      return null;
    }
  };

  const inWorker = (files, progress) =>
    new Promise((resolve, reject) => {
      const items = [];
      worker.onmessage = ({ data }) => {
        if (data.progress !== undefined) progress(data.progress);
        else if (data.items !== undefined) items.push(...data.items);
        else if (data.shown !== undefined) resolve({ ...data.shown, items });
        else reject(new Error(data.failed));
      };
      worker.onerror = (event) => reject(new Error(event.message || 'the worker did not start'));
      worker.postMessage({ files, mirror: mirror.files });
    });

  const inPage = (files, progress) => {
    const turns = gt.inTurns(async (what, done, total) => {
      progress({ what, done, total });
      await new Promise((resolve) => { setTimeout(resolve, 0); });
    });
    return gt.run(files, gt.readable(mirror.files), turns);
  };

  const outcomeOf = async (isCurrent) => {
    const files = Object.fromEntries([...chosen].map(([kind, { octets }]) => [kind, octets]));
    const progress = progressBar(isCurrent);
    worker?.terminate();
    worker = startWorker();
    return worker === null ? inPage(files, progress) : inWorker(files, progress);
  };

  const showProblem = (text) => byId('result').replaceChildren(make('p', { class: 'problem', text }));

  const check = async () => {
    run += 1;
    const mine = run;
    const isCurrent = () => mine === run;
    byId('result').replaceChildren();
    byId('progress-place').replaceChildren();
    if (!TO_CHECK.some((kind) => chosen.has(kind))) {
      say(chosen.size > 0 || unknown.length > 0 ? gt.sentences.PROBLEMS.nothing_to_check : '');
      return;
    }
    say('Checking…');
    try {
      const shown = await outcomeOf(isCurrent);
      if (!isCurrent()) return;
      byId('progress-place').replaceChildren();
      if (shown.problem !== undefined) {
        showProblem(shown.problem);
        say('No verdict.');
        return;
      }
      say(`Verdict: ${shown.word}. ${shown.faults.length} found wrong, ${shown.unknowns.length} could not be told.`);
      await show(byId('result'), shown, isCurrent);
    } catch (error) {
      if (!isCurrent()) return;
      byId('progress-place').replaceChildren();
      showProblem(`This page failed, and gives no verdict: ${error.message}. It says nothing about the file.`);
      say('No verdict.');
    }
  };

  /** Files of a folder that was dropped, with their paths. */
  const walk = async (entry, path) => {
    if (entry.isFile) return [{ path, file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }) }];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
      if (some.length === 0) return found;
      for (const inner of some) found.push(...(await walk(inner, `${path}/${inner.name}`)));
    }
  };

  const dropped = async (transfer) => {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null);
    if (entries.length === 0) return [...transfer.files].map((file) => ({ path: file.name, file }));
    const found = [];
    for (const entry of entries) found.push(...(await walk(entry, entry.name)));
    return found;
  };

  const fromInput = (input) =>
    [...input.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

  const listen = () => {
    for (const id of ['choose-files', 'choose-folder']) {
      byId(id).addEventListener('change', async ({ target }) => {
        await takeAll(fromInput(target));
        target.value = '';
      });
    }
    const drop = byId('drop');
    const over = (isOver) => drop.classList.toggle('over', isOver);
    // Anywhere on the page: a file that misses the box must not make the browser leave it.
    globalThis.addEventListener('dragover', (event) => {
      event.preventDefault();
      over(true);
    });
    globalThis.addEventListener('dragleave', () => over(false));
    globalThis.addEventListener('drop', async (event) => {
      event.preventDefault();
      over(false);
      await takeAll(await dropped(event.dataTransfer));
    });
    globalThis.addEventListener('beforeprint', () => {
      document.querySelectorAll('#result details').forEach((details) => { details.open = true; });
    });
  };

  const start = async () => {
    const unfit = await gt.selfTest();
    if (unfit !== null) {
      showProblem(gt.sentences.PROBLEMS[unfit]);
      say('No verdict can be given in this browser.');
    }
    listen();
  };

  start();
})();
