"""The answer to a question that a source left open, by a threshold that its TOML file states.

A module that answers one has `verdict(dataset) -> str` beside its `claim`; the threshold is one of
the file's `[settings]`, so that it stands before the run.
"""

SUPPORTED, NOT_SUPPORTED, UNDECIDED = "supported", "not supported", "undecided"


def compared(low: float, high: float, threshold: float) -> str:
    """Judge "it is above the threshold" by an interval from `low` to `high`.

    An interval that holds the threshold, or is not a number, decides nothing.
    """
    if low > threshold:
        return SUPPORTED
    return NOT_SUPPORTED if high < threshold else UNDECIDED


def all_of(verdicts: list[str]) -> str:
    """Judge a statement that holds where each of its parts holds: one that fails decides it."""
    if NOT_SUPPORTED in verdicts:
        return NOT_SUPPORTED
    return SUPPORTED if verdicts and set(verdicts) == {SUPPORTED} else UNDECIDED
