"""benchmarks/mutants.py kills what is known to be wrong, lets through what is right, and names mutants alike each time.

It forks, so it runs in a process of its own, as it does from the command line.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "benchmarks" / "mutants.py"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="judges in forked children, which Windows has not")

DENSE = "dense.py dense_backward"
KILLED = {
    f"{DENSE} | assigned, not added | dW += dy.T @ x -> dW = dy.T @ x": "gradient",
    f"{DENSE} | operator | db += dy.sum(0) -> db -= dy.sum(0)": "gradient",
    f"{DENSE} | transpose dropped | dW += dy.T @ x -> dW += dy @ x": "raises",
    f"{DENSE} | flip | dx[...] = dy @ W -> dx[...] = dy[::-1] @ W": "gradient",
    "embedding.py embedding_backward | added once"
    " | np.add.at(dW, x[kept], dy[kept]) -> dW[x[kept]] += dy[kept]": "gradient",
    "tanh.py tanh_backward | right dropped"
    " | dx[...] = dy * (m.const(1, y) - y * y) -> dx[...] = dy * (m.const(1, y) - y)": "gradient",
    "softmax.py log_softmax_backward | keepdims dropped"
    " | dx[...] = dy - m.exp(y) * dy.sum(axis=1, keepdims=True) -> dx[...] = dy - m.exp(y) * dy.sum(axis=1)": "raises",
    "mse.py mse_backward | constant"
    " | scale = m.const(2 * float(dvalue), z) -> scale = m.const(1 * float(dvalue), z)": "gradient",
}
RIGHT = "conv2d.py conv2d | statement deleted | y += b[:, None, None] -> pass"  # conv_transpose2d_backward gives no b


def run(*arguments):
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(TOOL), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | one_thread, check=False)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """By key; under None how the tool ended, which has judged the ops as they stand before."""
    file = tmp_path_factory.mktemp("mutants") / "verdicts.json"
    asked = [f"--key={key}" for key in [*KILLED, RIGHT]]
    page = file.with_suffix(".md")
    done = run("--cases=6", "--jobs=1", f"--json={file}", f"--markdown={page}", *asked)
    records = {record["key"]: record for run in json.loads(file.read_text()) for record in run["records"]}
    return records | {None: done, "file": file, "page": page.read_text(encoding="utf-8")}


@pytest.mark.parametrize("key", KILLED)
def test_what_is_wrong_is_killed(verdicts, key):
    assert (verdicts[key]["verdict"], verdicts[key]["by"]) == ("killed", KILLED[key]), verdicts[key]
    assert verdicts[key]["message"]


def test_what_changes_nothing_survives(verdicts):
    assert verdicts[RIGHT]["verdict"] == "equivalent", verdicts[RIGHT]
    assert "conv_transpose2d_backward" in verdicts[RIGHT]["equivalent"]
    assert verdicts[RIGHT]["cases"] == 6


def test_the_ops_as_they_stand_are_let_through(verdicts):
    assert verdicts[None].returncode == 0, verdicts[None].stdout + verdicts[None].stderr
    assert "refused" not in verdicts[None].stdout


def test_the_page_says_what_became_of_them(verdicts):
    figures = " ".join(verdicts["page"].split())
    assert "Together 9 mutants (of " in figures
    assert "Killed: 6 by the gradient, 0 by the contract, 2 raise, 0 other. - Equivalent: 1." in figures
    assert "Survive: 0, which is 0.00% of all" in figures
    assert "| dense.dense_backward | 4 | 3 | 0 | 1 | 0 | 0 | 0 | 1 |" in verdicts["page"]


def test_the_page_is_written_again_from_the_records(verdicts, tmp_path):
    done = run(f"--records={verdicts['file']}", f"--markdown={tmp_path / 'again.md'}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == verdicts["page"]


def test_names_are_the_same_every_time():
    first, second = run("--list"), run("--list")
    keys = first.stdout.splitlines()
    assert first.stdout == second.stdout
    assert len(keys) == len(set(keys)) > 1000
    assert {*KILLED, RIGHT} <= set(keys)


def test_nothing_but_the_reference_is_mutated():
    program = "import _mutation, textwrap; _mutation._plain(textwrap.dedent)"
    done = subprocess.run([sys.executable, "-c", program], cwd=TOOL.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TypeError: only functions of" in done.stderr
