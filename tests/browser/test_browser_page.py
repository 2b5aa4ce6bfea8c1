"""The page in a real browser: sorting, filtering, hostile text, a phone, dark mode, no script."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from exporter.address import ListenAddress
from exporter.model import Place, Severity, State
from exporter.report.page import CONTENT_SECURITY_POLICY, render
from exporter.report.verdict import Urgency
from exporter.report.view import Problem, Row, View
from exporter.server import Page, Routes, Server, WebConfig

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTILE = (
    "CN=</bdi></td><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<b id='evil'>x</b>\u202egnp.exe\x00\"' onclick='x"
)


def row(path: str, days: float, **fields: Any) -> Row:  # noqa: ANN401 - any field of a row
    """Make a certificate that ends so many days from now."""
    end = NOW + days * DAY
    given: dict[str, Any] = {
        "place": Place(path),
        "role": "other",
        "state": State.IN_USE,
        "urgency": Urgency.OK,
        "is_ca": False,
        "subject": f"CN={path}",
        "issuer": "CN=kubernetes",
        "sans": (),
        "not_before": NOW - 100 * DAY,
        "not_after": end,
        "effective_not_after": end,
        "fingerprint": "ab" * 32,
    }
    return Row(**{**given, **fields})


ROWS = (
    row("/pki/expired.crt", -2, role="etcd-server", urgency=Urgency.CRITICAL),
    row(
        "/pki/m.crt",
        12,
        role="apiserver",
        urgency=Urgency.WARNING,
        sans=tuple(f"name-{i}.example" for i in range(9)),
    ),
    row("/pki/a.crt", 90, role="ca", subject=HOSTILE, issuer=HOSTILE, sans=(HOSTILE,) * 5),
    row("/pki/admin.conf", 300, role="admin.conf", has_unreliable_lifetime=True),
    row("/pki/z/" + "long" * 60 + ".crt", 400, role="front-proxy-ca"),
    row("/pki/old.crt", -30, role="kubelet-client", state=State.SUPERSEDED),
)
FINDING = Problem(
    severity=Severity.CRITICAL,
    title="key mismatched",
    place=Place("/pki/" + HOSTILE),
    role="apiserver",
    state=State.IN_USE,
    detail=HOSTILE,
    repair=("kubeadm certs renew apiserver",),
)
VIEW = View(
    node="cp-1", distribution="kubeadm", node_type="control_plane", now=NOW, rows=ROWS, findings=(FINDING,)
)


@contextmanager
def opened(browser: webdriver.Chrome, view: View = VIEW) -> Iterator[webdriver.Chrome]:
    """Serve a view with its policy and open it."""
    application = Routes(
        metrics=lambda _accept, _encoding: ("text/plain", "", b""),
        page=lambda: Page(render(view), CONTENT_SECURITY_POLICY),
        inventory=lambda: b"{}",
        ailment=lambda: "",
        unready=lambda: "",
    )
    server = Server(ListenAddress("127.0.0.1", 0), application, WebConfig())
    server.start()
    try:
        browser.get(f"http://127.0.0.1:{server.port}/")
        yield browser
    finally:
        browser.get("about:blank")
        server.stop()


def paths(browser: webdriver.Chrome) -> list[str]:
    """The last parts of the paths that can be seen, from top to bottom."""
    cells: list[WebElement] = browser.find_elements(By.CSS_SELECTOR, "td.path")
    return [cell.text.replace("\n", "").rsplit("/", 1)[1][:11] for cell in cells if cell.is_displayed()]


def filter_by(browser: webdriver.Chrome, words: str, expected: list[str]) -> None:
    """Type into the filter and wait for what it leaves."""
    box = browser.find_element(By.ID, "filter")
    box.clear()
    box.send_keys(words)
    WebDriverWait(browser, 30).until(
        lambda _: paths(browser) == expected, f"{words!r} leaves {paths(browser)}"
    )


ALL = ["expired.crt", "m.crt", "a.crt", "admin.conf", "longlonglon", "old.crt"]


def test_certificates_stand_by_expiry_and_leftovers_apart(browser: webdriver.Chrome) -> None:
    """What ends next is on top; what nothing uses comes after all else, expired or not."""
    with opened(browser):
        assert paths(browser) == ALL
        assert browser.find_element(By.CSS_SELECTOR, ".verdict h2").text == "1 certificate has expired"
        assert "apiserver expires in 12 days" in browser.find_element(By.CSS_SELECTOR, ".verdict p").text


def test_a_click_on_a_header_sorts_and_a_second_turns_round(browser: webdriver.Chrome) -> None:
    """Times sort by time, texts by text, and assistive technology is told."""
    with opened(browser):
        heads = browser.find_elements(By.CSS_SELECTOR, "thead th")
        heads[0].find_element(By.TAG_NAME, "button").click()
        assert paths(browser) == [*reversed(ALL[:5]), "old.crt"]
        assert heads[0].get_attribute("aria-sort") == "descending"
        heads[2].find_element(By.TAG_NAME, "button").click()
        assert paths(browser) == ["a.crt", "admin.conf", "expired.crt", "m.crt", "longlonglon", "old.crt"]
        assert (heads[0].get_attribute("aria-sort"), heads[2].get_attribute("aria-sort")) == (
            None,
            "ascending",
        )


def test_typing_leaves_what_has_every_word(browser: webdriver.Chrome) -> None:
    """Role, path, names that are folded away and state can be typed, in any order and case."""
    with opened(browser):
        filter_by(browser, "APISERVER m.crt", ["m.crt"])
        assert browser.find_element(By.TAG_NAME, "output").text == "1 of 6"
        filter_by(browser, "name-8.example", ["m.crt"])
        filter_by(browser, "superseded", ["old.crt"])
        filter_by(browser, "nothing like it", [])
        assert browser.find_element(By.CLASS_NAME, "nothing").is_displayed()
        filter_by(browser, "critical", ["expired.crt"])


def test_hostile_text_is_text(browser: webdriver.Chrome) -> None:
    """A subject, name, path or detail makes no element, runs nothing and turns no line around."""
    with opened(browser):
        assert browser.title == "cp-1: certificates"
        assert not browser.find_elements(
            By.CSS_SELECTOR, "#evil, td script, li script, img, [onclick], [onerror]"
        )
        subject = browser.find_elements(By.CSS_SELECTOR, "td[data-label=Subject]")[2]
        assert "<script>document.title='owned'</script>" in subject.text
        assert "U+202Egnp.exeU+0000" in subject.text
        assert "\u202e" not in browser.page_source
        # What the policy had to stop, or a script that failed, would be here.
        log = browser.get_log("browser")  # type: ignore[no-untyped-call]
        assert log == []


def test_nothing_is_loaded_from_anywhere(browser: webdriver.Chrome) -> None:
    """The page is one answer."""
    with opened(browser):
        script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        assert [name for name in browser.execute_script(script) if not name.startswith("data:")] == []


def test_a_phone_shows_it_all_without_scrolling_sideways(phone: webdriver.Chrome) -> None:
    """Rows become cards, and long texts break."""
    with opened(phone):
        widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
        scroll, window = phone.execute_script(widths)
        assert (scroll, window) == (360, 360)
        assert paths(phone) == ALL


def test_dark_mode_is_dark_and_light_mode_is_light(browser: webdriver.Chrome) -> None:
    """The page follows the system, and text stands out in both (WCAG 2.2, 1.4.3)."""
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        with opened(browser):
            ground = luminance(browser, "body", "background-color")
            assert (ground < 0.1) is (scheme == "dark")
            card = luminance(browser, ".tiles div", "background-color")
            for selector in (".tiles dt", ".tiles .critical dd", ".tiles .warning dd", ".tiles .none dd"):
                assert contrast(luminance(browser, selector, "color"), card) >= 4.5, (scheme, selector)
            for selector in (".severity", ".verdict h2"):
                behind = ".severity" if selector == ".severity" else ".verdict"
                back = luminance(browser, behind, "background-color")
                assert contrast(luminance(browser, selector, "color"), back) >= 4.5, (scheme, selector)


def luminance(browser: webdriver.Chrome, selector: str, kind: str) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    value = browser.find_element(By.CSS_SELECTOR, selector).value_of_css_property(kind)
    channels = [int(part) / 255 for part in value.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """The contrast ratio of two luminances (WCAG 2.2)."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_without_script_everything_is_there_and_nothing_is_dead(browser: webdriver.Chrome) -> None:
    """All rows stand in order; the filter and the sort buttons, which need a script, do not show."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    with opened(browser):
        assert paths(browser) == ALL
        assert not browser.find_element(By.ID, "filter").is_displayed()
        assert not browser.find_elements(By.CSS_SELECTOR, "th button")


def test_5000_certificates_can_be_filtered_and_sorted(browser: webdriver.Chrome) -> None:
    """A big inventory stays usable."""
    rows = tuple(row(f"/pki/{i:04}.crt", 10 + i / 10, sans=("a.example", "b.example")) for i in range(5000))
    with opened(browser, View(node="big", distribution="kubeadm", node_type="worker", now=NOW, rows=rows)):
        browser.find_element(By.ID, "filter").send_keys("/pki/4321.crt")
        output = browser.find_element(By.TAG_NAME, "output")
        WebDriverWait(browser, 30).until(lambda _: output.text == "1 of 5000")
        browser.find_element(By.ID, "filter").clear()
        browser.find_element(By.CSS_SELECTOR, "thead button").click()
        first = browser.find_element(By.CSS_SELECTOR, "td.path").get_attribute("textContent")
        assert first == "/pki/4999.crt"
