//! Statements refused for their envelope: the compact form, the header, the payload's members.

use gt_core::base64url;

use crate::document::NewCase;
use crate::keys::spare_bits;
use crate::ledger::{COUNCIL_KEY, Writing, compact, header};
use crate::statements::{decision, of_council};

const SHAPE: &str = "DESIGN 2: H.P.S, then each disclosure, each followed by a tilde";
const KEY_BINDING: &str = "FORMATS 3: what follows the last tilde would be a key-binding JWT, and is refused";
const BASE64URL: &str = "DESIGN 2: base64url unpadded with zero spare bits";
const HEADER: &str = "DESIGN 2: the header is exactly alg, typ and kid with their values";
const PAYLOAD: &str = "DESIGN 2: the payload has exactly its members";
const STRICT: &str = "FORMATS 1: strict JSON, in header and payload alike";

pub(crate) fn cases() -> Vec<NewCase> {
    let mut cases = shapes();
    cases.extend(encodings());
    cases.extend(headers());
    cases.extend(payloads());
    cases.extend(strictness());
    cases
}

fn refused(name: &str, rule: &str, code: &'static str, statement: &str) -> NewCase {
    NewCase::refused(name, rule, code).with("statement", statement)
}

fn shapes() -> Vec<NewCase> {
    let (data, disclosures) = decision();
    let whole = of_council(&data, &disclosures);
    let bare = of_council("{}", &[]);
    let jws = bare.trim_end_matches('~');
    let (head, _) = jws.rsplit_once('.').expect("three parts");
    let utf8 = [bare.as_bytes(), b"\xff~"].concat();
    vec![
        refused("nothing", SHAPE, "not_compact", ""),
        refused("no tilde", SHAPE, "not_compact", jws),
        refused("no signature", SHAPE, "not_compact", &format!("{head}~")),
        refused("four parts", SHAPE, "not_compact", &format!("{jws}.AA~")),
        refused("a space before it", BASE64URL, "base64url", &format!(" {bare}")),
        refused("an empty disclosure", SHAPE, "disclosure_unreferenced", &format!("{bare}~")),
        refused("a newline after it", KEY_BINDING, "key_binding_jwt", &format!("{bare}\n")),
        refused(
            "truncated within the last disclosure",
            KEY_BINDING,
            "key_binding_jwt",
            &whole[..whole.len() - 9],
        ),
        refused("truncated before the last tilde", KEY_BINDING, "key_binding_jwt", &whole[..whole.len() - 1]),
        refused("truncated within the payload", SHAPE, "not_compact", &whole[..300]),
        refused("a key-binding JWT", KEY_BINDING, "key_binding_jwt", &format!("{whole}{jws}")),
        NewCase::refused("bytes that are no UTF-8", "DESIGN 2: UTF-8", "not_utf8")
            .with("statement_base64url", base64url::encode(&utf8)),
    ]
}

fn encodings() -> Vec<NewCase> {
    let bare = of_council("{}", &[]);
    let parts: Vec<&str> = bare.trim_end_matches('~').split('.').collect();
    let join = |header: &str, payload: &str, signature: &str| format!("{header}.{payload}.{signature}~");
    let standard = |text: &str| text.replace('-', "+").replace('_', "/");
    assert_ne!(standard(parts[2]), parts[2], "the signature shows the alphabets apart");
    let mut header = header(COUNCIL_KEY);
    while header.len().is_multiple_of(3) {
        header.push(' ');
    }
    let spare_header = spare_bits(&base64url::encode(header.as_bytes()));
    vec![
        refused(
            "padding after the signature",
            BASE64URL,
            "base64url",
            &join(parts[0], parts[1], &format!("{}==", parts[2])),
        ),
        refused(
            "the standard alphabet",
            BASE64URL,
            "base64url",
            &join(parts[0], parts[1], &standard(parts[2])),
        ),
        refused(
            "spare bits in the signature",
            BASE64URL,
            "base64url",
            &join(parts[0], parts[1], &spare_bits(parts[2])),
        ),
        refused("spare bits in the header", BASE64URL, "base64url", &join(&spare_header, parts[1], parts[2])),
        refused(
            "a newline within the payload",
            BASE64URL,
            "base64url",
            &join(parts[0], &format!("{}\n", parts[1]), parts[2]),
        ),
        refused(
            "a signature of 63 bytes",
            "FORMATS 3: an Ed25519 signature has 64 bytes",
            "base64url",
            &join(parts[0], parts[1], &base64url::encode(&[7; 63])),
        ),
        refused(
            "a signature of 65 bytes",
            "FORMATS 3: an Ed25519 signature has 64 bytes",
            "base64url",
            &join(parts[0], parts[1], &base64url::encode(&[7; 65])),
        ),
        refused(
            "no signature between full stop and tilde",
            "FORMATS 3: an Ed25519 signature has 64 bytes",
            "base64url",
            &join(parts[0], parts[1], ""),
        ),
        refused("an empty header", STRICT, "json_syntax", &join("", parts[1], parts[2])),
        refused("an empty payload", STRICT, "json_syntax", &join(parts[0], "", parts[2])),
    ]
}

