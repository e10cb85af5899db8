"""These tests need pandas, which stands where only they and those of Spark find it (tests/README.md)."""

from importlib.util import find_spec

if find_spec("pandas") is None:
    collect_ignore_glob = ["test_*.py"]
