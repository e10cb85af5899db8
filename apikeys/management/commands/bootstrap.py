"""`manage.py bootstrap`: the first admin user and the first key, for `make run`."""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand

from apikeys.models import ApiKey
from apikeys.scopes import ALL_SCOPES
from apikeys.services import adopt_configured_key, key_issue
from apikeys.turns import write_turn

USERNAME = "admin"


class Command(BaseCommand):
    help = "Make a first admin user and a first API key where there is none yet, and show them, this once."

    def handle(self, *_: Any, **__: Any) -> None:
        with _one_at_a_time():
            adopt_configured_key(settings.ENV.api_key_hash)
            made = [part for part in (_first_user(), _first_key()) if part]
        if made:
            self.stdout.write("\n".join(made))
            self.stdout.write("Keep what you need of this now: it is shown this once, and stored nowhere.\n")
        else:
            self.stdout.write("There is an admin user and a key already; `manage.py apikey` makes more keys.")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """So that of two that start together the second sees what the first has made."""
    with (settings.ENV.state_dir / "bootstrap.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _first_user() -> str:
    if User.objects.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(15)
    with write_turn():
        User.objects.create_superuser(USERNAME, password=password)
    return f"First admin user, for http://127.0.0.1:{settings.ENV.port}/admin/\n\n    {USERNAME}\n    {password}\n"


def _first_key() -> str:
    if ApiKey.objects.exists():
        return ""
    issued = key_issue(name="first key", scopes=ALL_SCOPES, actor="bootstrap")
    return (
        "First API key, with every scope\n\n"
        f"    {issued.clear_text}\n\n"
        "Try it\n\n"
        f'    curl -H "Authorization: Bearer {issued.clear_text}" http://127.0.0.1:{settings.ENV.port}/stats\n'
    )
