"""Calls about files of facts."""

from typing import Any

from .answers import Import
from .calls import Call, Pages, Pause, Steps, parameters

# How often it is asked how far an undo has come.
_PAUSE = 1.0


def imports(*, page_size: int | None = None) -> Pages[Import]:
    """The imports, the newest first."""
    first: Call[Any] = Call(method="GET", route="/imports", parameters=parameters({"limit": page_size}))
    return Pages(first, "imports")


def import_of(id: str) -> Call[Import]:  # as the API calls it
    """The state of an import, and the token to go on with."""
    return Call(method="GET", route="/import/{id}", names={"id": id})


def undo_import(id: str, *, wait: bool = False) -> Steps[Import]:  # as above
    """Delete the facts that an import brought. With `wait`, returns when they are gone."""
    state: Import = yield Call(method="POST", route="/import/{id}/undo", names={"id": id})
    while wait and state["status"] == "undoing":
        yield Pause(_PAUSE)
        state = yield import_of(id)
    return state
