'use strict';
/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104), our own.
 *
 * WebCrypto's digest answers later, which costs far more than the hash of an entry does, and an open log has millions of them.
 * Nothing here is secret. The page compares it with WebCrypto's before it gives a verdict (`inputs.js`), and so do the tests.
 */
(() => {
  const gt = globalThis.GoldenThread;

  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((p) => n % p !== 0)) primes.push(n);
  /** The first 32 bits of the fraction of a root, computed exactly: floor(root(p · 2^(32k))) mod 2^32. */
  const fraction = (prime, degree) => {
    const wanted = BigInt(prime) << BigInt(32 * degree);
    let low = 0n;
    let high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(degree) <= wanted) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn) | 0;
  };
  const K = Int32Array.from(primes, (prime) => fraction(prime, 3));
  const START = Int32Array.from(primes.slice(0, 8), (prime) => fraction(prime, 2));

  const W = new Int32Array(64);

  const expand = (bytes, at) => {
    for (let i = 0; i < 16; i += 1, at += 4) {
      W[i] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let i = 16; i < 64; i += 1) {
      const x = W[i - 15];
      const y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
    }
  };

  const compress = (state, bytes, at) => {
    expand(bytes, at);
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + S1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  };

  /** @param {...Uint8Array} parts whose concatenation is hashed @returns {Uint8Array} 32 bytes */
  const sha256 = (...parts) => {
    const bytes = parts.length === 1 ? parts[0] : gt.bytes.concat(...parts);
    const state = Int32Array.from(START);
    const whole = bytes.length - (bytes.length % 64);
    for (let at = 0; at < whole; at += 64) compress(state, bytes, at);
    const rest = bytes.length - whole;
    const tail = new Uint8Array(rest < 56 ? 64 : 128);
    tail.set(bytes.subarray(whole));
    tail[rest] = 0x80;
    tail.set(gt.bytes.u64(bytes.length * 8), tail.length - 8);
    for (let at = 0; at < tail.length; at += 64) compress(state, tail, at);
    const digest = new Uint8Array(32);
    const view = new DataView(digest.buffer);
    state.forEach((word, i) => view.setInt32(4 * i, word));
    return digest;
  };

  /** HMAC-SHA-256. @param {Uint8Array} key @param {...Uint8Array} parts */
  const hmac = (key, ...parts) => {
    const block = new Uint8Array(64);
    block.set(key.length > 64 ? sha256(key) : key);
    const inner = sha256(block.map((byte) => byte ^ 0x36), ...parts);
    return sha256(block.map((byte) => byte ^ 0x5c), inner);
  };

  gt.sha256 = sha256;
  gt.hmac = hmac;
})();
