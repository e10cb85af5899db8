"""`python -m tests.benchmarks`: every section measured, and one report written of them."""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks import wrk
from tests.benchmarks.machine import heading
from tests.benchmarks.report import LeftOut, Report, Section, Settings
from tests.benchmarks.sections import SECTIONS, Entry

FAILED, MISUSED, UNAVAILABLE = 1, 2, 69
ROUNDS, SECONDS = 3, 4
QUICK_ROUNDS, QUICK_SECONDS = 1, 1


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    entries = [SECTIONS[name] for name in asked.only or SECTIONS]
    if any(entry.needs_wrk for entry in entries) and not wrk.is_there():
        _say("wrk is not installed, which makes the load: on Debian, apt install wrk.")
        return UNAVAILABLE
    settings = _settings(asked)
    report = Report(asked.output, heading(settings, arguments))
    well = True
    for number, entry in enumerate(entries, start=1):
        _say(f"{number} of {len(entries)}: {entry.title} ...")
        well &= _measured(entry, settings, report)
        report.write()
    shutil.rmtree(settings.folder)
    for title, reason in report.left_out:
        _say(f"LEFT OUT: {title}: {reason}")
    for title, reason in report.failed:
        _say(f"FAILED: {title}: {reason}")
    _say(f"The report is {report.file}.")
    return 0 if well else FAILED


def _measured(entry: Entry, settings: Settings, report: Report) -> bool:
    """Measure a section into the report; whether it did not fail."""
    folder = settings.folder / entry.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    begin = time.monotonic()
    try:
        section: Section = entry.run(replace(settings, folder=folder))
    except LeftOut as reason:
        report.left_out.append((entry.title, str(reason)))
        _say(f"   left out: {reason}")
        return True
    except Exception as error:  # noqa: BLE001  # an hour's other sections are worth having
        sentence = f"{type(error).__name__}: {error}"
        _say(f"   failed: {sentence}")
        report.failed.append((entry.title, sentence.partition("\n")[0]))
        return False
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.sections.append(section)
    _say(f"   {time.monotonic() - begin:,.0f} s")
    return True


def _settings(asked: argparse.Namespace) -> Settings:
    # On the disk of the report, not in a temporary folder: that may be memory, where flushing costs nothing.
    folder: Path = asked.output.resolve() / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(
        folder=folder,
        peers=_absolute(asked.peers),
        # Not resolved: an interpreter of a virtual environment is a link to one that has not its packages.
        peer_python=None if asked.peer_python is None else Path.cwd() / asked.peer_python,
        rounds=asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS),
        seconds=asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS),
        quick=asked.quick,
        soak_minutes=asked.soak,
        graph=_absolute(asked.graph),
        rules=_absolute(asked.rules),
        recursion_peer=_absolute(asked.recursion_peer),
    )


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.resolve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure the service beside its peers, and write one report of it in Markdown. Exit code 0 when "
        "every section was measured or could not be for want of a peer, 1 when one failed, 69 when wrk is missing.",
    )
    add = parser.add_argument
    add("--output", type=Path, default=Path("bench-report"), metavar="FOLDER", help="default: %(default)s")
    add(
        "--only",
        action="append",
        choices=SECTIONS,
        metavar="SECTION",
        help=f"of {', '.join(SECTIONS)}; may be given again",
    )
    add("--quick", action="store_true", help="the least that shows anything; its figures mean little")
    add("--rounds", type=_positive, metavar="N", help=f"turns of each comparison (default: {ROUNDS})")
    add("--seconds", type=_positive, metavar="N", help=f"of load in each turn (default: {SECONDS})")
    add("--soak", type=_positive, default=0, metavar="MINUTES", help="how long the memory of a worker is watched")
    add("--peers", type=Path, metavar="FOLDER", help="programs of the peers: fastapi_skg, flask_legacy")
    add("--peer-python", type=Path, metavar="PYTHON", help="an interpreter with what the peers need")
    add("--graph", type=Path, metavar="FILE", help="TSV, plain or .xz, to import (default: a generated graph)")
    add("--rules", type=Path, metavar="FILE", help="rules for that graph")
    add("--recursion-peer", type=Path, metavar="PROGRAM", help="what derives the same from it for a peer")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201  # what is under way


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
