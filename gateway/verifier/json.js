'use strict';
/**
 * Strict JSON (FORMATS 1). Objects become `Map`s: no member can reach a prototype, and the order of members is kept, which
 * decides who owns a disclosure. Arrays become arrays; the other values what they are.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const MAX_DEPTH = 16;
  const ESCAPES = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
  const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
  /** What stands in a string as it is. */
  const PLAIN = /[^"\\\u0000-\u001f]*/y;
  const syntax = () => gt.refuse('json_syntax');

  /** Why bytes are no UTF-8: the first place that is none decides. ED A0…BF would be a surrogate. */
  const refuseBytes = (bytes) => {
    let low = 0;
    let high = bytes.length;
    // The longest prefix that is UTF-8, but for a sequence that the end of the prefix cuts.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (isUtf8Prefix(bytes.subarray(0, middle))) low = middle;
      else high = middle - 1;
    }
    const surrogate = low > 0 && bytes[low - 1] === 0xed && bytes[low] >= 0xa0 && bytes[low] <= 0xbf;
    gt.refuse(surrogate ? 'json_lone_surrogate' : 'json_not_utf8');
  };

  const isUtf8Prefix = (bytes) => {
    try {
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
      return true;
    } catch {
      return false;
    }
  };

  class Reader {
    constructor(text) {
      this.text = text;
      this.at = 0;
      this.depth = 0;
    }

    skipSpace() {
      for (;;) {
        const code = this.text.charCodeAt(this.at);
        if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
        this.at += 1;
      }
    }

    value() {
      this.skipSpace();
      switch (this.text[this.at]) {
        case '{': return this.nested(() => this.object());
        case '[': return this.nested(() => this.array());
        case '"': return this.string();
        case 't': return this.word('true', true);
        case 'f': return this.word('false', false);
        case 'n': return this.word('null', null);
        default: return this.number();
      }
    }

    nested(read) {
      this.depth += 1;
      if (this.depth > MAX_DEPTH) gt.refuse('json_too_deep');
      this.at += 1;
      const value = read();
      this.depth -= 1;
      return value;
    }

    /** Whether the container ends here; otherwise a comma must stand between its elements. */
    ends(close, first) {
      this.skipSpace();
      if (this.text[this.at] === close) {
        this.at += 1;
        return true;
      }
      if (!first) this.expect(',');
      return false;
    }

    expect(character) {
      if (this.text[this.at] !== character) syntax();
      this.at += 1;
    }

    array() {
      const elements = [];
      while (!this.ends(']', elements.length === 0)) elements.push(this.value());
      return elements;
    }

    object() {
      const members = new Map();
      while (!this.ends('}', members.size === 0)) {
        this.skipSpace();
        if (this.text[this.at] !== '"') syntax();
        const name = this.string();
        if (name === '__proto__') gt.refuse('json_proto');
        if (members.has(name)) gt.refuse('json_duplicate_member');
        this.skipSpace();
        this.expect(':');
        members.set(name, this.value());
      }
      return members;
    }

    word(word, value) {
      if (!this.text.startsWith(word, this.at)) syntax();
      this.at += word.length;
      return value;
    }

    number() {
      NUMBER.lastIndex = this.at;
      const match = NUMBER.exec(this.text);
      if (match === null) syntax();
      this.at += match[0].length;
      // What follows a number is looked at here, so that `01` and `1.` are malformed and not another number.
      if (/[0-9.eE+-]/.test(this.text[this.at] ?? '')) syntax();
      const value = Number(match[0]);
      const whole = match[1] === undefined && match[2] === undefined;
      if (!whole || match[0] === '-0' || !Number.isSafeInteger(value)) gt.refuse('json_number');
      return value;
    }

    string() {
      this.at += 1;
      let joined = '';
      for (;;) {
        PLAIN.lastIndex = this.at;
        const run = PLAIN.exec(this.text)[0];
        joined += run;
        this.at += run.length;
        const character = this.text[this.at];
        if (character === '"') break;
        if (character === '\u0000') gt.refuse('json_nul');
        if (character !== '\\') syntax();
        joined += this.escape();
      }
      this.at += 1;
      return joined;
    }

    escape() {
      const kind = this.text[this.at + 1];
      if (kind !== 'u') {
        if (!Object.hasOwn(ESCAPES, kind ?? '')) syntax();
        this.at += 2;
        return ESCAPES[kind];
      }
      const unit = this.unit(this.at);
      if (unit === null) syntax();
      this.at += 6;
      if (unit === 0) gt.refuse('json_nul');
      if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
      const next = unit < 0xdc00 ? this.unit(this.at) : null;
      if (next === null || next < 0xdc00 || next > 0xdfff) gt.refuse('json_lone_surrogate');
      this.at += 6;
      return String.fromCharCode(unit, next);
    }

    /** The code unit that `\uXXXX` at this place stands for. @returns {number|null} */
    unit(at) {
      const escape = this.text.slice(at, at + 6);
      return /^\\u[0-9a-fA-F]{4}$/.test(escape) ? Number.parseInt(escape.slice(2), 16) : null;
    }
  }

  /**
   * @param {Uint8Array} bytes of one JSON text
   * @returns {*} the value; objects as Maps
   * @throws {gt.Refusal} `json_…`
   */
  const parse = (bytes) => {
    const text = gt.bytes.fromUtf8(bytes);
    if (text === null) refuseBytes(bytes);
    return parseText(text);
  };

  /** The same of a text that is known to have been UTF-8. */
  const parseText = (text) => {
    if (text.charCodeAt(0) === 0xfeff) gt.refuse('json_byte_order_mark');
    const reader = new Reader(text);
    const value = reader.value();
    reader.skipSpace();
    if (reader.at !== text.length) syntax();
    return value;
  };

  const isObject = (value) => value instanceof Map;

  /** Whether an object has exactly these members, and perhaps some of the optional ones. */
  const hasExactly = (value, required, optional = []) =>
    isObject(value) &&
    required.every((name) => value.has(name)) &&
    [...value.keys()].every((name) => required.includes(name) || optional.includes(name));

  gt.json = { parse, parseText, isObject, hasExactly };
})();
