"""The words of a key come from docstrings, of one thing or of what it is made of."""

from dataclasses import dataclass

from sweeps.config.meanings import first_line, meanings
from toymodels.optimizers import Adam, AdamW


@dataclass(frozen=True)
class Base:
    """One line.

    Attributes:
        a: of the base.
        b: told again below.
    """

    a: int = 0
    b: int = 0


@dataclass(frozen=True)
class Derived(Base):
    """Derived,
    on two lines.

    Attributes:
        b: a meaning that goes on
            in another line.
    """

    @classmethod
    def create(cls, c: int) -> "Derived":
        """Make it.

        Args:
            c: 1 or more: a colon is no name.

        Raises:
            InputError: not a parameter.
        """
        return cls(c)


def test_meanings_are_read_from_args_and_attributes_and_from_what_a_class_derives_from():
    own = {"a": "of the base", "b": "a meaning that goes on in another line"}
    assert meanings(Derived) == own
    assert meanings(Derived.create) == own | {"c": "1 or more: a colon is no name"}
    assert meanings(AdamW) == meanings(Adam)
    assert first_line(Derived) == "Derived, on two lines."


def test_what_has_no_words_has_no_meaning():
    assert meanings(lambda x: x) == {}
    assert first_line(lambda x: x) == ""
