'use strict';
/**
 * What to do with a case of `tests/vectors/bundles/tamperings.json`, as its README says. A plain script, for Node and browsers.
 */
globalThis.BundleCases = (() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;

  const tokensOf = (pointer) =>
    pointer === '' ? [] : pointer.slice(1).split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

  /** The container that a pointer leads into, and the last step. @returns {[object, string]} */
  const parentOf = (root, pointer) => {
    const tokens = tokensOf(pointer);
    const last = tokens.pop();
    const parent = tokens.reduce((value, token) => value[token], root);
    if (parent === null || typeof parent !== 'object') throw new Error(`nothing at ${pointer}`);
    return [parent, last];
  };

  const valueAt = (root, pointer) => tokensOf(pointer).reduce((value, token) => value[token], root);

  const put = (root, pointer, value, replaces) => {
    const [parent, last] = parentOf(root, pointer);
    if (replaces && !Object.hasOwn(parent, last)) throw new Error(`nothing to replace at ${pointer}`);
    if (Array.isArray(parent) && !replaces) parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else parent[last] = value;
  };

  const takeOut = (root, pointer) => {
    const [parent, last] = parentOf(root, pointer);
    if (!Object.hasOwn(parent, last)) throw new Error(`nothing to remove at ${pointer}`);
    if (Array.isArray(parent)) return parent.splice(Number(last), 1)[0];
    const value = parent[last];
    delete parent[last];
    return value;
  };

  /** RFC 6902, the operations that the cases use. @returns {*} the changed root */
  const patched = (root, operations) => {
    let value = structuredClone(root);
    for (const one of operations) {
      if (one.path === '' && one.op === 'replace') value = structuredClone(one.value);
      else if (one.op === 'replace') put(value, one.path, structuredClone(one.value), true);
      else if (one.op === 'add') put(value, one.path, structuredClone(one.value), false);
      else if (one.op === 'remove') takeOut(value, one.path);
      else if (one.op === 'move') put(value, one.path, takeOut(value, one.from), false);
      else if (one.op === 'copy') put(value, one.path, structuredClone(valueAt(value, one.from)), false);
      else throw new Error(`the operation ${one.op}`);
    }
    return value;
  };

  const replaced = (text, changes) =>
    changes.reduce((before, { find, with: after }) => {
      const parts = before.split(find);
      if (parts.length !== 2) throw new Error(`${find} does not stand there once`);
      return parts.join(after);
    }, text);

  /** @param {object} one the case @param {string} base text of its base bundle @returns {string} text of the bundle */
  const textOf = (one, base) => {
    if (one.patch === undefined) return replaced(base, one.text_replace);
    return JSON.stringify(patched(JSON.parse(base), one.patch));
  };

  /** A log as the check reads it, some entries at a time. */
  const logOf = (entries) => ({
    async *bundles() {
      for (let at = 0; at < entries.length; at += 4) yield entries.slice(at, at + 4).map(bytes.fromBase64url);
    },
  });

  const pinOf = (pin) => ({ origin: pin.origin, genesis: pin.genesis, keys: pin.verifier_keys.map(gt.note.readKey) });

  /** The files of a case beside its bundle, read. */
  const inputsOf = (one, inputs) => {
    const given = (kind) => (one[kind] === undefined ? undefined : inputs[kind][one[kind]]);
    const use = (kind, read) => (given(kind) === undefined ? undefined : read(given(kind)));
    return {
      pin: use('pin', pinOf),
      known: use('known', gt.note.readCheckpoint),
      policy: use('policy', (text) => gt.policy.read(bytes.utf8(text))),
      log: use('log', logOf),
    };
  };

  const plainly = ({ code, place }) => ({ code, place });

  /** @returns {Promise<object>} what `expected` should be */
  const run = async (one, base, inputs) => {
    const result = await gt.bundle.check({ octets: bytes.utf8(textOf(one, base)), ...inputsOf(one, inputs) });
    // What the page would show must be there for every result, whatever was wrong.
    gt.view.of({ kind: 'bundle', ...result });
    return { verdict: result.verdict, faults: result.faults.map(plainly), unknowns: result.unknowns.map(plainly) };
  };

  return { run, textOf };
})();
