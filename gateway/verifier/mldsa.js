'use strict';
/**
 * ML-DSA-44: verification only (FIPS 204, algorithms 3 and 8), because WebCrypto has none yet. No secret comes near it, so
 * nothing here needs to take the same time for all inputs. The context is empty, as C2SP's cosignatures have it.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const N = 256;
  const Q = 8380417;
  const D = 13;
  const TAU = 39;
  const GAMMA1 = 2 ** 17;
  const GAMMA2 = (Q - 1) / 88;
  const K = 4;
  const COLUMNS = 4;
  const BETA = 78;
  const OMEGA = 80;
  const CHALLENGE_BYTES = 32;
  const Z_BITS = 18;
  const PUBLIC_KEY_BYTES = 1312;
  const SIGNATURE_BYTES = 2420;

  // Factors are below 2^23, so products are exact in a double.
  const multiply = (a, b) => (a * b) % Q;
  const add = (a, b) => (a + b) % Q;
  const subtract = (a, b) => (a + Q - b) % Q;

  const power = (base, exponent) => {
    let result = 1;
    for (let b = base, e = exponent; e > 0; e >>= 1, b = multiply(b, b)) if (e & 1) result = multiply(result, b);
    return result;
  };
  const reversed = (byte) => Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2);
  /** 1753 to the power of the index, its bits reversed (FIPS 204, appendix B). */
  const ZETAS = Int32Array.from({ length: N }, (_, i) => power(1753, reversed(i)));

  /** Algorithm 41, in place. */
  const ntt = (w) => {
    let m = 0;
    for (let length = 128; length >= 1; length >>= 1) {
      for (let start = 0; start < N; start += 2 * length) {
        m += 1;
        for (let j = start; j < start + length; j += 1) {
          const t = multiply(ZETAS[m], w[j + length]);
          w[j + length] = subtract(w[j], t);
          w[j] = add(w[j], t);
        }
      }
    }
    return w;
  };

  /** Algorithm 42, in place. */
  const inverseNtt = (w) => {
    let m = N;
    for (let length = 1; length < N; length *= 2) {
      for (let start = 0; start < N; start += 2 * length) {
        m -= 1;
        for (let j = start; j < start + length; j += 1) {
          const t = w[j];
          w[j] = add(t, w[j + length]);
          w[j + length] = multiply(Q - ZETAS[m], subtract(t, w[j + length]));
        }
      }
    }
    return w.map((x) => multiply(8347681, x));
  };

  /** Numbers of `bits` bits each, the lowest bit first (algorithms 18 and 19). */
  const unpack = (octets, bits) => {
    const numbers = new Int32Array((octets.length * 8) / bits);
    for (let i = 0; i < numbers.length; i += 1) {
      for (let b = 0; b < bits; b += 1) {
        const at = i * bits + b;
        numbers[i] |= ((octets[at >> 3] >> (at & 7)) & 1) << b;
      }
    }
    return numbers;
  };

  const slices = (octets, count) => {
    const length = octets.length / count;
    return Array.from({ length: count }, (_, i) => octets.subarray(i * length, (i + 1) * length));
  };

  /** Algorithm 21. Null where the encoding is not the only one of its hint. @returns {Uint8Array[]|null} */
  const hintFrom = (y) => {
    const hint = Array.from({ length: K }, () => new Uint8Array(N));
    let index = 0;
    for (let i = 0; i < K; i += 1) {
      const end = y[OMEGA + i];
      if (end < index || end > OMEGA) return null;
      for (let first = index; index < end; index += 1) {
        if (index > first && y[index - 1] >= y[index]) return null;
        hint[i][y[index]] = 1;
      }
    }
    return y.subarray(index, OMEGA).every((octet) => octet === 0) ? hint : null;
  };

  /** Algorithm 30, of SHAKE128(ρ ‖ s ‖ r). */
  const uniform = (rho, column, row) => {
    const stream = gt.shake128(rho, Uint8Array.of(column, row));
    const polynomial = new Int32Array(N);
    for (let j = 0; j < N; ) {
      const number = stream.byte() | (stream.byte() << 8) | ((stream.byte() & 0x7f) << 16);
      if (number < Q) {
        polynomial[j] = number;
        j += 1;
      }
    }
    return polynomial;
  };

  /** Algorithm 29: a polynomial with τ coefficients that are 1 or −1. */
  const challenge = (seed) => {
    const stream = gt.shake256(seed);
    const signs = unpack(stream.bytes(8), 1);
    const c = new Int32Array(N);
    for (let i = N - TAU; i < N; i += 1) {
      let j = stream.byte();
      while (j > i) j = stream.byte();
      c[i] = c[j];
      c[j] = signs[i + TAU - N] === 1 ? Q - 1 : 1;
    }
    return c;
  };

  /** Algorithm 40, with algorithm 36 in it. */
  const useHint = (hint, r) => {
    let r0 = r % (2 * GAMMA2);
    if (r0 > GAMMA2) r0 -= 2 * GAMMA2;
    const wraps = r - r0 === Q - 1;
    const r1 = wraps ? 0 : (r - r0) / (2 * GAMMA2);
    if (wraps) r0 -= 1;
    if (hint === 0) return r1;
    return (r1 + (r0 > 0 ? 1 : 43)) % 44;
  };

  /** Six bits a coefficient (algorithm 28). */
  const encodeHigh = (w) => {
    const octets = new Uint8Array((N * 6) / 8);
    w.forEach((number, i) => {
      for (let b = 0; b < 6; b += 1) {
        const at = 6 * i + b;
        octets[at >> 3] |= ((number >> b) & 1) << (at & 7);
      }
    });
    return octets;
  };

  /** A·z − c·t1·2^d, row by row, in the domain of numbers again. */
  const commitmentOf = (rho, t1, z, c) => {
    const zHat = z.map((polynomial) => ntt(polynomial.map((x) => (x + Q) % Q)));
    const cHat = ntt(Int32Array.from(c));
    return t1.map((t, row) => {
      const tHat = ntt(t.map((x) => multiply(x, 2 ** D)));
      const sum = new Int32Array(N);
      for (let column = 0; column < COLUMNS; column += 1) {
        const a = uniform(rho, column, row);
        for (let j = 0; j < N; j += 1) sum[j] = add(sum[j], multiply(a[j], zHat[column][j]));
      }
      return inverseNtt(sum.map((x, j) => subtract(x, multiply(cHat[j], tHat[j]))));
    });
  };

  /**
   * @param {Uint8Array} publicKey @param {Uint8Array} signature @param {Uint8Array} message
   * @returns {boolean}
   */
  const verify = (publicKey, signature, message) => {
    if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    const seed = signature.subarray(0, CHALLENGE_BYTES);
    const zEnd = SIGNATURE_BYTES - OMEGA - K;
    const z = slices(signature.subarray(CHALLENGE_BYTES, zEnd), COLUMNS).map((octets) =>
      unpack(octets, Z_BITS).map((v) => GAMMA1 - v));
    const hint = hintFrom(signature.subarray(zEnd));
    if (hint === null || z.some((polynomial) => polynomial.some((x) => Math.abs(x) >= GAMMA1 - BETA))) return false;

    const rho = publicKey.subarray(0, 32);
    const t1 = slices(publicKey.subarray(32), K).map((octets) => unpack(octets, 10));
    const w = commitmentOf(rho, t1, z, challenge(seed));
    const high = w.map((polynomial, i) => encodeHigh(polynomial.map((x, j) => useHint(hint[i][j], x))));
    const tr = gt.shake256(publicKey).bytes(64);
    const mu = gt.shake256(tr, Uint8Array.of(0, 0), message).bytes(64);
    return gt.bytes.equal(gt.shake256(mu, ...high).bytes(CHALLENGE_BYTES), seed);
  };

  gt.mldsa = { verify, PUBLIC_KEY_BYTES, SIGNATURE_BYTES };
})();
