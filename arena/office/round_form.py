"""A round's form and round files from a browser, checked as a whole: every fault beside its field."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from arena.errors import N_
from arena.office.key_places import Places
from arena.office.round_fields import Sent, fields_for, read, renumbered, shown, teams_in, value_at
from arena.rounds.rules import RoundFile, parse_toml
from arena.rounds.wanted import FAULTS, IN_CLEAR, KEY_PREFIX
from arena.teams.addresses import in_clear, origin_of, refusal

FILE_LIMIT = 200_000
"""Bytes of a round file."""
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
LOOK_UPS = 10

TAKES_PART: Final = N_("Another team has this name already.")
AFTER_OPENING: Final = N_("The round has to close after it opens.")
YEAR: Final = N_("Please give a year from 2000 to 2999.")
TEAMS: Final = N_("A round has 2 to 50 teams.")
NO_NULL: Final = N_("A round file can hold no null, so please leave it out.")
NUL: Final = N_("There is a character in this that cannot be stored. Please write it again.")
UNKNOWN: Final = N_("A round file has no such key. The example file has all that there are.")
RESERVED: Final = N_("This name is needed for a page. Please choose another.")
OTHER_ROUND: Final = N_("This file is of another round. Its short name has to stay as it is.")
OTHER_HOST: Final = N_(
    "The key in this variable belongs to another host, and a form sends it to no new one. Please give the address at"
    " that host, or another variable. The command line can move a key, with a round file."
)
FILE_TOO_LARGE: Final = N_("The file is larger than 200 kB.")
FILE_NOT_TEXT: Final = N_("This is no text file in UTF-8.")
FILE_NOT_TOML: Final = N_("This is no TOML: %(fault)s")

Addresses = Collection[tuple[str, str | None]]
"""Base URLs with the variables of their keys, as a draft has them already."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a form is checked against: the draft's name that it changes and its addresses, and where keys go."""

    slug: str | None = None
    present: Addresses = ()
    places: Places = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is shown again, its faults as msgids by field, and the round file it makes when it has none."""

    form: Sent
    faults: Mapping[str, str]
    file: RoundFile | None = None


NEW: Final = Known()


def filled(sent: Sent, allow: Sequence[str], known: Known = NEW) -> Filled:
    """Understands a form; looks up the hosts of its addresses."""
    form = renumbered(sent)
    return _checked(read(form), form, allow, known)


def from_file(text: str, allow: Sequence[str], known: Known = NEW) -> Filled:
    """Understands a round file, and shows it as a form. Raises TOMLDecodeError."""
    data = parse_toml(text)
    return _checked(data, shown(data), allow, known)


def hosts(file: RoundFile) -> list[str]:
    """The hosts of a checked file's addresses: admitted, they need not be looked up again while others wait."""
    return [urlsplit(entry.base_url).hostname or "" for entry in file.entries]


def _checked(data: dict[str, Any], form: Sent, allow: Sequence[str], known: Known) -> Filled:
    faults: dict[str, str] = {}
    try:
        file = RoundFile.model_validate(data)
    except ValidationError as error:
        file = None
        for fault in error.errors():
            faults |= _placed([str(part) for part in fault["loc"]], fault["type"], form)
    faults = dict(_across(data, known)) | dict(_addresses(data, allow)) | faults
    return Filled(form, _in_order(faults, form), None if faults else file)


def _placed(loc: list[str], kind: str, form: Sent) -> dict[str, str]:
    """The fault of a value beside its field, that of a missing table beside all fields in it."""
    path = ".".join(loc)
    if not path or (kind == "value_error" and len(loc) == 1):
        return {}  # said by `_across`, and all of it
    if kind == "extra_forbidden":
        return {path: UNKNOWN}
    if path == "entries":
        return {path: TEAMS}
    inside = {
        each.path: each.expected
        for each in fields_for(teams_in(form))
        if f"{path}.".startswith(f"{each.path}.") or each.path.startswith(f"{path}.")
    }
    return inside or {path: UNKNOWN}


