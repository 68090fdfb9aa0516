"""The broker's private certificate authority and its servers' certificates, made with openssl.

Only servers get certificates: users prove themselves by their nkeys. So a certificate of this authority is what lets a server
into the cluster, and the authority's key belongs offline with the provisioner's.
"""

import ipaddress
import os
import secrets
import subprocess
import tempfile
from pathlib import Path

AUTHORITY_DAYS = 3650
SERVER_DAYS = 730

AUTHORITY = """[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = Golden Thread broker authority
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
"""

# Both usages: in a cluster a server is also the client of the others' routes.
SERVER = """[req]
prompt = no
distinguished_name = name
[name]
CN = {name}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = {names}
"""


def make_authority(folder: Path) -> None:
    """`ca.pem` and `ca.key` into the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "authority.cnf")
        config.write_text(AUTHORITY)
        _make_key(folder / "ca.key")
        _openssl("req", "-new", "-x509", "-sha256", "-days", str(AUTHORITY_DAYS), "-set_serial", _serial(),
                 "-config", str(config), "-key", str(folder / "ca.key"), "-out", str(folder / "ca.pem"))


def make_server(authority: Path, folder: Path, name: str, hosts: list[str]) -> None:
    """`server.pem` and `server.key` into the folder, for these host names and addresses."""
    with tempfile.TemporaryDirectory() as scratch:
        config, request = Path(scratch, "server.cnf"), Path(scratch, "server.csr")
        config.write_text(SERVER.format(name=name, names=", ".join(_alternative(host) for host in hosts)))
        _make_key(folder / "server.key")
        _openssl("req", "-new", "-sha256", "-config", str(config), "-key", str(folder / "server.key"), "-out", str(request))
        _openssl("x509", "-req", "-sha256", "-days", str(SERVER_DAYS), "-set_serial", _serial(), "-in", str(request),
                 "-CA", str(authority / "ca.pem"), "-CAkey", str(authority / "ca.key"),
                 "-extfile", str(config), "-extensions", "extensions", "-out", str(folder / "server.pem"))


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, at no moment anybody else."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _alternative(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _make_key(path: Path) -> None:
    write_private(path, _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))


def _serial() -> str:
    return f"0x{secrets.randbits(126) | 1 << 126:x}"


def _openssl(*arguments: str) -> bytes:
    done = subprocess.run(["openssl", *arguments], capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
