"""The trail as files: CSV for spreadsheets, and NDJSON for programs. Streamed, the newest act first."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any, Final

from sqlmodel import Session

from arena.accounts.tables import Act
from arena.accounts.trail import record
from arena.clock import now
from arena.db import Database
from arena.office.trail_page import as_text
from arena.office.trail_pages import TrailFilter
from arena.office.trail_query import acts, people
from arena.office.trail_words import act_words

AT_ONCE = 1000
BOM: Final = "\ufeff"
"""Without it Excel takes UTF-8 for something else."""
COLUMNS: Final = (
    "id", "at", "who", "email", "what", "in_words", "subject", "outcome", "why", "reason", "note", "before", "after",
    "detail",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
TOLD_APART = ("reason", "note", "before", "after")


def note_export(session: Session, who: str, wanted: TrailFilter, form: str) -> int:
    """Puts an export on the trail; returns the id before which the exported acts are."""
    acts(session, wanted, before=None, limit=1)
    detail: dict[str, object] = {"format": form, **wanted.fields}
    noted = record(session, who, "trail.export", "trail", "done", now(), detail=detail)
    session.flush()
    return noted.id or 0


def csv_lines(db: Database, wanted: TrailFilter, before: int, gettext: Callable[[str], str]) -> Iterator[str]:
    yield BOM + _csv(COLUMNS)
    for act, email in _found(db, wanted, before):
        yield _csv(
            (str(act.id), act.at.isoformat(timespec="seconds"), act.who, email or "", act.what,
             act_words(act.what, gettext), act.subject, act.outcome, act.why,
             *(as_text(act.detail.get(name)) or "" for name in TOLD_APART),
             json.dumps({k: v for k, v in act.detail.items() if k not in TOLD_APART}, ensure_ascii=False))
        )  # fmt: skip


def json_lines(db: Database, wanted: TrailFilter, before: int) -> Iterator[str]:
    for act, email in _found(db, wanted, before):
        fields = {name: getattr(act, name) for name in ("id", "who", "what", "subject", "outcome", "why", "detail")}
        yield json.dumps(fields | {"at": act.at.isoformat(), "email": email}, ensure_ascii=False) + "\n"


def _found(db: Database, wanted: TrailFilter, before: int) -> Iterator[tuple[Act, str | None]]:
    with db.reading() as session:
        emails: Mapping[str, str] = people(session)
    while True:
        with db.reading() as session:
            found = acts(session, wanted, before=before, limit=AT_ONCE)
        yield from ((act, emails.get(act.who)) for act in found)
        if len(found) < AT_ONCE:
            return
        before = found[-1].id or 0


def _csv(cells: tuple[Any, ...]) -> str:
    line = StringIO()
    csv.writer(line).writerow(["'" + cell if cell.startswith(FORMULA) else cell for cell in cells])
    return line.getvalue()
