'use strict';
/** Checking an evidence bundle (FORMATS 12): the steps in their order, and what came of them. */
(() => {
  const gt = globalThis.GoldenThread;

  class Check {
    /** @param {object} inputs as `check` takes them */
    constructor(inputs) {
      Object.assign(this, inputs);
      this.faults = [];
      this.unknowns = [];
      this.registrar = [];
      this.records = [];
      this.byIndex = new Map();
      this.tip = null;
      this.registry = null;
      this.bundle = null;
      this.checkpoint = null;
      this.progress = inputs.progress ?? (() => {});
    }

    fault(code, place, facts = {}) {
      const fault = { code, place, facts };
      this.faults.push(fault);
      return fault;
    }

    unknown(code, place) {
      this.unknowns.push({ code, place });
    }

    /** The record at an index, if its proof has no fault. */
    recordAt(index) {
      return this.byIndex.get(index);
    }

    /** Runs a part of the check; what it refuses with becomes a fault. @returns {Promise<object|null>} that fault */
    async collect(place, run) {
      try {
        await run();
        return null;
      } catch (error) {
        if (!(error instanceof gt.Refusal)) throw error;
        return this.fault(error.code, error.facts.place ?? place, error.facts);
      }
    }

    /** Refusals at places below a record. */
    at(place) {
      const refuse = (below, code, facts) => gt.refuse(code, { ...facts, place: `${place}${below}` });
      const within = async (below, run) => {
        try {
          await run();
        } catch (error) {
          if (!(error instanceof gt.Refusal) || error.facts.place !== undefined) throw error;
          refuse(below, error.code, error.facts);
        }
      };
      return { place, refuse, within };
    }
  }

  /** Step 2, under the pin. */
  const checkCheckpoint = async (check) => {
    if (check.pin?.genesis === undefined) check.unknown('nothing_pinned', '/checkpoint');
    if (check.pin === undefined) return;
    await check.collect('/checkpoint', async () => {
      if (check.checkpoint.origin !== check.pin.origin) gt.refuse('other_origin');
      await gt.note.checkSigned(check.checkpoint, check.pin.keys);
    });
  };

  /** Step 2 without a pin: the keys that the bundle itself names show at least that it agrees with itself. */
  const checkCheckpointByItself = async (check) => {
    if (check.pin !== undefined) return;
    await check.collect('/checkpoint', () =>
      gt.note.checkSigned(check.checkpoint, check.registry.verifierKeys.map(gt.note.readKey)));
  };

  /** The steps; false as soon as a fault ends the whole check. */
  const steps = [
    (check) => check.collect('', () => { check.bundle = gt.bundleForm.read(check.octets); }),
    (check) => check.collect('/checkpoint', () => { check.checkpoint = gt.note.readCheckpoint(check.bundle.checkpoint); }),
    async (check) => {
      await checkCheckpoint(check);
      if (check.policy !== undefined) {
        await check.collect('/checkpoint', async () => {
          check.cosigned = await gt.policy.check(check.policy, check.checkpoint);
        });
      }
      return null;
    },
    (check) => check.collect(null, () => gt.bundleRecords.checkRegistrar(check)),
    async (check) => {
      await checkCheckpointByItself(check);
      await gt.bundleRecords.checkTip(check);
      await gt.bundleRecords.checkRecords(check);
      gt.bundleRecords.checkPublishersChains(check);
      gt.bundleRecords.checkEntriesChain(check);
      gt.bundleChild.checkManifest(check);
      await gt.bundleChild.checkCompleteness(check);
      const reader = check.log === undefined ? null : await gt.bundleLog.readLog(check);
      gt.bundleLog.checkKnown(check, reader);
      gt.bundleLog.checkLog(check, reader);
      return null;
    },
  ];

  const verdictOf = (check) => {
    if (check.faults.length > 0) return 'not_sound';
    return check.unknowns.length > 0 ? 'could_not_tell' : 'sound';
  };

  /**
   * @param {object} inputs
   * @param {Uint8Array} inputs.octets the bundle
   * @param {{origin: string, keys: object[], genesis: string}} [inputs.pin]
   * @param {object} [inputs.policy] as `gt.policy.read` makes it
   * @param {object} [inputs.known] a checkpoint, as `gt.note.readCheckpoint` makes it
   * @param {{bundles: function(): AsyncIterable<Uint8Array[]>}} [inputs.log]
   * @param {function(string, number, number): *} [inputs.progress]
   * @returns {Promise<object>} `verdict`, `faults` and `unknowns` with `code` and `place`, and what was read: `bundle`,
   *   `checkpoint`, `registry`, `registrar`, `records`, and `cosigned`, the policy's witnesses that did
   */
  const check = async (inputs) => {
    const state = new Check(inputs);
    for (const step of steps) if ((await step(state)) !== null) break;
    const { faults, unknowns, bundle, checkpoint, registry, registrar, records, cosigned } = state;
    return { verdict: verdictOf(state), faults, unknowns, bundle, checkpoint, registry, registrar, records, cosigned };
  };

  gt.bundle = { check };
})();
