'use strict';
/**
 * Bytes and texts: base64url and base64 as FORMATS has them (no white space, no spare bits), hexadecimal, strict UTF-8.
 * Every function that reads answers `null` for what is not of its form, so that each caller names its own code.
 */
(() => {
  /** The only global name of the verifier; each file adds its part. */
  const gt = (globalThis.GoldenThread ??= {});

  /** What a check refuses with: a stable code, and facts for the sentence. */
  gt.Refusal = class Refusal extends Error {
    /** @param {string} code @param {object} [facts] */
    constructor(code, facts = {}) {
      super(code);
      this.code = code;
      this.facts = facts;
    }
  };

  /** @param {string} code @param {object} [facts] @returns {never} */
  gt.refuse = (code, facts) => {
    throw new gt.Refusal(code, facts);
  };

  const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const URL_SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

  const valuesOf = (alphabet) => {
    const values = new Int8Array(128).fill(-1);
    for (let i = 0; i < 64; i += 1) values[alphabet.charCodeAt(i)] = i;
    return values;
  };
  const STANDARD_VALUES = valuesOf(STANDARD);
  const URL_SAFE_VALUES = valuesOf(URL_SAFE);

  /** Decodes text without padding; spare bits must be zero (RFC 4648, section 3.5). */
  const decode = (text, values) => {
    const spare = text.length % 4;
    if (spare === 1) return null;
    const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
    let held = 0;
    let bits = 0;
    let at = 0;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      const value = code < 128 ? values[code] : -1;
      if (value < 0) return null;
      held = (held << 6) | value;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes[at] = (held >> bits) & 0xff;
        at += 1;
        held &= (1 << bits) - 1;
      }
    }
    return held === 0 ? bytes : null;
  };

  const encode = (bytes, alphabet, padding) => {
    const parts = [];
    for (let i = 0; i < bytes.length; i += 3) {
      const word = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      const digits = Math.min(bytes.length - i, 3) + 1;
      for (let k = 0; k < digits; k += 1) parts.push(alphabet[(word >> (18 - 6 * k)) & 63]);
      if (padding) parts.push('='.repeat(4 - digits));
    }
    return parts.join('');
  };

  /** @param {string} text @returns {Uint8Array|null} */
  const fromBase64url = (text) => decode(text, URL_SAFE_VALUES);

  /** @param {string} text base64 with its padding @returns {Uint8Array|null} */
  const fromBase64 = (text) => {
    if (text.length % 4 !== 0) return null;
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
    return decode(text.slice(0, text.length - padding), STANDARD_VALUES);
  };

  /** 32 bytes of base64url, 43 characters. @returns {Uint8Array|null} */
  const hashFromBase64url = (text) => {
    if (typeof text !== 'string' || text.length !== 43) return null;
    return fromBase64url(text);
  };

  /** `length` bytes of base64url. @returns {Uint8Array|null} */
  const exactlyFromBase64url = (text, length) => {
    if (typeof text !== 'string') return null;
    const bytes = fromBase64url(text);
    return bytes !== null && bytes.length === length ? bytes : null;
  };

  /** 32 bytes of base64, 44 characters. @returns {Uint8Array|null} */
  const hashFromBase64 = (text) => {
    const octets = text.length === 44 ? fromBase64(text) : null;
    return octets?.length === 32 ? octets : null;
  };

  const encoder = new TextEncoder();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const utf8 = (text) => encoder.encode(text);

  /** Strict UTF-8; a byte-order mark is kept as the character that it is. @returns {string|null} */
  const fromUtf8 = (bytes) => {
    try {
      return decoder.decode(bytes);
    } catch {
      return null;
    }
  };

  /** A text is ASCII and can be signed as it stands. */
  const isAscii = (text) => /^[\x00-\x7f]*$/.test(text);

  const concat = (...parts) => {
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  };

  const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

  /** Order of texts by their UTF-8 bytes; for ASCII that is the order of their code units. */
  const compareAscii = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  const compare = (a, b) => {
    const shorter = Math.min(a.length, b.length);
    for (let i = 0; i < shorter; i += 1) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  };

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

  /** A number up to 2^53−1 as 8 bytes, big-endian. */
  const u64 = (number) => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, Math.floor(number / 2 ** 32));
    view.setUint32(4, number % 2 ** 32);
    return bytes;
  };

  /**
   * A decimal number of 64 bits without leading zeros, as C2SP's texts have them. Above 2^53 it is only about right, and equals no
   * index or size that an entry can have.
   * @returns {number|null}
   */
  const decimal = (text) => {
    if (!/^(0|[1-9][0-9]{0,19})$/.test(text) || BigInt(text) >= 2n ** 64n) return null;
    return Number(text);
  };

  gt.bytes = {
    fromBase64url, fromBase64, hashFromBase64url, exactlyFromBase64url, hashFromBase64,
    base64url: (bytes) => encode(bytes, URL_SAFE, false),
    base64: (bytes) => encode(bytes, STANDARD, true),
    utf8, fromUtf8, isAscii, concat, equal, compare, compareAscii, hex, u64, decimal,
    ZERO_HASH: new Uint8Array(32),
  };
})();
