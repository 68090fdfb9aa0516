"""The ledger's side of the run over NATS: a broker as deploy/nats sets it up, a full node that seals, and a follower."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from intake import Broker
from ports import free_ports

PROVISION = Path(__file__).resolve().parents[2] / "deploy" / "nats" / "provision"
ORIGIN = "interop.example/golden-thread-on-nats"
LIMIT_SECONDS = 60
# What only the node that seals has, and what only the registrar needs.
NOT_A_FOLLOWERS = ("checkpoint.jwk", "checkpoint-ml-dsa-44.jwk", "registrar.jwk")


def until(holds, what: str) -> None:
    """Waits for something outside this process."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {LIMIT_SECONDS} s for {what}")
        time.sleep(0.05)


class Process:
    """A server in the background, started in its own folder so that `run` can tell it from any other process."""

    def __init__(self, name: str, command: list, home: Path, pids: Path):
        self.name, self.log = name, home / f"{name}.log"
        self.output = home / f"{name}.out"
        # In all its lives one log; this life's part of it begins here.
        self.began = self.log.stat().st_size if self.log.exists() else 0
        with self.output.open("wb") as output, self.log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=log)
        with pids.open("a", encoding="ascii") as file:
            file.write(f"{self.process.pid} {home}\n")

    def until_ready(self, ready) -> None:
        until(lambda: ready() or self.process.poll() is not None, f"{self.name} to be ready")
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {self.logged()[-2000:]}")

    def logged(self) -> str:
        return self.log.read_bytes()[self.began :].decode("utf-8", errors="replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """SIGTERM; the exit status, or -9 if it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode


class Deployment:
    """One broker and two nodes on it, each with a folder and secrets of its own. Use with `with`: it stops what it started."""

    def __init__(self, program: str, nats_server: str, folder: Path):
        self.program, self.nats_server, self.folder = program, nats_server, folder
        self.setup, self.data, self.copy = folder / "broker", folder / "ledger", folder / "follower"
        self.pids = folder / "pids"
        self.client_port, self.leaf_port = free_ports(2)
        self.running = {}

    def __enter__(self) -> "Deployment":
        return self

    def __exit__(self, *_) -> None:
        for process in self.running.values():
            process.kill()

    @property
    def broker(self) -> Broker:
        return Broker(f"tls://127.0.0.1:{self.client_port}", str(self.setup / "ca" / "ca.pem"))

    @property
    def pin(self) -> Path:
        return Path(f"{self.data}.secrets", "ledger.json")

    @property
    def registrar(self) -> Path:
        return Path(f"{self.data}.secrets", "registrar.jwk")

    def agency_seed(self, code: str) -> Path:
        """Where `provision` has put the seed that it made for an agency."""
        return self.setup / "agencies" / f"{code.replace(':', '-')}.nk"

    def provision(self, agencies: list) -> subprocess.CompletedProcess:
        """One server; each agency as `CODE`, or as `CODE=U…` if it made its own key."""
        return subprocess.run(
            [sys.executable, str(PROVISION), str(self.setup), "--servers", "1", "--port", str(self.client_port),
             "--leaf-port", str(self.leaf_port), "--monitor-port", "0", "--max-file-store", "2GB",
             *(f"--agency={each}" for each in agencies)],
            capture_output=True, text=True, check=False)

    def goldenthread(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
        return subprocess.run([self.program, *arguments], input=stdin, capture_output=True, text=True, check=False)

    def on_nats(self, user: str) -> list:
        """How a user of the broker is told to connect."""
        options = ["--nats", self.broker.url, "--nats-ca", self.broker.authority]
        options += ["--nats-credentials", str(self.setup / "users" / f"{user}.nk")]
        # The provisioner alone is in the account of the streams; the others import what they may call.
        return options if user == "provisioner" else [*options, "--nats-api-prefix", "gt.js"]

    def share_secrets(self) -> None:
        """What the follower may have of the secrets. Its data folder is not there: it makes it from the stream."""
        secrets = f"{self.copy}.secrets"
        shutil.copytree(f"{self.data}.secrets", secrets, ignore=shutil.ignore_patterns(*NOT_A_FOLLOWERS))

    def start(self, name: str) -> str:
        """Starts the broker, the sealer or the follower, and waits until it serves. Returns its URL."""
        if name == "broker":
            home = self.setup / "servers" / "gt-nats-1"
            broker = self.launch(name, [self.nats_server, "--config", "server.conf"], home)
            broker.until_ready(lambda: "Server is ready" in broker.logged())
            return self.broker.url
        data, options = (self.data, self.on_nats("sealer")) if name == "sealer" else (self.copy, [*self.on_nats("node"), "--follow"])
        command = [self.program, "serve", "--json", "--data", str(data), "--listen", "127.0.0.1:0", *options]
        node = self.launch(name, command, self.folder)
        node.until_ready(lambda: node.output.read_bytes().endswith(b"\n"))
        return json.loads(node.output.read_text().splitlines()[0])["listening"]

    def launch(self, name: str, command: list, home: Path) -> Process:
        self.running[name] = Process(name, command, home, self.pids)
        return self.running[name]

    def stop(self, name: str) -> int:
        return self.running.pop(name).terminate()

    def kill(self, name: str) -> None:
        """`kill -9`."""
        self.running.pop(name).kill()

    def last_words(self) -> str:
        """The end of every log, for whoever looks into a failure."""
        logs = sorted(self.folder.rglob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in logs)
