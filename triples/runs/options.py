"""Options of a run, and the limits of those that are lists of names."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, TypeVar

Names = TypeVar("Names", list[str], tuple[str, ...])

# Limits of the types, and of the rules, since a run's row keeps them.
MAX_NAMES, MAX_NAMES_LENGTH = 1000, 10_000


def check_names(names: Names) -> Names:
    """The names; ValueError if they are too many or too long together."""
    if len(names) > MAX_NAMES:
        raise ValueError(f"must be at most {MAX_NAMES:,}, not {len(names):,}")
    length = sum(map(len, names))
    if length > MAX_NAMES_LENGTH:
        raise ValueError(f"must have at most {MAX_NAMES_LENGTH:,} characters together, not {length:,}")
    return names


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a run. `entity_types` and `rules` restrict what is derived; all other inferred facts stay."""

    max_depth: int | None = None
    min_weight: float = 0.0
    entity_types: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    # From nothing, even if nothing has changed.
    force: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The options as JSON; tuples become lists."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The options as they are in JSON or in a form; of names that are given twice, one is kept."""
        values: dict[str, Any] = {
            name: tuple(dict.fromkeys(value)) if isinstance(value, list | tuple) else value
            for name, value in content.items()
        }
        return cls(**values)

    @property
    def counted(self) -> dict[str, Any]:
        """The options for the log, with the number of types and rules, since the log has no texts of facts."""
        return {name: len(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def partial(self) -> bool:
        """True if some inferred facts are outside of this run."""
        return bool(self.entity_types or self.rules)
