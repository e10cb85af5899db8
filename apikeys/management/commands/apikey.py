"""`manage.py apikey create|list|rotate|revoke`"""

import json
from collections.abc import Callable
from typing import Any

from django.core.management import CommandError, CommandParser
from django.utils import timezone

from apikeys.cleaning import clean_name
from apikeys.lineages import newest_named, revoke
from apikeys.models import ApiKey, State
from apikeys.responses import issued_content, key_content, revocation_content
from apikeys.rotations import LINEAGE, NAME, Rotation, Rotator, newest_of_lineages
from apikeys.scopes import Scope
from apikeys.secrets_manager import SecretError
from apikeys.services import MAX_GRACE, IssuedKey, NotRotatable, key_issue
from skg_site.cli.arguments import add_action, duration
from skg_site.cli.base_command import ServiceCommand
from skg_site.cli.exit_codes import MISUSED
from skg_site.cli.failures import database_failures_told
from skg_site.cli.prompts import confirm, user_name
from skg_site.cli.tables import table

KEY_HELP = "its id, or its name, which means the newest key of a row of rotations"
COLUMNS = ("id", "name", "state", "scopes", "rate", "last used", "expires")


class Command(ServiceCommand):
    help = (
        "Make, list, replace and end API keys. Exit code 0 when it is done, 1 when it could not be done, "
        "2 when the command line makes no sense."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(title="actions", dest="action", required=True, metavar="ACTION")
        create = add_action(actions, "create", self.create, "make a key and show it, this once")
        create.add_argument("name", help="who or what will use the key")
        create.add_argument(
            "--scopes", default="read,write", help=f"what it may do, of {','.join(Scope)} (default: %(default)s)"
        )
        create.add_argument("--expires", metavar="TIME", type=duration, help="how long it works: 30d, 12h, 15m")
        create.add_argument(
            "--rate", default="", help="requests for each endpoint: 100/s, 100/m, 100/h, 0 for no limit"
        )
        create.add_argument("--networks", default="", help="addresses it may be used from: 10.0.0.0/8,192.0.2.7")
        listing = add_action(actions, "list", self.list_keys, "show all keys, newest first")
        listing.add_argument("--state", choices=State.values, help="only keys in this state")
        _add_rotate(actions, self.rotate)
        ending = add_action(actions, "revoke", self.revoke, "end a key for good, within a second everywhere")
        ending.add_argument("key", help=KEY_HELP)
        ending.add_argument("--lineage", action="store_true", help="end every other key of its row of rotations too")
        ending.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_: Any, run: Callable[..., None], **options: Any) -> None:
        try:
            with database_failures_told():
                run(options)
        except (ValueError, NotRotatable) as error:
            message = str(error)
            raise CommandError(f"{message[0].upper()}{message[1:]}".rstrip(".") + ".") from None

    def create(self, options: dict[str, Any]) -> None:
        issued = key_issue(
            name=options["name"],
            scopes=[scope.strip() for scope in options["scopes"].split(",")],
            expires_at=timezone.now() + options["expires"] if options["expires"] else None,
            rate=options["rate"],
            allowed_networks=options["networks"],
            actor=_actor(),
        )
        self._show_issued(issued, as_json=options["json"])

    def list_keys(self, options: dict[str, Any]) -> None:
        keys = ApiKey.objects.select_related("rotated_from", "successor").order_by("-id")
        if options["state"]:
            keys = keys.in_state(State(options["state"]), timezone.now())
        if options["json"]:
            self._write_json([key_content(key) for key in keys])
        else:
            self.stdout.write(table([COLUMNS, *map(_row, keys)]))

    def rotate(self, options: dict[str, Any]) -> None:
        keys = _keys_to_rotate(options)
        rotator = Rotator(_actor(), options["grace"], options["emergency"], options["secrets_manager"])
        if rotator.emergency and not options["yes"]:
            names = ", ".join(map(str, keys))
            confirm(f"Replace {len(keys)} keys at once: {names}?", refusal="Nothing was replaced.")
        done, failed = [], []
        for key in keys:
            try:
                done.append(rotator.rotate(key))
            except (SecretError, NotRotatable) as error:
                failed.append(str(error))
        if options["json"] and (done or options["key"] is None):
            contents = [rotation.content for rotation in done]
            self._write_json(contents if options["key"] is None else contents[0])
        elif not options["json"]:
            for rotation in done:
                self._show_rotation(rotation)
        if failed:
            raise CommandError("\n".join(failed))

    def _show_rotation(self, rotation: Rotation) -> None:
        key, secret = rotation.issued.key, rotation.secret
        if secret is None:
            self._show_issued(rotation.issued, as_json=False)
        else:
            self.stdout.write(f"{key}, may {key.scopes}, is in the secret {secret.name} as version {secret.version}.")
        for sentence in rotation.endings:
            self.stdout.write(sentence)

    def revoke(self, options: dict[str, Any]) -> None:
        key = _find(options["key"])
        if not options["yes"]:
            more = " and every other key of its row of rotations" if options["lineage"] else ""
            confirm(f"Revoke {key}{more} for good?", refusal="Nothing was revoked.")
        revocation = revoke(key=key, lineage=options["lineage"], actor=_actor())
        if options["json"]:
            self._write_json(revocation_content(revocation))
        else:
            for sentence in revocation.sentences:
                self.stdout.write(sentence)

    def _show_issued(self, issued: IssuedKey, *, as_json: bool) -> None:
        if as_json:
            self._write_json(issued_content(issued))
        else:
            self.stdout.write(f"{issued.key}, may {issued.key.scopes}:\n\n    {issued.clear_text}\n\n")
            self.stdout.write("Keep it now. It is shown this once, and stored nowhere.")

    def _write_json(self, content: object) -> None:
        self.stdout.write(json.dumps(content, indent=2, ensure_ascii=False))


