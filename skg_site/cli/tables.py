"""Tables of text."""

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> str:
    """Columns as wide as their widest cell; with `numbers`, all but the first are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if numbers:
            cells[1:] = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
