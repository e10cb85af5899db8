"""Keeps tests from reaching other machines."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any
from unittest import mock


class OutsideLoopback(AssertionError):
    """A test tried to reach another machine."""


@contextmanager
def loopback_only() -> Iterator[None]:
    """Let sockets of this process connect to loopback addresses and socket files alone."""
    with mock.patch.multiple(
        socket.socket,
        connect=_guarded(socket.socket.connect),
        connect_ex=_guarded(socket.socket.connect_ex),
        sendto=_guarded(socket.socket.sendto, position=-1),
    ):
        yield


def _guarded(method: Callable[..., Any], position: int = 0) -> Callable[..., Any]:
    def call(self: socket.socket, *args: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(args[position][0]):
            raise OutsideLoopback(f"a test tried to reach {args[position]}")
        return method(self, *args)

    return call


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host.partition("%")[0]).is_loopback
