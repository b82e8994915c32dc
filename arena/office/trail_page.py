"""The trail as a page: every act of the office in words, with what changed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlmodel import Session, select

from arena.accounts.queries import SignedIn
from arena.accounts.tables import Act
from arena.errors import InvalidError
from arena.office.trail_pages import ActRow, Choices, Difference, TrailFilter, TrailPage
from arena.office.trail_query import PAGE, actors, acts, people
from arena.office.trail_words import ACTS, GROUPS, NOBODY_SIGNED_IN, act_words, reason_words, why_words
from arena.rounds.tables import Round
from arena.web.i18n import translations
from arena.web.pages import Locale

TOLD_APART = ("before", "after", "reason", "note")


def trail_page(
    session: Session, wanted: TrailFilter, reader: SignedIn, locale: Locale, *, before: int | None = None
) -> TrailPage:
    """One page of what is wanted, or what is wrong with the filter."""
    gettext = translations(locale).gettext
    emails = people(session)
    page = TrailPage(
        filter=wanted,
        people=tuple((code, _person(code, emails, gettext)) for code in actors(session)),
        whats=tuple(_choices(group, gettext) for group in GROUPS),
        newest=before is None,
    )
    try:
        found = acts(session, wanted, before=before, limit=PAGE + 1)
    except InvalidError as error:
        return replace(page, problem=error.text(gettext))
    links = _Links(session, reader)
    older = f"{wanted.query}&before={found[PAGE - 1].id}".lstrip("&") if len(found) > PAGE else None
    return replace(page, acts=tuple(_row(act, emails, links, gettext) for act in found[:PAGE]), older=older)


def _person(code: str, emails: Mapping[str, str], gettext: Callable[[str], str]) -> str:
    if code in NOBODY_SIGNED_IN:
        return gettext(NOBODY_SIGNED_IN[code])
    return f"{code} · {emails[code]}" if code in emails else code


def _choices(group: str, gettext: Callable[[str], str]) -> Choices:
    acts_of = [what for what in ACTS if what.partition(".")[0] in GROUPS[group].begins]
    return Choices(gettext(GROUPS[group].name), ((group, ""), *((what, gettext(ACTS[what])) for what in acts_of)))


def _row(act: Act, emails: Mapping[str, str], links: "_Links", gettext: Callable[[str], str]) -> ActRow:
    detail = act.detail
    return ActRow(
        id=act.id or 0,
        at=act.at,
        who=gettext(NOBODY_SIGNED_IN[act.who]) if act.who in NOBODY_SIGNED_IN else act.who,
        email=emails.get(act.who),
        kind=act.what.partition(".")[0],
        words=act_words(act.what, gettext),
        subject=act.subject,
        path=links.to(act.what, act.subject),
        done=act.outcome == "done",
        why=why_words(act.what, act.why, gettext),
        reason=reason_words(act.what, as_text(detail.get("reason")) or "", gettext),
        note=as_text(detail.get("note")) or "",
        differences=differences(detail.get("before"), detail.get("after")),
        more={name: as_text(value) or "" for name, value in detail.items() if name not in TOLD_APART},
    )


def differences(before: object, after: object) -> tuple[Difference, ...]:
    """What differs, field by field in objects, and in objects within them."""
    old, new = _fields(before), _fields(after)
    names = [*old, *(name for name in new if name not in old)]
    return tuple(
        Difference(name, as_text(old.get(name)), as_text(new.get(name)))
        for name in names
        if old.get(name) != new.get(name)
    )


def _fields(value: object, name: str = "") -> dict[str, object]:
    if not isinstance(value, dict) or not value:
        return {name: value}
    begins = f"{name}." if name else ""
    return {k: v for key, inner in value.items() for k, v in _fields(inner, f"{begins}{key}").items()}


def as_text(value: object) -> str | None:
    """A value of a detail for people to read."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


class _Links:
    """Where the reader may look at a subject."""

    def __init__(self, session: Session, reader: SignedIn) -> None:
        self._operator = reader.role == "operator"
        self._rounds: dict[str, str] = dict(session.exec(select(Round.slug, Round.state)).all())

    def to(self, what: str, subject: str) -> str | None:
        kind = what.partition(".")[0]
        if subject in self._rounds:
            return self._round(kind, subject)
        if kind in ("exclusion", "appeal"):
            number = subject.removeprefix("exclusion-")
            return f"/office/exclusions/{number}" if number.isdecimal() else "/office/exclusions"
        if kind in ("auth", "admin") and self._operator:
            return "/office/people"
        return None

    def _round(self, kind: str, slug: str) -> str | None:
        if not self._operator:
            return None if self._rounds[slug] == "draft" else f"/rounds/{slug}"
        pages = {"change": f"/rounds/{slug}/changes", "team_link": f"/office/rounds/{slug}/teams"}
        return pages.get(kind, f"/office/rounds/{slug}")
