"""What citizens see, checked without a browser: strict CSP, contrast, fairness, translation, weight."""

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po
from markupsafe import Markup

from arena.battles.pages import REASONS, AnswerView, BattlePage, BlindBattle, TurnState, TurnView
from arena.rounds.pages import RoundView
from arena.web.pages import Frame, Locale
from arena.web.rendering import Renderer

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN_STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
LANDING_LIMIT_BYTES = 100_000

Attributes = dict[str, str | None]


class Elements(HTMLParser):
    """All start tags of a template with their attributes; Jinja's own tags are taken out before."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Attributes]] = []
        self.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source, flags=re.DOTALL))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(path: Path) -> list[tuple[str, Attributes]]:
    return Elements(path.read_text()).found


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_needs_nothing_that_the_csp_forbids(path: Path) -> None:
    for tag, attributes in elements(path):
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name == "style" or name.startswith(("on", "hx-on"))]
        assert not [value for value in attributes.values() if value and value.startswith(("javascript:", "js:"))]


@pytest.mark.parametrize("path", [*TEMPLATES, *OWN_STYLES], ids=name_of)
def test_nothing_is_asked_of_another_site(path: Path) -> None:
    assert not re.search(r"""(?:src|href|action|url|import)\s*[=(]?\s*["']?(?:https?:)?//""", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_form_that_changes_something_carries_the_csrf_token(path: Path) -> None:
    forms = re.findall(r"<form\b.*?</form>", path.read_text(), flags=re.DOTALL)
    for form in (form for form in forms if 'method="get"' not in form):
        assert 'method="post"' in form
        assert '<input type="hidden" name="csrf" value="{{ frame.csrf }}">' in form


def rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palette(theme: int) -> dict[str, str]:
    """The role tokens' colours; theme 0 is light, 1 is dark."""
    css = (ROOT / "static/css/base.css").read_text()
    fixed = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))
    roles = re.findall(r"--([\w-]+): light-dark\(var\(--([\w-]+)\), var\(--([\w-]+)\)\);", css)
    return {role: fixed[choice[theme]] for role, *choice in roles}


GROUNDS = ("page", "surface", "sunken")
BODY_TEXT = [("text", ground) for ground in (*GROUNDS, "accent-soft")]
OTHER_TEXT = [(ink, ground) for ink in ("muted", "accent", "accent-strong") for ground in GROUNDS]
ON_ACCENT = [("on-accent", "accent"), ("on-accent", "accent-strong")]
OUTLINES = [(line, ground) for line in ("edge", "focus") for ground in GROUNDS]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(BODY_TEXT, 7.0), (OTHER_TEXT, 4.5), (ON_ACCENT, 4.5), (OUTLINES, 3.0)])
def test_colours_are_told_apart_by_weak_eyes(theme: int, pairs: list[tuple[str, str]], least: float) -> None:
    colours = palette(theme)
    too_weak = {
        pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2)
        for pair in pairs
        if contrast(colours[pair[0]], colours[pair[1]]) < least
    }
    assert not too_weak


def mixed(one: str, other: str, percent: int) -> str:
    """The CSS colour-mix of both in sRGB."""
    pairs = zip(rgb(one), rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a * percent + b * (100 - percent)) / 100):02x}" for a, b in pairs)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_figures_are_readable_on_every_shade_of_the_team_by_team_table(theme: int) -> None:
    css = (ROOT / "static/css/figures.css").read_text()
    percents = re.findall(r"\.shade-\d .*var\(--accent\) (\d+)%, var\(--surface\)", css)
    colours = palette(theme)
    for accent in ("accent", "accent-strong"):
        grounds = [mixed(colours[accent], colours["surface"], int(percent)) for percent in percents]
        assert len({colours["surface"], *grounds}) == 7
        assert min(contrast(colours["text"], ground) for ground in grounds) >= 4.5


