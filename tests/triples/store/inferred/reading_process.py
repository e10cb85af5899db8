"""A process that reads the graph of its environment: it prints the inferred facts that it shows, once for each line."""

import json
import sys

import django

django.setup()

from tests.triples.store.inferred.reads import reading  # noqa: E402  # models can be imported only now


def main() -> None:
    with reading() as reader:
        for _ in sys.stdin:
            sys.stdout.write(json.dumps(sorted(reader.inferred())) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
