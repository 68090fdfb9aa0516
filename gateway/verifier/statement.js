'use strict';
/** Statements: compact SD-JWTs as DESIGN 2 and FORMATS 3 have them, read strictly. */
(() => {
  const gt = globalThis.GoldenThread;
  const { bytes, json } = gt;

  const MAX_STATEMENT = 48 * 1024;
  const MAX_DISCLOSURE = 32 * 1024;
  const MAX_TOGETHER = 256 * 1024;
  const MAX_OWNERS = 64;
  const AGENCY = /^(gss|ods|police|gias|charity|rsh|ofsted):[A-Za-z0-9]{1,16}$/;
  const LEDGERS_OWN = ['ledger:registrar', 'ledger:service'];
  const CODE = /^[A-Za-z][A-Za-z0-9]{0,63}$/;
  const MEMBER_NAME = /^[a-z][a-z0-9_]{0,63}$/;
  const OWN_TYPES = /^(ledger|publisher|subject)\./;
  const LISTS_OF_PEOPLE = ['others', 'recipient_names', 'identifiers'];
  const NEVER_KEPT = ['child', 'others', 'practitioner', 'authoriser', 'person', 'identifiers'];
  const OF_DIGESTS = ['...', '_sd', '_sd_alg'];

  const isAgency = (value) => typeof value === 'string' && (AGENCY.test(value) || LEDGERS_OWN.includes(value));
  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const isHash = (value) => bytes.hashFromBase64url(value) !== null;
  const isPseudonym = (value) => {
    const match = typeof value === 'string' ? /^[a-z]{1,16}\.[0-9]{1,5}:(.{43})$/.exec(value) : null;
    return match !== null && isHash(match[1]);
  };

  /** @returns {Map} */
  const readHeader = (octets) => {
    const header = json.parse(octets);
    const good =
      json.hasExactly(header, ['alg', 'typ', 'kid']) &&
      ['Ed25519', 'EdDSA'].includes(header.get('alg')) &&
      header.get('typ') === 'statement+sd-jwt' &&
      isHash(header.get('kid'));
    if (!good) gt.refuse('header');
    return header;
  };

  /** In the order in which they are looked at (FORMATS 3): `data` needs `type`, and is read with all its rules before the rest. */
  const isPayloadMember = {
    type: (value) => typeof value === 'string' && /^[a-z_]{1,32}\.[a-z_]{1,32}$/.test(value),
    data: json.isObject,
    _sd_alg: (value) => value === 'sha-256',
    iss: isAgency,
    aud: (value) => typeof value === 'string',
    iat: isCount,
    publisher: isHash,
    on_behalf_of: isAgency,
    seq: isCount,
    prev: isHash,
    version: (value) => isCount(value) && value >= 1 && value <= 65535,
  };

  /** @returns {{claims: Map, read: object}} the payload, and what `readData` makes of its `data` */
  const readPayload = (octets) => {
    const claims = json.parse(octets);
    if (!json.isObject(claims)) gt.refuse('payload_member_bad');
    for (const member of claims.keys()) {
      if (!Object.hasOwn(isPayloadMember, member)) gt.refuse('payload_member_unknown');
    }
    let read = null;
    for (const [member, isGood] of Object.entries(isPayloadMember)) {
      const missing = !claims.has(member);
      if (missing && member !== 'on_behalf_of') gt.refuse('payload_member_missing', { member });
      if (!missing && !isGood(claims.get(member))) gt.refuse('payload_member_bad', { member });
      if (member === 'data') read = readData(claims.get('type'), claims.get('data'));
    }
    return { claims, read };
  };

  /** Whether a member of the digests' machinery stands anywhere in a value. */
  const holdsDigest = (value) => {
    if (Array.isArray(value)) return value.some(holdsDigest);
    if (!json.isObject(value)) return false;
    return OF_DIGESTS.some((name) => value.has(name)) || [...value.values()].some(holdsDigest);
  };

  /** The digests of a disclosable member, or null where it is in the clear. */
  const digestsOf = (name, value) => {
    const named = (element) => json.isObject(element) && element.has('...');
    if (!Array.isArray(value) || !value.some(named)) return null;
    const digests = value.map((element) => {
      const good = json.hasExactly(element, ['...']) && isHash(element.get('...'));
      return good ? element.get('...') : gt.refuse('digest_misplaced', { member: name });
    });
    if (digests.length > 1 && !LISTS_OF_PEOPLE.includes(name)) gt.refuse('too_many_elements', { member: name });
    return digests;
  };

  const checkClear = (value) => {
    if (typeof value === 'boolean') return;
    if (typeof value === 'string' && (CODE.test(value) || isAgency(value))) return;
    if (Array.isArray(value)) {
      value.forEach(checkClear);
    } else if (json.isObject(value)) {
      for (const [name, inner] of value) {
        if (!MEMBER_NAME.test(name)) gt.refuse('personal_data_in_clear');
        checkClear(inner);
      }
    } else {
      gt.refuse('personal_data_in_clear');
    }
  };

  /** The names in `kept`, in whose form nothing is asked yet of what they name. */
  const readKept = (kept) => {
    const good = Array.isArray(kept) && kept.every((name) => typeof name === 'string');
    if (!good || new Set(kept).size !== kept.length) gt.refuse('kept_bad');
    return new Set(kept);
  };

  /**
   * The rules of `data`.
   * @returns {{members: Map<string, string[]>, references: Map<string, {member: string, position: number}>, kept: Set<string>}}
   *   disclosable members in the payload's order, and what each digest refers to
   */
  const readData = (type, data) => {
    const members = new Map();
    const references = new Map();
    let kept = new Set();
    if (OWN_TYPES.test(type)) {
      for (const [name, value] of data) {
        if (!MEMBER_NAME.test(name)) gt.refuse('data_member_name');
        if (holdsDigest(value)) gt.refuse('digest_misplaced', { member: name });
      }
      return { members, references, kept };
    }
    for (const [name, value] of data) {
      if (!MEMBER_NAME.test(name)) gt.refuse('data_member_name');
      if (name === 'kept') {
        kept = readKept(value);
        continue;
      }
      const digests = digestsOf(name, value);
      if (digests === null) {
        if (holdsDigest(value)) gt.refuse('digest_misplaced', { member: name });
        checkClear(value);
        continue;
      }
      members.set(name, digests);
      for (const [position, digest] of digests.entries()) {
        if (references.has(digest)) gt.refuse('digest_repeated', { member: name });
        references.set(digest, { member: name, position });
      }
    }
    if ([...kept].some((name) => !members.has(name) || NEVER_KEPT.includes(name))) gt.refuse('kept_bad');
    return { members, references, kept };
  };

  /**
   * Reads `H.P.S`.
   * @param {string} signed
   * @returns {object} the statement: `hash` (base64url), `kid`, the payload's members by their names, `members`,
   *   `references`, `kept`, and for the signature `input` and `signature`
   */
  const read = (signed) => {
    if (bytes.utf8(signed).length > MAX_STATEMENT) gt.refuse('too_long');
    const parts = signed.split('.');
    if (parts.length !== 3) gt.refuse('not_compact');
    const decoded = (part) => bytes.fromBase64url(part) ?? gt.refuse('base64url');
    const kid = readHeader(decoded(parts[0])).get('kid');
    const { claims, read: readOfData } = readPayload(decoded(parts[1]));
    const signature = bytes.exactlyFromBase64url(parts[2], 64) ?? gt.refuse('base64url');
    return {
      hash: bytes.base64url(gt.sha256(bytes.utf8(signed))),
      kid,
      ...Object.fromEntries([...claims].filter(([name]) => name !== '_sd_alg')),
      ...readOfData,
      input: bytes.utf8(signed.slice(0, signed.lastIndexOf('.'))),
      signature,
    };
  };

  const digestOf = (text) => bytes.base64url(gt.sha256(bytes.utf8(text)));

  /**
   * Reads a disclosure of this statement.
   * @param {object} statement @param {string} text @param {Set<string>} seen digests of the disclosures before it
   * @returns {{digest: string, member: string, position: number, value: *}}
   */
  const readDisclosure = (statement, text, seen) => {
    if (text.length > MAX_DISCLOSURE) gt.refuse('too_long');
    const octets = bytes.fromBase64url(text) ?? gt.refuse('base64url');
    const digest = digestOf(text);
    const reference = statement.references.get(digest);
    if (reference === undefined) gt.refuse('disclosure_unreferenced');
    if (seen.has(digest)) gt.refuse('disclosure_repeated');
    const array = json.parse(octets);
    if (!Array.isArray(array) || array.length !== 2 || typeof array[0] !== 'string') gt.refuse('disclosure_malformed');
    const salt = bytes.fromBase64url(array[0]);
    if (salt === null || salt.length < 16) gt.refuse('salt_too_short');
    const value = array[1];
    if (holdsDigest(value)) gt.refuse('digest_in_disclosure');
    seen.add(digest);
    return { digest, ...reference, value };
  };

  /** Asked by a sealer, who has to know owners; a verifier takes what was sealed (FORMATS 3). */
  const checkPseudonym = ({ member, value }) => {
    const pseudonym = json.isObject(value) ? value.get('pseudonym') : undefined;
    const needed = member === 'child' || typeof pseudonym === 'string';
    if (needed && !isPseudonym(pseudonym)) gt.refuse('bad_pseudonym');
  };

  const namedBy = (value) => {
    const pseudonym = json.isObject(value) ? value.get('pseudonym') : undefined;
    return typeof pseudonym === 'string' ? pseudonym : null;
  };

  /**
   * Who owns what (FORMATS 3): an element that names a person is that person's, everything else the primary owner's.
   * @returns {{primary: string, owners: string[]}} owners in the order of the disclosures
   */
  const owners = (statement, disclosures) => {
    const position = (disclosure) => [...statement.references.keys()].indexOf(disclosure.digest);
    const inPayloadsOrder = [...disclosures].sort((a, b) => position(a) - position(b));
    const child = disclosures.find((disclosure) => disclosure.member === 'child');
    const first = child ?? inPayloadsOrder.find((disclosure) => namedBy(disclosure.value) !== null);
    const primary = first === undefined ? `agency:${statement.iss}` : namedBy(first.value);
    return { primary, owners: disclosures.map((disclosure) => namedBy(disclosure.value) ?? primary) };
  };

  /** What a sealer asks besides: everything that is not kept, and nothing that is. */
  const checkAsSealer = (statement, disclosures) => {
    disclosures.forEach(checkPseudonym);
    const here = new Set(disclosures.map((disclosure) => disclosure.digest));
    for (const [digest, { member }] of statement.references) {
      if (statement.kept.has(member) && here.has(digest)) gt.refuse('kept_but_sent', { member });
      if (!statement.kept.has(member) && !here.has(digest)) gt.refuse('disclosure_missing', { member });
    }
    const owned = owners(statement, disclosures);
    if (new Set([owned.primary, ...owned.owners]).size > MAX_OWNERS) gt.refuse('too_many_owners');
    return owned;
  };

  /**
   * Reads a compact SD-JWT with its disclosures.
   * @param {Uint8Array} octets @param {'sealer'|'verifier'} reader
   * @returns {{statement: object, disclosures: object[], owned: object}}
   */
  const readCompact = (octets, reader) => {
    if (octets.length > MAX_TOGETHER) gt.refuse('too_long');
    const text = bytes.fromUtf8(octets) ?? gt.refuse('not_utf8');
    const [signed, ...rest] = text.split('~');
    if (rest.length === 0) gt.refuse('not_compact');
    if (rest.pop() !== '') gt.refuse('key_binding_jwt');
    const statement = read(signed);
    const seen = new Set();
    const disclosures = rest.map((disclosure) => readDisclosure(statement, disclosure, seen));
    const owned = reader === 'sealer' ? checkAsSealer(statement, disclosures) : owners(statement, disclosures);
    return { statement, disclosures, owned };
  };

  /** @param {object} statement @param {Uint8Array} key @throws `bad_signature` */
  const checkSignature = async (statement, key) => {
    if (!(await gt.keys.verify(key, statement.signature, statement.input))) gt.refuse('bad_signature');
  };

  gt.statement = { read, readDisclosure, readCompact, owners, namedBy, checkSignature, isAgency, isHash, isPseudonym, MAX_TOGETHER };
})();
