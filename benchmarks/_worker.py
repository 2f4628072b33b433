"""Processes that measure for a benchmark: each holds one engine, works when it is called and sleeps in between.

The parent calls functions of a module that the child has imported: `Worker("_engine_torch", 2).call("start", ...)`.
Calls and answers are lines of JSON; whatever an engine prints goes to the child's standard error, not between them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

BEFORE = dict(os.environ)
"""The environment before anything was imported: an engine may set variables that would reach the others' children."""


def environment(threads: int) -> dict[str, str]:
    """Of a child that is to take `threads` threads, told in every library's own variable."""
    names = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"
    return BEFORE | dict.fromkeys(names, str(threads))


def keep_to(threads: int) -> None:
    """Let this process run on so many processors only: the one limit that XLA looks at."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


class WorkerError(RuntimeError):
    """A call failed in the child, or the child has died."""


class Worker:
    """A child process that answers calls of `module`'s functions with `threads` threads."""

    def __init__(self, module: str, threads: int) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), module, str(threads)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment(threads),
        )

    def call(self, function: str, **arguments: Any) -> Any:
        """What `module.function(**arguments)` returns. Raises WorkerError."""
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None
        assert heard is not None
        try:
            told.write(json.dumps([function, arguments]) + "\n")
            told.flush()
            line = heard.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._errors.seek(0)
            last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise WorkerError(f"the process ended ({self._process.wait()}): {' '.join(last)}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["is"]

    def close(self) -> None:
        """End the child, and wait for it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def serve(module: str, threads: int) -> None:
    """Answer calls until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # prints of an engine must not stand between answers
    keep_to(threads)
    engine = None
    for line in sys.stdin:
        function, arguments = json.loads(line)
        try:
            engine = engine or import_module(module)
            answer = {"is": getattr(engine, function)(**arguments)}
        except Exception as error:
            text = next(iter(str(error).strip().splitlines()), "")
            answer = {"error": f"{type(error).__name__}: {text}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
