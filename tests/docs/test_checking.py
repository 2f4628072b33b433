"""The first block of docs/checking.md runs as it stands and prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "checking.md").read_text()


def test_the_reports_are_those_on_the_page():
    source = re.search(r"```python\n(.*?)```", PAGE, re.S)[1]
    shown = re.search(r"```\n\n((?:    .*\n)+)", PAGE)[1]
    printed = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout

    def steady(text):  # digits of rounding may differ from machine to machine
        return re.sub(r"worst \S+|could have seen [\d.]+e", "", text).split("\n")

    assert steady(printed.rstrip()) == steady("\n".join(line[4:] for line in shown.rstrip().split("\n")))
