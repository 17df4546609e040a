"""docs/reference/types-debezium.md shows what this build makes of each type, and what Debezium does."""

import sys

from support.processes import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import types_page  # noqa: E402


def test_the_page_is_current(servers, broker):
    page = types_page.page(types_page.Ours(servers(), broker))
    assert page.count("\n| ") > 150, "a page of hardly any types"
    assert page == types_page.PAGE.read_text(encoding="utf-8"), "make generated makes it again"
