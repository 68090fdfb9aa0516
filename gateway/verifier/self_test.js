'use strict';
/**
 * Whether this browser computes what a verdict rests on. One that lacks Ed25519, or verifies it more laxly than the formats ask,
 * must not be believed: then there is no verdict.
 */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes } = gt;
  const from = bytes.fromBase64url;

  /** Made for this test. The second has a component of order 8 in R: only the equation with the cofactor holds for it. */
  const MESSAGE = bytes.utf8('Golden Thread');
  const KEY = from('3C13e4QRVU-pGlUoWgdFJHz97Ciw713J8XohfTZn5So');
  const GOOD = from('AM6M7Fv4GU92KJrYOQa9alAWQ4erzXAYMadkfz5Tgm02KJei3YOLA5Nl8t4XFo3AClVIbAm0x9Ts9m90jhvpAA');
  const LAX = from('Q05qfrvTPmizRyWipw5KmFl6wpI8CLq-AIs-lLHVxapTe-uo8Ubq8CdQRCNvyGT6eauJl8u_KySEE95FeDNuCg');

  const verifiesEd25519 = async () => {
    try {
      const altered = bytes.concat(MESSAGE, Uint8Array.of(0));
      return (
        (await gt.keys.verify(KEY, GOOD, MESSAGE)) &&
        !(await gt.keys.verify(KEY, GOOD, altered)) &&
        !(await gt.keys.verify(KEY, LAX, MESSAGE))
      );
    } catch {
      return false;
    }
  };

  const hashesAlike = async () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000]) {
      const message = Uint8Array.from({ length }, (_, i) => (i * 151 + length) & 0xff);
      const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', message));
      if (!bytes.equal(digest, gt.sha256(message))) return false;
    }
    return true;
  };

  /** @returns {Promise<string|null>} a code if no verdict can be given here */
  gt.selfTest = async () => {
    if (globalThis.crypto?.subtle === undefined) return 'no_webcrypto';
    if (!(await verifiesEd25519())) return 'no_ed25519';
    return (await hashesAlike()) ? null : 'no_sha256';
  };
})();
