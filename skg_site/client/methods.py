"""Methods that two clients share: written once, as functions that make calls, and typed for both.

A descriptor gives `Client` a method that returns the answer, and `AsyncClient` one that returns an awaitable of it.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from .calls import Call, Pages, Steps

if TYPE_CHECKING:
    from .async_client import AsyncClient
    from .sync_client import Client

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P]):
    # The name of the client's own method that does what is made.
    _done_by: str

    def __init__(self, make: Callable[P, Any]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    def _of(self, client: "Client | AsyncClient | None") -> Callable[P, Any]:
        if client is None:
            return self.make
        do = getattr(client, self._done_by)

        @wraps(self.make)
        def method(*arguments: P.args, **named: P.kwargs) -> Any:
            return do(self.make(*arguments, **named))

        return method


class OneCall(_Method[P], Generic[P, T]):
    """A method that makes one request."""

    _done_by = "send"

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Callable[P, Call[T]]: ...
    @overload
    def __get__(self, client: "Client", owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type[Any]) -> Callable[P, Any]:
        return self._of(client)


class ManySteps(_Method[P], Generic[P, T]):
    """A method that makes requests until something is done."""

    _done_by = "do"

    def __init__(self, make: Callable[P, Steps[T]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Callable[P, Steps[T]]: ...
    @overload
    def __get__(self, client: "Client", owner: type[Any]) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: type[Any]) -> Callable[P, Any]:
        return self._of(client)


class AllPages(_Method[P], Generic[P, T]):
    """A method that iterates over a list, and asks for the next page when it gets there."""

    _done_by = "each"

    def __init__(self, make: Callable[P, Pages[T]]) -> None:
        super().__init__(make)

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Callable[P, Pages[T]]: ...
    @overload
    def __get__(self, client: "Client", owner: type[Any]) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type[Any]) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: type[Any]) -> Callable[P, Any]:
        return self._of(client)
