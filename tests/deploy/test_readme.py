"""The operations guide: it names what is here, and its shell is shell."""

import re
import subprocess

import pytest

from tests.deploy.programs import DEPLOY
from tests.support.pages import TEXTS

BLOCKS = re.findall(r"```sh\n(.*?)```", TEXTS["deploy/HOSTS.md"] + TEXTS["deploy/RUNBOOKS.md"], re.DOTALL)


def test_everything_in_the_folder_is_named() -> None:
    here = {path.name for path in DEPLOY.iterdir() if not path.name.startswith((".", "_"))} - {"README.md"}
    assert {name for name in here if name not in TEXTS["deploy/README.md"]} == set()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_every_example_is_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, timeout=20, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_lock_is_made_as_the_guide_says() -> None:
    told = next(block for block in BLOCKS if "uv pip compile" in block)
    command = re.sub(r"\\\n\s*", "", told[told.index("uv pip") :]).partition("  #")[0]
    written = (DEPLOY / "requirements.lock").read_text(encoding="utf-8").splitlines()[1].strip("# ")
    assert command.split() == written.split()
