"""The record of the last successful backup from this host: `manage.py backup` writes it, metrics and checks read it."""

from pathlib import Path

import orjson
from pydantic import AwareDatetime, BaseModel

from skg_site.host.files import replace_content


class BackupRecord(BaseModel):
    finished_at: AwareDatetime
    bytes: int
    # The path or URL.
    file: str
    sha256: str = ""


def write_backup_record(state_dir: Path, record: BackupRecord) -> None:
    replace_content(_file(state_dir), orjson.dumps(record.model_dump()))


def read_backup_record(state_dir: Path) -> BackupRecord | None:
    """The record; None if there has been no backup. Raises ValueError if the file is damaged."""
    try:
        return BackupRecord.model_validate_json(_file(state_dir).read_bytes())
    except FileNotFoundError:
        return None


def _file(state_dir: Path) -> Path:
    return state_dir / "backup.json"
