"""What a thing may be given: the parameters of its maker, with types and defaults.

The home of pydantic: values are checked against the annotations of the maker. A range is checked
by the maker itself.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Optional, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model

from sweeps.config.spacing import axis_values
from toymodels.errors import InputError


def _number(given: Any) -> Any:
    if isinstance(given, bool | str):
        raise ValueError("give a number")
    return given


def _listed(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    try:
        return axis_values("", given)
    except InputError:
        raise ValueError(
            "give a list, or a spacing such as { linear = [0, 1000, 51] }: first, last, count"
        ) from None


# Parameters that are handed down where a cell is built: a model of another sweep.
HANDED = ("trained",)

# Not pydantic's strict mode: an axis may hold 5.0 where an integer is meant.
Integer = Annotated[int, BeforeValidator(_number)]
Number = Annotated[float, BeforeValidator(_number)]

# What a config may say where an annotation says this.
TYPES: dict[Any, Any] = {
    int: Integer,
    float: Number,
    int | None: Optional[Integer],  # noqa: UP045 - an annotated type takes no |
    list[int]: Annotated[list[Integer], BeforeValidator(_listed)],
    list[float]: list[Number],
    float | Sequence[float]: Number | list[Number] | dict[str, Number | str],  # or a profile
    float | Literal["xavier"]: Number | Literal["xavier"],
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a maker."""

    name: str
    type: Any
    default: Any  # inspect.Parameter.empty where there is none

    @property
    def is_required(self) -> bool:
        """Whether it must be given."""
        return self.default is inspect.Parameter.empty


@cache
def parameters(make: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a maker."""
    hints = get_type_hints(make.__init__ if inspect.isclass(make) else make)
    return tuple(
        Parameter(name, hints.get(name, Any), p.default)
        for name, p in inspect.signature(make).parameters.items()
    )


@cache
def _model(make: Callable[..., Any], names: tuple[str, ...]) -> type[BaseModel]:
    settings: dict[str, Any] = {
        p.name: (TYPES.get(p.type, p.type), ... if p.is_required else p.default)
        for p in parameters(make)
        if p.name in names
    }
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return create_model("Settings", __config__=config, **settings)


def checked(make: Callable[..., Any], names: tuple[str, ...], given: dict[str, Any]) -> Any:
    """Return the settings `names` of a maker, defaults filled in; or what is wrong first.

    Returns:
        A dictionary, or a pair (name, message).
    """
    try:
        return dict(_model(make, names)(**given))
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        return str(first["loc"][0]), message[0].lower() + message[1:]
