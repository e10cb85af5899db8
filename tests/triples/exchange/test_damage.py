"""Damaged and hostile files: whatever is wrong with one is an InputError, and costs little."""

import gzip
import io
import lzma
import struct
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from tests.triples.exchange.reading import read_until_fault, write
from triples.exchange import xz
from triples.exchange.compressions import MOST_MEMBERS
from triples.exchange.facts import UNSCALED, FactMaker
from triples.exchange.formats.base import Reading, Writing
from triples.exchange.formats.registry import FORMATS
from triples.exchange.inputs import find_inputs, opened
from triples.exchange.lines import InputError
from triples.query.export import StreamedFact

FACTS = [StreamedFact(f"subject {number}", "p", f"object {number * 7919}", 0.5, None) for number in range(500)]


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def content_of(format_name: str) -> bytes:
    return write(FORMATS[format_name], FACTS, Writing())


def read(path: Path, format_name: str) -> None:
    refused: list[int] = []
    reading = Reading(FactMaker(1.0, UNSCALED), lambda line, _: refused.append(line), lambda: 1_000)
    for each in find_inputs(str(path), FORMATS[format_name]).inputs:
        with opened(each) as content:
            list(each.format.parts(content.stream, reading))


def damaged(content: bytes) -> bytes:
    """The same with other bytes in its middle."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0x55 for byte in content[middle : middle + 40]) + content[middle + 40 :]


@pytest.mark.parametrize("format_name", sorted(FORMATS))
@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress, lambda content: zipped(facts=content)])
def test_damage_is_told_whatever_reads_it(tmp_path: Path, format_name: str, compress: object) -> None:
    assert callable(compress)
    content = content_of(format_name)
    file = tmp_path / "facts"
    # Neo4j's is a zip already.
    file.write_bytes(damaged(content if format_name == "neo4j" else compress(content)))
    with pytest.raises(InputError):
        read(file, format_name)


ZIP = zipped(facts=b"a\tp\tb\n")
DIRECTORY = ZIP.index(b"PK\x01\x02")
# The flag that a name is UTF-8, which this one is not.
NO_TEXT = bytearray(ZIP.replace(b"facts", b"fac\xd2s"))
NO_TEXT[DIRECTORY + 9] |= 0x08


@pytest.mark.parametrize(
    "content",
    [
        bytes(NO_TEXT),
        ZIP.replace(b"facts", b"Facts", 1),
        ZIP[: DIRECTORY + 6] + b"\xff" + ZIP[DIRECTORY + 7 :],
        b"PK\x03\x04",
        ZIP[:DIRECTORY] + ZIP[DIRECTORY + 4 :],
    ],
    ids=["name", "names", "version", "cut", "directory"],
)
def test_a_damaged_zip_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "facts"
    file.write_bytes(content)
    with pytest.raises(InputError):
        read(file, "tsv")


def test_a_zip_has_few_files_and_a_short_table_of_contents(tmp_path: Path) -> None:
    file = tmp_path / "facts"
    file.write_bytes(zipped(**{str(number): b"" for number in range(MOST_MEMBERS + 1)}))
    with pytest.raises(InputError, match="holds 1,001 files; at most 1,000 can be read"):
        find_inputs(str(file), FORMATS["tsv"])
    size = 5 << 20
    file.write_bytes(b"PK\x03\x04" + b"x" * size + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 4, 0))
    with pytest.raises(InputError, match="table of contents is longer than 4,194,304 bytes"):
        find_inputs(str(file), FORMATS["tsv"])


def test_a_long_name_in_a_zip_is_shown_in_short(tmp_path: Path) -> None:
    file = tmp_path / "facts"
    file.write_bytes(zipped(**{"n" * 60_000: b"a\tp\tb\n"}))
    [found] = find_inputs(str(file), FORMATS["tsv"]).inputs
    assert found.shown_name == f"{file}/{'n' * 200}…"
    read(file, "tsv")


def test_xz_does_not_take_as_much_memory_as_a_file_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xz, "_MOST_MEMORY", 1 << 20)
    file = tmp_path / "facts"
    file.write_bytes(lzma.compress(b"a\tp\tb\n", preset=6))
    with pytest.raises(InputError, match="Memory usage limit"):
        read(file, "tsv")


def test_arrow_is_not_believed_where_its_texts_are(tmp_path: Path) -> None:
    content = content_of("arrow")
    offsets = pa.array([fact.subject for fact in FACTS]).buffers()[1].to_pybytes()
    at = content.index(offsets[:400])
    file = tmp_path / "facts"
    for damage in (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80"):
        file.write_bytes(content[: at + 40] + damage + content[at + 44 :])
        with pytest.raises(InputError):
            read(file, "arrow")
    file.write_bytes(content.replace(b"predicate", b"pre\xfficate"))
    with pytest.raises(InputError):
        read(file, "arrow")
    file.write_bytes(content.replace(b"object 7919", b"object \xff919"))
    with pytest.raises(InputError):
        read(file, "arrow")


def test_the_rest_of_json_ld_after_a_fault_is_not_left_out_without_a_word() -> None:
    documents = [f'{{"@id": "http://e.org/{number}", "http://e.org/p": "o"}}' for number in range(9)]
    documents[4] = "@"
    facts, fault = read_until_fault(FORMATS["jsonld"], "[" + ",\n".join(documents) + "]")
    assert [fact.subject for fact in facts] == [f"http://e.org/{number}" for number in range(4)]
    assert "the rest cannot be read, after" in str(fault)
