"""The report in a real browser: on a telephone and a desk, light and dark, by mouse and by keyboard."""

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from deployer.flow.release import FLOW
from deployer.view.html.release import release_page
from tests.deployer.unit.view.test_site import failed, night, pages
from tests.deployer.unit.view.test_tables import SHOWN

RELEASE = "20270318-010203-0a0b"
RUNS = [
    night(0, "running", loaded=None),
    failed(1),
    failed(2),
    *(night(ago, loaded=4000 + 90 * ago) for ago in (3, 4, 6, 7, 8, 9, 30, 45)),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a job with a release, good nights, bad ones, a missing one, and one that runs."""
    root = tmp_path_factory.mktemp("site")
    release = {"id": RELEASE, "end": "PAUSED", "exit_code": 16, "started_at": 1.0}
    made = pages(*RUNS, late="no run since 2027-03-17 02:00:00 UTC", releases=[release])
    made[f"releases/{RELEASE}.html"] = release_page(SHOWN, FLOW, ["a line"], home="../index.html")
    for path, text in made.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are of no interest."""


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for name in ("chromium", "google-chrome", "chromium-browser"):
        if found := shutil.which(name):
            options.binary_location = found
            break
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    yield driver
    driver.quit()


def show(browser: webdriver.Chrome, width: int, scheme: str) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme_feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme_feature]})


PAGES = ["index.html", "runs/run1.html", "runs/run3.html", f"releases/{RELEASE}.html"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [360, 1300])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_fits(browser: webdriver.Chrome, address: str, page: str, width: int, scheme: str) -> None:
    """Nothing reaches beyond the screen, text stands out from its ground, and nothing else is loaded."""
    show(browser, width, scheme)
    browser.get(address + page)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    ink, paper = browser.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
    )
    assert (brightness(ink) < brightness(paper)) is (scheme == "light")
    assert abs(brightness(ink) - brightness(paper)) > 150
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.endswith("favicon.ico")] == []
    errors = [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
    assert errors == []


def brightness(color: str) -> float:
    """Of `rgb(1, 2, 3)`, 0 to 255."""
    red, green, blue = map(float, color[color.index("(") + 1 : -1].split(",")[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue


def test_from_the_problem_to_its_cause_and_back(browser: webdriver.Chrome, address: str) -> None:
    """The open problem leads to its run, the calendar to others, a release to its page, each back again."""
    show(browser, 1300, "light")
    browser.get(address)
    browser.find_element(By.LINK_TEXT, "Look at this run").click()
    assert browser.current_url.endswith("/runs/run1.html")
    assert "put the right password into the secret" in browser.find_element(By.TAG_NAME, "main").text
    browser.find_element(By.PARTIAL_LINK_TEXT, "All runs").click()
    day = browser.find_element(By.CSS_SELECTOR, ".month .ok a")
    target = day.get_attribute("href")
    day.click()
    assert browser.current_url == target
    browser.back()
    browser.find_element(By.LINK_TEXT, RELEASE).click()
    assert browser.find_element(By.TAG_NAME, "h1").text.startswith("Release")
    browser.find_element(By.LINK_TEXT, "All runs").click()
    assert browser.current_url.endswith("/index.html")


def test_the_keyboard_reaches_every_link(browser: webdriver.Chrome, address: str) -> None:
    """Tab goes through all of them, in the order of the page; Enter follows."""
    show(browser, 1300, "light")
    browser.get(address)
    links = [link.get_attribute("href") for link in browser.find_elements(By.TAG_NAME, "a")]
    reached: list[str | None] = []
    for _ in range(2 * len(links)):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        reached.append(browser.switch_to.active_element.get_attribute("href"))
    assert list(dict.fromkeys(filter(None, reached))) == list(dict.fromkeys(links))
    browser.find_element(By.CSS_SELECTOR, "a").send_keys(Keys.ENTER)
    assert browser.current_url.endswith("/runs/run1.html")


def test_a_screen_reader_is_told_what_others_see(browser: webdriver.Chrome, address: str) -> None:
    """Pictures have a name, a day of the calendar its state, a table its heads."""
    browser.get(address)
    trees = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    names = [
        (node["role"]["value"], str(node.get("name", {}).get("value", "")))
        for node in trees
        if not node["ignored"]
    ]
    pictures = [name for role, name in names if role in ("image", "img")]
    assert any(name.startswith("Documents of the newest") for name in pictures)
    assert all(pictures)
    assert any(role == "link" and "failed" in name for role, name in names)
    assert ("columnheader", "Verdict") in names
