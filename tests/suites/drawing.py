"""Drawing cases with hypothesis, so that failures shrink."""

from hypothesis import strategies as st


class HypothesisDraw:
    """The choices of a case, made by hypothesis."""

    def __init__(self, data):
        self.data = data

    def integer(self, low, high):
        return self.data.draw(st.integers(low, high))

    def one_of(self, *options):
        return self.data.draw(st.sampled_from(options))


seeds = st.integers(0, 2**32 - 1)
batches = st.integers(2, 4)
