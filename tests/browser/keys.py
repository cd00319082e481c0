"""A page by the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

# A list that is walked, and a page: more stops than either has.
MOST = 150


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until an element of the selector has the focus."""
    for _ in range(MOST):
        page.keyboard.press(key)
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
    raise AssertionError(f"{key} does not reach {selector}")


def tab_to_element(page: Page, element: Locator, key: str = "Tab") -> None:
    """Press Tab until this element has the focus; it has to be seen there."""
    element.wait_for()
    element.evaluate("element => element.setAttribute('data-here', '')")
    tab_to(page, "[data-here]", key)
    element.evaluate("element => element.removeAttribute('data-here')")
    assert is_marked(element), "the focus is not to be seen"


def is_marked(element: Locator) -> bool:
    """Whether the focus on an element is drawn: an outline, or a shadow in its place."""
    return element.evaluate(
        """element => {
            const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
            return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
        }"""
    )


def choose_file(page: Page, name: str) -> None:
    """Walk the list of the file browser to a file."""
    if not page.evaluate("() => document.activeElement?.matches('.jp-DirListing-itemText')"):
        tab_to(page, ".jp-DirListing-itemText")
    page.keyboard.press("Home")
    chosen = page.locator(".jp-DirListing-item.jp-mod-selected .jp-DirListing-itemText")
    for _ in range(MOST):
        if chosen.count() == 1 and chosen.inner_text() == name:
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"{name} is not in the list")


def choose_in_menu(page: Page, letters: str, item: str) -> None:
    """Open the context menu of what has the focus, and take the item that begins with these letters."""
    page.keyboard.press("ContextMenu")
    page.locator(".lm-Menu").wait_for()
    page.keyboard.type(letters)
    expect(page.locator(".lm-Menu-item.lm-mod-active")).to_have_text(item)
    page.keyboard.press("Enter")
