"""The page in a real Chromium, as its visitors use it: pytest -m browser."""

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.conftest import REPO, Page, Serve
from tests.app.runs import make_run, save_best
from tests.app.tab import WAIT, download, give, give_several, ready, shown, until, wait_for
from tests.inference.unsure import unsure

pytestmark = pytest.mark.browser
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

Visit = Callable[..., Any]


@pytest.fixture
def visit(chromium: Any, page: Page) -> Iterator[Visit]:
    """Opens the page as one more visitor; whatever it asks of anyone else, and each error of a script, is kept."""
    contexts, outside, errors = [], [], []

    def open_page(size: dict[str, int] = DESKTOP, url: str = page.url) -> Any:
        context = chromium.new_context(viewport=size)
        contexts.append(context)
        context.set_default_timeout(WAIT * 1000)
        tab = context.new_page()
        tab.on("request", lambda request: outside.append(request.url) if _is_outside(request.url, url) else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda message: errors.append(_words(message)) if message.type == "error" else None)
        tab.goto(url)
        tab.get_by_role("tab", name="One photograph").wait_for()
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert outside == []
    assert errors == []


def _words(message: Any) -> str:
    return f"{message.text} ({message.location['url']})"


def _is_outside(address: str, url: str) -> bool:
    return not address.startswith((url, "data:", "blob:"))


