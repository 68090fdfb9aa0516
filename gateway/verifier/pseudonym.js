'use strict';
/** Pseudonyms (FORMATS 9): identifiers in their normal form, and what a partnership's key makes of them. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  /** Unicode's White_Space and U+FEFF; `\s` lacks U+0085. */
  const SPACE = /[\s\u0085]/gu;
  const SPACES = /[\s\u0085]+/gu;
  const upper = (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const without = (text, pattern) => text.replace(pattern, '');
  const refuseUnless = (condition, code) => condition || gt.refuse(code);

  const nhs = (text) => {
    const digits = without(without(text, SPACE), /-/g);
    refuseUnless(/^[0-9]*$/.test(digits), 'characters');
    refuseUnless(digits.length === 10, 'length');
    refuseUnless(!/^(.)\1{9}$/.test(digits), 'placeholder');
    const sum = [...digits.slice(0, 9)].reduce((total, digit, i) => total + Number(digit) * (10 - i), 0);
    const check = (11 - (sum % 11)) % 11;
    refuseUnless(check !== 10, 'never_issued');
    refuseUnless(check === Number(digits[9]), 'check_character');
    return digits;
  };

  const UPN_LETTERS = 'ABCDEFGHJKLMNPQRTUVWXYZ';
  const upn = (text) => {
    const value = upper(without(text, SPACE));
    refuseUnless(/^[A-Z0-9]*$/.test(value), 'characters');
    refuseUnless(value.length === 13, 'length');
    const valueOf = (character) => (/[0-9]/.test(character) ? Number(character) : UPN_LETTERS.indexOf(character));
    refuseUnless(/^[A-Z][0-9]{11}[A-Z0-9]$/.test(value) && valueOf(value[0]) >= 0 && valueOf(value[12]) >= 0, 'form');
    const sum = [...value.slice(1)].reduce((total, character, i) => total + (i + 2) * valueOf(character), 0);
    refuseUnless(UPN_LETTERS[sum % 23] === value[0], 'check_character');
    return value;
  };

  const laid = (text) => {
    const value = upper(without(text, SPACE));
    const stroke = value.indexOf('/');
    const authority = value.slice(0, Math.max(stroke, 0));
    refuseUnless(/^[A-Z][0-9]{8}$/.test(authority), 'form');
    refuseUnless(/^(E06|E08|E09|E10|W06|S12)/.test(authority), 'no_childrens_services');
    const local = value.slice(stroke + 1);
    refuseUnless(/^[A-Z0-9-]*$/.test(local), 'characters');
    refuseUnless(local.length >= 1 && local.length <= 20, 'length');
    return value;
  };

  /** One space within, none at the ends; each character lowered on its own, so that no neighbour changes it. */
  const label = (text) => {
    const spaced = text.replace(SPACES, ' ').replace(/^ | $/g, '');
    refuseUnless(!/\p{Cc}/u.test(spaced), 'characters');
    const lowered = [...spaced].map((character) => character.toLowerCase());
    refuseUnless([...lowered.join('')].length <= 64, 'length');
    return lowered.join('');
  };

  const uprn = (text) => {
    const digits = without(text, SPACE);
    refuseUnless(/^[0-9]*$/.test(digits), 'characters');
    refuseUnless(digits.length <= 12, 'length');
    const value = digits.replace(/^0+/, '');
    refuseUnless(value !== '', 'placeholder');
    return value;
  };

  const POSTCODE =
    /^(GIR 0AA|[A-PR-UWYZ]([0-9][0-9A-HJKPSTUW]?|[A-HK-Y][0-9][0-9ABEHMNPRVWXY]?) [0-9][ABD-HJLNP-UW-Z]{2})$/;
  const postcode = (text) => {
    const value = upper(without(text, SPACE));
    refuseUnless(/^[A-Z0-9]*$/.test(value), 'characters');
    refuseUnless(value.length >= 5 && value.length <= 7, 'length');
    const spaced = `${value.slice(0, -3)} ${value.slice(-3)}`;
    refuseUnless(POSTCODE.test(spaced), 'form');
    return spaced;
  };

  const SCHEMES = { nhs, upn, laid, staff: label, uprn, postcode, ctx: label };

  /**
   * @param {string} identifier `<scheme>:<text>`
   * @returns {{scheme: string, value: string}} the normal form
   */
  const normalise = (identifier) => {
    const colon = identifier.indexOf(':');
    if (colon < 0) gt.refuse('no_scheme');
    const scheme = identifier.slice(0, colon);
    if (!Object.hasOwn(SCHEMES, scheme)) gt.refuse('unknown_scheme');
    const text = identifier.slice(colon + 1);
    if (without(text, SPACE) === '') gt.refuse('blank');
    return { scheme, value: SCHEMES[scheme](text) };
  };

  /** @param {Uint8Array} key of the partnership @param {number} epoch */
  const make = ({ scheme, value }, key, epoch) =>
    `${scheme}.${epoch}:${bytes.base64url(gt.hmac(key, bytes.utf8(`${scheme}\0${value}`)))}`;

  gt.pseudonym = { normalise, make };
})();
