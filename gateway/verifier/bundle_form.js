'use strict';
/** The form of an evidence bundle (FORMATS 12, step 1): what has to be where, and the place of the first thing that is not. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json, statement: st } = gt;
  const MAX_BYTES = 64 * 1024 * 1024;
  const FORMAT = 'gt/bundle/1';
  const MAX_CONSISTENCY = 64;

  const bad = (place) => gt.refuse('bundle_member', { place });
  const isText = (value) => typeof value === 'string';
  const isOf = (pattern) => (value) => isText(value) && pattern.test(value);
  const isBytes = (length) => (value) => bytes.exactlyFromBase64url(value, length) !== null;
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const isWhy = (value) => value === 'withheld' || value === 'ended';

  // A reader takes (value, place) and answers what the check uses, or refuses at the place.
  const leaf = (isGood) => (value, place) => (isGood(value) ? value : bad(place));

  const list = (element, isGoodNumber = () => true) => (value, place) => {
    if (!Array.isArray(value)) bad(place);
    const elements = value.map((one, i) => element(one, `${place}/${i}`));
    return isGoodNumber(elements.length) ? elements : bad(place);
  };

  /** An object of exactly these members, each of its form; what is unknown is found last, at the object. */
  const object = (members) => (value, place) => {
    if (!json.isObject(value)) bad(place);
    const read = {};
    for (const [name, member] of Object.entries(members)) read[name] = member(value.get(name), `${place}/${name}`);
    if (value.size > Object.keys(members).length) bad(place);
    return read;
  };

  const text = leaf(isText);
  const count = leaf(isCount);
  const texts = list(text);

  const subjects = (value, place) => {
    const seen = new Set();
    const subject = (one, at) => {
      if (!st.isPseudonym(one) || seen.has(one)) bad(at);
      seen.add(one);
      return one;
    };
    return list(subject, (number) => number >= 1 && number <= 16)(value, place);
  };

  const ABOUT = {
    entries: { first: count, last: count },
    child: { subjects },
    agency: { agency: leaf(st.isAgency) },
    alert: { alert: leaf(isOf(/^[A-Za-z0-9_-]{1,64}$/)), pattern: leaf(isOf(/^[a-z-]{1,32}$/)) },
  };

  const about = (value, place) => {
    if (!json.isObject(value)) bad(place);
    const kind = value.get('kind');
    if (!isText(kind) || !Object.hasOwn(ABOUT, kind)) bad(`${place}/kind`);
    return object({ kind: text, ...ABOUT[kind] })(value, place);
  };

  const shown = object({
    proof: text, statement: text, disclosures: texts,
    left_out: list(object({ digest: leaf(st.isHash), why: leaf(isWhy) })),
  });
  const absent = object({ proof: text, absent: leaf(isWhy) });
  const record = (value, place) => (json.isObject(value) && value.has('absent') ? absent : shown)(value, place);

  const MEMBERS = {
    format: text,
    manifest: object({ about, made_at: leaf((value) => gt.times.milliseconds(value) !== null), entries: list(count) }),
    checkpoint: text,
    consistency: list(text, (number) => number <= MAX_CONSISTENCY),
    registrar: list(shown, (number) => number > 0),
    tip: text,
    records: list(record),
    completeness: list(
      object({
        subject: leaf(st.isPseudonym),
        links: list(object({ n: count, index: count, name: leaf(isBytes(16)), blinding: leaf(isBytes(32)) })),
        next: leaf(isBytes(16)),
      }),
    ),
  };

  /**
   * @param {Uint8Array} octets of the bundle
   * @returns {object} the bundle; its objects are ordinary ones, their members those that the form names
   * @throws {gt.Refusal} with `facts.place`
   */
  const read = (octets) => {
    if (octets.length > MAX_BYTES) gt.refuse('bundle_too_long', { place: '' });
    const value = json.parse(octets);
    if (!json.isObject(value)) bad('');
    if (!isText(value.get('format'))) bad('/format');
    if (value.get('format') !== FORMAT) gt.refuse('bundle_format', { place: '/format' });
    return object(MEMBERS)(value, '');
  };

  gt.bundleForm = { read, FORMAT };
})();
