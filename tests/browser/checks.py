"""What every page has to be, whoever reads it: accessible, within its width, in one language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.real_parts import missing
from web.assets import FRONTEND

SCREENSHOTS = Path(__file__).parent / "screenshots"
_AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN_AXE = "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(r => r.violations)"
_TOO_WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
_LINES = """() => {
  const lines = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode()); ) {
    const box = node.parentElement;
    if (!(box instanceof SVGElement) && !box.checkVisibility({visibilityProperty: true})) continue;
    if (box.closest('code, kbd, script, style, [lang=en], .bjs-powered-by')) continue;
    if (node.textContent.trim()) lines.push(node.textContent.trim().replace(/\\s+/g, ' '));
  }
  return lines;
}"""
_COVERED = """() => {
  const mark = document.querySelector('.bjs-powered-by');
  if (!mark) return 'no mark';
  mark.scrollIntoView({block: 'center'});
  const box = mark.getBoundingClientRect();
  if (box.width < 20 || box.height < 10) return 'mark too small';
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return mark.contains(top) ? '' : 'covered by ' + (top && top.outerHTML.slice(0, 80));
}"""
_WORDS = re.compile(r"[A-Za-z]{2,}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@cache
def _axe() -> str:
    if not _AXE.is_file():
        missing("axe-core")
    return _AXE.read_text(encoding="utf-8")


def accessibility(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA that axe finds: rule, element, what is wrong."""
    if not page.evaluate("() => typeof axe === 'object'"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(_RUN_AXE, _TAGS)
    return [
        f"{violation['id']}: {node['html'][:160]}: {node['failureSummary']}"
        for violation in found
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    pixels: int = page.evaluate(_TOO_WIDE)
    return pixels


def english_lines(page: Page) -> list[str]:
    """Visible lines with three English words or more; on a Chinese page there should be none."""
    lines: list[str] = page.evaluate(_LINES)
    return [line for line in lines if len(_WORDS.findall(line)) >= 3]


def chinese_lines(page: Page) -> list[str]:
    """Visible lines with Chinese in them."""
    lines: list[str] = page.evaluate(_LINES)
    return [line for line in lines if _CHINESE.search(line)]


def mark_is_hidden_by(page: Page) -> str:
    """Why the mark of bpmn.io cannot be seen and clicked; its licence asks for that. Empty when all is well."""
    answer: str = page.evaluate(_COVERED)
    return answer


def screenshot(page: Page, name: str) -> None:
    """Kept for people who look through all pages; the folder is no part of the sources."""
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
