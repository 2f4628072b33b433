"""README's Python blocks run as they stand, and print what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def run(source):
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout


def test_there_are_blocks():
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_runs(block):
    assert run(block).strip()


def test_the_report_of_the_check_is_the_one_on_the_page():
    shown = re.search(r"(    FAIL  affine_backward\n(?:    .*\n)+)", PAGE)[1]
    *lines, last = [line[4:] for line in shown.splitlines()]
    printed = run(BLOCKS[1])
    assert all(re.sub(r"worst \S+", "", line) in re.sub(r"worst \S+", "", printed) for line in lines), printed
    assert last.rstrip("…").rstrip() in printed
