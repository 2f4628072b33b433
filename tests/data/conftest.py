import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from scratchnet.data import UnavailableError, write_idx
from scratchnet.data.catalog import IDX_FILES
from scratchnet.data.sources import entry_of, find


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("real_data") and not os.environ.get("SCRATCHNET_DATA"):
            item.add_marker(pytest.mark.skip(reason="SCRATCHNET_DATA is not set to a folder with real data sets"))


@pytest.fixture
def real_folder():
    """real_folder(name): SCRATCHNET_DATA's folder of that data set; skips where that has none of its files."""

    def folder(name):
        place = os.path.join(os.environ["SCRATCHNET_DATA"], name)
        try:
            find(entry_of(name), place)
        except UnavailableError:
            pytest.skip(f"the folder that SCRATCHNET_DATA names has no {name}/ with the data set's files")
        return place

    return folder


@pytest.fixture
def idx_family(tmp_path):
    """idx_family(n, n_test): a folder with the four files of a small random IDX family; returns it and the arrays."""

    def make(n=12, n_test=6, *, folder=None, suffix=".gz"):
        folder = folder or tmp_path / "family"
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(n)
        arrays = [
            rng.integers(0, 256, (n, 5, 4), np.uint8),
            (np.arange(n) % 10).astype(np.uint8),
            rng.integers(0, 256, (n_test, 5, 4), np.uint8),
            (np.arange(n_test) % 5).astype(np.uint8),
        ]
        for name, array in zip(IDX_FILES, arrays, strict=True):
            write_idx(folder / f"{name}{suffix}", array)
        return folder, arrays

    return make


class Server:
    """A web server on this machine. `serve[path]` is bytes, or a function that is given the request's handler."""

    def __init__(self):
        self.serve, self.asked, self.release = {}, [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                content = outer.serve.get(self.path)
                if content is None:
                    self.send_error(404)
                elif callable(content):
                    content(self)
                else:
                    outer.send(self, content)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def mirror(self, name):
        return f"http://127.0.0.1:{self.http.server_port}/{name}/"

    @staticmethod
    def send(handler, content, length=None):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)
        handler.wfile.flush()

    def hang(self, handler):
        self.release.wait(30)

    def stop(self):
        self.release.set()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The user's cache, empty, and no SCRATCHNET_DATA."""
    monkeypatch.delenv("SCRATCHNET_DATA", raising=False)
    folder = tmp_path / "cache"
    monkeypatch.setattr("scratchnet.data.sources.cache_folder", lambda: folder)
    return folder
