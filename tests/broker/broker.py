"""A provisioned broker on free ports of the loopback: its servers, its users, and what its streams hold."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from nats.aio.msg import Msg
from nats.errors import NoRespondersError, TimeoutError

from connection import User, connect
from ports import free_ports

PROVISION = Path(__file__).resolve().parents[2] / "deploy" / "nats" / "provision"
AGENCIES = ("gss:E06999901", "police:99")
LIMIT = 60.0  # seconds after which a condition that has not come true fails its check


def provision(folder: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, str(PROVISION), str(folder), *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"provision failed: {done.stderr.strip()}")


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for a condition outside this process."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {LIMIT:.0f} s for: {what}")
        time.sleep(0.02)


class Process:
    """One nats-server, a broker's or a leaf, run in its own folder."""

    def __init__(self, binary: Path, home: Path, config: str) -> None:
        self.home = home
        self.log = home / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([str(binary), "--config", config], cwd=home, stdout=log, stderr=log)
        until(lambda: self.says("Server is ready") or self.process.poll() is not None, f"{home.name} to be ready")
        if self.process.poll() is not None:
            raise RuntimeError(f"{home.name} ended: {self.log.read_text(errors='replace')[-2000:]}")

    def says(self, text: str) -> bool:
        return text in self.log.read_text(errors="replace")

    def reload(self, binary: Path) -> None:
        """As an operator does it, by the pid file."""
        before = self.log.read_text(errors="replace").count("Reloaded server configuration")
        subprocess.run([str(binary), "--signal", "reload=nats-server.pid"], cwd=self.home, check=True, capture_output=True)
        until(lambda: self.log.read_text(errors="replace").count("Reloaded server configuration") > before, "the reload")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Broker:
    """The broker of a fictional partnership."""

    def __init__(self, binary: Path, folder: Path, servers: int) -> None:
        self.binary, self.folder, self.count = binary, folder, servers
        numbers = free_ports(3 * servers)
        self.ports, self.cluster_ports, self.leaf_ports = (numbers[at::3] for at in range(3))
        provision(folder, "--servers", str(servers), "--max-file-store", "256MB", "--monitor-port", "0",
                  *(f"--agency={code}" for code in AGENCIES),
                  *(f"--{name}={','.join(map(str, ports))}" for name, ports in
                    (("port", self.ports), ("cluster-port", self.cluster_ports), ("leaf-port", self.leaf_ports))))
        self.processes: list[Process] = []
        self.connections: list[User] = []

    def start(self) -> None:
        for at in range(self.count):
            self.processes.append(Process(self.binary, self.folder / "servers" / f"gt-nats-{at + 1}", "server.conf"))

    async def stop(self) -> None:
        for connection in self.connections:
            await connection.close()
        for process in self.processes:
            process.stop()

    @property
    def authority(self) -> Path:
        return self.folder / "ca" / "ca.pem"

    def url(self, server: int = 0) -> str:
        return f"tls://127.0.0.1:{self.ports[server]}"

    def seed(self, name: str) -> str:
        """Of `sealer`, `node`, `provisioner`, or of an agency by its code."""
        kind = "agencies" if ":" in name else "users"
        return (self.folder / kind / f"{name.replace(':', '-')}.nk").read_text()

    async def user(self, name: str, server: int = 0) -> User:
        connection = await connect(self.url(server), self.authority, self.seed(name))
        self.connections.append(connection)
        return connection


async def ask(user: User, subject: str, payload: bytes, timeout: float = 10) -> Msg | None:
    """Sends the same bytes until they are answered, as an outbox does; None if they never are. Between servers, and through a
    leaf, a subscription takes a moment to become known."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            return await user.request(subject, payload, timeout=timeout)
        except (NoRespondersError, TimeoutError):
            await asyncio.sleep(0.05)
    return None


async def api(user: User, call: str, body: object = None, prefix: str = "$JS.API") -> dict:
    """A JetStream API request and its answer."""
    payload = b"" if body is None else json.dumps(body).encode()
    return json.loads((await user.request(f"{prefix}.{call}", payload, timeout=10)).data)
