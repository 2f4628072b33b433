import gzip
import hashlib
import os
import socket
import tarfile
import time

import pytest

from scratchnet.data import DataError, UnavailableError, load, read_idx
from scratchnet.data.catalog import CATALOG, IDX_FILES, Entry, RemoteFile
from scratchnet.data.cifar import FOLDER
from scratchnet.data.download import _reason, fetch
from scratchnet.data.reach import endpoint, reachable
from scratchnet.data.sources import find

from .test_cifar import make as make_cifar

PATIENCE = 1.5


@pytest.fixture
def served(server, idx_family, tmp_path):
    """A small MNIST-like data set on two mirrors: the catalog's entry, and the bytes by name."""
    folder, _ = idx_family(folder=tmp_path / "served")
    content = {f"{name}.gz": (folder / f"{name}.gz").read_bytes() for name in IDX_FILES}
    for name, packed in content.items():
        server.serve[f"/a/{name}"] = server.serve[f"/b/{name}"] = packed

    def entry(*, by_content=True, mirrors=("a", "b")):
        files = tuple(
            RemoteFile(
                name,
                len(packed),
                hashlib.sha256(packed).hexdigest(),
                hashlib.sha256(gzip.decompress(packed)).hexdigest() if by_content else None,
            )
            for name, packed in content.items()
        )
        return Entry("mnist", "idx", files, tuple(server.mirror(m) for m in mirrors), tuple("0123456789"))

    return entry, content


