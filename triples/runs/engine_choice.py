"""The choice of the engine that derives facts from nothing, and where it is."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from triples.recursion.spark_addresses import address_of

EngineName = Literal["duckdb", "spark"]
# Hadoop, and so Apache Spark, says s3a where all others say s3.
_BUCKET = re.compile(r"s3a?://[^\s/]+(/\S*)?")


def check_remote(text: str) -> str:
    """Return it; ValueError if it is neither empty nor the address of a server."""
    if text and address_of(text) is None:
        raise ValueError("must be the address of a Spark Connect server, such as sc://spark:15002")
    return text


def check_exchange(text: str) -> str:
    """Return it; ValueError if it is neither empty, nor an absolute path, nor in S3."""
    if text and not (text.startswith("/") or _BUCKET.fullmatch(text)):
        raise ValueError("must be an absolute path, or s3://bucket/prefix (s3a:// for Apache Spark)")
    return text


class EngineChoice(NamedTuple):
    """`remote` and `exchange` are for Spark; empty where unknown."""

    name: EngineName = "duckdb"
    remote: str = ""
    exchange: str = ""

    def check(self) -> None:
        """Raise ValueError, with a sentence, if runs cannot be done so."""
        if self.name == "duckdb":
            return
        if not self.remote:
            raise ValueError(
                "The engine spark needs the address of a Spark Connect server, such as sc://spark:15002:"
                " SKG_SPARK_REMOTE, or recurse --remote."
            )
        if not self.exchange:
            raise ValueError(
                "The engine spark needs a folder or an s3://bucket/prefix that this host and the server's workers"
                " read and write: SKG_RECURSION_EXCHANGE, or recurse --exchange."
            )
        if self.exchange.startswith("/") and not Path(self.exchange).is_dir():
            raise ValueError(f"The exchange {self.exchange} is not a folder: make one that Spark's workers share.")
        if find_spec("pyspark") is None:
            raise ValueError("The engine spark needs more packages: pip install -r requirements-spark.txt")


EMBEDDED = EngineChoice()
