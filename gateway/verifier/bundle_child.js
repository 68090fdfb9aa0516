'use strict';
/** What a bundle says of itself, and whether a child's record in it is complete (FORMATS 12, steps 8 and 9). */
(() => {
  const gt = globalThis.GoldenThread;
  const { namedBy } = gt.statement;

  const isSame = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

  const checkRange = (check, { first, last }) => {
    const shown = new Set([...check.registrar.map((one) => one.entry.index)].filter((index) => index >= first && index <= last));
    const indexes = check.records.map((one) => one.index);
    const outside = indexes.some((index) => index < first || index > last);
    indexes.forEach((index) => shown.add(index));
    if (first > last || outside || shown.size !== last - first + 1) check.fault('entry_left_out', '/manifest/about');
  };

  /** Each publisher's statements begin with the first and leave none out. */
  const checkAgency = (check, agency) => {
    const next = new Map();
    const unknown = check.records.some((one) => one.absent !== undefined);
    for (const { statement, fault, place } of check.records) {
      if (fault !== null || statement === undefined) continue;
      const at = `${place}/statement`;
      if (statement.iss !== agency) check.fault('not_about', at);
      if (statement.seq > (next.get(statement.publisher) ?? 0)) {
        if (unknown) check.unknown('statement_left_out', at);
        else check.fault('statement_left_out', at);
      }
      next.set(statement.publisher, statement.seq + 1);
    }
  };

  /** Step 8. */
  const checkManifest = (check) => {
    const { about, entries } = check.bundle.manifest;
    const proofsHold = check.records.every((one) => !one.fault?.place.endsWith('/proof'));
    if (proofsHold && !isSame(entries, check.records.map((one) => one.index))) {
      check.fault('manifest_differs', '/manifest/entries');
    }
    if (about.kind === 'entries' && proofsHold) checkRange(check, about);
    if (about.kind === 'agency') checkAgency(check, about.agency);
    const shown = check.bundle.completeness.map((one) => one.subject);
    if (!isSame(shown, about.kind === 'child' ? about.subjects : [])) check.fault('completeness_differs', '/completeness');
  };

  const findLink = (entry, opening, next) =>
    entry.links.some((link) => gt.links.opens(link, opening, next));

  /** The links of one subject: what they open, and that the records are here. */
  const checkLinks = (check, { links, next }, place) => {
    const at = (n) => `${place}/links/${n}`;
    if (links.length === 0) gt.refuse('record_count', { place: at(0) });
    links.forEach((link, n) => link.n === n || gt.refuse('record_count', { place: at(n) }));
    links.forEach((link, n) => {
      if (n > 0 && link.index <= links[n - 1].index) gt.refuse('record_order', { place: at(n) });
    });
    links.forEach((link, n) => {
      const record = check.records.find((one) => one.entry?.index === link.index);
      if (record === undefined) gt.refuse('record_left_out', { place: at(n) });
      const following = links[n + 1]?.name ?? next;
      if (!findLink(record.entry, link, following)) gt.refuse('link_not_opened', { place: at(n) });
    });
  };

  const subjectsLinkedAt = (check, index) =>
    check.bundle.completeness.filter((one) => one.links.some((link) => link.index === index)).map((one) => one.subject);

  /** Pseudonyms that a record's disclosures name as owners. */
  const namedIn = (record) => new Set(record.disclosures.map((one) => namedBy(one.value)).filter((name) => name !== null));

  const isWhole = (record) => record.statement.kept.size === 0 && record.leftOut.length === 0;

  const linkedIdentities = (record) => {
    if (record.statement.type !== 'identifier.linked') return [];
    return record.disclosures.filter((one) => one.member === 'identifiers').map((one) => namedBy(one.value));
  };

  const checkRecordOfChild = (check, record, subjects) => {
    const linked = subjectsLinkedAt(check, record.entry.index);
    if (linked.length === 0) check.fault('record_not_linked', record.place);
    if (record.statement === undefined) return;
    const named = namedIn(record);
    if (subjects.some((subject) => named.has(subject) && !linked.includes(subject))) {
      check.fault('subject_not_linked', record.place);
    }
    if (isWhole(record) && linked.some((subject) => !named.has(subject))) check.fault('subject_not_owner', record.place);
    if (linkedIdentities(record).some((name) => name !== null && !subjects.includes(name))) {
      check.fault('linked_identity_left_out', record.place);
    }
  };

  /** Step 9. */
  const checkCompleteness = async (check) => {
    const { about } = check.bundle.manifest;
    for (const [c, subject] of check.bundle.completeness.entries()) {
      await check.collect(`/completeness/${c}`, () => checkLinks(check, subject, `/completeness/${c}`));
    }
    if (about.kind !== 'child') return;
    for (const record of check.records) if (record.fault === null) checkRecordOfChild(check, record, about.subjects);
    for (const [c, { subject, links }] of check.bundle.completeness.entries()) {
      const indexes = new Set(links.map((link) => link.index));
      const shown = check.records.some((one) => indexes.has(one.entry?.index) && namedIn(one).has(subject));
      if (!shown) check.unknown('subject_not_shown', `/completeness/${c}`);
    }
  };

  gt.bundleChild = { checkManifest, checkCompleteness };
})();
