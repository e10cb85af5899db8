"""What axe-core finds on a page that keeps people from reading or using it."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

# Not by the package's own `run`, which loads axe-core anew each time and fetches all of its results.
_RUN = """
async ([only, without]) => {
  // Colours that fade into others are judged as they end.
  document.getAnimations().forEach((one) => one.finish());
  const options = {
    resultTypes: ["violations"],
    // It would read style sheets again, and look for those that they import in the wrong place.
    preload: false,
    ...(only.length && { runOnly: { type: "rule", values: only } }),
  };
  const { violations } = await axe.run({ exclude: without.map((one) => [one]) }, options);
  const reasons = (node) => [...node.any, ...node.all, ...node.none].map((check) => check.message);
  return violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.html} ${reasons(node).join("; ")}`));
}
"""


def serious(page: Page, *, only: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> list[str]:
    """The serious and critical findings, of `only` these rules if any; parts of the page may be left out."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN, [only, without])
    return found
