"""What a visitor does in a tab of the page, by Playwright."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT = 120  # seconds, at most


def give(tab: Any, *photographs: Path, name: str = "photograph") -> None:
    tab.locator(f"#{name} input[type=file]").set_input_files(photographs)


def give_several(tab: Any, *photographs: Path) -> None:
    """Give them and wait until the page has them."""
    give(tab, *photographs, name="photographs")
    tab.locator("#photographs").get_by_text(photographs[-1].stem).first.wait_for()


def download(tab: Any, name: str, path: Path) -> Path:
    with tab.expect_download() as event:
        tab.locator(f"#{name}").click()
    assert event.value.suggested_filename == path.name
    event.value.save_as(path)
    return path


def shown(tab: Any, which: int) -> str:
    """The address of the picture before (0) or after (1)."""
    return str(tab.locator("#slider img").nth(which).get_attribute("src"))


def until(tab: Any, script: str, value: object = None) -> None:
    """Wait until a script is true; Playwright's own way is forbidden by the page, which evaluates no text."""
    end = time.monotonic() + WAIT
    while not tab.evaluate(script, value):
        assert time.monotonic() < end, f"{script} is not true of this page: {tab.locator('body').inner_text()}"
        tab.wait_for_timeout(50)


def ready(tab: Any, photograph: Path) -> None:
    tab.get_by_role("button", name=f"Download {photograph.stem}_colorized.jpg").wait_for()
    until(tab, "document.querySelector('#slider img')?.naturalWidth > 0")


def wait_for(true: Callable[[], bool]) -> None:
    """Wait for something outside of the page."""
    end = time.monotonic() + WAIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)
