'use strict';
/** SHAKE128 and SHAKE256 (FIPS 202), for ML-DSA-44. Lanes of 64 bits are two words of 32, the low one first. */
(() => {
  const gt = globalThis.GoldenThread;
  const ROUNDS = 24;

  /** The round constants come from a shift register of 8 bits (FIPS 202, algorithm 5). */
  const roundConstants = () => {
    const constants = new Int32Array(2 * ROUNDS);
    let register = 1;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let j = 0; j <= 6; j += 1) {
        const position = 2 ** j - 1;
        if (register & 1) constants[2 * round + (position >> 5)] ^= 1 << (position & 31);
        register = register & 0x80 ? ((register << 1) ^ 0x71) & 0xff : register << 1;
      }
    }
    return constants;
  };
  const RC = roundConstants();

  /** Where lane i goes and by how much it turns (FIPS 202, algorithms 2 and 3). */
  const rhoAndPi = () => {
    const turns = new Int32Array(25);
    let [x, y] = [1, 0];
    for (let t = 0; t < 24; t += 1) {
      turns[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
      [x, y] = [y, (2 * x + 3 * y) % 5];
    }
    const target = new Int32Array(25);
    for (x = 0; x < 5; x += 1) for (y = 0; y < 5; y += 1) target[x + 5 * y] = y + 5 * ((2 * x + 3 * y) % 5);
    return { turns, target };
  };
  const { turns: TURNS, target: TARGET } = rhoAndPi();

  const C = new Int32Array(10);
  const B = new Int32Array(50);

  const theta = (s) => {
    for (let x = 0; x < 10; x += 1) C[x] = s[x] ^ s[x + 10] ^ s[x + 20] ^ s[x + 30] ^ s[x + 40];
    for (let x = 0; x < 5; x += 1) {
      const before = 2 * ((x + 4) % 5);
      const after = 2 * ((x + 1) % 5);
      const low = C[before] ^ ((C[after] << 1) | (C[after + 1] >>> 31));
      const high = C[before + 1] ^ ((C[after + 1] << 1) | (C[after] >>> 31));
      for (let i = 2 * x; i < 50; i += 10) {
        s[i] ^= low;
        s[i + 1] ^= high;
      }
    }
  };

  const turn = (s) => {
    for (let i = 0; i < 25; i += 1) {
      const by = TURNS[i] & 31;
      // A turn by 32 or more exchanges the words first.
      const low = TURNS[i] < 32 ? s[2 * i] : s[2 * i + 1];
      const high = TURNS[i] < 32 ? s[2 * i + 1] : s[2 * i];
      const at = 2 * TARGET[i];
      B[at] = by === 0 ? low : (low << by) | (high >>> (32 - by));
      B[at + 1] = by === 0 ? high : (high << by) | (low >>> (32 - by));
    }
  };

  const chi = (s) => {
    for (let row = 0; row < 50; row += 10) {
      for (let k = 0; k < 10; k += 1) s[row + k] = B[row + k] ^ (~B[row + ((k + 2) % 10)] & B[row + ((k + 4) % 10)]);
    }
  };

  const permute = (s) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      theta(s);
      turn(s);
      chi(s);
      s[0] ^= RC[2 * round];
      s[1] ^= RC[2 * round + 1];
    }
  };

  /** A sponge that absorbs once and squeezes as often as it is asked. */
  class Shake {
    /** @param {168|136} rate in bytes @param {Uint8Array} message */
    constructor(rate, message) {
      this.rate = rate;
      this.state = new Int32Array(50);
      this.at = rate;
      let from = 0;
      for (; message.length - from >= rate; from += rate) {
        this.absorb(message.subarray(from, from + rate));
        permute(this.state);
      }
      const last = new Uint8Array(rate);
      last.set(message.subarray(from));
      last[message.length - from] ^= 0x1f;
      last[rate - 1] ^= 0x80;
      this.absorb(last);
    }

    absorb(block) {
      for (let i = 0; i < block.length; i += 1) this.state[i >> 2] ^= block[i] << (8 * (i & 3));
    }

    byte() {
      if (this.at === this.rate) {
        permute(this.state);
        this.at = 0;
      }
      const octet = (this.state[this.at >> 2] >>> (8 * (this.at & 3))) & 0xff;
      this.at += 1;
      return octet;
    }

    bytes(length) {
      return Uint8Array.from({ length }, () => this.byte());
    }
  }

  gt.shake128 = (...parts) => new Shake(168, gt.bytes.concat(...parts));
  gt.shake256 = (...parts) => new Shake(136, gt.bytes.concat(...parts));
})();
