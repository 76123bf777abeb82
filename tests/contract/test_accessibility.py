"""The site in a real browser: axe finds nothing, a phone shows all of it, and no page asks for anything from elsewhere."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from samenloop.publication.site import site_of
from tests.contract.spoiling import PUBLISHED

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ["index", "gegevens", "herkomst", "topics", "ontvangers", "techniek", "topics/signalen", "ontvangers/gm0363"]

pytestmark = [
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on this machine; test_publication.py checks structure and contrast without one"
    ),
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    for name, data in site_of(PUBLISHED).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280], ids=["phone", "desktop"])
def test_axe_finds_no_violation_and_nothing_is_cut_off(site: Path, browser: Browser, scheme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light")
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    diensten = [f"diensten/{p.stem}" for p in sorted((site / "diensten").glob("*.html"))]
    for name in [*PAGES, *diensten]:
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    context.close()


def test_axe_finds_a_planted_violation(site: Path, browser: Browser, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text((site / "index.html").read_text(encoding="utf-8").replace('<html lang="nl">', "<html>"), encoding="utf-8")
    page = browser.new_page()
    page.goto(spoilt.as_uri())
    assert [v["id"] for v in Axe().run(page).response["violations"]] == ["html-has-lang"]
    page.close()
