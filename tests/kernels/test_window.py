"""What a window sees, against counting it out place by place."""

from itertools import product

from scratchnet_kernels.reference._window import _seen


def test_every_place_and_what_it_sees():
    for u, extent, stride, before, dilation in product(range(5), range(1, 6), (1, 2, 3, 5), range(4), (1, 2, 3)):
        for places in range(1, (extent + before - 1) // stride + 2):
            i, at = _seen(u, extent, places, stride, before, dilation)
            lies = [(i, i * stride + u * dilation - before) for i in range(places)]
            inside = [(i, here) for i, here in lies if 0 <= here < extent]
            found = list(zip(range(places)[i], range(extent)[at], strict=True))
            assert found == inside, (u, extent, places, stride, before, dilation)
