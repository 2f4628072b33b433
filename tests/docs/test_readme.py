"""The README's run that does not train: the doctor says what the page says that it says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_diagnosis_is_the_one_on_the_page():
    [source] = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if "diagnose(history)" in block]
    shown = re.search(r"```\n\n((?:    .*\n)+)", PAGE[PAGE.index(source) :])[1]
    printed = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout
    lines = [line[4:] for line in shown.splitlines() if line != "    ..."]
    assert len(lines) > 10
    assert [line for line in lines if line not in printed.splitlines()] == []
