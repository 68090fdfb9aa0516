'use strict';
/** Merkle trees (RFC 6962, RFC 9162 section 2.1) over SHA-256: proofs, and the root of a log that is read entry by entry. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const LEAF = Uint8Array.of(0);
  const NODE = Uint8Array.of(1);

  const leafHash = (data) => gt.sha256(LEAF, data);
  const nodeHash = (left, right) => gt.sha256(NODE, left, right);
  const EMPTY_ROOT = gt.sha256(new Uint8Array(0));

  // Sizes go up to 2^53 − 1: the operators on bits would cut them to 32 bits.
  const half = (n) => Math.floor(n / 2);
  const isOdd = (n) => n % 2 === 1;

  /**
   * Inclusion (RFC 9162, section 2.1.3.2).
   * @param {Uint8Array} leaf its hash @param {number} index @param {number} size @param {Uint8Array[]} path @param {Uint8Array} root
   * @throws `index_outside_tree`, `inclusion_path_length`, `not_included`
   */
  const checkInclusion = (leaf, index, size, path, root) => {
    if (index >= size) gt.refuse('index_outside_tree');
    let fn = index;
    let sn = size - 1;
    let hash = leaf;
    for (const step of path) {
      if (sn === 0) gt.refuse('inclusion_path_length');
      if (isOdd(fn) || fn === sn) {
        hash = nodeHash(step, hash);
        while (!isOdd(fn) && fn !== 0) {
          fn = half(fn);
          sn = half(sn);
        }
      } else {
        hash = nodeHash(hash, step);
      }
      fn = half(fn);
      sn = half(sn);
    }
    if (sn !== 0) gt.refuse('inclusion_path_length');
    if (!bytes.equal(hash, root)) gt.refuse('not_included');
  };

  const checkTrivial = (from, to, path, oldRoot, newRoot) => {
    if (path.length > 0) gt.refuse('consistency_path_length');
    if (from === 0 && !bytes.equal(oldRoot, EMPTY_ROOT)) gt.refuse('consistency_old_root');
    if (from === to && !bytes.equal(oldRoot, newRoot)) gt.refuse('consistency_new_root');
  };

  /**
   * Consistency (RFC 9162, section 2.1.4.2); an empty tree needs no path, as C2SP tlog-witness has it.
   * @throws `consistency_shrinks`, `consistency_path_length`, `consistency_old_root`, `consistency_new_root`
   */
  const checkConsistency = (from, to, path, oldRoot, newRoot) => {
    if (from > to) gt.refuse('consistency_shrinks');
    if (from === 0 || from === to) {
      checkTrivial(from, to, path, oldRoot, newRoot);
      return;
    }
    let fn = from - 1;
    let sn = to - 1;
    while (isOdd(fn)) {
      fn = half(fn);
      sn = half(sn);
    }
    // Where the old tree is a subtree of its own, its root is the first hash and is not sent.
    const steps = fn === 0 ? [oldRoot, ...path] : path;
    if (steps.length === 0) gt.refuse('consistency_path_length');
    let [fr] = steps;
    let [sr] = steps;
    for (const step of steps.slice(1)) {
      if (sn === 0) gt.refuse('consistency_path_length');
      if (isOdd(fn) || fn === sn) {
        fr = nodeHash(step, fr);
        sr = nodeHash(step, sr);
        while (!isOdd(fn) && fn !== 0) {
          fn = half(fn);
          sn = half(sn);
        }
      } else {
        sr = nodeHash(sr, step);
      }
      fn = half(fn);
      sn = half(sn);
    }
    if (sn !== 0) gt.refuse('consistency_path_length');
    if (!bytes.equal(fr, oldRoot)) gt.refuse('consistency_old_root');
    if (!bytes.equal(sr, newRoot)) gt.refuse('consistency_new_root');
  };

  /** The tree of a log that grows: the roots of its full subtrees, from the largest to the smallest. */
  class Tree {
    constructor() {
      this.size = 0;
      this.subtrees = [];
    }

    /** @param {Uint8Array} leaf its hash */
    append(leaf) {
      let hash = leaf;
      for (let n = this.size; isOdd(n); n = half(n)) hash = nodeHash(this.subtrees.pop(), hash);
      this.subtrees.push(hash);
      this.size += 1;
    }

    root() {
      if (this.size === 0) return EMPTY_ROOT;
      return this.subtrees.reduceRight((right, left) => nodeHash(left, right));
    }
  }

  gt.tree = { leafHash, checkInclusion, checkConsistency, EMPTY_ROOT };
  gt.Tree = Tree;
})();
