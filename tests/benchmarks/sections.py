"""What `python -m tests.benchmarks` measures, in the order of the report."""

from dataclasses import dataclass
from importlib import import_module

from tests.benchmarks.report import Section, Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """A section by its name on the command line; its title stands for it where it could not be measured."""

    name: str
    title: str
    module: str
    function: str = "run"
    needs_wrk: bool = False

    def run(self, settings: Settings) -> Section:
        # Each is loaded when its turn comes: what only one of them needs cannot keep the others from being measured.
        section: Section = getattr(import_module(f"tests.benchmarks.{self.module}"), self.function)(settings)
        return section


SECTIONS = {
    entry.name: entry
    for entry in (
        Entry("fastapi", "Over HTTP, beside FastAPI", "beside_peers", "beside_fastapi", needs_wrk=True),
        Entry("asyncpg", "Over HTTP on PostgreSQL, beside FastAPI", "beside_peers", "beside_asyncpg", needs_wrk=True),
        Entry("flask", "Over HTTP, beside Flask", "beside_peers", "beside_flask", needs_wrk=True),
        Entry("oxigraph", "Over HTTP, beside Oxigraph", "beside_peers", "beside_oxigraph", needs_wrk=True),
        Entry("workers", "Two workers over one", "workers", needs_wrk=True),
        Entry("floor", "The floor under a query", "floor", needs_wrk=True),
        Entry("import", "Bulk import beside Oxigraph", "importing"),
        Entry("recursion", "Recursion beside Oxigraph", "recursing"),
        Entry("engines", "Recursion on DuckDB and on Sail", "engines"),
        Entry("scale", "A hundred times as many facts", "scale"),
        Entry("asking", "Questions", "asking"),
        Entry("shapes", "Shapes of questions", "shapes"),
        Entry("http-shapes", "Shapes of questions over HTTP", "shapes_over_http"),
        Entry("searching", "Names", "searching"),
        Entry("overload", "Overload and slow clients", "overload"),
        Entry("soak", "Memory of a worker under load", "soak"),
    )
}
