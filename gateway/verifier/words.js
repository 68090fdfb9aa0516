'use strict';
/** Events, members and codes in plain words. What is not listed is made readable by its name alone. */
(() => {
  const gt = globalThis.GoldenThread;

  /** type → [the versions that this page knows, what happened]. */
  const TYPES = {
    'access.approved': [1, 'Somebody allowed another to read beyond the usual rights'],
    'agreement.ended': [1, 'An agreement between agencies ended'],
    'agreement.registered': [1, 'An agreement between agencies was registered'],
    'agreement.reviewed': [1, 'An agreement between agencies was reviewed and goes on'],
    'alert.assigned': [1, 'An alert was assigned to somebody'],
    'alert.reviewed': [1, 'Somebody looked at an alert'],
    'child.moved': [1, 'The child moved to another local authority’s area'],
    'consent.given': [1, 'Consent was given'],
    'consent.refused': [1, 'Consent was asked for and refused'],
    'consent.withdrawn': [1, 'Consent was withdrawn'],
    'context.linked': [1, 'The child was linked to a place, group, account, vehicle or event'],
    'context.unlinked': [1, 'The child’s link to a place, group, account, vehicle or event was taken back'],
    'decision.corrected': [1, 'A decision was corrected'],
    'decision.recorded': [2, 'A decision about sharing information was recorded'],
    'decision.reviewed': [1, 'A decision was reviewed'],
    'disclosure.received': [1, 'Somebody said that the child is being harmed'],
    'erasure.requested': [1, 'Somebody asked for data about the child to be erased'],
    'harm.recorded': [1, 'The child came to harm'],
    'hold.lifted': [1, 'A hold on the child’s record was lifted'],
    'hold.placed': [1, 'A hold was placed on the child’s record'],
    'identifier.linked': [1, 'Two pseudonyms were found to stand for one person'],
    'identifier.unlinked': [1, 'Two pseudonyms were found not to stand for one person after all'],
    'meeting.held': [1, 'Agencies met about the child'],
    'missing.ended': [2, 'The child returned or was found'],
    'missing.started': [1, 'The child went missing, or was away without authorisation'],
    'objection.received': [1, 'Somebody objected to the use of data about the child'],
    'person.linked': [1, 'A person of concern was linked to the child'],
    'person.unlinked': [1, 'A person of concern’s link was taken back'],
    'placement.started': [1, 'The child was placed'],
    'record.accessed': [1, 'Somebody read records'],
    'record.released': [1, 'The restriction of the child’s record ended'],
    'record.restricted': [1, 'The child’s record was restricted to few readers'],
    'rectification.requested': [1, 'Somebody asked for data about the child to be put right'],
    'referral.made': [1, 'The child was referred to another agency'],
    'referral.outcome': [1, 'The outcome of a referral was recorded'],
    'request.answered': [1, 'A request for information was answered'],
    'request.received': [1, 'A request for information was received'],
    'request.refused': [1, 'A request for information was refused'],
    'restriction.requested': [1, 'Somebody asked that data about the child be used no further for now'],
    'rhi.declined': [1, 'The child declined a return home interview'],
    'rhi.held': [1, 'A return home interview was held'],
    'rhi.offered': [1, 'A return home interview was offered'],
    'subject_access.received': [1, 'Somebody asked for a copy of the data about the child'],
    'ledger.created': [1, 'The ledger was founded'],
    'ledger.rotated': [1, 'The ledger’s keys were replaced'],
    'ledger.configured': [1, 'The ledger’s rules were set'],
    'publisher.registered': [1, 'An agency’s system was registered'],
    'publisher.rotated': [1, 'An agency’s system got a new key'],
    'publisher.revoked': [1, 'An agency’s system was shut out'],
    'subject.erased': [1, 'Data about a person was erased'],
  };

  /** Names that do not read well as they are. */
  const MEMBERS = {
    child: 'The child', others: 'Other people', class: 'Class of information', from: 'From', to: 'To', to_la: 'To local authority',
    from_la: 'From local authority', host_la: 'Host local authority', responsible_la: 'Responsible local authority',
    police_ref: 'Police reference', source_ref: 'Reference of the source', words_ref: 'Where the words are kept',
    refs: 'References', ref: 'Reference', times: 'Times', joined: 'Statements that belong together', rhi: 'Return home interview',
    supersedes: 'Replaces the statement', why_not: 'Why there is no consent', minimum: 'The least that is needed',
    has_safeguarding_role: 'Has a safeguarding role', identifies: 'Identifies a person', by: 'By whom', what: 'What',
    break_glass: 'Emergency access', condition: 'Legal condition', paragraph: 'Paragraph of Schedule 1', code: 'Legal basis',
    pseudonym: 'Pseudonym', practitioner: 'Practitioner', authoriser: 'Authorised by', kept: 'Kept at home',
  };

  const AGENCIES = {
    gss: 'Council', ods: 'Health organisation', police: 'Police force', gias: 'School', charity: 'Charity',
    rsh: 'Housing provider', ofsted: 'Provider registered with Ofsted',
  };
  const LEDGER = { 'ledger:registrar': 'The ledger’s registrar', 'ledger:service': 'The ledger itself' };

  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

  /** A member's name as a label. */
  const member = (name) => (Object.hasOwn(MEMBERS, name) ? MEMBERS[name] : capital(name.replaceAll('_', ' ')));

  const agency = (code) => {
    if (Object.hasOwn(LEDGER, code)) return LEDGER[code];
    const [scheme, number] = code.split(':');
    return Object.hasOwn(AGENCIES, scheme) ? `${AGENCIES[scheme]} ${number} (${code})` : code;
  };

  /** What happened, and whether this page knows this version of the type. */
  const event = (type, version) => {
    const known = Object.hasOwn(TYPES, type) ? TYPES[type] : null;
    if (known === null || version > known[0]) return { says: `${type}, version ${version}`, interpreted: false };
    return { says: known[1], interpreted: true };
  };

  const DATE = { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' };
  const TIME = { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: 'UTC', hour12: false };
  const dateFormat = new Intl.DateTimeFormat('en-GB', DATE);
  const timeFormat = new Intl.DateTimeFormat('en-GB', TIME);
  /** A time in UTC, which is what was signed and sealed. */
  const time = (milliseconds) => {
    const date = new Date(milliseconds);
    return `${dateFormat.format(date)}, ${timeFormat.format(date)} UTC`;
  };

  /** A value of a statement: codes are split into words, times written out, truth said. */
  const value = (one) => {
    if (one === true) return 'Yes';
    if (one === false) return 'No';
    if (one === null) return 'Nothing';
    if (typeof one === 'number') return String(one);
    const milliseconds = gt.times.milliseconds(one);
    if (milliseconds !== null) return time(milliseconds);
    if (gt.statement.isAgency(one)) return agency(one);
    if (/^[A-Z][a-z]+(?:[A-Z][a-z]+)+$/.test(one)) return capital(one.replace(/([A-Z])/g, ' $1').trim().toLowerCase());
    return one;
  };

  gt.words = { TYPES, member, agency, event, time, value };
})();