def _add_rotate(actions: Any, run: Callable[..., None]) -> None:
    rotate = add_action(actions, "rotate", run, "make a key's successor and show it, this once")
    rotate.add_argument("key", nargs="?", help=KEY_HELP)
    rotate.add_argument(
        "--grace",
        metavar="TIME",
        type=duration,
        help=f"how long the old key goes on working, at most {MAX_GRACE.days}d (default: 1d; in an emergency: 0s)",
    )
    rotate.add_argument(
        "--secrets-manager",
        metavar="SECRET",
        help="put the new key into this secret of AWS Secrets Manager instead of showing it; in the name, {name} and "
        "{lineage} stand for the key's own (needs boto3)",
    )
    emergency = rotate.add_argument_group("emergency", "a key is in wrong hands")
    emergency.add_argument(
        "--emergency",
        action="store_true",
        help="end the key and every other in its row of rotations at once, or after --grace; asks first",
    )
    which = emergency.add_mutually_exclusive_group()
    which.add_argument("--scope", choices=list(Scope), help="instead of one key: all that have this scope")
    which.add_argument("--all", action="store_true", help="instead of one key: all")
    emergency.add_argument("--yes", action="store_true", help="do not ask")


def _keys_to_rotate(options: dict[str, Any]) -> list[ApiKey]:
    many = options["scope"] or options["all"]
    if bool(options["key"]) == bool(many):
        raise CommandError("Name one key; or --all or --scope, with --emergency.", returncode=MISUSED)
    if not many:
        return [_find(options["key"])]
    if not options["emergency"]:
        raise CommandError("Only --emergency replaces many keys.", returncode=MISUSED)
    name = options["secrets_manager"]
    if name is not None and not (NAME in name or LINEAGE in name):
        sentence = f"Many keys do not fit into one secret: name it by {NAME} or {LINEAGE}, such as skg/{NAME}."
        raise CommandError(sentence, returncode=MISUSED)
    keys = newest_of_lineages(options["scope"])
    if not keys:
        raise CommandError("No working key is one of these.")
    return keys


def _find(text: str) -> ApiKey:
    """The key with this public id, or the newest working key of the only row of rotations with this name."""
    key = ApiKey.objects.filter(public_id=text).first()
    if key is not None:
        return key
    named = newest_named(clean_name(text))
    if not named:
        raise CommandError(f"No key has the id {text}, and no working key has this name.")
    if len(named) > 1:
        ids = ", ".join(key.public_id for key in named)
        raise CommandError(f"{len(named)} working keys are named {text}; say which by its id: {ids}.")
    return named[0]


def _actor() -> str:
    return f"command line ({user_name()})"


def _row(key: ApiKey) -> tuple[str, ...]:
    return (
        key.public_id,
        key.name,
        key.state.value,
        key.scopes.replace(" ", ","),
        key.rate or "-",
        f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never",
        f"{key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "never",
    )
