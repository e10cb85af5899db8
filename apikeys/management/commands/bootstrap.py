"""`manage.py bootstrap`: the first admin user and the first key, for `make run`."""

import secrets
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from filelock import FileLock

from apikeys.models import ApiKey, Origin
from apikeys.scopes import ALL_SCOPES
from apikeys.services import adopt_configured_key, key_issue
from skg_site.cli.base_command import ServiceCommand
from skg_site.host.write_lock import locked_transaction

USERNAME = "admin"
FIRST_KEY = "first key"


class Command(ServiceCommand):
    help = (
        "Make a first admin user and a first API key where there is none yet, and show them, this once; then say where "
        "the service, its documentation and its admin are."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        # Of two that start at the same time, the second sees what the first has made.
        with FileLock(settings.ENV.state_dir / "bootstrap.lock", mode=0o600):
            adopt_configured_key(settings.ENV.api_key_hash)
            made = [part for part in (_first_user(), _first_key()) if part]
        if made:
            self.stdout.write("\n".join(made))
            self.stdout.write("Keep what you need of this now: it is shown this once, and stored nowhere.\n")
        self.stdout.write("\n".join(_addresses()))
        if not any("API key" in part for part in made):
            self.stdout.write(_keys())


def _first_user() -> str:
    if User.objects.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(15)
    with locked_transaction():
        User.objects.create_superuser(USERNAME, password=password)
    return f"First admin user, for {_base_url()}/admin/\n\n    {USERNAME}\n    {password}\n"


def _first_key() -> str:
    if ApiKey.objects.exists():
        return ""
    # A limit would refuse people who try the service out, in loops and with load_test.
    issued = key_issue(name=FIRST_KEY, scopes=ALL_SCOPES, rate="0", actor="bootstrap")
    return (
        "First API key, with every scope and without a rate limit\n\n"
        f"    {issued.clear_text}\n\n"
        "Try it\n\n"
        f'    curl -H "Authorization: Bearer {issued.clear_text}" {_base_url()}/stats\n'
    )


def _base_url() -> str:
    return f"http://127.0.0.1:{settings.ENV.port}"


def _addresses() -> Iterator[str]:
    yield f"Service        {_base_url()}"
    if settings.ENV.enable_docs:
        yield f"Documentation  {_base_url()}/docs"
    yield f"Admin          {_base_url()}/admin/"


def _keys() -> str:
    """A line that names a working key, without its secret, and says how to make another."""
    working = ApiKey.objects.working(timezone.now()).order_by("-id")
    key = working.filter(name=FIRST_KEY).first() or working.first()
    more = 'another: .venv/bin/python manage.py apikey create "my key"'
    if key is None:
        return f"API key        none works; {more}"
    shown = "that of SKG_API_KEY_HASH" if key.origin == Origin.SETTINGS else f"skg_{key.environment}_{key.public_id}…"
    return f"API key        {key.name}, {shown}; {more}"
