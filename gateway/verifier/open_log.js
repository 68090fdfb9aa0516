'use strict';
/** The open log as a mirror's folder has it: C2SP tlog-tiles' entry bundles, full and partial. */
(() => {
  const gt = globalThis.GoldenThread;
  const FULL = 256;
  const PATH = /(?:^|\/)tile\/entries\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

  /** Which entry bundle a path is of, and how many entries it has. @returns {{number: number, width: number}|null} */
  const placeOf = (path) => {
    const match = PATH.exec(path);
    if (match === null) return null;
    const number = Number(match[1].replaceAll(/[x/]/g, ''));
    const width = match[2] === undefined ? FULL : Number(match[2]);
    return width <= FULL && Number.isSafeInteger(number) ? { number, width } : null;
  };

  /** Splits a bundle: each entry has its length before it, in two bytes. @returns {Uint8Array[]} */
  const split = (octets, width) => {
    const entries = [];
    for (let at = 0; at < octets.length; ) {
      const length = octets[at] * 256 + (octets[at + 1] ?? 0);
      const entry = octets.subarray(at + 2, at + 2 + length);
      if (at + 2 > octets.length || entry.length !== length) gt.refuse('log_not_read');
      entries.push(entry);
      at += 2 + length;
    }
    if (entries.length !== width) gt.refuse('log_not_read');
    return entries;
  };

  /**
   * @param {{path: string, read: function(): Promise<Uint8Array>}[]} files of a folder; those that are no entry bundles are ignored
   * @returns {{bundles: function(): AsyncIterable<Uint8Array[]>}|undefined} undefined if there is no entry bundle
   */
  const fromFiles = (files) => {
    /** The widest of the files of each bundle: a log that grew leaves narrower ones behind. */
    const widest = new Map();
    for (const file of files) {
      const place = placeOf(file.path);
      if (place !== null && place.width > (widest.get(place.number)?.width ?? 0)) {
        widest.set(place.number, { width: place.width, read: file.read });
      }
    }
    if (widest.size === 0) return undefined;
    return {
      async *bundles() {
        for (let number = 0; widest.has(number); number += 1) {
          const { width, read } = widest.get(number);
          yield split(await read(), width);
          if (width < FULL) return;
        }
      },
    };
  };

  gt.openLog = { placeOf, split, fromFiles };
})();
