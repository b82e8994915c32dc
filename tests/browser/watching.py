"""What a browser complains of: messages, page errors, requests to anyone else, breaches of the content policy."""

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, WebError

# Runs before the page's own scripts and outside its content policy.
WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`);
});
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    for (const { node, previousRect: before, currentRect: after } of entry.sources) {
      const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
      const fixed = element?.closest(".site-header, .demo-note, .question, .tabs, .panel-head, .answer");
      window.shifts.push({
        what: element ? `${element.tagName}.${element.className}` : "gone",
        fixed: fixed ? fixed.className : "",
        x: after.x - before.x,
        y: after.y - before.y,
      });
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""


class Watch:
    """Collects a context's complaints; those a test provokes are announced by `expect`."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._origin = origin + "/"
        self._expected: list[str] = []
        self.complaints: list[str] = []
        self.documents: list[str] = []
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def expect(self, pattern: str) -> None:
        """Messages that `pattern` is found in are no complaint from now on."""
        self._expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(p, text) for p in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"page error: {error.error}")

    def _request(self, request: Request) -> None:
        if request.is_navigation_request():
            self.documents.append(request.url)
        if not request.url.startswith((self._origin, "data:")):
            self.complaints.append(f"third party: {request.url}")
