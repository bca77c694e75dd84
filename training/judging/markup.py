"""Pieces of a self-contained HTML page: no links, no scripts, pictures as data URIs, light or dark, wide or narrow."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

from training.judging.sheets import Thumbnail

_CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --ground: #ffffff; --card: #f4f6f8; --line: #d5dae0 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa5b1; --ground: #14171a; --card: #1e2329; --line: #363e47 }
}
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere } h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem }
h3 { margin: 1rem 0 .3rem; font-size: 1rem }
p { margin: .4rem 0; max-width: 46rem } .soft, figcaption, caption { color: var(--soft); font-size: .875rem }
code { font-size: .85em; overflow-wrap: anywhere }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
caption { text-align: left; padding-bottom: .3rem }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left; padding-left: 0 } thead th { color: var(--soft); font-weight: 600 }
tbody th { font-weight: 400 } td, tbody th { white-space: nowrap }
.facts td, .facts th { text-align: left; white-space: normal } .facts td { overflow-wrap: anywhere }
.tiles { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)) }
.tile { background: var(--card); border-radius: .5rem; padding: .7rem .9rem }
.tile b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }
.tile span { color: var(--soft); font-size: .875rem }
.side { display: grid; gap: 1rem 2rem; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)) }
.sheet { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); margin-top: .6rem }
figure { margin: 0 } .sheet figure { background: var(--card); border-radius: .4rem; overflow: hidden }
.sheet img { display: block; width: 100%; height: 11rem; object-fit: contain; background: #000 }
.sheet figcaption { padding: .3rem .5rem; font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere }
.sheet figcaption b { color: var(--ink); font-weight: 500 }
svg { width: 100%; height: auto; max-width: 34rem } svg text { font-family: inherit !important }
summary { cursor: pointer } ul.names { columns: 16rem; font-size: .85rem; overflow-wrap: anywhere }
"""


def page(title: str, body: Iterable[str]) -> str:
    """The whole HTML file."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A heading and what stands below it."""
    return "\n".join((f"<section><h2>{escape(title)}</h2>", *parts, "</section>"))


def paragraph(text: str, *, soft: bool = False) -> str:
    """Text; ``soft``: an explanation rather than a result."""
    return f'<p class="soft">{escape(text)}</p>' if soft else f"<p>{escape(text)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table that scrolls sideways where the page is too narrow."""
    named = f"<caption>{escape(caption)}</caption>" if caption else ""
    columns = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    return (
        f'<div class="wide"><table>{named}<thead><tr>{columns}</tr></thead><tbody>{_rows(rows)}</tbody></table></div>'
    )


def facts(rows: Iterable[Sequence[str]]) -> str:
    """A table of names and values without a head."""
    return f'<table class="facts"><tbody>{_rows(rows)}</tbody></table>'


def _rows(rows: Iterable[Sequence[str]]) -> str:
    return "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    )


def tiles(values: Iterable[tuple[str, str]]) -> str:
    """The few figures one looks at first: (value, what it is)."""
    made = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for value, what in values
    )
    return f'<div class="tiles">{made}</div>'


def side_by_side(parts: Iterable[str]) -> str:
    """Parts beside each other where the page is wide enough."""
    return f'<div class="side">{"".join(f"<div>{part}</div>" for part in parts)}</div>'


def drawing(svg: str, caption: str) -> str:
    """A curve and what it shows."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def sheet(thumbnails: Sequence[Thumbnail], of: int) -> str:
    """A contact sheet; ``of``: how many there are, of which these are the first."""
    if not of:
        return paragraph("None.")
    shown = "" if len(thumbnails) == of else f"The worst {len(thumbnails)} of {of}; the list at the end names all."
    made = "".join(_figure(thumbnail) for thumbnail in thumbnails)
    return (paragraph(shown, soft=True) if shown else "") + f'<div class="sheet">{made}</div>'


def _figure(thumbnail: Thumbnail) -> str:
    name, *lines = map(escape, thumbnail.lines)
    data = base64.b64encode(thumbnail.jpeg).decode("ascii")
    caption = "<br>".join((f"<b>{name}</b>", *lines))
    return f'<figure><img alt="{name}" src="data:image/jpeg;base64,{data}"><figcaption>{caption}</figcaption></figure>'


def names(title: str, listed: Sequence[str]) -> str:
    """A list that opens on demand."""
    items = "".join(f"<li>{escape(name)}</li>" for name in listed)
    return f'<details><summary>{escape(title)} ({len(listed)})</summary><ul class="names">{items}</ul></details>'
