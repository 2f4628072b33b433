"""What other programs call their figures: "val_acc", "Test set: Average loss", "epoch_train/top5"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

SPLITS = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev", "eval", "evaluation", "holdout"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
UNNAMED = "unnamed"
"""The split of an accuracy that nobody says the split of."""

_CALLED = {
    "loss": "loss losses nll nll_loss ce ce_loss cross_entropy cross_entropy_loss crossentropy xent cost objective",
    "accuracy": "accuracy accuracies acc accs acc1 acc_1 prec_1 top1 top_1 top1_acc top1_accuracy top_1_accuracy "
    "categorical_accuracy sparse_categorical_accuracy binary_accuracy",
    "top5": "top5 top_5 acc5 acc_5 prec_5 top5_acc top5_accuracy top_5_acc top_5_accuracy top_k_categorical_accuracy "
    "sparse_top_k_categorical_accuracy",
    "correct": "correct",
    "total": "total count",
    "lr": "lr lrs learning_rate learning_rates",
    "epoch": "epoch ep",
    "epochs": "epochs num_epochs max_epochs n_epochs",
    "step": "step iter iteration itr global_step batch it batch_idx",
    "seconds": "seconds time sec duration elapsed epoch_time train_seconds",
    "samples": "samples images examples set_size",
    "batch_size": "batch_size batchsize bs minibatch_size",
    "gradient": "grad_norm gradient_norm grad_norms total_norm",
    "momentum": "momentum",
    "weight_decay": "weight_decay wd",
    "classes": "classes num_classes n_classes",
}
_METRICS = {name: metric for metric, names in _CALLED.items() for name in names.split()}
_SAYS_NOTHING = {
    *("average", "avg", "mean", "epoch", "running", "final", "current", "set", "smoothed", "overall", "batch", "total"),
    *("the", "of", "history", "metrics", "metric", "logs", "log", "results", "scores", "stats"),
}
_NOT_THIS_ONE = {
    *("best", "min", "max", "minimum", "maximum", "lowest", "highest", "previous", "old", "target", "expected"),
    *("threshold", "from", "patience"),
}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_APART = re.compile(r"[^A-Za-z0-9]+")
_WORD = re.compile(r"[A-Za-z][\w@./-]*")

Meaning = tuple[str | None, str | None]
"""A split and a metric, where they are known."""


@lru_cache(4096)
def meaning(name: str) -> Meaning:
    """What a name says: "val_loss" is ("val", "loss"), "lr" (None, "lr"), "train" ("train", None), "f1" (None, None).

    A name of which a part is not known is not known at all: "kl_loss" is not the loss.
    """
    tokens = [token.lower() for token in _APART.split(_CAMEL.sub("_", name)) if token]
    split = next((SPLITS[token] for token in tokens if token in SPLITS), None)
    rest = [token for token in tokens if token not in SPLITS]
    for end in (len(rest), len(rest) - (rest[-1:] == ["epoch"])):  # "loss_epoch"
        for start in range(end):
            if _SAYS_NOTHING.issuperset(rest[:start]) and "_".join(rest[start:end]) in _METRICS:
                return split, _METRICS["_".join(rest[start:end])]
    return (split, None) if _SAYS_NOTHING.issuperset(rest) else (None, None)


def last_meaning(text: str) -> Meaning:
    """What the words before a number say of it: the metric of the last ones, the last split that is named anywhere."""
    words: Sequence[str] = _WORD.findall(text)
    said = [SPLITS[t] for w in words for t in _APART.split(w.lower()) if t in SPLITS]
    if any(t in _NOT_THIS_ONE for w in words for t in _APART.split(w.lower())):
        return None, None
    for many in (3, 2, 1):
        split, metric = meaning("_".join(words[-many:]))
        if metric is not None:
            return split or (said[-1] if said else None), metric
    return said[-1] if said else None, None
