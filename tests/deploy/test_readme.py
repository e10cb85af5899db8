"""The operations guide: its links lead somewhere, it names what is here, and its shell is shell."""

import re
import subprocess

import pytest
from django.core.management import get_commands

from skg_site.env import PREFIX, Settings
from tests.deploy.programs import DEPLOY

GUIDE = (DEPLOY / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", GUIDE)
    assert targets
    assert [target for target in targets if not (DEPLOY / target).exists()] == []
    headings = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", GUIDE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", GUIDE)) <= headings


def test_everything_in_the_folder_is_named() -> None:
    here = {path.name for path in DEPLOY.iterdir() if not path.name.startswith((".", "_"))} - {"README.md"}
    assert {name for name in here if name not in GUIDE} == set()


def test_every_setting_and_every_command_that_it_names_exists() -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(r"\bSKG_[A-Z_]+", GUIDE)) - {name + "_FILE" for name in settings}
    assert named <= settings | {"SKG_TAG", "SKG_API_SERVICE_PORT"}
    commands = set(re.findall(r"\bmanage\.py ([a-z_]+)", GUIDE)) - {"stands"}
    assert commands <= get_commands().keys()


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_every_example_is_shell(block: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, timeout=20, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_lock_is_made_as_the_guide_says() -> None:
    told = next(block for block in BLOCKS if "uv pip compile" in block)
    command = re.sub(r"\\\n\s*", "", told[told.index("uv pip") :]).partition("  #")[0]
    written = (DEPLOY / "requirements.lock").read_text(encoding="utf-8").splitlines()[1].strip("# ")
    assert command.split() == written.split()
