"""Ports for servers that a test starts, where everything runs on one machine at once."""

import contextlib
import random
import socket

# Below the range from which systems give ports to outgoing connections: a port stays free while its server is down.
PORTS = range(10_000, 30_000)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that were free just now; all are held until the last is found, so they differ."""
    with contextlib.ExitStack() as held:
        numbers = []
        for port in random.sample(PORTS, len(PORTS)):
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                numbers.append(port)
            if len(numbers) == count:
                return numbers
    raise RuntimeError(f"fewer than {count} of the ports {PORTS.start} to {PORTS.stop - 1} are free")
