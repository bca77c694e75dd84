"""McNemar's test: whether one of two models is right more often, or whether chance explains the difference."""

import math


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Two-sided p-value of the exact test on the pictures where exactly one of two models is right.

    If both are equally good, each such picture falls to either as a fair coin does: so twice the smaller tail of a
    binomial distribution with 1/2, at most 1 (and 1 where no picture differs). Pictures where both are right or both
    wrong say nothing. Exact at any count, so the chi-square approximation for large counts is not needed.

    Q. McNemar 1947, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12; exact form: M. Fagerland et al. 2013, BMC Medical Research Methodology 13:91.
    ValueError: a negative count.
    """
    if min(only_first, only_second) < 0:
        raise ValueError(f"counts must be at least 0, not {only_first} and {only_second}")
    differing = only_first + only_second
    tail = sum(math.comb(differing, count) for count in range(min(only_first, only_second) + 1))
    both_tails: float = 2 * tail / 2**differing
    return min(1.0, both_tails)
