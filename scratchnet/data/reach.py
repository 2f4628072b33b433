"""Which hosts answer, within a time that holds whatever the network does.

Resolving a name cannot be interrupted, and a connection is tried for every address of a host in turn: so each host
is tried in a process of its own, which can be ended.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

PORTS = {"http": 80, "https": 443}
PROBE = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()"


def endpoint(url: str) -> tuple[str, int]:
    """Host and port that a request for `url` connects to: the proxy's where one is set."""
    parts = urlsplit(url)
    proxy = None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)


def reachable(urls: Iterable[str], patience: float) -> set[str]:
    """The URLs whose host accepts a connection within `patience` seconds, all tried at once.

    Returns as soon as the first answers and the others have had half a second more.
    """
    urls = list(urls)
    if not sys.executable:  # embedded: nothing to start a process with
        return set(urls)
    until = time.monotonic() + patience
    probes = {}
    try:
        for place in {endpoint(url) for url in urls}:
            arguments = [sys.executable, "-I", "-S", "-c", PROBE, place[0], str(place[1]), str(patience)]
            probes[place] = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        answered = False
        while time.monotonic() < until and any(probe.poll() is None for probe in probes.values()):
            if not answered and any(probe.poll() == 0 for probe in probes.values()):
                answered, until = True, min(until, time.monotonic() + 0.5)
            time.sleep(0.01)
    finally:
        for probe in probes.values():
            if probe.poll() is None:
                probe.kill()
            probe.wait()
    return {url for url in urls if probes[endpoint(url)].returncode == 0}
