"""Answers and questions that attack the page: even without its content policy nothing runs and nothing is sent."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from arena.battles.markup import TAGS
from arena.battles.pages import PROMPT_LIMIT
from arena.demo.endpoints import serve_in_thread
from tests.battles.hostile_markdown import ITEMS
from tests.browser.conftest import Serve, Site, Visit
from tests.support import round_file

END = "여기까지 왔어요."
ATTRIBUTES = {"OL": ["start"], "PRE": ["tabindex"], "TABLE": ["tabindex"]}
# Looks at every change of the answers and the question. The box around code and its button are the page's own.
SPY = """
const TAGS = new Set(%TAGS%), ATTRIBUTES = %ATTRIBUTES%;
window.foreign = [];
new MutationObserver(() => {
  for (const element of document.querySelectorAll("[data-answer] *, .question *")) {
    if (element.matches("div.code, .code > button, .code > button *, .question > h2, .question > p")) continue;
    const allowed = ATTRIBUTES[element.tagName] ?? [];
    const strange = element.getAttributeNames().filter((name) => !allowed.includes(name));
    if (!TAGS.has(element.tagName) || strange.length) window.foreign.push(element.outerHTML);
  }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
SPY = SPY.replace("%TAGS%", json.dumps([tag.upper() for tag in TAGS])).replace("%ATTRIBUTES%", json.dumps(ATTRIBUTES))


def prompts() -> list[str]:
    """All items, as few questions of the greatest length as hold them."""
    made = [""]
    for item in ITEMS:
        if len(made[-1]) + len(item) + 2 + len(END) > PROMPT_LIMIT:
            made.append("")
        made[-1] += item + "\n\n"
    return [text + END for text in made]


PROMPTS = prompts()


async def events(text: str) -> AsyncIterator[str]:
    """The text in pieces of seven characters, so that tags, entities and addresses are cut in the middle."""
    for begin in range(0, len(text), 7):
        chunk = {"choices": [{"index": 0, "delta": {"content": text[begin : begin + 7]}, "finish_reason": None}]}
        yield f"data: {json.dumps(chunk)}\n\n"
    yield "data: [DONE]\n\n"


async def echo(request: Request) -> StreamingResponse:
    asked = await request.json()
    return StreamingResponse(events(asked["messages"][-1]["content"]), media_type="text/event-stream")


@pytest.fixture(scope="module")
def echoing_site(serve: Serve) -> Iterator[Site]:
    """An arena whose teams answer with the question."""
    app = Starlette(routes=[Route("/{team}/v1/chat/completions", echo, methods=["POST"])])
    with serve_in_thread(app) as origin, serve(round_file(origin)) as site:
        yield site


class Trace:
    """What a context asked for, and the dialogs that it opened."""

    def __init__(self, context: BrowserContext) -> None:
        self.urls: list[str] = []
        self.dialogs: list[str] = []
        context.on("request", lambda request: self.urls.append(request.url))
        context.on("page", lambda page: self.urls.append(page.url))
        context.on("dialog", self._dialog)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def strange(self, origin: str) -> list[str]:
        """Requests but for the page's own paths, and images that its style sheets hold."""
        own = re.compile(
            re.escape(origin) + r"/(?:battles(?:/[0-9a-f]{32}(?:/[a-z0-9/]+)?)?|static/[^?]+(?:\?v=\w+)?)?"
        )
        return [url for url in self.urls if not own.fullmatch(url) and not url.startswith("data:image/svg+xml")]


@pytest.mark.parametrize("number", range(len(PROMPTS)))
def test_hostile_markdown_is_text_while_it_streams_and_after(visit: Visit, echoing_site: Site, number: int) -> None:
    visitor = visit(site=echoing_site, bypass_csp=True)
    visitor.context.add_init_script(SPY)
    trace = Trace(visitor.context)
    visitor.go()
    visitor.ask(PROMPTS[number])
    visitor.can_vote(within_s=30)

    for _ in ("as it streamed", "after a reload"):
        for side in "ab":
            expect(visitor.answer(side)).to_contain_text(END)
        expect(visitor.page.locator(".question p")).to_have_text(PROMPTS[number], use_inner_text=True)
        assert visitor.page.evaluate("window.foreign") == []
        visitor.page.reload()
    assert trace.dialogs == []
    assert trace.strange(visitor.origin) == []
