'use strict';
/**
 * Ed25519 public keys and signatures (RFC 8032, FORMATS 3 and 6).
 *
 * WebCrypto computes the equation. What implementations of it decide differently is refused before it sees anything: keys and
 * R that are not canonically encoded or of small order, keys that are no point, and S that is not below L.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;

  const P = 2n ** 255n - 19n;
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;

  const mod = (a) => ((a % P) + P) % P;
  const power = (base, exponent) => {
    let result = 1n;
    for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b)) if (e & 1n) result = mod(result * b);
    return result;
  };
  /** d of the curve −x² + y² = 1 + d·x²·y². */
  const D = mod(-121665n * power(121666n, P - 2n));

  const littleEndian = (octets) => octets.reduceRight((number, octet) => (number << 8n) | BigInt(octet), 0n);
  const hasSign = (octets) => octets[31] >= 0x80;
  const yOf = (octets) => littleEndian(octets) & (2n ** 255n - 1n);

  /** y of the points of order 8 is ±the root of (1 ± sqrt(1 + d)) / d; the table is what the tests' vectors have. */
  const SMALL_ORDER = new Set(
    [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000000',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    ],
  );

  const isSmallOrder = (octets) => {
    const unsigned = Uint8Array.from(octets);
    unsigned[31] &= 0x7f;
    return SMALL_ORDER.has(bytes.hex(unsigned));
  };

  /** y below p, and no sign where x is 0: there y is 1 or −1. */
  const isCanonical = (octets) => {
    const y = yOf(octets);
    return y < P && !(hasSign(octets) && (y === 1n || y === P - 1n));
  };

  /** Whether x² = (y² − 1) / (d·y² + 1) has a root. */
  const isOnCurve = (octets) => {
    const y2 = mod(yOf(octets) ** 2n);
    const x2 = mod((y2 - 1n) * power(D * y2 + 1n, P - 2n));
    return x2 === 0n || power(x2, (P - 1n) / 2n) === 1n;
  };

  const checked = new Set();

  /** @param {Uint8Array} octets of a public key @throws `bad_key`, `weak_key` */
  const checkKey = (octets) => {
    const text = bytes.base64url(octets);
    if (checked.has(text)) return;
    if (octets.length !== 32 || !isCanonical(octets)) gt.refuse('bad_key');
    if (isSmallOrder(octets)) gt.refuse('weak_key');
    if (!isOnCurve(octets)) gt.refuse('bad_key');
    checked.add(text);
  };

  /**
   * A JWK of exactly `kty` OKP, `crv` Ed25519 and `x`, its thumbprint by RFC 7638.
   * @param {*} jwk as read by gt.json
   * @returns {{x: Uint8Array, thumbprint: string}}
   */
  const fromJwk = (jwk) => {
    const form = gt.json.hasExactly(jwk, ['kty', 'crv', 'x']) && jwk.get('kty') === 'OKP' && jwk.get('crv') === 'Ed25519';
    const x = form ? bytes.exactlyFromBase64url(jwk.get('x'), 32) : null;
    if (x === null) gt.refuse('bad_key');
    checkKey(x);
    const canonical = `{"crv":"Ed25519","kty":"OKP","x":"${jwk.get('x')}"}`;
    return { x, thumbprint: bytes.base64url(gt.sha256(bytes.utf8(canonical))) };
  };

  const imported = new Map();

  const forWebCrypto = (octets) => {
    const text = bytes.base64url(octets);
    if (!imported.has(text)) {
      imported.set(text, globalThis.crypto.subtle.importKey('raw', octets, { name: 'Ed25519' }, false, ['verify']));
    }
    return imported.get(text);
  };

  /**
   * Ed25519 as `verify_strict` has it.
   * @param {Uint8Array} key that `checkKey` let pass
   * @param {Uint8Array} signature
   * @param {Uint8Array} message
   * @returns {Promise<boolean>}
   */
  const verify = async (key, signature, message) => {
    if (signature.length !== 64) return false;
    const R = signature.subarray(0, 32);
    if (!isCanonical(R) || isSmallOrder(R)) return false;
    if (littleEndian(signature.subarray(32)) >= L) return false;
    return globalThis.crypto.subtle.verify({ name: 'Ed25519' }, await forWebCrypto(key), signature, message);
  };

  gt.keys = { checkKey, fromJwk, verify };
})();
