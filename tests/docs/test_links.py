"""Links between the documents lead somewhere, and every document can be reached from the index."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, links

DOCS = ROOT / "docs"
LINKS = [
    pytest.param(page, target, id=f"{page.relative_to(ROOT)}:{target}")
    for page in PAGES
    for target in sorted(set(links(page)))
    if not target.startswith(("https://", "http://", "mailto:"))
]


@pytest.mark.parametrize(("page", "target"), LINKS)
def test_relative_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    assert file.exists(), f"{page.name} links to {name}, which does not exist"
    assert file.is_relative_to(ROOT)
    if anchor:
        assert anchor in anchors(file), f"{file.name} has no heading for #{anchor}"


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix != ".md" or page in reached or not page.is_file():
            continue
        reached.add(page)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in links(page) if "//" not in target]
    assert set(DOCS.rglob("*.md")) <= reached
