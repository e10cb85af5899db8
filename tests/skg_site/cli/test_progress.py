"""The progress bar of a command."""

import pytest

from skg_site.cli.progress import ProgressBar


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    # rich then takes any stream for a terminal.
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.mark.usefixtures("terminal")
def test_a_stage_of_unknown_length_does_not_keep_the_length_of_the_one_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ProgressBar(refresh_in_thread=False) as progress:
        progress.report("copying", 5, 10, "5 pages")
        before = capsys.readouterr().err
        progress.report("checking", 0, None)
        after = capsys.readouterr().err.rpartition("checking")[2]
    assert "50%" in before
    assert "5 pages, left: " in before
    assert "%" not in after
    assert "left" not in after


def test_without_a_terminal_there_are_sentences_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with ProgressBar() as progress:
        progress.report("copying", 5, 10)
        progress.say("All is well.")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "All is well.\n")
