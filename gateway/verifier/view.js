'use strict';
/**
 * What the page shows of a check: plain values only, so that it can be handed from the worker to the page. Every text in it that
 * comes from a file is shown as text and as nothing else.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const { json, words, sentences } = gt;

  /**
   * A value as something to show: `{text}`, `{items}` for a list, `{members}` for an object, a pair of label and value each.
   */
  const tree = (value) => {
    if (Array.isArray(value)) return { items: value.map(tree) };
    if (json.isObject(value)) return { members: [...value].map(([name, inner]) => [words.member(name), tree(inner)]) };
    return { text: words.value(value) };
  };

  const WHY = {
    withheld: 'Withheld from this copy by whoever made it.',
    ended: 'Ended: its keys are gone, and nobody can read it any more.',
  };
  const KEPT = 'Kept at home by the agency. It may present it later.';

  /** A member whose value is disclosed, or is not: what is here, and why the rest is not. */
  const disclosable = (name, read) => {
    const { statement, disclosures, leftOut } = read;
    const here = disclosures.filter((one) => one.member === name).sort((a, b) => a.position - b.position);
    const missing = leftOut.filter((one) => one.member === name).map((one) => ({ text: WHY[one.why], missing: true }));
    const total = statement.members.get(name).length;
    const unexplained = total - here.length - missing.length;
    const why = statement.kept.has(name) ? KEPT : 'Not here.';
    for (let i = 0; i < unexplained; i += 1) missing.push({ text: why, missing: true });
    const all = [...here.map((one) => tree(one.value)), ...missing];
    return all.length === 1 ? all[0] : { items: all };
  };

  /** What a statement says, member by member, in the order in which it was signed. */
  const says = (read) =>
    [...read.statement.data]
      .filter(([name]) => name !== 'kept')
      .map(([name, value]) => [
        words.member(name), read.statement.members.has(name) ? disclosable(name, read) : tree(value),
      ]);

  const labels = (names) => [...new Set(names)].map(words.member);

  /** What is not in a statement that is here: kept, left out, ended. */
  const absences = (read) => ({
    kept: labels([...read.statement.kept].filter((name) => !read.disclosures.some((one) => one.member === name))),
    withheld: labels(read.leftOut.filter((one) => one.why === 'withheld').map((one) => one.member)),
    ended: labels(read.leftOut.filter((one) => one.why === 'ended').map((one) => one.member)),
  });

  /** What the registry says of whoever signed, that a reader should know beside the verdict. */
  const remarks = (publisher, read) => {
    const found = [];
    const { statement, entry } = read;
    const revoked = publisher?.revoked ?? null;
    if (revoked !== null && revoked.index > entry.index) {
      const suspect = revoked.suspectFrom !== null && entry.receivedAt >= revoked.suspectFrom;
      found.push(
        suspect
          ? `This system was shut out later (entry ${revoked.index}), and what it sent from ${words.time(revoked.suspectFrom)} on is suspect. This statement is of that time.`
          : `This system was shut out later (entry ${revoked.index}), for what came after this statement.`,
      );
    }
    const key = publisher?.keys.find((one) => one.thumbprint === statement.kid);
    if (key?.recovery) found.push(`The key that signed was enrolled by recovery (entry ${key.from}), without the agency’s own signature.`);
    return found;
  };

  /** @returns {object} an event of the timeline */
  const item = (read, i, result) => {
    const shown = { id: `record-${i}`, number: i + 1, broken: result.faultsAt.get(`record-${i}`) ?? [], remarks: [] };
    if (read.entry !== undefined) Object.assign(shown, { entry: read.entry.index, time: words.time(read.entry.receivedAt) });
    if (read.absent !== undefined) {
      return { ...shown, title: 'An entry whose statement is not here', absent: WHY[read.absent] };
    }
    const { statement } = read;
    if (statement === undefined) return { ...shown, title: 'A record that cannot be read' };
    const event = words.event(statement.type, statement.version);
    const publisher = result.registry?.publishers.get(statement.publisher);
    const said = {
      title: event.says,
      interpreted: event.interpreted,
      agency: words.agency(statement.iss),
      behalf: statement.on_behalf_of === undefined ? null : words.agency(statement.on_behalf_of),
      system: publisher?.name ?? 'a system that is not registered',
      type: `${statement.type}, version ${statement.version}`,
    };
    // Of a record with a fault only what was checked before it is shown.
    const checked = read.fault === null;
    return {
      ...shown, ...said,
      ...(checked ? { says: says(read), ...absences(read), remarks: remarks(publisher, read) } : {}),
    };
  };

  const registrarItem = (read, result) => {
    const { statement, entry } = read;
    const subject = statement?.data.get('publisher');
    const about = result.registry?.publishers.get(subject);
    return {
      entry: entry?.index,
      time: entry === undefined ? '' : words.time(entry.receivedAt),
      title: statement === undefined ? 'A statement that cannot be read' : words.event(statement.type, statement.version).says,
      about: about === undefined ? '' : `${about.name} — ${words.agency(about.agency)}`,
    };
  };

  const ABOUT = {
    entries: ({ first, last }) => `All entries of the ledger from ${first} to ${last}.`,
    child: ({ subjects }) => `Every entry that the ledger sealed about ${subjects.length === 1 ? 'one child' : 'the pseudonyms of one child'}: ${subjects.join(', ')}.`,
    agency: ({ agency }) => `Every statement of ${words.agency(agency)}, as far as nothing later is missing.`,
    alert: ({ alert, pattern }) => `The entries that alert ${alert} (${words.member(pattern.replaceAll('-', '_'))}) rests on. Nothing is claimed of their number.`,
  };

  const witnessFacts = ({ cosigned }) =>
    (cosigned === undefined ? [] : [['Witnesses that signed', cosigned.join(', ') || 'none']]);

  const aboutBundle = (result) => {
    const { bundle, checkpoint } = result;
    if (bundle === null) return null;
    const facts = [['What the file says it holds', ABOUT[bundle.manifest.about.kind](bundle.manifest.about)]];
    if (checkpoint !== null) {
      facts.push(['Ledger', checkpoint.origin], ['Checkpoint', `${checkpoint.size} entries, root ${gt.bytes.base64(checkpoint.root)}`]);
    }
    facts.push(['Made at', `${words.value(bundle.manifest.made_at)}, says its maker; nothing vouches for it`]);
    facts.push(['Records', String(bundle.records.length)]);
    return [...facts, ...witnessFacts(result)];
  };

  /** The event that a place is in, if the check came as far as its record. */
  const recordOf = (place, result) => {
    const match = /^\/records\/([0-9]+)/.exec(place);
    return match === null || result.records?.[match[1]] === undefined ? null : `record-${match[1]}`;
  };

  const faultShown = (result) => ({ code, place }) => {
    const [found, means] = sentences.faultSentence(code);
    return { found, means, where: sentences.placeOf(place, result), target: recordOf(place, result), code, place };
  };

  const unknownShown = (result) => ({ code, place }) => {
    const [what, tells] = sentences.UNKNOWNS[code];
    return { what, tells, where: sentences.placeOf(place, result), code, place };
  };

  const receiptFacts = ({ entry, checkpoint, statementCompared, cosigned }) => [
    ...(entry === undefined ? [] : [['Entry', String(entry.index)], ['Received', words.time(entry.receivedAt)]]),
    ...(checkpoint === undefined ? [] : [['Ledger', checkpoint.origin], ['Checkpoint', `${checkpoint.size} entries`]]),
    ...(statementCompared === undefined ? [] : [['Statement', statementCompared
      ? 'Compared with the statement that you chose.'
      : 'Not compared. Choose the statement as you sent it, to see that this receipt is for it.']]),
    ...witnessFacts({ cosigned }),
  ];

  const forkFacts = ({ proved }) => {
    if (proved === undefined) return [];
    const told = ({ origin, size, root }) => `${origin}, ${size} entries, root ${gt.bytes.base64(root)}`;
    return [['First history', told(proved.first)], ['Second history', told(proved.second)]];
  };

  /**
   * @param {object} result of `gt.inputs.check`
   * @returns {object} what the page shows
   */
  const of = (result) => {
    const shown = {
      kind: result.kind,
      verdict: result.verdict,
      ...sentences.VERDICTS[result.verdict],
      faults: result.faults.map(faultShown(result)),
      unknowns: result.unknowns.map(unknownShown(result)),
      facts: [], items: [], registrar: [],
    };
    if (result.kind === 'receipt') return { ...shown, facts: receiptFacts(result) };
    if (result.kind === 'fork') return { ...shown, facts: forkFacts(result) };
    const faultsAt = new Map();
    for (const fault of shown.faults) {
      if (!faultsAt.has(fault.target)) faultsAt.set(fault.target, []);
      faultsAt.get(fault.target).push(fault);
    }
    const withFaults = { ...result, faultsAt };
    return {
      ...shown,
      facts: aboutBundle(result) ?? [],
      items: result.records.map((read, i) => item(read, i, withFaults)),
      registrar: result.registrar.map((read) => registrarItem(read, result)),
    };
  };

  gt.view = { of, tree };
})();