@pytest.fixture(scope="module")
def predicted(scenes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What predict.py makes of the scenes."""
    folder = tmp_path_factory.mktemp("predicted")
    command = ["predict.py", f"input={scenes[0].parent}", f"output={folder}", "trainer.accelerator=cpu"]
    subprocess.run([sys.executable, *command], cwd=REPO, check=True)
    return folder


def test_a_photograph_becomes_the_file_that_predict_writes(
    visit: Visit, scenes: list[Path], predicted: Path, tmp_path: Path
) -> None:
    tab = visit()
    give(tab, scenes[0])
    ready(tab, scenes[0])
    picture = download(tab, "download", tmp_path / "scene 0_colorized.jpg")
    assert picture.read_bytes() == (predicted / "scene 0.jpg").read_bytes()


def test_the_divider_is_moved_by_the_mouse_and_by_keys(visit: Visit, scenes: list[Path]) -> None:
    tab = visit()
    give(tab, scenes[1])
    ready(tab, scenes[1])
    knob = tab.locator("#slider [data-testid=slider]")
    assert (knob.get_attribute("role"), knob.get_attribute("aria-valuenow")) == ("slider", "50")
    knob.hover()  # once nothing moves any more
    box = knob.bounding_box()
    tab.mouse.down()
    tab.mouse.move(box["x"] - 60, box["y"] + box["height"] / 2, steps=5)
    tab.mouse.up()
    until(tab, "Number(document.querySelector('#slider [role=slider]').ariaValueNow) < 50")
    knob.focus()
    now = "Number(document.querySelector('#slider [role=slider]').ariaValueNow)"
    tab.keyboard.press("End")
    until(tab, f"{now} > 60")
    last = tab.evaluate(now)
    for _ in range(3):
        tab.keyboard.press("ArrowLeft")
    until(tab, f"{now} < {last}")
    left = tab.locator("#slider img").nth(1).evaluate("image => image.style.clipPath")
    assert abs(float(left.split()[-1].rstrip("%)")) - tab.evaluate(now)) <= 0.5
    tab.keyboard.press("Home")
    until(tab, f"{now} < 40")


def test_by_keys_alone(visit: Visit, scenes: list[Path], tmp_path: Path) -> None:
    """From the top of the page: choose a photograph, change its saturation, see it in full, take it away."""
    tab = visit()

    def tab_to(script: str) -> None:
        for _ in range(60):
            if tab.evaluate(f"(() => {{ const e = document.activeElement; return Boolean({script}); }})()"):
                return
            tab.keyboard.press("Tab")
        raise AssertionError(f"no key reaches {script}")

    tab.locator("#photograph button").first.wait_for()
    choosers: list[Any] = []
    tab.on("filechooser", lambda chooser: choosers.append(chooser))
    end = time.monotonic() + WAIT
    while not choosers:
        assert time.monotonic() < end
        tab_to("e.closest('#photograph') && e.tagName === 'BUTTON'")
        tab.keyboard.press("Enter")  # once more, where the page was still being built
        tab.wait_for_timeout(2000)
    choosers[0].set_files(scenes[2])
    ready(tab, scenes[2])
    before = shown(tab, 1)
    tab_to("e.closest('#saturation') && e.type === 'range'")
    tab.keyboard.press("Home")
    until(tab, "old => document.querySelectorAll('#slider img')[1].src !== old", before)
    ready(tab, scenes[2])
    tab.keyboard.press("Shift+Tab")
    tab.locator("body").press("Home")
    tab.evaluate("document.activeElement.blur()")
    tab_to("e.getAttribute('role') === 'slider'")
    tab_to("e.closest('#download')  || e.id === 'download'")
    with tab.expect_download() as event:
        tab.keyboard.press("Enter")
    event.value.save_as(tmp_path / "picture.jpg")
    assert (tmp_path / "picture.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_other_colourings_and_uncertainty(visit: Visit, scenes: list[Path]) -> None:
    tab = visit()
    tab.locator("#uncertainty input").check()
    tab.locator("#samples input[type=number]").fill("2")
    give(tab, scenes[3])
    tab.locator("#files").get_by_text("scene 3_colorized_sample2").wait_for()
    tab.locator("#others").get_by_text("How unsure its colours are").first.wait_for()
    assert tab.locator("#files a").count() == 4
    tab.locator("#weights input").click()
    tab.get_by_role("option", name="landscapes").click()
    tab.locator("#uncertainty").wait_for(state="hidden")
    tab.locator("#others").wait_for(state="hidden")


def test_a_file_that_is_no_picture_is_said_to_be_none(visit: Visit, scenes: list[Path], tmp_path: Path) -> None:
    (tmp_path / "notes <b>.jpg").write_text("no picture")
    tab = visit()
    give(tab, tmp_path / "notes <b>.jpg")
    alert = tab.locator("#status [role=alert]")
    alert.wait_for()
    assert "jpg: cannot be read as a photograph: its content is not JPEG, PNG" in alert.inner_text()
    assert "/" not in alert.inner_text()
    assert not tab.locator("#slider").is_visible()
    tab.locator("#photograph").get_by_role("button", name="Clear").click()
    give(tab, scenes[0])
    ready(tab, scenes[0])


def test_ten_at_once_and_a_wrong_one(visit: Visit, scenes: list[Path], predicted: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    tab = visit()
    tab.get_by_role("tab", name="Several").click()
    give_several(tab, *scenes, tmp_path / "notes.txt")
    tab.locator("#stop").click()  # nothing yet
    tab.locator("#start").click()
    tab.get_by_role("button", name="Download all 10 as one zip").wait_for()
    said = tab.locator("#album-status").inner_text()
    assert said.startswith("10 of 11 photographs are in colour.\nnotes.txt: cannot be read as a photograph")
    until(tab, "document.querySelectorAll('#album img').length >= 10")
    with zipfile.ZipFile(download(tab, "archive", tmp_path / "colorized.zip")) as archive:
        written = {name: archive.read(name) for name in archive.namelist()}
    assert written == {path.name: path.read_bytes() for path in predicted.glob("*.jpg")}


def test_two_visitors_at_a_time(visit: Visit, scenes: list[Path], page: Page) -> None:
    """Each sees their own, also where both sent the same file; when one leaves, the other's stays."""
    first, second = visit(), visit()
    give(first, scenes[4])
    give(second, scenes[4])
    for tab in (first, second):
        ready(tab, scenes[4])
    assert shown(first, 1) != shown(second, 1)
    kept = len(_files(page, scenes[4]))
    first.close()
    wait_for(lambda: len(_files(page, scenes[4])) < kept)
    with second.expect_response(lambda answer: "after.jpg" in answer.url) as answer:
        second.locator("#tta input").uncheck()
    assert answer.value.status == 200
    second.close()
    wait_for(lambda: _files(page, scenes[4]) == [])  # Gradio looks every so often whether a visitor is still there


def _files(page: Page, photograph: Path) -> list[Path]:
    return list(page.temporary.rglob(f"{photograph.stem}*"))


def test_a_phone_s_width_is_enough(visit: Visit, scenes: list[Path]) -> None:
    tab = visit(PHONE)
    give(tab, scenes[5])
    ready(tab, scenes[5])
    assert tab.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for name in ("photograph", "slider", "download", "weights", "saturation"):
        box = tab.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0, name
        assert box["x"] + box["width"] <= PHONE["width"], name
    tab.get_by_role("tab", name="Several").click()
    give_several(tab, *scenes[:4])
    tab.locator("#start").click()
    until(tab, "document.querySelectorAll('#album img').length >= 4")
    widest = "Math.max(...[...document.querySelectorAll('#album img')].map(i => i.getBoundingClientRect().right))"
    assert 0 < tab.evaluate(widest) <= PHONE["width"]


def test_a_sweep_is_looked_at_and_its_best_checkpoint_tried(
    visit: Visit, serve: Serve, scenes: list[Path], tmp_path: Path
) -> None:
    for number, width in enumerate((4, 8)):
        make_run(tmp_path / f"sweep/{number}", width)
    save_best(tmp_path / "sweep/1", unsure())
    tab = visit(url=serve(tmp_path / "sweep").url)
    assert tab.get_by_role("tab", name="Runs").get_attribute("aria-selected") == "true"
    tab.locator("#about-run").get_by_text("width=4").wait_for()
    assert tab.locator("#try").is_disabled()
    until(tab, "document.querySelector('#curves img')?.naturalWidth === 30")
    until(tab, "document.querySelector('#comparison-picture img')?.naturalWidth > 100")
    assert tab.locator("#comparison table").get_by_text("model.network.width").count() == 1
    tab.locator("#run input").click()
    tab.get_by_role("option", name="run 1").click()
    tab.locator("#about-run").get_by_text("width=8").wait_for()
    tab.locator("#try").click()
    until(tab, "document.querySelector('#weights input').value === 'run 1'")
    tab.locator("#photograph").wait_for(state="visible")
    give(tab, scenes[6])
    ready(tab, scenes[6])
