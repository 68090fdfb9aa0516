'use strict';
/** A bundle beside what its reader knows already: an earlier checkpoint, and the open log (FORMATS 12, steps 10 and 11). */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;

  /**
   * Reads what C2SP tlog-witness puts before a checkpoint.
   * @returns {{size: number, path: Uint8Array[]}} @throws `consistency_malformed`
   */
  const readConsistency = (text) => {
    const malformed = () => gt.refuse('consistency_malformed');
    if (!text.endsWith('\n\n')) malformed();
    const [first, ...lines] = text.slice(0, -2).split('\n');
    const size = first.startsWith('old ') ? bytes.decimal(first.slice('old '.length)) : null;
    if (size === null || lines.length > 63) malformed();
    return { size, path: lines.map((line) => bytes.hashFromBase64(line) ?? malformed()) };
  };

  /** An entry of the log, as it has to be where it stands. */
  const checkLogEntry = (check, octets, before, nextOfRegistrar) => {
    const entry = gt.entry.read(octets);
    if (entry.index !== before.size) gt.refuse('index_differs');
    if (entry.prev !== before.leafHash) gt.refuse('entry_prev');
    if (entry.receivedAt < before.receivedAt) gt.refuse('received_at_decreases');
    if (entry.registry !== nextOfRegistrar) gt.refuse('registry_count');
    return entry;
  };

  /** The names whose places the log shows: every subject's l(n) and l(k+1). */
  const namesOf = (check) => {
    const names = new Map();
    const want = (name) => names.set(gt.links.hexOfName(name), []);
    if (check.isAboutChild) {
      for (const { links, next } of check.bundle.completeness) {
        links.forEach((link) => want(link.name));
        want(next);
      }
    }
    return names;
  };

  class LogReader {
    constructor(check) {
      this.check = check;
      this.tree = new gt.Tree();
      this.roots = new Map([[0, gt.tree.EMPTY_ROOT]]);
      this.before = gt.entry.start();
      this.registrars = 0;
      this.names = namesOf(check);
      this.fault = null;
      this.isBroken = false;
    }

    take(octets) {
      const { check } = this;
      if (this.tree.size < check.checkpoint.size && this.fault === null) this.checkEntry(octets);
      this.tree.append(gt.tree.leafHash(octets));
      if ([check.checkpoint.size, check.known?.size].includes(this.tree.size)) {
        this.roots.set(this.tree.size, this.tree.root());
      }
    }

    checkEntry(octets) {
      const index = this.tree.size;
      try {
        const entry = checkLogEntry(this.check, octets, this.before, this.registrars);
        this.before = { size: index + 1, leafHash: entry.leafHash, receivedAt: entry.receivedAt };
        if (this.check.registrar[this.registrars]?.entry.index === index) this.registrars += 1;
        for (const link of entry.links) this.names.get(gt.links.nameInLink(link))?.push(index);
      } catch (error) {
        if (!(error instanceof gt.Refusal)) throw error;
        this.fault = { code: error.code, place: `/log/${index}` };
      }
    }
  }

  /** Reads the open log up to what is needed of it, as far as it can be read. @returns {Promise<LogReader>} */
  const readLog = async (check) => {
    const reader = new LogReader(check);
    const wanted = Math.max(check.checkpoint.size, check.known?.size ?? 0);
    try {
      for await (const entries of check.log.bundles()) {
        for (const octets of entries) if (reader.tree.size < wanted) reader.take(octets);
        await check.progress('log', Math.min(reader.tree.size, wanted), wanted);
        if (reader.tree.size >= wanted) break;
      }
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      reader.isBroken = true;
    }
    return reader;
  };

  /** The elements of `consistency` that read. */
  const readAllConsistency = (check) => {
    const read = [];
    for (const [i, text] of check.bundle.consistency.entries()) {
      try {
        read.push(readConsistency(text));
      } catch (error) {
        if (!(error instanceof gt.Refusal)) throw error;
        check.fault(error.code, `/consistency/${i}`);
      }
    }
    return read;
  };

  const isProved = (path, known, checkpoint) => {
    try {
      gt.tree.checkConsistency(known.size, checkpoint.size, path, known.root, checkpoint.root);
      return true;
    } catch (error) {
      if (!(error instanceof gt.Refusal)) throw error;
      return false;
    }
  };

  /** Whether the known checkpoint is of the same history. @returns {boolean|null} null if nothing shows it */
  const agrees = ({ known, checkpoint }, proofs, reader) => {
    if (known.size === checkpoint.size) return bytes.equal(known.root, checkpoint.root);
    if (known.size === 0) return true;
    const root = reader?.roots.get(known.size);
    if (root !== undefined) return bytes.equal(known.root, root);
    const proof = known.size < checkpoint.size ? proofs.find((one) => one.size === known.size) : undefined;
    return proof === undefined ? null : isProved(proof.path, known, checkpoint);
  };

  /** Step 10. */
  const checkKnown = (check, reader) => {
    const proofs = readAllConsistency(check);
    if (check.known === undefined) return;
    if (check.known.origin !== check.checkpoint.origin) {
      check.fault('known_other_origin', '/consistency');
      return;
    }
    const outcome = agrees(check, proofs, reader);
    if (outcome === null) check.unknown('known_not_compared', '/consistency');
    if (outcome === false) check.fault('known_contradicted', '/consistency');
  };

  const checkLinksInLog = (check, reader) => {
    const placesOf = (name) => reader.names.get(gt.links.hexOfName(name)) ?? [];
    for (const { links, next } of check.bundle.completeness) {
      for (const link of links) {
        const other = placesOf(link.name).find((index) => index !== link.index);
        if (other !== undefined) check.fault('link_repeated', `/log/${other}`);
      }
      const [further] = placesOf(next);
      if (further !== undefined) check.fault('record_goes_on', `/log/${further}`);
    }
  };

  /** Step 11. */
  const checkLog = (check, reader) => {
    const { size, root } = check.checkpoint;
    if (reader === null) {
      if (check.bundle.manifest.about.kind === 'child') check.unknown('completeness_not_checked', '/completeness');
    } else if (reader.fault !== null) {
      check.fault(reader.fault.code, reader.fault.place);
    } else if (reader.tree.size < size) {
      check.unknown(reader.isBroken ? 'log_not_read' : 'log_too_short', '/log');
    } else if (!bytes.equal(reader.roots.get(size), root)) {
      check.fault('log_differs', '/log');
    } else if (check.isAboutChild) {
      checkLinksInLog(check, reader);
    }
  };

  gt.bundleLog = { readLog, checkKnown, checkLog, readConsistency };
})();
