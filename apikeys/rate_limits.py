"""Token buckets of all hosts in Valkey or, while that does not answer, of this host."""

from functools import cached_property
from hashlib import blake2b

from django.conf import settings

from apikeys.bucket_table import BucketTable
from apikeys.token_bucket import Bucket, Take
from apikeys.valkey_buckets import shared_buckets
from skg_site.api.valkey import ValkeyDown, valkey


class Buckets:
    """Buckets by a 64-bit identity that is not 0; `name` is the file of this host's buckets."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def table(self) -> BucketTable:
        """The host's buckets, opened at their first use."""
        return BucketTable(settings.ENV.state_dir / self._name)

    async def take(self, identity: int, bucket: Bucket) -> Take:
        if valkey.is_up:
            try:
                return await shared_buckets.take(identity, bucket, self.table)
            except ValkeyDown:
                pass
        return self.table.take(identity, bucket)


def identity_of(name: str) -> int:
    """The identity of the bucket with this name."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()) or 1


limits = Buckets("limits")
# A table of its own, so that many failing addresses cannot displace the buckets of keys.
failed_attempts = Buckets("failed-attempts")
