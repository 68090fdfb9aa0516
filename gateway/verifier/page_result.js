'use strict';
/**
 * Shows what came of a check. A bundle is hostile input: every element is made here and every text goes in as text, and the
 * page's own policy forbids anything else.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const ICONS = { sound: '\u2713', not_sound: '\u2717', could_not_tell: '?' };
  /** For how long the page may be busy before it answers again. */
  const BUSY_MS = 16;

  /**
   * An element. @param {string} name @param {object} attributes `text` is its text, others are attributes
   * @param {...(Node|null)} children
   */
  const make = (name, { text, ...attributes } = {}, ...children) => {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    if (text !== undefined) element.textContent = text;
    element.append(...children.filter((child) => child !== null));
    return element;
  };

  const when = (condition, build) => (condition ? build() : null);

  const definitions = (pairs) => make('dl', {}, ...pairs.flatMap(([label, value]) => [make('dt', { text: label }), described(value)]));

  const described = (value) => {
    if (value.members !== undefined) return make('dd', {}, value.members.length > 0 ? definitions(value.members) : null);
    if (value.items !== undefined) return make('dd', {}, value.items.length > 0 ? list(value.items) : null);
    return make('dd', { text: value.text, ...(value.missing ? { class: 'missing' } : {}) });
  };

  const list = (values) =>
    make('ul', {}, ...values.map((value) => {
      if (value.members !== undefined) return make('li', {}, definitions(value.members));
      if (value.items !== undefined) return make('li', {}, list(value.items));
      return make('li', { text: value.text, ...(value.missing ? { class: 'missing' } : {}) });
    }));

  const plainly = (facts) => definitions(facts.map(([label, text]) => [label, { text }]));

  const verdict = (shown) =>
    make('section', { class: `verdict ${shown.verdict}`, 'aria-labelledby': 'verdict' },
      make('span', { class: 'icon', 'aria-hidden': 'true', text: ICONS[shown.verdict] }),
      make('div', {}, make('h2', { id: 'verdict', tabindex: '-1', text: shown.word }), make('p', { text: shown.says })));

  const section = (id, heading, ...children) =>
    make('section', { 'aria-labelledby': id }, make('h2', { id, text: heading }), ...children);

  const finding = (first, where, second, target, code) =>
    make('li', {},
      make('p', {}, make('strong', { text: first })),
      make('p', {}, document.createTextNode('Where: '), target === null
        ? document.createTextNode(where) : make('a', { href: `#${target}`, text: where })),
      make('p', { text: second }),
      make('p', { class: 'faint code', text: code }));

  const fault = ({ found, where, means, target, code, place }) => finding(found, where, means, target, `${code} ${place}`);

  const unknown = ({ what, where, tells, code, place }) =>
    finding(what, where, `What would tell: ${tells}`, null, `${code} ${place}`);

  const brokenMark = (item) =>
    when(item.broken.length > 0, () =>
      make('p', { class: 'broken-mark' },
        make('span', { 'aria-hidden': 'true', text: '\u2717 ' }),
        document.createTextNode(`Broken here: ${item.broken.map((fault) => fault.found).join(' ')}`)));

  const named = (label, names) =>
    when(names?.length > 0, () => make('p', { class: 'missing', text: `${label}: ${names.join(', ')}.` }));

  /** An event: what happened, when, who says so, and all that its disclosures say. */
  const event = (item) => {
    const place = item.entry === undefined ? `Record ${item.number}` : `Entry ${item.entry}`;
    const who = item.agency === undefined ? null
      : `${item.agency} — ${item.system}${item.behalf === null ? '' : `, on behalf of ${item.behalf}`}`;
    const heading = make('h3', { id: `${item.id}-heading`, text: item.title });
    return make('li', { id: item.id, tabindex: '-1', 'aria-labelledby': heading.id, ...(item.broken.length > 0 ? { class: 'broken' } : {}) },
      heading,
      make('p', { text: item.time === undefined ? place : `${place} — received ${item.time}` }),
      when(who !== null, () => make('p', { text: who })),
      brokenMark(item),
      when(item.interpreted === false, () =>
        make('p', { class: 'missing', text: 'Not interpreted: this page does not know this kind or version. It was checked all the same.' })),
      when(item.absent !== undefined, () => make('p', { class: 'missing', text: item.absent })),
      ...item.remarks.map((remark) => make('p', {}, make('strong', { text: 'Note: ' }), document.createTextNode(remark))),
      named('Kept at home by the agency', item.kept),
      named('Withheld from this copy', item.withheld),
      named('Ended, its keys are gone', item.ended),
      when(item.says !== undefined, () =>
        make('details', { open: '' },
          make('summary', { text: 'What it says' }),
          item.says.length > 0 ? definitions(item.says) : make('p', { text: 'Nothing further.' }),
          make('p', { class: 'faint', text: item.type }))));
  };

  const registrarRow = (item) =>
    make('tr', {}, make('td', { text: String(item.entry ?? '') }), make('td', { text: item.time }),
      make('td', { text: item.title }), make('td', { text: item.about }));

  const registrar = (count, rows) => {
    const heads = ['Entry', 'Received', 'What', 'System'].map((text) => make('th', { scope: 'col', text }));
    return section('registrar', 'Who may sign',
      make('p', { text: 'The registrar’s statements, all of them up to the checkpoint. They decide whose signature counts, and when.' }),
      make('details', {}, make('summary', { text: `${count} statements` }),
        make('table', {}, make('thead', {}, make('tr', {}, ...heads)), rows)));
  };

  const pause = () => new Promise((resolve) => { setTimeout(resolve, 0); });

  /** Adds what is made of items a few at a time, so that the page answers while a large bundle is shown. */
  const fill = async (list, items, build, isCurrent) => {
    let began = performance.now();
    for (const item of items) {
      list.append(build(item));
      if (performance.now() - began < BUSY_MS) continue;
      await pause();
      if (!isCurrent()) return;
      began = performance.now();
    }
  };

  /**
   * @param {Element} place that is emptied and filled @param {object} shown as `gt.view.of` makes it
   * @param {function(): boolean} isCurrent whether this is still what is to be shown
   */
  const show = async (place, shown, isCurrent) => {
    delete place.dataset.complete;
    const lists = [
      [make('ol', { class: 'findings' }), shown.faults, fault],
      [make('ol', { class: 'findings' }), shown.unknowns, unknown],
      [make('ol', { class: 'timeline' }), shown.items, event],
      [make('tbody'), shown.registrar, registrarRow],
    ];
    const [faults, unknowns, timeline, rows] = lists.map(([list]) => list);
    const parts = [
      verdict(shown),
      when(shown.faults.length > 0, () => section('faults', `What is wrong (${shown.faults.length})`, faults)),
      when(shown.unknowns.length > 0, () => section('unknowns', `What could not be told (${shown.unknowns.length})`, unknowns)),
      when(shown.facts.length > 0, () => section('about', 'What was checked', plainly(shown.facts))),
      when(shown.items.length > 0, () => section('timeline', 'Timeline', timeline)),
      when(shown.registrar.length > 0, () => registrar(shown.registrar.length, rows)),
      make('p', { class: 'no-print' }, make('button', { id: 'print', type: 'button', text: 'Print this' })),
    ];
    place.replaceChildren(...parts.filter((part) => part !== null));
    document.getElementById('print').addEventListener('click', () => globalThis.print());
    for (const [list, items, build] of lists) await fill(list, items, build, isCurrent);
    if (isCurrent()) place.dataset.complete = 'true';
  };

  gt.page = { make, show };
})();
