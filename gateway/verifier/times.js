'use strict';
/** Times (FORMATS 2): `YYYY-MM-DDThh:mm:ss[.d{1,3}]Z`, compared as milliseconds from 1970-01-01T00:00:00Z. */
(() => {
  const gt = globalThis.GoldenThread;
  const FORM = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,3}))?Z$/;

  const daysIn = (year, month) => {
    const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  };

  /** Days from 1970-01-01 to a day of the proleptic Gregorian calendar, counted from March on. */
  const daysFromEpoch = (year, month, day) => {
    const y = month > 2 ? year : year - 1;
    const m = (month + 9) % 12;
    const dayOfYear = Math.floor((153 * m + 2) / 5) + day - 1;
    return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719468;
  };

  /** @param {string} text @returns {number|null} milliseconds */
  const milliseconds = (text) => {
    const match = typeof text === 'string' ? FORM.exec(text) : null;
    if (match === null) return null;
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null;
    if (hour > 23 || minute > 59 || second > 59) return null;
    const seconds = daysFromEpoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    return seconds * 1000 + Number((match[7] ?? '').padEnd(3, '0'));
  };

  /** The text with exactly three decimals, as `received_at` carries it. */
  const withThreeDecimals = (ms) => new Date(ms).toISOString();

  gt.times = { milliseconds, withThreeDecimals };
})();
