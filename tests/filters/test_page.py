from pathlib import Path

import pytest

from openm3w.filters import registry
from openm3w.filters.page import filters_page
from openm3w.filters.profiles import profile_names

PAGE = Path(__file__).parents[2] / "docs" / "filters.md"


def test_the_page_in_the_documentation_is_current():
    current = PAGE.read_text(encoding="utf-8") == filters_page()
    assert current, "run `m3w filters page --output docs/filters.md`"


@pytest.mark.parametrize("name", registry.names())
def test_each_filter_has_its_section_with_reasons(name):
    section = filters_page().partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    assert "Source:" in section
    for reason in registry.get(name).reasons:
        assert f"`{reason}`" in section


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_is_on_the_page(name):
    assert f"### {name}\n\n```toml\n" in filters_page()
