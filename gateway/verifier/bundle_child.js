'use strict';
/** What a bundle says of itself, and whether a child's record in it is complete (FORMATS 12, steps 8 and 9). */
(() => {
  const gt = globalThis.GoldenThread;
  const { namedBy } = gt.statement;

  const isSame = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

  const checkRange = (check, { first, last }) => {
    const within = (index) => index >= first && index <= last;
    const indexes = check.records.map((one) => one.index);
    const registrars = check.registrar.map((one) => one.entry.index).filter(within);
    const whole = new Set([...indexes, ...registrars]).size === last - first + 1;
    if (first > last || !indexes.every(within) || !whole) check.fault('entry_left_out', '/manifest/about');
  };

  /** Each publisher's statements begin with the first and leave none out. */
  const checkAgency = (check, agency) => {
    const last = new Map();
    const unknown = check.records.some((one) => one.absent !== undefined);
    for (const { statement, fault, place } of check.records) {
      if (fault !== null || statement === undefined) continue;
      const at = `${place}/statement`;
      if (statement.iss !== agency) {
        check.fault('not_about', at);
      } else if (statement.seq > (last.get(statement.publisher) ?? -1) + 1) {
        if (unknown) check.unknown('statement_left_out', at);
        else check.fault('statement_left_out', at);
      }
      last.set(statement.publisher, statement.seq);
    }
  };

  /** Step 8. Answers whether what it says of completeness fits what it is about. */
  const checkManifest = (check) => {
    const { about, entries } = check.bundle.manifest;
    if (check.records.every((one) => one.proved)) {
      if (!isSame(entries, check.records.map((one) => one.index))) check.fault('manifest_differs', '/manifest/entries');
      if (about.kind === 'entries') checkRange(check, about);
    }
    if (about.kind === 'agency') checkAgency(check, about.agency);
    const shown = check.bundle.completeness.map((one) => one.subject);
    const fits = isSame(shown, about.kind === 'child' ? about.subjects : []);
    if (!fits) check.fault('completeness_differs', '/completeness');
    check.isAboutChild = about.kind === 'child' && fits;
  };

  /** Whether a link of this entry has the name of this opening and commits to it. */
  const hasLink = (entry, opening, next) => entry.links.some((link) => gt.links.opens(link, opening, next));

  /** The links of one subject: what they open, and that the records are here. `names` are those that came before. */
  const checkLinks = (check, { links, next }, place, names) => {
    if (links.length === 0) gt.refuse('record_count', { place: `${place}/links` });
    for (const [n, link] of links.entries()) {
      const refuse = (code) => gt.refuse(code, { place: `${place}/links/${n}` });
      if (link.n !== n) refuse('record_count');
      if (n > 0 && link.index <= links[n - 1].index) refuse('record_order');
      const record = check.recordAt(link.index);
      if (record === undefined) refuse('record_left_out');
      if (names.has(link.name)) refuse('link_repeated');
      names.add(link.name);
      if (!hasLink(record.entry, link, links[n + 1]?.name ?? next)) refuse('link_not_opened');
    }
  };

  /** Pseudonyms that own a disclosure of a record, of a member that is not kept. */
  const ownersOf = ({ statement, disclosures, absent }) => {
    if (absent !== undefined) return new Set();
    const named = disclosures.filter((one) => !statement.kept.has(one.member)).map((one) => namedBy(one.value));
    return new Set(named.filter((pseudonym) => pseudonym !== null));
  };

  const linkedIdentities = ({ statement, disclosures }) => {
    if (statement.type !== 'identifier.linked') return [];
    const named = disclosures.filter((one) => one.member === 'identifiers').map((one) => namedBy(one.value));
    return named.filter((pseudonym) => pseudonym !== null);
  };

  const checkRecordOfChild = (record, owners, subjects, linked) => {
    if (linked.length === 0) gt.refuse('record_not_linked');
    if (record.absent !== undefined) return;
    if (subjects.some((subject) => owners.has(subject) && !linked.includes(subject))) gt.refuse('subject_not_linked');
    if (record.leftOut.length === 0 && linked.some((subject) => !owners.has(subject))) gt.refuse('subject_not_owner');
    if (linkedIdentities(record).some((name) => !subjects.includes(name))) gt.refuse('linked_identity_left_out');
  };

  /**
   * Takes what a record says of a subject that has a link in it. `told.beside` is who is no subject and owns each of the records of
   * which all owners are named, null before the first such record. Nothing in a link says whose it is: it might be theirs.
   */
  const takeRecord = (told, subject, record, owners, subjects) => {
    told.isShown ||= owners.has(subject);
    // Each owner has one link: where there are more links than names, somebody is not named, who may be anybody.
    if (record.absent !== undefined || owners.size < record.entry.links.length) return;
    const { beside } = told;
    const others = [...owners].filter((owner) => !subjects.includes(owner));
    told.beside = new Set(others.filter((owner) => beside === null || beside.has(owner)));
  };

  /** Whether the links can be nobody's but a subject's. */
  const isToldApart = ({ beside }) => beside !== null && beside.size === 0;

  /** Step 9. */
  const checkCompleteness = async (check) => {
    if (!check.isAboutChild) return;
    const { completeness } = check.bundle;
    const { subjects } = check.bundle.manifest.about;
    const faultsBefore = check.faults.length;
    const names = new Set();
    for (const [c, one] of completeness.entries()) {
      await check.collect(null, () => checkLinks(check, one, `/completeness/${c}`, names));
    }
    const indexes = new Map(completeness.map(({ subject, links }) => [subject, new Set(links.map((link) => link.index))]));
    const told = new Map(subjects.map((subject) => [subject, { isShown: false, beside: null }]));
    for (const record of check.records.filter((one) => one.fault === null)) {
      const linked = subjects.filter((subject) => indexes.get(subject).has(record.entry.index));
      const owners = ownersOf(record);
      await check.collect(record.place, () => checkRecordOfChild(record, owners, subjects, linked));
      linked.forEach((subject) => takeRecord(told.get(subject), subject, record, owners, subjects));
    }
    const holds = check.faults.length === faultsBefore;
    for (const [c, subject] of subjects.entries()) {
      const place = `/completeness/${c}`;
      if (!told.get(subject).isShown) check.unknown('subject_not_shown', place);
      else if (holds && !isToldApart(told.get(subject))) check.unknown('subject_not_told_apart', place);
    }
  };

  gt.bundleChild = { checkManifest, checkCompleteness };
})();
