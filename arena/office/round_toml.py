"""A round as a round file: what `arena round create` would make the same round of, with the same rules hash."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from arena.rounds.rules import EntryFile, RoundFile
from arena.rounds.tables import Round
from arena.teams.queries import NamedEntry, entries_of, entry

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def round_data(session: Session, round_: Round) -> dict[str, Any]:
    """The round as `tomllib` would read it from its file."""
    times = {"opens_at": round_.opens_at, "closes_at": round_.closes_at}
    return {
        "slug": round_.slug,
        "title": {"ko": round_.title_ko, "en": round_.title_en},
        **{name: time for name, time in times.items() if time is not None},
        "rules": json.loads(round_.rules),
        "entries": [_entry_data(session, named) for named in entries_of(session, round_.id or 0)],
    }


def file_data(file: RoundFile) -> dict[str, Any]:
    """A round file as `round_data` would tell of the round that is made of it."""
    times = {"opens_at": file.opens_at, "closes_at": file.closes_at}
    return {
        "slug": file.slug,
        "title": file.title.model_dump(),
        **{name: time for name, time in times.items() if time is not None},
        "rules": json.loads(file.rules.canonical()),
        "entries": [_file_entry(each) for each in file.entries],
    }


def _file_entry(each: EntryFile) -> dict[str, Any]:
    data = each.model_dump(mode="json", exclude_none=True) | {"base_url": each.base_url.rstrip("/")}
    return {name: value for name, value in data.items() if name != "extra_body" or value}


def toml(data: Mapping[str, Any]) -> str:
    """The data of a round file as TOML; a null, which TOML cannot say, is left out."""
    return "\n".join(_lines(data)) + "\n"


def fingerprint(data: Mapping[str, Any]) -> str:
    """Tells whether a draft is still what somebody saw."""
    return hashlib.sha256(toml(data).encode()).hexdigest()


def _entry_data(session: Session, named: NamedEntry) -> dict[str, Any]:
    found, team = entry(session, named.id), {"ko": named.name_ko, "en": named.name_en}
    data: dict[str, Any] = {"team": team, "model": found.model, "base_url": found.base_url}
    if found.api_key_env:
        data["api_key_env"] = found.api_key_env
    data["aliases"] = found.aliases
    if found.extra_body:
        data["extra_body"] = found.extra_body
    return data


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    rules = data["rules"]
    yield from _pairs({name: value for name, value in data.items() if name not in ("rules", "entries")})
    yield from ("", "[rules]")
    yield from _pairs({name: value for name, value in rules.items() if name != "score"})
    yield from ("", "[rules.score]")
    yield from _pairs(rules["score"])
    for each in data["entries"]:
        yield from ("", "[[entries]]")
        yield from _pairs(each)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in table.items() if value is not None]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_pairs(value)) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value if item is not None) + "]"
    return repr(value)


def _text(text: str) -> str:
    """JSON's escapes are TOML's, which wants DEL escaped besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
