"""Ctrl-C, SIGTERM and SIGHUP during a command."""

import os
import signal
from collections.abc import Callable

import pytest

from skg_site.cli.interrupts import Interrupted, Interrupts


def raise_signal(number: int) -> None:
    os.kill(os.getpid(), number)


def raised_by(work: Callable[[Interrupts], None]) -> BaseException:
    interrupts = Interrupts()
    with pytest.raises((Interrupted, ZeroDivisionError)) as raised, interrupts.caught():
        work(interrupts)
    return raised.value


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_interrupts_and_says_with_which_code_to_exit(number: int, exit_code: int) -> None:
    with pytest.raises(Interrupted) as interrupted, Interrupts().caught():
        raise_signal(number)
    assert interrupted.value.exit_code == exit_code


def test_a_signal_waits_until_the_work_is_done() -> None:
    steps: list[str] = []

    def work(interrupts: Interrupts) -> None:
        with interrupts.put_off():
            raise_signal(signal.SIGINT)
            steps.append("done")
        steps.append("gone on")

    assert isinstance(raised_by(work), Interrupted)
    assert steps == ["done"]


def test_the_second_signal_does_not_wait() -> None:
    steps: list[str] = []

    def work(interrupts: Interrupts) -> None:
        with interrupts.put_off():
            raise_signal(signal.SIGINT)
            steps.append("once")
            raise_signal(signal.SIGINT)
            steps.append("twice")

    assert isinstance(raised_by(work), Interrupted)
    assert steps == ["once"]


def test_an_error_in_the_work_is_raised_as_itself() -> None:
    def work(interrupts: Interrupts) -> None:
        with interrupts.put_off():
            raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    assert isinstance(raised_by(work), ZeroDivisionError)


def test_afterwards_signals_are_handled_as_before() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Interrupts().caught():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_command_under_nohup_goes_on_when_its_terminal_is_closed() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupts().caught():
            raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