fn headers() -> Vec<NewCase> {
    let payload = Writing::of_council("{}").payload();
    let sound = header(COUNCIL_KEY);
    let changes = [
        ("alg none", r#""alg":"Ed25519""#, r#""alg":"none""#),
        ("alg of another curve", r#""alg":"Ed25519""#, r#""alg":"ES256""#),
        ("alg in lower case", r#""alg":"Ed25519""#, r#""alg":"ed25519""#),
        ("no alg", r#""alg":"Ed25519","#, ""),
        ("typ of any SD-JWT", "statement+sd-jwt", "dc+sd-jwt"),
        ("typ with its media type's prefix", "statement+sd-jwt", "application/statement+sd-jwt"),
        ("no typ", r#""typ":"statement+sd-jwt","#, ""),
        ("a critical extension", "}", r#","crit":["exp"]}"#),
        ("a key of its own", "}", r#","jwk":{}}"#),
        ("no kid", r#","kid""#, r#","kid_""#),
        ("a kid that is no thumbprint", r#""kid":""#, r#""kid":"A"#),
        ("a kid that is no text", r#""kid":""#, r#""kid":1,"x":""#),
    ];
    let refusals = changes.iter().map(|(name, from, to)| {
        assert!(sound.contains(from), "{from}");
        let header = sound.replacen(from, to, 1);
        refused(name, HEADER, "header", &compact(header.as_bytes(), payload.as_bytes(), COUNCIL_KEY, &[]))
    });
    let array = compact(b"[]", payload.as_bytes(), COUNCIL_KEY, &[]);
    refusals.chain([refused("a header that is no object", HEADER, "header", &array)]).collect()
}

/// What is changed in the payload of a sound statement, and what that is refused with.
const PAYLOADS: [(&str, &str, &str, &str); 27] = [
    ("no iss", r#""iss":"gss:E06000005","#, "", "payload_member_missing"),
    ("no aud", r#""aud":"ledger.example/first","#, "", "payload_member_missing"),
    ("no iat", r#""iat":1772438400,"#, "", "payload_member_missing"),
    ("no seq", r#""seq":0,"#, "", "payload_member_missing"),
    ("no version", r#""version":1,"#, "", "payload_member_missing"),
    ("no data", r#""data":{},"#, "", "payload_member_missing"),
    ("no _sd_alg", r#","_sd_alg":"sha-256""#, "", "payload_member_missing"),
    ("exp", r#""seq":0"#, r#""seq":0,"exp":1"#, "payload_member_unknown"),
    ("cnf, for key binding", r#""seq":0"#, r#""seq":0,"cnf":{}"#, "payload_member_unknown"),
    ("_sd beside the members", r#""seq":0"#, r#""seq":0,"_sd":[]"#, "payload_member_unknown"),
    ("iss without a scheme", "gss:E06000005", "E06000005", "payload_member_bad"),
    ("iss of an unknown scheme", "gss:E06000005", "nhs:E06000005", "payload_member_bad"),
    ("iss of 17 characters", "gss:E06000005", "gss:E0600000512345678", "payload_member_bad"),
    ("iss with a hyphen", "gss:E06000005", "gss:E06-000005", "payload_member_bad"),
    ("iss of the ledger that is neither of its own", "gss:E06000005", "ledger:council", "payload_member_bad"),
    ("aud is a list", r#""ledger.example/first""#, r#"["ledger.example/first"]"#, "payload_member_bad"),
    ("iat is text", "1772438400", r#""1772438400""#, "payload_member_bad"),
    ("seq is negative", r#""seq":0"#, r#""seq":-1"#, "payload_member_bad"),
    ("on_behalf_of is no agency", r#""seq":0"#, r#""on_behalf_of":"school","seq":0"#, "payload_member_bad"),
    (
        "prev of 31 bytes",
        r#""prev":""#,
        r#""prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","data_":""#,
        "payload_member_unknown",
    ),
    ("type without a full stop", "decision.recorded", "decision", "payload_member_bad"),
    ("type in capitals", "decision.recorded", "Decision.recorded", "payload_member_bad"),
    ("type of three words", "decision.recorded", "decision.recorded.twice", "payload_member_bad"),
    ("version 0", r#""version":1"#, r#""version":0"#, "payload_member_bad"),
    ("version 65536", r#""version":1"#, r#""version":65536"#, "payload_member_bad"),
    ("another digest algorithm", "sha-256", "sha-512", "payload_member_bad"),
    ("data is a list", r#""data":{}"#, r#""data":[]"#, "payload_member_bad"),
];

fn payloads() -> Vec<NewCase> {
    let sound = Writing::of_council("{}").payload();
    let sign = |payload: &str| compact(header(COUNCIL_KEY).as_bytes(), payload.as_bytes(), COUNCIL_KEY, &[]);
    let changed = PAYLOADS.iter().map(|(name, from, to, code)| {
        assert!(sound.contains(from), "{from}");
        refused(name, PAYLOAD, code, &sign(&sound.replacen(from, to, 1)))
    });
    let whole = [refused("a payload that is no object", PAYLOAD, "payload_member_bad", &sign("[]"))];
    changed.chain(whole).collect()
}

fn strictness() -> Vec<NewCase> {
    let sound = Writing::of_council(r#"{"decision":"Share"}"#).payload();
    let change = |from: &str, to: &str| {
        assert!(sound.contains(from), "{from}");
        sound.replacen(from, to, 1).into_bytes()
    };
    let deep = format!("{}true{}", "[".repeat(15), "]".repeat(15));
    let mut not_utf8 = change("Share", "Shar?");
    let at = not_utf8.iter().position(|byte| *byte == b'?').expect("just put there");
    not_utf8[at] = 0xFF;
    let payloads = [
        ("a repeated member", "json_duplicate_member", change(r#""seq":0"#, r#""seq":0,"seq":1"#)),
        (
            "a repeated member, once escaped",
            "json_duplicate_member",
            change(r#""seq":0"#, r#""seq":0,"s\u0065q":1"#),
        ),
        ("a whole fraction", "json_number", change(r#""seq":0"#, r#""seq":0.0"#)),
        ("minus zero", "json_number", change(r#""seq":0"#, r#""seq":-0"#)),
        ("a number over 2^53−1", "json_number", change("1772438400", "9007199254740992")),
        ("a byte-order mark", "json_byte_order_mark", [b"\xef\xbb\xbf", sound.as_bytes()].concat()),
        ("a byte that UTF-8 does not have", "json_not_utf8", not_utf8),
        ("a lone surrogate", "json_lone_surrogate", change("Share", r"\ud800Share")),
        ("U+0000", "json_nul", change("Share", r"Share\u0000")),
        ("__proto__", "json_proto", change(r#""decision""#, r#""__proto__":true,"decision""#)),
        ("seventeen levels", "json_too_deep", change(r#""Share""#, &deep)),
        ("text after the value", "json_syntax", format!("{sound},").into_bytes()),
    ];
    let cases = payloads.iter().map(|(name, code, payload)| {
        let statement = compact(header(COUNCIL_KEY).as_bytes(), payload, COUNCIL_KEY, &[]);
        refused(&format!("{name} in the payload"), STRICT, code, &statement)
    });
    let doubled = header(COUNCIL_KEY).replacen('{', r#"{"alg":"none","#, 1);
    let marked = [b"\xef\xbb\xbf", header(COUNCIL_KEY).as_bytes()].concat();
    let of_headers = [
        ("a repeated member in the header", "json_duplicate_member", doubled.into_bytes()),
        ("a byte-order mark in the header", "json_byte_order_mark", marked),
    ];
    let of_headers = of_headers.iter().map(|(name, code, header)| {
        refused(name, STRICT, code, &compact(header, sound.as_bytes(), COUNCIL_KEY, &[]))
    });
    cases.chain(of_headers).collect()
}
