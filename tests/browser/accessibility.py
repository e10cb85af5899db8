"""What keeps people from reading or using a page, by axe-core and by its width: at a desk and on a telephone."""

from collections.abc import Iterator

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDE, NARROW = 1280, 400
# All that another scheme changes.
COLOURS = ("color-contrast",)

# Not by the package's own `run`, which loads axe-core anew each time and fetches all of its results.
_RUN = """
async (only) => {
  // Colours that fade into others are judged as they end.
  document.getAnimations().forEach((one) => one.finish());
  const options = {
    resultTypes: ["violations"],
    // It would read style sheets again, and look for those that they import in the wrong place.
    preload: false,
    ...(only.length && { runOnly: { type: "rule", values: only } }),
  };
  const { violations } = await axe.run(options);
  const reasons = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message);
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.html} ${reasons(node).join("; ")}`));
}
"""


def serious(page: Page, *, only: tuple[str, ...] = ()) -> list[str]:
    """The serious and critical findings of all rules, or of `only` these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN, only)
    return found


def faults(page: Page, *, drawn: str = "#content", cut: str = "") -> Iterator[str]:
    """What is wrong at each width and in each scheme with a page that is open in light and wide.

    `drawn` is there once the page is drawn, in the `{scheme}`; `cut` is taken away before the page is looked at.
    """
    yield from _look(page, drawn.format(scheme="light"), cut)
    page.emulate_media(color_scheme="dark")
    yield from _look(page, drawn.format(scheme="dark"), cut, *COLOURS)
    page.set_viewport_size({"width": NARROW, "height": 800})
    yield from _look(page, drawn.format(scheme="dark"), cut)
    page.emulate_media(color_scheme="light")
    yield from _look(page, drawn.format(scheme="light"), cut, *COLOURS)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > NARROW:
        yield f"is {width} px wide"


def _look(page: Page, drawn: str, cut: str, *rules: str) -> list[str]:
    page.locator(drawn).first.wait_for()
    if cut:
        page.locator(cut).evaluate_all("elements => elements.forEach((one) => one.remove())")
    return serious(page, only=rules)


def ready(page: Page) -> None:
    """Begin as `faults` does."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 900})
