"""The checker is checked first, on published vectors and on trees small enough to compute naively.

Sources: the signed-note example of C2SP; RFC 8037 appendix A (keys, thumbprint, signature; the key is RFC 8032's test 1);
RFC 9901 section 4.2 (disclosure digests); the eight leaves and roots that Certificate Transparency implementations share.
"""

import sys

from joserfc import jws
from joserfc.jwk import OKPKey

from checks import Checks
from receipt import NotSound, VerifierKey, check_consistency, leaf_hash, node_hash, open_note, root_from_inclusion
from statement import AgencyKey, b64url, digest, split_for_disclosure, unb64url

C2SP_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

RFC8037_KEY = {
    "kty": "OKP",
    "crv": "Ed25519",
    "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
RFC8037_JWS = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)

RFC9901_DIGESTS = {
    "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0":
        "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
    "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0":
        "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
}

CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def split_point(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def tree_root(leaves: list) -> bytes:
    """MTH of RFC 6962 section 2.1, as it is defined."""
    if len(leaves) == 1:
        return leaves[0]
    k = split_point(len(leaves))
    return node_hash(tree_root(leaves[:k]), tree_root(leaves[k:]))


def inclusion_path(index: int, leaves: list) -> list:
    if len(leaves) == 1:
        return []
    k = split_point(len(leaves))
    if index < k:
        return inclusion_path(index, leaves[:k]) + [tree_root(leaves[k:])]
    return inclusion_path(index - k, leaves[k:]) + [tree_root(leaves[:k])]


def consistency_path(first: int, leaves: list, whole: bool = True) -> list:
    """SUBPROOF of RFC 6962 section 2.1.2."""
    if first == len(leaves):
        return [] if whole else [tree_root(leaves)]
    k = split_point(len(leaves))
    if first <= k:
        return consistency_path(first, leaves[:k], whole) + [tree_root(leaves[k:])]
    return consistency_path(first - k, leaves[k:], False) + [tree_root(leaves[:k])]


def refused(check, *arguments) -> bool:
    try:
        check(*arguments)
    except NotSound:
        return True
    return False


def flipped(raw: bytes) -> bytes:
    return bytes([raw[0] ^ 1]) + raw[1:]


def check_notes(checks: Checks) -> None:
    key = VerifierKey.parse(C2SP_VKEY)
    checks.record(open_note(C2SP_NOTE, [key]) == "This is an example message.\n", "C2SP's example note opens")
    checks.record(refused(open_note, C2SP_NOTE.replace("message", "massage"), [key]), "its changed text does not")
    checks.record(refused(open_note, C2SP_NOTE, []), "nor the note without a pinned key")
    checks.record(refused(VerifierKey.parse, C2SP_VKEY.replace("530d", "530e")), "a key id that is not the key's is refused")


def check_keys(checks: Checks) -> None:
    key = OKPKey.import_key(RFC8037_KEY)
    checks.record(key.thumbprint() == RFC8037_THUMBPRINT, "RFC 8037's thumbprint")
    text = jws.serialize_compact({"alg": "EdDSA"}, b"Example of Ed25519 signing", key, algorithms=["EdDSA"])
    checks.record(text == RFC8037_JWS, "RFC 8037's signature")
    agency = AgencyKey(key)
    signed = agency.sign({"seq": 0}, "Ed25519")
    header = unb64url(signed.split(".")[0]).decode()
    checks.record(header == f'{{"alg":"Ed25519","typ":"statement+sd-jwt","kid":"{RFC8037_THUMBPRINT}"}}',
                  "the protected header has exactly alg, typ and kid")
    genesis = b64url(bytes(range(32)))
    proof = unb64url(agency.registration(genesis, "charity:999001")["proof"])
    message = b"gt/key/1\x00" + bytes(range(32)) + unb64url(RFC8037_THUMBPRINT) + b"charity:999001"
    key.public_key.verify(proof, message)
    checks.record(len(message) == 9 + 32 + 32 + 14, "the proof of possession verifies over its 87 bytes")


def check_disclosures(checks: Checks) -> None:
    for text, expected in RFC9901_DIGESTS.items():
        checks.record(digest(text) == expected, f"RFC 9901's digest {expected[:8]}")
    draft = {"decision": "Share", "child": {"pseudonym": "p1"}, "others": [{"pseudonym": "p2"}, {"pseudonym": "p3"}],
             "rationale": "text"}
    signed, disclosures, owners = split_for_disclosure(draft)
    held = signed["decision"] == "Share" and len(signed["others"]) == 2 and len(signed["rationale"]) == 1
    checks.record(held and len(disclosures) == 4, "one disclosure a member, one a person in lists")
    checks.record(owners == {"p1", "p2", "p3"}, "a text is owned by the child, a person's element by that person")


def check_trees(checks: Checks) -> None:
    leaves = [leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES]
    roots = [tree_root(leaves[:size]).hex() for size in range(1, 9)]
    checks.record(roots == CT_ROOTS, "the eight shared roots")

    leaves = [leaf_hash(bytes([number])) for number in range(33)]
    good = bad = total = 0
    for size in range(1, len(leaves) + 1):
        tree, root = leaves[:size], tree_root(leaves[:size])
        for index in range(size):
            path = inclusion_path(index, tree)
            total += 1
            good += root_from_inclusion(index, size, tree[index], path) == root
            longer = refused(root_from_inclusion, index, size, tree[index], path + [root])
            shorter = path == [] or refused(root_from_inclusion, index, size, tree[index], path[:-1])
            other = path == [] or root_from_inclusion(index, size, tree[index], [flipped(path[0]), *path[1:]]) != root
            bad += longer and shorter and other
    checks.record(good == total, f"{total} inclusion proofs lead to their roots")
    checks.record(bad == total, "lengthened, shortened and changed, they do not")

    good = bad = total = 0
    for second in range(1, len(leaves) + 1):
        new = tree_root(leaves[:second])
        for first in range(1, second + 1):
            old, path = tree_root(leaves[:first]), consistency_path(first, leaves[:second])
            total += 1
            good += not refused(check_consistency, first, second, old, new, path)
            bad += refused(check_consistency, first, second, flipped(old), new, path) and refused(
                check_consistency, first, second, old, flipped(new), path)
    checks.record(good == total, f"{total} consistency proofs hold")
    checks.record(bad == total, "with another root on either side they do not")


def main() -> int:
    checks = Checks(sys.argv[1])
    for part in (check_notes, check_keys, check_disclosures, check_trees):
        with checks.part(f"self-test {part.__name__}"):
            part(checks)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
