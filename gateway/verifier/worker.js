'use strict';
/** Runs a check away from the page, so that the page stays usable however large the files are; and without a worker, in turns. */
(() => {
  const gt = globalThis.GoldenThread;
  const PAUSE_MS = 50;
  /** How many events go to the page in one message: taking a large one in would hold it up. */
  const ITEMS_A_MESSAGE = 100;

  /** What a file beside the evidence is called where it is of no use. */
  const FILES = {
    pin: 'The pin: ', policy: 'The policy: ', known: 'The checkpoint that you know: ', statement: 'The statement: ',
    mirror: 'The mirror’s folder: ',
  };

  const problemOf = (error) => {
    const { PROBLEMS, faultSentence } = gt.sentences;
    const line = error.facts.line === undefined ? '' : ` Line ${error.facts.line}.`;
    const what = FILES[error.facts.kind] ?? '';
    const says = PROBLEMS[error.code] ?? faultSentence(error.code)[0];
    return { problem: `${what}${says}${line}`, code: error.code, kind: error.facts.kind ?? null };
  };

  /**
   * @param {Object<string, Uint8Array>} files by their kinds
   * @param {{path: string, read: function(): Promise<Uint8Array>}[]} mirror
   * @param {function(string, number, number): *} progress
   * @returns {Promise<object>} what the page shows: `gt.view.of`, or `{problem, code}`
   */
  gt.run = async (files, mirror, progress) => {
    const unfit = await gt.selfTest();
    if (unfit !== null) return { problem: gt.sentences.PROBLEMS[unfit], code: unfit, kind: null };
    try {
      return gt.view.of(await gt.inputs.check(files, mirror, progress));
    } catch (error) {
      if (error instanceof gt.Refusal) return problemOf(error);
      throw error;
    }
  };

  /** Calls `then` at most every 50 ms. */
  gt.inTurns = (then) => {
    let last = Date.now();
    return async (...facts) => {
      if (Date.now() - last < PAUSE_MS) return;
      await then(...facts);
      last = Date.now();
    };
  };

  /** Files of a folder, to be read one after another. @param {{path: string, file: File}[]} listed */
  gt.readable = (listed) =>
    listed.map(({ path, file }) => ({ path, read: async () => new Uint8Array(await file.arrayBuffer()) }));

  if (typeof globalThis.WorkerGlobalScope === 'undefined') return;
  globalThis.onmessage = async ({ data }) => {
    const progress = gt.inTurns((what, done, total) => globalThis.postMessage({ progress: { what, done, total } }));
    try {
      const { items = [], ...shown } = await gt.run(data.files, gt.readable(data.mirror), progress);
      for (let at = 0; at < items.length; at += ITEMS_A_MESSAGE) {
        globalThis.postMessage({ items: items.slice(at, at + ITEMS_A_MESSAGE) });
      }
      globalThis.postMessage({ shown });
    } catch (error) {
      // A mistake of this page's own: no verdict, and not a fault of the file.
      globalThis.postMessage({ failed: String(error?.message ?? error) });
    }
  };
})();
