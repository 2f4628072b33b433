import gzip
import hashlib
import os
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scratchnet.data import DataError, read_idx, write_idx
from scratchnet.data.files import replacing

IMAGES = np.arange(7 * 3 * 2, dtype=np.uint8).reshape(7, 3, 2)


def idx_bytes(extents, content=b"", kind=0x08, axes=None):
    return struct.pack(f">BBBB{len(extents)}I", 0, 0, kind, len(extents) if axes is None else axes, *extents) + content


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.booleans(), st.integers(0, 255))
def test_what_is_written_is_read(tmp_path_factory, shape, packed, fill):
    array = np.full(shape, fill, np.uint8)
    path = tmp_path_factory.mktemp("idx") / ("a.gz" if packed else "a")
    write_idx(path, array)
    back = read_idx(path)
    assert back.dtype == np.uint8
    assert back.shape == array.shape
    assert (back == array).all()


def test_layout_is_the_published_one(tmp_path):
    write_idx(tmp_path / "a", IMAGES)
    assert (tmp_path / "a").read_bytes() == b"\0\0\x08\x03\0\0\0\x07\0\0\0\x03\0\0\0\x02" + IMAGES.tobytes()


def test_compression_is_told_by_content_not_by_name(tmp_path):
    write_idx(tmp_path / "a.gz", IMAGES)
    os.rename(tmp_path / "a.gz", tmp_path / "a")
    assert (read_idx(tmp_path / "a") == IMAGES).all()


def test_same_array_same_bytes(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, IMAGES)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "not an IDX file"),
        (b"\0\0\x08", "not an IDX file"),
        (b"PK\x03\x04 something else", "not an IDX file"),
        (b"\0\x01\x08\x03" + bytes(20), "not an IDX file"),
        (idx_bytes((2, 2), bytes(16), kind=0x0D), "wrong element type"),
        (idx_bytes((), b"", axes=0), "wrong number of axes"),
        (idx_bytes((1,) * 200, b"\1"), "wrong number of axes"),
        (b"\0\0\x08\x03" + bytes(7), "within its header"),
        (idx_bytes((2, 3), bytes(7)), "longer than"),
    ],
)
def test_malformed_file(tmp_path, pack, content, what):
    path = tmp_path / "file"
    path.write_bytes(pack(content))
    with pytest.raises(DataError, match=what) as caught:
        read_idx(path)
    assert caught.value.where == str(path)


def test_truncated_plain(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(idx_bytes((10, 10), bytes(99)))
    with pytest.raises(DataError, match="more than the file can hold"):
        read_idx(path)


def test_gz_shorter_than_declared(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx_bytes((10, 10), bytes(99))))
    with pytest.raises(DataError, match="truncated") as caught:
        read_idx(path)
    assert "100 bytes" in str(caught.value)
    assert "99 bytes" in str(caught.value)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("extents", [(2**32 - 1,) * 4, (60_000, 28, 28), (2**31, 1), (50_000, 3)])
def test_lying_header_allocates_nothing(tmp_path, pack, extents):
    path = tmp_path / "file"
    path.write_bytes(pack(idx_bytes(extents, bytes(1000))))
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 400_000  # zlib's window and the reader's buffers
    finally:
        tracemalloc.stop()


def test_bomb_is_read_only_as_far_as_declared(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx_bytes((10,), bytes(50_000_000))))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="longer"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_every_truncation_of_a_gz_is_refused(tmp_path):
    whole = gzip.compress(idx_bytes(IMAGES.shape, IMAGES.tobytes()))
    path = tmp_path / "file.gz"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError):
            read_idx(path)


def test_a_flipped_bit_never_passes_for_other_content(tmp_path):
    rng = np.random.default_rng(0)
    content = idx_bytes((40, 10), rng.integers(0, 256, 400, np.uint8).tobytes())
    whole = gzip.compress(content)
    expected, refused, path = read_from(tmp_path, content), 0, tmp_path / "file.gz"
    for bit in range(0, 8 * len(whole), 7):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        try:
            got = read_idx(path)
        except DataError:
            refused += 1
        else:  # the bit was one of gzip's that mean nothing, such as the time stamp
            assert (got == expected).all()
    assert refused > len(whole)


def read_from(folder, content):
    (folder / "whole").write_bytes(content)
    return read_idx(folder / "whole")


def test_garbage_after_the_stream(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(idx_bytes((3,), b"abc")) + b"garbage")
    with pytest.raises(DataError, match="corrupt"):
        read_idx(path)


def test_wrong_number_of_axes(tmp_path):
    write_idx(tmp_path / "labels", IMAGES[:, 0, 0])
    with pytest.raises(DataError, match="swapped"):
        read_idx(tmp_path / "labels", ndim=3)


def test_checksum_is_of_the_uncompressed_content(tmp_path):
    write_idx(tmp_path / "a", IMAGES)
    right = hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    for level in (1, 9):
        (tmp_path / "b").write_bytes(gzip.compress((tmp_path / "a").read_bytes(), level))
        assert (read_idx(tmp_path / "b", sha256=right) == IMAGES).all()
    with pytest.raises(DataError, match="checksum") as caught:
        read_idx(tmp_path / "a", sha256="0" * 64)
    assert caught.value.actual == right
    assert caught.value.expected == "0" * 64


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "nothing")
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path)


def test_only_bytes_are_written(tmp_path):
    for array in (np.zeros((2, 2)), np.uint8(1)):
        with pytest.raises(DataError, match="unsigned bytes"):
            write_idx(tmp_path / "a", array)
    assert os.listdir(tmp_path) == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail():
        with replacing(path) as file:
            file.write(b"new, half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_a_link_leads_to_is_replaced(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "link").symlink_to("a")
    with replacing(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="no regular file"), replacing(tmp_path / name):
            pass
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["link", "pipe"]
