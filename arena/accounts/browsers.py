"""What a browser is called, so that people know their own sessions again."""

from typing import Final

NAMES: Final = (
    ("Whale/", "Whale"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""In this order: most claim to be Chrome or Safari as well."""
SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
LONGEST = 60


def browser_words(agent: str) -> str:
    """Such as `Chrome, Windows`; what is not known is shown as it calls itself, empty when it does not."""
    found = (next((name for sign, name in kind if sign in agent), "") for kind in (NAMES, SYSTEMS))
    return ", ".join(filter(None, found)) or agent[:LONGEST]
