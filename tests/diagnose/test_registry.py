"""What the causes say of each other and where they send a reader."""

import re
from pathlib import Path

from scratchnet.diagnose import registry
from scratchnet.diagnose.registry import reach

ROOT = Path(__file__).parents[2]
IDS = """inputs-unscaled labels-out-of-range labels-shuffled labels-remapped class-imbalance data-order split-leak
zero-batches lr-too-high lr-too-low initial-loss wrong-fan zero-init huge-init symmetric-init dead-relu saturated-units
exploding-gradients vanishing-gradients double-softmax wrong-sign wrong-scale not-zeroed frozen-parameters
missing-nonlinearity wrong-mode momentum-diverges regularisation-too-strong overfitting underfitting plateau loss-spike
late-divergence non-finite impossible-accuracy wrong-split frozen-validation"""


def test_all_are_there():
    assert set(registry()) == set(IDS.split())
    assert len(IDS.split()) == 37
    for id, cause in registry().items():
        assert cause.id == id
        assert cause.checks
        assert cause.title[0].isupper()
        assert not cause.title.endswith(".")
        assert cause.explanation.endswith(".")
        assert cause.remedy


def test_what_they_lead_to_exists_and_has_no_cycle():
    for id, cause in registry().items():
        assert set(cause.leads_to) <= set(registry()), id
        assert len(set(cause.leads_to)) == len(cause.leads_to), id
        assert id not in reach(id)


def anchor(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_every_lesson_resolves():
    for id, cause in registry().items():
        page, _, name = cause.lesson.partition("#")
        text = (ROOT / page).read_text("utf-8")
        assert name in [anchor(h) for h in re.findall(r"^#+ (.+)$", text, re.M)], id
        lesson = re.split(rf"^## {name}$", text, flags=re.M)[1].split("\n#")[0]
        assert "**Shows:**" in lesson, id
        assert "**Cure:**" in lesson, id


def test_every_threshold_has_its_reason():
    """A constant of a cause's file stands with a comment beside it or a docstring below it."""
    for path in (ROOT / "scratchnet/diagnose/causes").glob("[a-z]*.py"):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if re.match(r"[A-Z_]+ = ", line) and not line.startswith("CAUSE"):
                rest = lines[number:]
                end = next(i for i, one in enumerate(rest) if not one.endswith(("(", ",", "[", "{")))
                reasoned = any("#" in one for one in rest[: end + 1]) or rest[end + 1].startswith('"""')
                assert reasoned, f"{path.name}:{number + 1}"
