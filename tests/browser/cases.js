'use strict';
/**
 * What to do with a case of each file of `tests/vectors`, as its README says. A plain script, so that it runs under Node and in
 * a browser alike: `VectorCases[file](case, file's members)` answers what `expected` should be, or throws a `Refusal`.
 */
globalThis.VectorCases = (() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json } = gt;
  const b64 = bytes.base64url;
  const from = bytes.fromBase64url;

  /** Text of a case, or the bytes that stand for it where it is no text. */
  const octets = (one, member) =>
    one[member] === undefined ? from(one[`${member}_base64url`]) : bytes.utf8(one[member]);

  /** What the strict reader makes, as ordinary JSON. */
  const plain = (value) => {
    if (Array.isArray(value)) return value.map(plain);
    if (!json.isObject(value)) return value;
    return Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]));
  };
  /** Ordinary JSON as the strict reader would have it. */
  const strict = (value) => json.parse(bytes.utf8(JSON.stringify(value)));

  const registryOf = async (statements, genesis) => {
    let registry = null;
    for (const { index, statement: text } of statements) {
      const { statement } = gt.statement.readCompact(bytes.utf8(text), 'sealer');
      if (registry === null) {
        registry = gt.Registry.create(statement, genesis);
        await registry.checkSigner(statement, index);
        continue;
      }
      await registry.checkSigner(statement, index);
      const sealed = registry.hashes.map((hash, i) => ({ index: i, statement: hash }));
      gt.chain.place(sealed, b64(bytes.ZERO_HASH), { ...statement, statement: statement.hash });
      await registry.apply(statement, index);
    }
    return registry;
  };

  const statements = async (one, file) => {
    const { statement, owned } = gt.statement.readCompact(octets(one, 'statement'), one.reader ?? 'sealer');
    if (one.key !== undefined) {
      const key = gt.keys.fromJwk(strict(one.key));
      if (key.thumbprint !== statement.kid) gt.refuse('wrong_key');
      await gt.statement.checkSignature(statement, key.x);
    } else {
      file.registry ??= await registryOf(file.registrar_statements, file.genesis);
      await file.registry.checkSigner(statement, Infinity);
    }
    const read = { hash: statement.hash, kid: statement.kid };
    const isOwn = /^(ledger|publisher|subject)\./.test(statement.type);
    if (one.reader === 'verifier' || isOwn) return read;
    return { ...read, primary_owner: owned.primary, owners_of_disclosures: owned.owners };
  };

  const describePublisher = (one) => ({
    id: one.id, agency: one.agency, name: one.name, kind: one.kind, on_behalf_of: one.onBehalfOf,
    keys: one.keys.map((key) => ({ enrolled_at: key.from, kid: key.thumbprint })),
    revoked: one.revoked && {
      index: one.revoked.index,
      suspect_from: one.revoked.suspectFrom === null ? null : gt.times.withThreeDecimals(one.revoked.suspectFrom),
    },
  });

  const registry = async (one, file) => {
    const made = await registryOf(one.statements, file.genesis);
    const ledger = made.ledgerKeys.at(-1);
    return {
      statements: made.statements,
      registrar_id: made.registrarId,
      registrar_key: ledger.registrar.thumbprint,
      recovery_key: ledger.recovery.thumbprint,
      verifier_keys: made.verifierKeys,
      publishers: [...made.publishers.values()]
        .sort((a, b) => bytes.compare(from(a.id), from(b.id)))
        .map(describePublisher),
      ...(made.configuredAt === null ? {} : { configured_at: made.configuredAt }),
    };
  };

  const entries = (one) => {
    const entry = gt.entry.read(octets(one, 'entry'));
    const { index, prev, registry: count, links, statement } = entry;
    const receivedAt = { received_at_milliseconds: entry.receivedAt };
    return { index, prev, ...receivedAt, registry: count, links, statement, leaf_hash: entry.leafHash };
  };

  const successions = (one) => {
    const after = one.entries.reduce(
      (before, item) => gt.entry.follow(before, gt.entry.read(bytes.utf8(item.entry)), item.of_registrar),
      gt.entry.start());
    return { size: after.size, last_leaf_hash: after.leafHash, registry: after.registry };
  };

  const links = (one) => {
    const made = gt.links.make(from(one.key), one.n);
    return { l: b64(made.l), l_next: b64(made.next), r: b64(made.r), c: b64(made.c), link: b64(made.link) };
  };

  const completeness = (one) => {
    const openings = one.openings.map(({ n, index, l, r }) => ({ n, index, name: l, blinding: r }));
    gt.links.checkCompleteness(openings, one.l_next, one.links);
    return { entries: openings.length };
  };

  const inclusion = (one) => {
    const leaf = gt.tree.leafHash(bytes.utf8(one.leaf));
    gt.tree.checkInclusion(leaf, one.index, one.size, one.path.map(from), from(one.root));
    return { leaf_hash: b64(leaf) };
  };

  const consistency = (one) => {
    gt.tree.checkConsistency(one.from, one.to, one.path.map(from), from(one.old_root), from(one.new_root));
    return {};
  };

  const receipts = async (one) => {
    const pin = {
      origin: one.pinned.origin,
      keys: one.pinned.verifier_keys.map(gt.note.readKey),
      genesis: one.pinned.genesis,
    };
    const policy = one.policy === undefined ? undefined : gt.policy.read(octets(one, 'policy'));
    const checked = await gt.receipt.check(octets(one, 'receipt'), { pin, policy, statement: one.statement });
    return {
      index: checked.entry.index,
      leaf_hash: checked.entry.leafHash,
      size: checked.checkpoint.size,
      root: b64(checked.checkpoint.root),
      statement_compared: checked.statementCompared,
      ...(policy === undefined ? {} : { cosigned: checked.cosigned }),
    };
  };

  const policies = async (one) => {
    const policy = gt.policy.read(octets(one, 'policy'));
    return { cosigned: await gt.policy.check(policy, gt.note.readCheckpoint(one.checkpoint)) };
  };

  const forks = async (one) => {
    const pin = { origin: one.pinned.origin, keys: one.pinned.verifier_keys.map(gt.note.readKey) };
    const { first, second, otherRoot } = await gt.fork.check(octets(one, 'evidence'), pin);
    const head = ({ size, root }) => ({ size, root: b64(root) });
    return { differ_at: first.size, first: head(first), second: head(second), other_root: b64(otherRoot) };
  };

  const pseudonyms = (one) => {
    const identifier = gt.pseudonym.normalise(one.identifier);
    return { value: identifier.value, pseudonym: gt.pseudonym.make(identifier, from(one.key), one.epoch) };
  };

  return {
    plain,
    'json-strict.json': (one) => ({ value: plain(json.parse(from(one.bytes_base64url))) }),
    'times.json': (one) => {
      const milliseconds = gt.times.milliseconds(one.text) ?? gt.refuse('bad_time');
      return { milliseconds, with_three_decimals: gt.times.withThreeDecimals(milliseconds) };
    },
    'keys.json': (one) => ({ thumbprint: gt.keys.fromJwk(strict(one.jwk)).thumbprint }),
    'statements-accepted.json': statements,
    'statements-refused.json': statements,
    'statements-limits.json': statements,
    'authorship.json': statements,
    'chains.json': (one, file) => gt.chain.place(one.sealed, one.first_prev ?? file.first_prev, one.next),
    'registry.json': registry,
    'entries.json': entries,
    'successions.json': successions,
    'links.json': links,
    'completeness.json': completeness,
    'inclusion.json': inclusion,
    'consistency.json': consistency,
    'receipts.json': receipts,
    'policies.json': policies,
    'forks.json': forks,
    'pseudonyms.json': pseudonyms,
  };
})();
