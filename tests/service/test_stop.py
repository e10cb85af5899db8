"""How the service stops while clients write: at once, without a trace, and with nothing lost that was answered."""

import asyncio
import os
import signal
from time import monotonic

import pytest

from tests.conftest import StartService
from tests.service.load import stored_facts, writing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
async def test_a_stop_under_load_loses_nothing_and_leaves_no_trace(
    service: StartService, number: signal.Signals
) -> None:
    one = service(workers=2)
    assert one.process is not None
    async with writing(one, 8) as ledger:
        await ledger.fill(1)
        began = monotonic()
        # A terminal sends Ctrl-C to every process, an operator SIGTERM to the first.
        if number == signal.SIGINT:
            os.killpg(one.process.pid, number)
        else:
            one.process.send_signal(number)
        exit_code = await asyncio.to_thread(one.process.wait, 10)
        seconds = monotonic() - began
    assert exit_code == 0
    assert seconds < 5
    assert ledger.other_answers == {}
    assert "Traceback" not in one.log_text
    assert [line for line in one.log_lines if line["level"] not in {"info", "debug"}] == []

    one.start()
    assert ledger.answered.issubset(stored_facts(one))
