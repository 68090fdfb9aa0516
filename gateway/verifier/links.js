'use strict';
/** Links (DESIGN 3): l(n), r(n), c(n), and what shows that all entries about an owner are here. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;

  const name = (key, n) => gt.hmac(key, Uint8Array.of(1), bytes.u64(n)).slice(0, 16);
  const blinding = (key, n) => gt.hmac(key, Uint8Array.of(2), bytes.u64(n));

  /** c(n). @param {Uint8Array} r @param {number} n @param {Uint8Array} l @param {Uint8Array} next */
  const commitment = (r, n, l, next) => gt.sha256(r, bytes.u64(n), l, next).slice(0, 16);

  /** All of a link, for whoever has the owner's key. */
  const make = (key, n) => {
    const l = name(key, n);
    const next = name(key, n + 1);
    const r = blinding(key, n);
    const c = commitment(r, n, l, next);
    return { l, next, r, c, link: bytes.concat(l, c) };
  };

  const hexOfName = (text) => bytes.hex(bytes.fromBase64url(text));
  /** The name in a link, in hexadecimal; the first 16 of its 32 bytes. */
  const nameInLink = (link) => bytes.hex(bytes.fromBase64url(link).subarray(0, 16));

  /**
   * Whether a link commits to this opening and to the name that follows.
   * @param {string} link 43 characters
   * @param {{n: number, name: string, blinding: string}} opening @param {string} next the name that follows
   */
  const opens = (link, opening, next) => {
    const octets = bytes.fromBase64url(link);
    const l = bytes.fromBase64url(opening.name);
    const c = commitment(bytes.fromBase64url(opening.blinding), opening.n, l, bytes.fromBase64url(next));
    return bytes.equal(octets, bytes.concat(l, c));
  };

  /**
   * Whether the openings show all that these links hold of one owner.
   * @param {{n: number, index: number, name: string, blinding: string}[]} openings
   * @param {string} next l(k+1)
   * @param {{index: number, link: string}[]} links all links of a log
   */
  const checkCompleteness = (openings, next, links) => {
    const places = new Map();
    for (const { index, link } of links) {
      const held = nameInLink(link);
      if (!places.has(held)) places.set(held, []);
      places.get(held).push({ index, link });
    }
    if (openings.some((opening, i) => opening.n !== i)) gt.refuse('record_count');
    if (openings.some((opening, i) => i > 0 && opening.index <= openings[i - 1].index)) gt.refuse('record_order');
    for (const [i, opening] of openings.entries()) {
      const found = places.get(hexOfName(opening.name)) ?? [];
      if (found.some((place) => place.index !== opening.index)) gt.refuse('link_repeated');
      const following = openings[i + 1]?.name ?? next;
      if (!found.some((place) => opens(place.link, opening, following))) gt.refuse('link_not_opened');
    }
    if (places.has(hexOfName(next))) gt.refuse('record_goes_on');
  };

  gt.links = { make, opens, nameInLink, hexOfName, checkCompleteness };
})();
