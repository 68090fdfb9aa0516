'use strict';
/** Publishers' chains (DESIGN 2): where a statement belongs among those that its publisher had sealed before. */
(() => {
  const gt = globalThis.GoldenThread;

  /**
   * @param {{index: number, statement: string}[]} sealed the publisher's statements, from `seq` 0 on
   * @param {string} firstPrev what `prev` of `seq` 0 is
   * @param {{seq: number, prev: string, statement: string}} next `statement` is its hash
   * @returns {{place: 'next'}|{place: 'duplicate', index: number}}
   * @throws `chain_gap`, `chain_fork`, `chain_prev`
   */
  const place = (sealed, firstPrev, next) => {
    if (next.seq > sealed.length) gt.refuse('chain_gap');
    if (next.seq < sealed.length) {
      const same = sealed[next.seq];
      if (same.statement !== next.statement) gt.refuse('chain_fork');
      return { place: 'duplicate', index: same.index };
    }
    const prev = next.seq === 0 ? firstPrev : sealed.at(-1).statement;
    if (next.prev !== prev) gt.refuse('chain_prev');
    return { place: 'next' };
  };

  gt.chain = { place };
})();
