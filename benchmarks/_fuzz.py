"""Mutations of files, and a reader's trial under limits of memory and time. What readers there are: fuzz_readers.py."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from scratchnet.core import ScratchnetError

MEMORY = 1 << 30  # bytes beyond what the process has before it reads anything
SECONDS = 10.0  # a file
CHUNK = 500  # files a child process reads: what it allocates does not add up, and its death is noticed


@dataclass(frozen=True)
class Reader:
    """A reader of files and how to try it.

    Attributes:
        seeds: sound files, by name (which `read` may look at): {"a.safetensors": b"..."}.
        read: reads a file; returns what it made of it, to be compared by ==. Raises ScratchnetError.
        mutate: (generator, content) -> (content, whether it was signed anew), of this format; beside those of any file.
        hashed: whether hashes cover all of a file, so that it is read as it was, says that it is not verified (None),
            or is refused.
    """

    seeds: Callable[[], dict[str, bytes]]
    read: Callable[[Path], Any]
    mutate: Sequence[Callable[[random.Random, bytes], tuple[bytes, bool]]] = ()
    hashed: bool = True


def flip(draw: random.Random, content: bytes) -> bytes:
    """One to eight bits."""
    made = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def truncate(draw: random.Random, content: bytes) -> bytes:
    """The beginning, or all but the beginning."""
    at = draw.randrange(len(content))
    return content[:at] if draw.random() < 0.8 else content[at:]


def insert(draw: random.Random, content: bytes) -> bytes:
    """Bytes of no meaning, or of some."""
    at, known = draw.randrange(len(content) + 1), [b"\0" * 8, b"\xff" * 8, b"../", b"__import__('os')", b"{", b"[" * 99]
    new = draw.choice(known) if draw.random() < 0.5 else draw.randbytes(draw.randint(1, 64))
    return content[:at] + new + content[at:]


def cut(draw: random.Random, content: bytes) -> bytes:
    """A piece is missing, or stands twice."""
    start = draw.randrange(len(content))
    stop = start + draw.randint(1, 64)
    return content[:start] + content[stop:] if draw.random() < 0.5 else content[:stop] + content[start:]


def declare(draw: random.Random, content: bytes) -> bytes:
    """A number where a size may stand: huge, negative, off by one; of four bytes or eight, either end first."""
    width, order = draw.choice((4, 8)), draw.choice(("little", "big"))
    at = draw.choice((0, 4, 8, draw.randrange(max(1, len(content) - width))))
    old = int.from_bytes(content[at : at + width], order)
    new = draw.choice((old + 1, old - 1, old * 2, -1, (1 << 31) - 1, 1 << 30, 1 << 62, 0)) % (1 << 8 * width)
    return content[:at] + new.to_bytes(width, order) + content[at + width :]


ANY = (flip, truncate, insert, cut, declare)


def mutations(reader: Reader, files: int, seed: int) -> Iterator[tuple[str, bytes, bool, str]]:
    """(name of the seed file, content, whether it was signed anew, what was done)."""
    seeds = list(reader.seeds().items())
    for number in range(files):
        draw = random.Random(f"{seed} {number}")
        name, content = draw.choice(seeds)
        own = reader.mutate and draw.random() < 0.5
        how: Callable[..., Any] = draw.choice(reader.mutate if own else ANY)
        made, signed = how(draw, content) if own else (how(draw, content), False)
        yield name, made, signed, f"{name}, file {number} of seed {seed}: {how.__name__}"


def fuzz(reader: Reader, files: int, seed: int, folder: Path) -> Counter[str]:
    """Read so many mutated files; count what came of them. Raises SystemExit at the first that nothing may come of."""
    sound = {}
    for name, content in reader.seeds().items():
        (folder / name).write_bytes(content)
        sound[name] = reader.read(folder / name)
    outcomes: Counter[str] = Counter()
    todo = mutations(reader, files, seed)
    while chunk := [mutation for _, mutation in zip(range(CHUNK), todo, strict=False)]:
        outcomes += _in_a_child(reader, chunk, sound, folder)
    return outcomes


def _in_a_child(reader: Reader, chunk: list[Any], sound: dict[str, Any], folder: Path) -> Counter[str]:
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _limit()
            for name, content, signed, what in chunk:
                os.write(send, _outcome(reader, folder / name, content, signed, sound[name], what).encode() + b"\n")
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(send)
    with os.fdopen(receive) as told:
        outcomes = told.read().split("\n")[:-1]
    _, status = os.waitpid(child, 0)
    if status != 0:
        sys.exit(f"the reader died ({status}) at {chunk[min(len(outcomes), len(chunk) - 1)][3]}")
    return Counter(outcomes)


def _limit() -> None:
    with open("/proc/self/statm") as file:
        own = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))
    signal.signal(signal.SIGALRM, _late)


def _late(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt(f"more than {SECONDS:g} s")


def _outcome(reader: Reader, path: Path, content: bytes, signed: bool, sound: Any, what: str) -> str:
    path.write_bytes(content)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        found = reader.read(path)
    except ScratchnetError:
        return "refused"
    except BaseException as error:
        raise RuntimeError(f"{what} ends in {type(error).__name__}") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if found == sound:
        return "read as it was"
    if signed:
        return "signed anew, and read"
    if found is None:
        return "read, and said not to be verified"
    if reader.hashed:
        raise RuntimeError(f"{what} is read as something else, and said to be right")
    return "read as something else, for there is no hash"