def _across(data: dict[str, Any], known: Known) -> Iterator[tuple[str, str]]:
    """What one value alone does not tell."""
    if known.slug is not None and data.get("slug") != known.slug:
        yield "slug", OTHER_ROUND
    if data.get("slug") == "new":
        yield "slug", RESERVED
    yield from _times(data)
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(_entries(data)):
        team = entry.get("team")
        for language in ("ko", "en"):
            name = (language, str(team.get(language, ""))) if isinstance(team, dict) else (language, "")
            if name[1] and name in seen:
                yield f"entries.{number}.team.{language}", TAKES_PART
            seen.add(name)
        yield from _key(number, entry, known.present)
        if _has(entry.get("extra_body", {}), None):
            yield f"entries.{number}.extra_body", NO_NULL
    yield from _key_places(data, known.places)
    for each in fields_for(len(_entries(data))):
        if _has(value_at(data, each.path), "\0"):
            yield each.path, NUL


def _times(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    times = {}
    for name in ("opens_at", "closes_at"):
        value = data.get(name)
        if isinstance(value, datetime) and value.tzinfo:
            if EARLIEST <= value < LATEST:
                times[name] = value
            else:
                yield name, YEAR
    if len(times) == 2 and times["closes_at"] <= times["opens_at"]:
        yield "closes_at", AFTER_OPENING


def _key(number: int, entry: dict[str, Any], present: Addresses) -> Iterator[tuple[str, str]]:
    """No other secret of a server is ever sent to an endpoint: only a team's, or what the draft has there already."""
    name, url = entry.get("api_key_env"), str(entry.get("base_url", "")).rstrip("/")
    if name and not str(name).startswith(KEY_PREFIX) and (url, name) not in present:
        yield f"entries.{number}.api_key_env", FAULTS["api_key_env"]


def _key_places(data: dict[str, Any], places: Places) -> Iterator[tuple[str, str]]:
    """A key goes to one host only: where it goes already, or to the first that this form names."""
    goes = dict(places)
    for number, entry in enumerate(_entries(data)):
        name, origin = str(entry.get("api_key_env") or ""), _origin(entry)
        if name and origin and origin not in goes.setdefault(name, {origin}):
            yield f"entries.{number}.base_url", OTHER_HOST


def _origin(entry: dict[str, Any]) -> str | None:
    try:
        return origin_of(str(entry.get("base_url") or ""))
    except ValueError:
        return None  # said by `_addresses`


def _addresses(data: dict[str, Any], allow: Sequence[str]) -> Iterator[tuple[str, str]]:
    def why(entry: dict[str, Any]) -> str | None:
        url = str(entry.get("base_url") or "")
        if refusal(url, allow):
            return FAULTS["base_url"]
        return IN_CLEAR if entry.get("api_key_env") and in_clear(url, allow) else None

    with ThreadPoolExecutor(LOOK_UPS) as pool:
        for number, words in enumerate(pool.map(why, _entries(data))):
            if words:
                yield f"entries.{number}.base_url", words


def _entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    entries = data.get("entries")
    found = entries[:100] if isinstance(entries, list) else []
    return [entry if isinstance(entry, dict) else {} for entry in found]


def _has(value: Any, sought: str | None) -> bool:
    """Whether a value holds a null, or a character, however deep."""
    if isinstance(value, dict):
        return any(_has(item, sought) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return any(_has(item, sought) for item in value)
    return value is None if sought is None else isinstance(value, str) and sought in value


def _in_order(faults: Mapping[str, str], form: Sent) -> dict[str, str]:
    """By the order of the form, and first what has no field."""
    known = [each.path for each in fields_for(teams_in(form)) if each.path in faults]
    return {path: faults[path] for path in [*(path for path in faults if path not in known), *known]}
