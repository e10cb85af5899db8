"""What a run is asked to do, and the few ways in which that can make no sense."""

from dataclasses import asdict, dataclass
from typing import Any, Self, TypeVar

Names = TypeVar("Names", list[str], tuple[str, ...])


# Of types, and of rules: a run's row keeps them.
MAX_NAMES, MAX_NAMES_LENGTH = 1000, 10_000


def check_names(names: Names) -> Names:
    """The names, unless they are too many or too long together: then ValueError."""
    if len(names) > MAX_NAMES:
        raise ValueError(f"must be at most {MAX_NAMES:,}, not {len(names):,}")
    length = sum(map(len, names))
    if length > MAX_NAMES_LENGTH:
        raise ValueError(f"must have at most {MAX_NAMES_LENGTH:,} characters together, not {length:,}")
    return names


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`entity_types` and `rules` restrict what is derived; what lies outside is left as it is."""

    max_depth: int | None = None
    min_weight: float = 0.0
    entity_types: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    # From nothing, even if nothing has changed.
    force: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """As JSON; tuples become lists."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        """The options that `content` describes."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**values)

    @property
    def counted(self) -> dict[str, Any]:
        """For the log, which has no texts of facts: how many types and rules there are."""
        return {name: len(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @property
    def partial(self) -> bool:
        """Whether some inferred facts are none of this run's business."""
        return bool(self.entity_types or self.rules)
