"""A page by the keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

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


def choose_file(page: Page, name: str, browser: str = "") -> None:
    """Walk the list of a file browser (its selector; that of Lab without one) to a file, by Tab and the arrow keys."""
    items, texts = (f"{browser} .jp-DirListing-item{part}".strip() for part in ("", "Text"))
    if not page.evaluate("texts => document.activeElement?.matches(texts)", texts):
        tab_to(page, texts)
    chosen = page.locator(f"{items}.jp-mod-selected .jp-DirListing-itemText")
    for key in ("ArrowDown", "ArrowUp"):
        for _ in range(page.locator(items).count() + 1):
            if chosen.count() == 1 and chosen.inner_text() == name:
                return
            page.keyboard.press(key)
    raise AssertionError(f"{name} is not in the list: {page.locator(items).all_inner_texts()}")


def choose_in_menu(page: Page, item: str) -> None:
    """Open the context menu of what has the focus, walk to an item and take it."""
    page.keyboard.press("ContextMenu")
    menu = page.locator(".lm-Menu")
    menu.wait_for()
    active = menu.locator(".lm-Menu-item.lm-mod-active")
    for _ in range(menu.locator(".lm-Menu-item").count()):
        page.keyboard.press("ArrowDown")
        if active.count() == 1 and active.locator(".lm-Menu-itemLabel").inner_text() == item:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{item} is not in the menu")
