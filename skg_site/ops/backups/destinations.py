"""Where a backup goes or comes from, by what the operator wrote."""

from pathlib import Path

from skg_site.ops.backups.places import S3_SCHEME, FolderPlace, Place


def open_place(text: str) -> Place:
    """A folder, or the bucket and prefix of an s3:// URL."""
    if text.startswith(S3_SCHEME):
        from skg_site.ops.backups.s3 import S3Place  # noqa: PLC0415  # needs boto3, which is not always installed

        return S3Place(text)
    return FolderPlace(Path(text).absolute())
