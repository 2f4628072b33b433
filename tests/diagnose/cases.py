"""Where cases are kept: histories in which a cause is there, and near misses in which it is not."""

from collections.abc import Callable
from typing import NamedTuple

from scratchnet.train.history.history import History


class Case(NamedTuple):
    """`first`: it must be the first of all that is found. `healthy`: nothing may be found at all."""

    id: str
    make: Callable[[], History]
    first: bool = False
    healthy: bool = False


THERE: list[Case] = []
NOT_THERE: list[Case] = []


def there(id, *, first=True):
    def keep(make):
        THERE.append(Case(id, make, first=first))
        return make

    return keep


def not_there(id, *, healthy=True):
    def keep(make):
        NOT_THERE.append(Case(id, make, healthy=healthy))
        return make

    return keep
