'use strict';
/** A bundle's registrar's chain, tip and records, and the chains through them (FORMATS 12, steps 4 to 7). */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const AHEAD_SECONDS = 300;

  /** Reads a proof and its entry, up to `not_included`; what could be read stays in `into`. */
  const readProof = (text, checkpoint, into) => {
    const proof = gt.receipt.readProof(text);
    if (proof.rest !== '') gt.refuse('receipt_no_separator');
    into.index = proof.index;
    into.entry = gt.entry.read(proof.extra ?? gt.refuse('entry_absent'));
    if (into.entry.index !== proof.index) gt.refuse('index_differs');
    gt.tree.checkInclusion(into.entry.leaf, proof.index, checkpoint.size, proof.path, checkpoint.root);
  };

  const readStatement = (record, into) => {
    into.statement = gt.statement.read(record.statement);
    if (into.statement.hash !== into.entry.statement) gt.refuse('other_statement');
  };

  /** The first statement: it makes the registry, and shows whose ledger this is. */
  const startRegistry = async (check, at, { entry, statement }) => {
    if (entry.index !== 0) at.refuse('/statement', 'not_genesis');
    const pinned = check.pin?.genesis;
    if (pinned !== undefined && pinned !== entry.leafHash) at.refuse('/proof', 'other_genesis');
    await at.within('/statement', async () => {
      const registry = gt.Registry.create(statement, entry.leafHash);
      if (statement.aud !== check.checkpoint.origin) gt.refuse('wrong_audience');
      const { registrar } = registry.ledgerKeys[0];
      if (statement.kid !== registrar.thumbprint) gt.refuse('wrong_key');
      await gt.statement.checkSignature(statement, registrar.x);
      check.registry = registry;
    });
  };

  const followRegistry = async (check, at, i, { entry, statement }) => {
    const { registry } = check;
    await at.within('/statement', async () => {
      if (statement.publisher !== registry.registrarId) gt.refuse('unknown_publisher');
      await registry.checkSigner(statement, entry.index);
      if (statement.seq !== i) gt.refuse('chain_gap');
      if (statement.prev !== registry.hashes.at(-1)) gt.refuse('chain_prev');
      await registry.apply(statement, entry.index);
    });
  };

  /** Step 4. The first fault ends the whole check. */
  const checkRegistrar = async (check) => {
    for (const [i, record] of check.bundle.registrar.entries()) {
      const at = check.at(`/registrar/${i}`);
      const read = { place: at.place, record };
      check.registrar.push(read);
      await at.within('/proof', () => {
        readProof(record.proof, check.checkpoint, read);
        if (i > 0 && read.entry.index <= check.registrar[i - 1].entry.index) gt.refuse('record_order');
      });
      await at.within('/statement', () => readStatement(record, read));
      await (i === 0 ? startRegistry(check, at, read) : followRegistry(check, at, i, read));
      if (read.entry.registry !== i) at.refuse('/proof', 'registry_count');
      if (record.disclosures.length > 0 || record.left_out.length > 0) at.refuse('/left_out', 'left_out_differs');
    }
  };

  /** Step 5. */
  const checkTip = (check) => {
    const tip = { place: '/tip' };
    check.tip = tip;
    return check.collect('/tip', () => {
      readProof(check.bundle.tip, check.checkpoint, tip);
      tip.proved = true;
      if (tip.entry.index !== check.checkpoint.size - 1) gt.refuse('tip_not_last');
      const isRegistrars = check.registrar.some((one) => one.entry.index === tip.entry.index);
      const counted = tip.entry.registry + (isRegistrars ? 1 : 0);
      if (counted !== check.registrar.length) gt.refuse('registrar_statement_left_out');
    });
  };

  /** How many of the registrar's statements stand below an index. */
  const registrarsBelow = (check, index) => check.registrar.filter((one) => one.entry.index < index).length;

  const checkPlace = (check, read) => {
    const { index, registry } = read.entry;
    if (index <= check.lastIndex || check.registrar.some((one) => one.entry.index === index)) gt.refuse('record_order');
    if (registry !== registrarsBelow(check, index)) gt.refuse('registry_count');
    check.lastIndex = index;
    check.byIndex.set(index, read);
    read.proved = true;
  };

  const checkAuthorship = async (check, record, read) => {
    readStatement(record, read);
    const { statement, entry } = read;
    if (statement.publisher === check.registry.registrarId) gt.refuse('registrar_statement_left_out');
    await check.registry.checkSigner(statement, entry.index);
    if (statement.iat > Math.floor(entry.receivedAt / 1000) + AHEAD_SECONDS) gt.refuse('from_the_future');
  };

  /** Digests of members that are not kept, and whose disclosures are not among these. */
  const missing = (statement, disclosures) => {
    const here = new Set(disclosures.map((disclosure) => disclosure.digest));
    return [...statement.references].filter(([digest, { member }]) => !statement.kept.has(member) && !here.has(digest));
  };

  const checkLeftOut = (record, read) => {
    const wanted = missing(read.statement, read.disclosures).map(([digest]) => digest);
    const listed = record.left_out.map((one) => one.digest);
    const same = listed.length === wanted.length && new Set([...wanted, ...listed]).size === wanted.length;
    if (!same) gt.refuse('left_out_differs');
    read.leftOut = record.left_out.map(({ digest, why }) => ({ why, ...read.statement.references.get(digest) }));
  };

  const checkRecord = async (check, record, read) => {
    const at = check.at(read.place);
    await at.within('/proof', () => {
      readProof(record.proof, check.checkpoint, read);
      checkPlace(check, read);
    });
    if (record.absent !== undefined) {
      read.absent = record.absent;
      return;
    }
    await at.within('/statement', () => checkAuthorship(check, record, read));
    const seen = new Set();
    let length = record.statement.length + 1;
    for (const [j, text] of record.disclosures.entries()) {
      length += text.length + 1;
      await at.within(`/disclosures/${j}`, () => {
        if (length > gt.statement.MAX_TOGETHER) gt.refuse('too_long');
        read.disclosures.push(gt.statement.readDisclosure(read.statement, text, seen));
      });
    }
    await at.within('/left_out', () => checkLeftOut(record, read));
  };

  /** Step 6. The first fault of a record ends that record only. */
  const checkRecords = async (check) => {
    check.lastIndex = -1;
    for (const [i, record] of check.bundle.records.entries()) {
      const read = { place: `/records/${i}`, proved: false, disclosures: [], leftOut: [], fault: null };
      check.records.push(read);
      read.fault = await check.collect(null, () => checkRecord(check, record, read));
      await check.progress('records', i + 1, check.bundle.records.length);
    }
  };

  /** Step 7, for each publisher: its statements that are here, by their numbers. */
  const checkPublishersChains = (check) => {
    const before = new Map();
    for (const { statement, fault, place } of check.records) {
      if (fault !== null || statement === undefined) continue;
      const { publisher, seq, prev, hash } = statement;
      const last = before.get(publisher);
      before.set(publisher, { seq, hash });
      if (last !== undefined && seq <= last.seq) {
        check.fault('chain_order', `${place}/statement`);
      } else if (seq === 0 ? prev !== check.registry.genesis : seq === last?.seq + 1 && prev !== last.hash) {
        check.fault('chain_prev', `${place}/statement`);
      }
    }
  };

  /** What stands in the log at each index that is shown here, by its first place: registrar's records, records, tip. */
  const entriesByIndex = (check) => {
    const shown = new Map();
    const proved = [
      ...check.registrar.map((read) => ({ entry: read.entry, place: `${read.place}/proof` })),
      ...check.records.filter((read) => read.proved).map((read) => ({ entry: read.entry, place: `${read.place}/proof` })),
      ...(check.tip.proved ? [{ entry: check.tip.entry, place: check.tip.place }] : []),
    ];
    for (const one of proved) if (!shown.has(one.entry.index)) shown.set(one.entry.index, one);
    return [...shown.values()].sort((a, b) => a.entry.index - b.entry.index);
  };

  /** Step 7, for the log's own chain: whatever stands side by side here. */
  const checkEntriesChain = (check) => {
    let lower = { index: -1, leafHash: bytes.base64url(bytes.ZERO_HASH), receivedAt: -Infinity };
    for (const { entry, place } of entriesByIndex(check)) {
      if (lower.index + 1 === entry.index && entry.prev !== lower.leafHash) check.fault('entry_prev', place);
      else if (entry.receivedAt < lower.receivedAt) check.fault('received_at_decreases', place);
      lower = entry;
    }
  };

  gt.bundleRecords = {
    checkRegistrar, checkTip, checkRecords, checkPublishersChains, checkEntriesChain, registrarsBelow,
  };
})();
