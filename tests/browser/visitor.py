"""A citizen in front of a screen: what they press, and what they see."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import BrowserContext, Locator, Page, expect

from arena.web.i18n import translations
from tests.browser.teams import FIRST_END, NAMES, REST_END
from tests.browser.watching import Watch

Language = Literal["ko", "en"]
Choice = Literal["a", "tie", "both_bad", "b"]

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text("utf-8")
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WORDS: dict[Language, dict[str, str]] = {
    "ko": {
        "ask": "두 답변 받기",
        "a": "A가 더 좋아요",
        "tie": "비슷해요",
        "both_bad": "둘 다 아쉬워요",
        "b": "B가 더 좋아요",
        "by_ai": "AI가 만든 답변",
    },
    "en": {
        "ask": "Get two answers",
        "a": "A is better",
        "tie": "About the same",
        "both_bad": "Neither is good",
        "b": "B is better",
        "by_ai": "Answer written by AI",
    },
}


@dataclass(frozen=True, slots=True)
class Device:
    """A screen in CSS pixels, and whether it is touched."""

    name: str
    width: int
    height: int
    touch: bool


PHONE = Device("phone", 390, 844, touch=True)
DESKTOP = Device("desktop", 1280, 800, touch=False)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A page of the arena and its reader."""

    page: Page
    context: BrowserContext
    device: Device
    language: Language
    origin: str
    watch: Watch

    # What is on the screen

    def words(self, name: str) -> str:
        """Words that are settled: they are the product's."""
        return WORDS[self.language][name]

    def says(self, text: str) -> str:
        """An English sentence of the pages as this reader sees it."""
        return translations(self.language).gettext(text)

    def answer(self, side: str, turn: int = 1) -> Locator:
        return self.page.locator(f"#turn-{turn}-{side} [data-answer]")

    def choice(self, choice: Choice) -> Locator:
        return self.page.locator(f"#vote [name=choice][value={choice}]")

    def battle_path(self) -> str:
        found = re.search(r"/battles/[0-9a-f]{32}$", self.page.url)
        assert found, self.page.url
        return found[0]

    def texts(self, turn: int = 1) -> tuple[str, str]:
        return self.answer("a", turn).inner_text(), self.answer("b", turn).inner_text()

    def pair(self) -> list[str]:
        """The headings of both held answers, each with its team's number."""
        return [self.answer(side).locator(":is(h1, h2, h3)").first.inner_text() for side in "ab"]

    def sees_first_parts(self, turn: int = 1) -> None:
        for side in "ab":
            expect(self.answer(side, turn)).to_contain_text(FIRST_END)

    def sees_whole_answers(self, turn: int = 1) -> None:
        for side in "ab":
            expect(self.answer(side, turn)).to_contain_text(REST_END)
        self.can_vote()

    def can_vote(self, within_s: float = 15) -> None:
        expect(self.page.locator("#vote")).to_be_visible(timeout=within_s * 1000)

    def sees_thanks(self) -> None:
        expect(self.page.locator("#thanks-title")).to_have_text(self.says("Thank you. Your vote has been recorded."))

    def sees_no_team(self) -> None:
        html = self.page.content()
        assert [name for name in NAMES if name in html] == []

    def faults(self) -> list[str]:
        """What axe finds wrong with the page as it is; in the dark only colours can differ."""
        self.page.evaluate(f"window.axe ?? (() => {{ {AXE} }})()")
        return self._faults("light", {"type": "tag", "values": AXE_TAGS}) + self._faults(
            "dark", {"type": "rule", "values": ["color-contrast"]}
        )

    def _faults(self, scheme: Literal["light", "dark"], rules: dict[str, Any]) -> list[str]:
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour on its way
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        result: dict[str, Any] = self.page.evaluate("(options) => axe.run(document, options)", options)
        return [
            f"{scheme}: {rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]

    # What they do

    def press(self, target: Locator) -> None:
        if self.device.touch:
            target.tap()
        else:
            target.click()

    def go(self, path: str = "/") -> None:
        self.page.goto(self.origin + path)

    def agree(self) -> None:
        self.page.locator("[name=consent][value=participate]").check()

    def ask(self, prompt: str) -> None:
        """From the landing page to a battle, with consent where it is asked for."""
        self.page.locator("#prompt").fill(prompt)
        if self.page.locator(".consent").count():
            self.agree()
        self.press(self.page.get_by_role("button", name=self.words("ask")))
        expect(self.page.locator("#battle")).to_be_visible()

    def follow_up(self, prompt: str) -> None:
        self.press(self.page.locator("#follow-up summary"))
        self.page.locator("#follow-up-prompt").fill(prompt)
        self.press(self.page.locator("#follow-up form button"))

    def read_both(self) -> None:
        """On a narrow screen brings the other answer up."""
        if self.device.touch:
            self.press(self.page.locator(".turn:last-of-type .tabs a").nth(1))

    def vote(self, choice: Choice) -> None:
        self.can_vote()
        self.read_both()
        self.press(self.choice(choice))
        self.sees_thanks()

    def second_tab(self) -> "Visitor":
        page = self.context.new_page()
        page.goto(self.page.url)
        return Visitor(page, self.context, self.device, self.language, self.origin, self.watch)
