"""Puts a run's figures into docs/PERFORMANCE.md, between its two marks, and the charts beside it."""

import shutil

import charts
import report
from processes import Failed

BEGIN = "<!-- figures: written by tests/bench/run --document -->"
END = "<!-- end of figures -->"


def rewrite(root, figures, drawn_in):
    """`drawn_in` is a scratch folder for the charts."""
    page, beside = root / "docs" / "PERFORMANCE.md", root / "docs" / "performance"
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise Failed(f"{page} does not have the two marks between which the figures stand: {BEGIN} and {END}")
    drawn = charts.draw(figures["parts"], drawn_in)
    beside.mkdir(exist_ok=True)
    for old in beside.glob("*.svg"):
        old.unlink()
    for name, _ in drawn:
        shutil.copyfile(drawn_in / name, beside / name)
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END):]
    page.write_text(f"{before}\n\n{report.write(figures, drawn, 'performance/')}\n{after}")
    return page
