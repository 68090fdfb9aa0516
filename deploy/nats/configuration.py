"""The servers' configuration files, filled in from the templates beside this file."""

import re
from dataclasses import dataclass, field
from pathlib import Path

TEMPLATES = Path(__file__).parent
PLACE = re.compile(r"@([A-Z_]+)@")


@dataclass
class Server:
    """One server of the broker. A monitor port of 0 means none."""

    name: str
    hosts: list[str]  # the first is what clients and other servers are told; all stand in its certificate
    client_port: int
    cluster_port: int
    leaf_port: int
    monitor_port: int


@dataclass
class Agency:
    """An agency's public keys: its own user's, and its leaf node's if it has one."""

    user: str
    leaf: str = ""


@dataclass
class Partnership:
    """Everything that the configuration depends on; no secrets. Kept as `partnership.json`."""

    listen: str
    max_file_store: str
    servers: list[Server]
    sealer: str = ""
    provisioner: str = ""
    node: str = ""
    agencies: dict[str, Agency] = field(default_factory=dict)


def slug(agency: str) -> str:
    """An agency code as a file name. No scheme holds a hyphen and no code a colon, so no two codes share one."""
    return agency.replace(":", "-")


def server_conf(partnership: Partnership, server: Server) -> str:
    """`server.conf`. The monitoring port, if any, is on the loopback only: it needs no credentials and tells much."""
    others = [other for other in partnership.servers if other is not server]
    values = {
        "SERVER": server.name,
        "HOST": server.hosts[0],
        "LISTEN": partnership.listen,
        "CLIENT_PORT": str(server.client_port),
        "CLUSTER_PORT": str(server.cluster_port),
        "LEAF_PORT": str(server.leaf_port),
        "MAX_FILE_STORE": partnership.max_file_store,
        "MONITOR": f'http: "127.0.0.1:{server.monitor_port}"' if server.monitor_port else "# No monitoring port.",
        "ROUTES": ", ".join(f'"nats-route://{other.hosts[0]}:{other.cluster_port}"' for other in others),
    }
    values["CLUSTER"] = _fill("cluster.conf.template", values) if others else ""
    return _fill("server.conf.template", values)


def accounts_conf(partnership: Partnership) -> str:
    """`accounts.conf`, the same on every server."""
    exports, accounts = [], []
    for code, agency in sorted(partnership.agencies.items()):
        exports.append(f'      {{ service: "gt.intake.{code}.*", accounts: ["{code}"] }}')
        accounts.append(_agency_account(code, agency))
    return _fill("accounts.conf.template", {
        "SEALER": partnership.sealer,
        "PROVISIONER": partnership.provisioner,
        "NODE": partnership.node,
        "AGENCY_EXPORTS": "\n".join(exports),
        "AGENCY_ACCOUNTS": "".join(accounts).rstrip("\n"),
    })


def leaf_conf(code: str, agency: Agency, hubs: list[str], client_port: int) -> str:
    """`leaf.conf` of an agency's own site; `hubs` are HOST:PORT of the broker's leaf listeners."""
    return _fill("leaf.conf.template", {
        "AGENCY": code,
        "SLUG": slug(code),
        "USER": agency.user,
        "CLIENT_PORT": str(client_port),
        "HUBS": ", ".join(f'"tls://{hub}"' for hub in hubs),
    })


def _agency_account(code: str, agency: Agency) -> str:
    keys = {"STANDARD": agency.user, "LEAFNODE": agency.leaf}
    users = [
        _fill("agency-user.conf.template", {"AGENCY": code, "USER": key, "CONNECTION": connection})
        for connection, key in keys.items()
        if key
    ]
    return _fill("agency.conf.template", {"AGENCY": code, "USERS": "".join(users).rstrip("\n")})


def _fill(template: str, values: dict[str, str]) -> str:
    """Puts the values in one pass, so a value is never searched for places. An unknown place is a KeyError."""
    return PLACE.sub(lambda place: values[place[1]], (TEMPLATES / template).read_text())
