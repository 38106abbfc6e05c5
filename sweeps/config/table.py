"""A table of a config while it is read."""

from typing import Any

from toymodels.errors import InputError


class Table:
    """A table that is read key by key, so that what nobody takes can be told."""

    def __init__(
        self,
        content: Any,
        path: str = "",
        outer: "Table | None" = None,
        shared: tuple[str, ...] = (),
    ) -> None:
        """Read `content`, which stands at `path`; `shared` keys may stand in the `outer` table."""
        if not isinstance(content, dict):
            raise InputError(f"{path} = {content!r}: write it as a table.")
        self.content, self.path, self.outer, self.shared = content, path, outer, shared
        self.taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Tell whether a key is given."""
        outside = self.outer is not None and key in self.shared and self.outer.has(key)
        return key in self.content or outside

    def path_of(self, key: str) -> str:
        """Return a key's path from the outermost table."""
        return f"{self.path}.{key}".lstrip(".")

    def place_of(self, key: str) -> str:
        """Return the path where a key is given, be it in the outer table, or would be."""
        outside = self.outer is not None and key in self.shared and key not in self.content
        return self.outer.place_of(key) if outside and self.outer else self.path_of(key)

    def take(self, key: str) -> Any:
        """Return a key's value, and note that something takes it."""
        if key not in self.content and self.outer is not None:
            return self.outer.take(key)
        self.taken.add(key)
        return self.content[key]


class Anything:
    """What holds every key."""

    def __contains__(self, key: object) -> bool:
        """Return True."""
        return True
