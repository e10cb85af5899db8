"""The options of the command line for RDF."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from triples.exchange.rdf.prefixes import VOCABULARY, Prefixes, load_prefixes, save_prefixes

WEIGHT = f"{VOCABULARY}weight"
METADATA = f"{VOCABULARY}metadata"
# What exports tell of a fact and imports cannot keep: ids and times are the database's own.
UNKEPT = tuple(f"{VOCABULARY}{name}" for name in ("id", "created", "updated"))
# The key of the metadata that has the name of a fact's graph.
GRAPH = "graph"


@dataclass(frozen=True, slots=True)
class RdfOptions:
    """The ways in which RDF is read.

    `weight_properties` are IRIs. If `metadata`, all else that is said of a fact goes into its metadata. If
    `refuses_graphs`, facts of named graphs are refused. `base` is what relative IRIs are relative to.
    """

    weight_properties: tuple[str, ...] = (WEIGHT,)
    metadata: bool = False
    refuses_graphs: bool = False
    base: str | None = None


PLAIN_RDF = RdfOptions()


class PrefixStore:
    """The prefixes of the graph, to which those of files are added."""

    def __init__(
        self,
        given: Mapping[str, str] | None = None,
        folder: Path | None = None,
        is_used: Callable[[str], bool] = lambda _: False,
        say: Callable[[str], None] = lambda _: None,
        *,
        keeps: bool = True,
    ) -> None:
        """`given` are those of the command line. Without `keeps`, nothing is saved. Raises PrefixError."""
        self._folder = folder
        self._is_used = is_used
        self._say = say
        self._keeps = keeps
        self.prefixes = (Prefixes() if folder is None else load_prefixes(folder)).with_(given or {})
        self._given = dict(given or {})

    def adopt(self, of_file: Mapping[str, str]) -> Prefixes:
        """The prefixes with those of a file that do not give any IRI a second text."""
        added = self.prefixes.usable(of_file, self._is_used)
        known = set(self.prefixes.iris.values())
        if left := sorted(name for name, iri in of_file.items() if name and iri not in known and name not in added):
            self._say(
                f"The prefix {', '.join(left)} of the file is not used: it stands for something else already, or IRIs "
                "of its namespace are in the graph in full. These IRIs are stored in full."
            )
        self.prefixes = self.prefixes.with_(added)
        if self._folder is not None and self._keeps and (new := {**self._given, **added}):
            save_prefixes(self._folder, new.items())
            self._given = {}
        return self.prefixes
