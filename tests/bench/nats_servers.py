"""Three nats-servers in one cluster, each syncing every write, as a ledger needs them."""

import json
import subprocess
import urllib.request

from ports import free_ports
from processes import end, wait_until

CONFIGURATION = """server_name: "bench-{number}"
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
max_payload: 1MB
jetstream {{ store_dir: "jetstream", sync_interval: always, max_file_store: 1TB }}
cluster {{ name: "bench", listen: "127.0.0.1:{route}", routes: [{routes}] }}
"""
SERVERS = 3


class Cluster:
    """The servers, in folders of their own."""

    def __init__(self, program, folder):
        self.program, self.folder, self.processes = program, folder / "nats", []

    def __enter__(self):
        ports = free_ports(3 * SERVERS)
        clients, monitors, routes = (ports[at * SERVERS:(at + 1) * SERVERS] for at in range(3))
        self.urls = ",".join(f"nats://127.0.0.1:{port}" for port in clients)
        self.monitors = [f"http://127.0.0.1:{port}" for port in monitors]
        try:
            for number in range(SERVERS):
                self._start(number, clients[number], monitors[number], routes)
            wait_until(self._has_leader, "the cluster of nats-servers", self.processes[0], self.folder / "0" / "log")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes:
            end(process)

    def _start(self, number, client, monitor, routes):
        folder = self.folder / str(number)
        folder.mkdir(parents=True)
        others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in routes)
        text = CONFIGURATION.format(
            number=number, client=client, monitor=monitor, route=routes[number], routes=others
        )
        (folder / "server.conf").write_text(text)
        with (folder / "log").open("w") as log:
            self.processes.append(subprocess.Popen(
                [self.program, "-c", "server.conf"], cwd=folder, stdout=log, stderr=log, start_new_session=True
            ))

    def _has_leader(self):
        """Whether every server knows the leader and all of the others."""
        try:
            for monitor in self.monitors:
                with urllib.request.urlopen(f"{monitor}/jsz", timeout=2) as answer:
                    meta = json.load(answer).get("meta_cluster") or {}
                if not meta.get("leader") or meta.get("cluster_size") != SERVERS:
                    return False
            return True
        except (OSError, ValueError):
            return False

    def options(self):
        """What `goldenthread bench` is told to measure with these servers."""
        told = ["--nats", self.urls]
        for monitor in self.monitors:
            told += ["--nats-monitor", monitor]
        return [*told, "--nats-processes", ",".join(str(process.pid) for process in self.processes)]