def test_download_then_cache(served, server, cache, monkeypatch):
    entry, content = served
    monkeypatch.setitem(CATALOG, "mnist", entry())
    data = load("mnist", val=2)
    assert "downloaded" in data.source
    assert sorted(os.listdir(cache / "mnist")) == sorted(content)
    asked = len(server.asked)
    assert asked == 4
    again = load("auto", val=2)
    assert "cache" in again.source
    assert again.note == ""
    assert (again.train.x == data.train.x).all()
    assert len(server.asked) == asked
    (cache / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    load("mnist", val=2)
    assert server.asked[asked:] == ["/a/t10k-labels-idx1-ubyte.gz"]


def truncated(server, content):
    return lambda handler: server.send(handler, content[:-5], len(content))


def stalled(server, content):
    def answer(handler):
        server.send(handler, content[:40], len(content))
        server.hang(handler)

    return answer


FAULTS = {
    "absent": lambda server, content: None,
    "empty": lambda server, content: b"",
    "truncated": truncated,
    "short": lambda server, content: content[:-5],
    "wrong checksum": lambda server, content: gzip.compress(b"\0\0\x08\x01\0\0\0\x01\0"),
    "no gzip": lambda server, content: b"<html>log in to the network first</html>",
    "endless": lambda server, content: bytes(len(content) + (3 << 20)),
    "hanging": lambda server, content: server.hang,
    "stalled": stalled,
}


@pytest.mark.parametrize("by_content", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
def test_second_mirror_makes_good(served, server, cache, fault, by_content):
    entry, content = served
    name = "train-labels-idx1-ubyte.gz"
    server.serve[f"/a/{name}"] = FAULTS[fault](server, content[name])
    place = find(entry(by_content=by_content), patience=PATIENCE)
    for name, packed in content.items():
        assert (place.folder / name).read_bytes() == packed
    assert sorted(os.listdir(place.folder)) == sorted(content)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_good_mirror(served, server, cache, fault):
    entry, content = served
    name = "train-images-idx3-ubyte.gz"
    for mirror in "ab":
        server.serve[f"/{mirror}/{name}"] = FAULTS[fault](server, content[name])
    start = time.monotonic()
    with pytest.raises(UnavailableError, match="could not be downloaded") as caught:
        find(entry(), patience=PATIENCE)
    assert time.monotonic() - start < PATIENCE + 1.5
    assert all(server.mirror(m) in str(caught.value) for m in "ab")
    if fault == "endless":
        assert "more than" in str(caught.value)
    assert os.listdir(cache / "mnist") == []  # no half-written file, no temporary one


def test_mirrors_share_the_patience(served, cache, monkeypatch):
    given = []

    def silent(url, file, path, bar, patience):
        given.append(patience)
        raise OSError("timed out")

    monkeypatch.setattr("scratchnet.data.download._fetch", silent)
    with pytest.raises(UnavailableError):
        find(served[0](mirrors=("a", "b", "a")), patience=3.0)
    assert len(given) == 3
    assert 1.0 <= sum(given) <= 3.0


def test_no_network_gives_up_in_time(cache):
    with socket.socket() as taken:  # bound, so nobody else's; not listening, so refused
        taken.bind(("127.0.0.1", 0))
        refused = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        silent = "http://192.0.2.1/"  # RFC 5737: an address that nobody has
        unknown = "http://host.invalid/"  # RFC 6761: a name that nobody has
        entry = Entry("mnist", "idx", (RemoteFile("x", 1, "0" * 64),), (refused, silent, unknown))
        start = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            fetch(entry, entry.files, cache, patience=1.0)
        assert time.monotonic() - start < 2.0
    assert str(caught.value).count("no connection") == 3
    assert "SCRATCHNET_DATA" in caught.value.hint


def test_a_name_that_never_resolves_is_given_up(monkeypatch):
    monkeypatch.setattr("scratchnet.data.reach.PROBE", "import time; time.sleep(30)")
    start = time.monotonic()
    assert reachable(["http://host.invalid/"], 0.3) == set()
    assert time.monotonic() - start < 1.5


def test_one_deaf_mirror_does_not_keep_the_other_waiting(server, monkeypatch):
    monkeypatch.setattr("scratchnet.data.reach.PROBE", "import sys, time; time.sleep(30 * (sys.argv[1] == 'deaf'))")
    start = time.monotonic()
    assert reachable(["http://deaf/", "http://other/"], 10.0) == {"http://other/"}
    assert time.monotonic() - start < 3


def test_endpoint(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert endpoint("https://a.example/x") == ("a.example", 443)
    assert endpoint("http://a.example:81/x") == ("a.example", 81)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert endpoint("https://a.example/x") == ("proxy.example", 3128)
    monkeypatch.setenv("no_proxy", "a.example")
    assert endpoint("https://a.example/x") == ("a.example", 443)


def test_cache_that_cannot_be_written(served, cache):
    entry, _ = served
    cache.write_text("a file where the folder should be")
    with pytest.raises(UnavailableError, match="cannot be written") as caught:
        find(entry())
    assert caught.value.where == str(cache / "mnist")
    assert "folder=" in caught.value.hint


def test_auto_falls_back_and_says_so(cache, monkeypatch, server, tmp_path):
    entry = Entry("mnist", "idx", (RemoteFile("train-images-idx3-ubyte.gz", 1, "0" * 64),), (server.mirror("none"),))
    monkeypatch.setitem(CATALOG, "mnist", entry)
    monkeypatch.setattr("scratchnet.data.dataset.DRAWN", (30, 10))
    data = load(val=5)
    assert data.name == "drawn"
    assert data.note.startswith("these digits are drawn, they are not MNIST: mnist could not be downloaded (")
    assert data.note.endswith("set SCRATCHNET_DATA to the folder above it")
    assert "404" in data.note
    with pytest.raises(UnavailableError):
        load("mnist")
    monkeypatch.setenv("SCRATCHNET_DATA", "/no/such/folder")
    assert "SCRATCHNET_DATA names /no/such/folder, which is no folder" in load(val=5).note
    monkeypatch.setenv("SCRATCHNET_DATA", str(tmp_path))
    assert f"SCRATCHNET_DATA names {tmp_path}, which has no mnist/ with its files" in load(val=5).note


def test_a_fault_is_told_by_its_cause_and_not_by_the_whole_request():
    inner = OSError("Tunnel connection failed: 426")
    proxy = OSError("Unable to connect to proxy", inner)
    outer = OSError("HTTPSConnectionPool(host='a', port=443): Max retries exceeded with url: /x")
    outer.reason = proxy
    assert _reason(OSError(outer)) == "Tunnel connection failed: 426"
    assert _reason(TimeoutError()) == "TimeoutError"


def test_auto_does_not_hide_a_corrupt_file(served, cache, monkeypatch):
    entry, content = served
    monkeypatch.setitem(CATALOG, "mnist", entry())
    find(entry())
    (cache / "mnist" / "train-labels-idx1-ubyte.gz").write_bytes(content["train-labels-idx1-ubyte.gz"][:-9])
    with pytest.raises(DataError, match="train-labels"):
        load()


def test_archive_is_unpacked_and_removed(server, cache, tmp_path):
    make_cifar(tmp_path / "in" / FOLDER)
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as file:
        file.add(tmp_path / "in" / FOLDER, FOLDER)
    packed = (tmp_path / "c.tar.gz").read_bytes()
    server.serve["/a/c.tar.gz"] = packed
    remote = RemoteFile("c.tar.gz", len(packed), hashlib.sha256(packed).hexdigest())
    entry = Entry("cifar10", "cifar", (remote,), (server.mirror("a"),))
    assert find(entry).how == "downloaded"
    assert os.listdir(cache / "cifar10") == [FOLDER]
    assert find(entry).how == "cache"
    assert len(server.asked) == 1


def test_any_compression_of_the_right_content_is_accepted(served, server, cache):
    entry, content = served
    name = "t10k-images-idx3-ubyte.gz"
    server.serve[f"/a/{name}"] = gzip.compress(gzip.decompress(content[name]), 1)
    place = find(entry())
    assert (read_idx(place.folder / name) == read_idx(place.path(name.removesuffix(".gz")))).all()
    assert server.asked.count(f"/b/{name}") == 0