def battle_html(locale: Locale, state: TurnState, answer: str) -> str:
    opened = datetime(2026, 11, 22, tzinfo=UTC)
    round_ = RoundView(
        slug="demo",
        title="Demo",
        state="open",
        demo=True,
        opened_at=opened,
        closes_at=None,
        closed_at=None,
        leaderboard=False,
    )
    both = AnswerView("a", Markup(answer)), AnswerView("b", Markup(answer))
    battle = BlindBattle("b1", "streaming", round_, (TurnView(1, "Why?", state, both),), 4, 4000, None)
    frame = Frame(locale, "auto", "/", "token", demo=True, admin=None)
    return Renderer().html("battles/_battle.html", BattlePage(battle, None, None, REASONS, 1000), frame)


@pytest.mark.parametrize("locale", ["ko", "en"])
@pytest.mark.parametrize(
    ("state", "answer"), [("streaming", ""), ("streaming", "<p>x"), ("complete", "<p>x</p>"), ("failed", "")]
)
def test_both_sides_are_the_same_but_for_their_letter(locale: Locale, state: TurnState, answer: str) -> None:
    a, b = re.findall(r"<article.*?</article>", battle_html(locale, state, answer), flags=re.DOTALL)
    as_a = b.replace("turn-1-b", "turn-1-a").replace("모델 B", "모델 A").replace("Model B", "Model A")
    assert a != b
    assert as_a == a


def test_no_style_rule_knows_a_side() -> None:
    for path in OWN_STYLES:
        assert not re.search(r"data-side|#turn|-[ab]\b\s*[,{\]\"]|model-[ab]", path.read_text())


def test_choices_come_in_the_agreed_order_and_none_is_preferred() -> None:
    source = (ROOT / "templates/battles/_vote.html").read_text()
    values = re.findall(r'\("(a|b|tie|both_bad)", _\(', source)
    button = re.search(r"<button[^>]* name=\"choice\"[^>]*>", source)
    assert values == ["a", "tie", "both_bad", "b"]
    assert button is not None
    assert "class=" not in button[0]


def extracted() -> Iterator[tuple[str, ...]]:
    """Every msgid in use, as (singular,) or (singular, plural)."""
    methods = [("arena/**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    keywords = DEFAULT_KEYWORDS | {"N_": None}
    options = {"templates/**.html": {"silent": "false"}}
    for folder, method in (("arena", methods[0]), ("templates", methods[1])):
        pattern = method[0].removeprefix(f"{folder}/")
        found = extract_from_dir(
            ROOT / folder,
            [(pattern, method[1])],
            {pattern: options.get(method[0], {})},
            keywords,
        )
        for _file, _line, message, _comments, _context in found:
            yield tuple(part for part in message if part) if isinstance(message, tuple) else (message,)


def korean() -> dict[str, Message]:
    with (ROOT / "arena/locale/ko.po").open("rb") as file:
        catalogue = read_po(file, locale="ko", abort_invalid=True)
    return {(m.id if isinstance(m.id, str) else m.id[0]): m for m in catalogue if m.id}


def text_of(message: Message) -> str:
    if isinstance(message.string, str):
        return message.string
    return message.string[0] if message.string else ""


def test_every_text_has_a_korean_translation() -> None:
    translated = {key for key, message in korean().items() if text_of(message) and not message.fuzzy}
    assert not {ids[0] for ids in extracted()} - translated


def test_no_translation_is_left_over() -> None:
    assert not set(korean()) - {ids[0] for ids in extracted()}


def places(text: str) -> set[str]:
    """Names of the places to fill; raises ValueError for a stray percent sign."""
    names = set(re.findall(r"%\((\w+)\)s", text))
    text % dict.fromkeys(names, "x")
    return names


def test_translations_fill_the_same_places() -> None:
    for key, message in korean().items():
        assert places(text_of(message)) == places(key), key


def test_the_landing_page_is_light() -> None:
    base = (ROOT / "templates/base.html").read_text()
    files = [ROOT / "static" / name for name in re.findall(r"static\('([^']+)'\)", base)]
    pages = [ROOT / "templates/base.html", *sorted((ROOT / "templates/battles").glob("*.html"))]
    assert len(files) >= 9
    assert sum(len(gzip.compress(path.read_bytes())) for path in [*files, *pages]) < LANDING_LIMIT_BYTES
