"""Arguments of commands: a value of two dashes reaches the command as any other does."""

from argparse import ArgumentParser

import pytest

from skg_site.cli.arguments import with_dashes_kept


@pytest.mark.parametrize(
    ("arguments", "subject", "files"),
    [
        (["--subject=--", "f"], "--", ["f"]),
        (["f", "--subject=--"], "--", ["f"]),
        (["--subject=-", "f"], "-", ["f"]),
        (["--subject=a", "--", "--f"], "a", ["--f"]),
    ],
)
def test_two_dashes_are_a_value(arguments: list[str], subject: str, files: list[str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("--subject", type=str.strip)
    parser.add_argument("files", nargs="+")
    found = parser.parse_args(with_dashes_kept(arguments))
    assert (found.subject, found.files) == (subject, files)
