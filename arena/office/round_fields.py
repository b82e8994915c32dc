"""The fields of a round's form: where each lies in a round file, what it holds, what is expected there. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from arena.errors import N_
from arena.rounds.wanted import FAULTS
from arena.web.i18n import SEOUL

Kind = Literal["text", "if_any", "long", "whole", "number", "pair", "lines", "ticks", "time", "json"]
Sent = Mapping[str, Sequence[str]]
"""A form as it was sent or is shown: values by field name, which is a path of the round file: `entries.0.model`."""


class Field(NamedTuple):
    """`label` is its name and `expected` says what is to be given; both are msgids."""

    path: str
    kind: Kind
    label: str
    expected: str


_TITLE = N_("Please give a title of 1 to 200 letters.")
_ONE_OR_MORE = N_("Please give a whole number, 1 or more.")
_TO_50 = N_("Please give a whole number from 1 to 50.")
_SECONDS = N_("Please give a number of seconds above 0 and up to 3600.")
_CHOICE = N_("Please choose one of those that are offered.")
_TIME = N_("Please give a date and a time in Korean time, such as 2026-12-01 09:00.")
_SLUG = N_(
    "Please give a short name for addresses: small letters, digits and single hyphens, at most 64, such as stage-1."
)
_ALLOW = N_("Please give one word or phrase a line, of at most 200 letters each, at most 200 lines.")
_ANCHORS = N_("Please give two shares between 0 and 1 of which the second is larger, such as 0.35 and 0.65.")

ROUND: Final = (
    Field("slug", "text", N_("Short name for addresses"), _SLUG),
    Field("title.ko", "text", N_("Title in Korean"), _TITLE),
    Field("title.en", "text", N_("Title in English"), _TITLE),
    Field("opens_at", "time", N_("Opens by itself at"), _TIME),
    Field("closes_at", "time", N_("Closes by itself at"), _TIME),
    Field(
        "rules.max_turns", "whole", N_("Questions in one comparison"), N_("Please give a whole number from 1 to 50.")
    ),
    Field("rules.max_battles_per_voter", "whole", N_("Comparisons a person may start"), _ONE_OR_MORE),
    Field("rules.rated_votes_per_voter", "whole", N_("Votes of a person that count"), _ONE_OR_MORE),
    Field("rules.reveal", "text", N_("When voters learn whose answers they were"), _CHOICE),
    Field(
        "rules.answer.max_tokens",
        "whole",
        N_("Longest answer, in tokens"),
        N_("Please give a whole number from 1 to 32768."),
    ),
    Field("rules.answer.temperature", "number", N_("Temperature"), N_("Please give a number from 0 to 2.")),
    Field(
        "rules.answer.system_prompt",
        "long",
        N_("Instruction before every question"),
        N_("Please give at most 20,000 letters, or nothing."),
    ),
    Field("rules.deadlines.first_token_s", "number", N_("Seconds until an answer has to begin"), _SECONDS),
    Field("rules.deadlines.idle_s", "number", N_("Seconds an answer may pause"), _SECONDS),
    Field("rules.deadlines.total_s", "number", N_("Seconds a whole answer may take"), _SECONDS),
    Field("rules.pacing", "text", N_("How answers appear"), _CHOICE),
    Field("rules.identity_leak", "text", N_("Votes on answers that named a team or a model"), _CHOICE),
    Field("rules.identity_allow", "lines", N_("Words and phrases that are never masked"), _ALLOW),
    Field("rules.may_change", "ticks", N_("What two operators may change while the round is open"), _CHOICE),
    Field("rules.score.points", "whole", N_("Most points a team can get"), _ONE_OR_MORE),
    Field("rules.score.formula", "text", N_("How points are given"), _CHOICE),
    Field("rules.score.anchors", "pair", N_("Shares that give no points and all points"), _ANCHORS),
    Field(
        "rules.score.min_votes_per_entry",
        "whole",
        N_("Votes a team needs before its points are more than provisional"),
        N_("Please give a whole number, 0 or more."),
    ),
    Field("rules.choices", "lines", N_("Choices of a vote"), N_("The four choices are a, b, tie and both_bad.")),
    Field("rules.who", "text", N_("Who may vote"), N_("Only rounds that are open to everyone can be run so far.")),
)
TEAM: Final = (
    Field("team.ko", "text", N_("Name of the team in Korean"), FAULTS["team"]),
    Field("team.en", "text", N_("Name of the team in English"), FAULTS["team"]),
    Field("model", "text", N_("Name of the model, as its endpoint expects it"), FAULTS["model"]),
    Field("base_url", "text", N_("Address of the endpoint"), FAULTS["base_url"]),
    Field(
        "api_key_env", "if_any", N_("Name of the variable that holds the key, if there is one"), FAULTS["api_key_env"]
    ),
    Field("aliases", "lines", N_("Words that would give the team away, one a line"), FAULTS["aliases"]),
    Field(
        "extra_body",
        "json",
        N_("Further settings for the endpoint, as a JSON object, if there are any"),
        FAULTS["extra_body"],
    ),
)

START: Final[dict[str, Any]] = {
    "rules": {
        "choices": ["a", "b", "tie", "both_bad"],
        "max_turns": 5,
        "max_battles_per_voter": 30,
        "rated_votes_per_voter": 30,
        "reveal": "after_close",
        "who": "open",
        "answer": {"max_tokens": 1024, "temperature": 0.7, "system_prompt": ""},
        "deadlines": {"first_token_s": 30, "idle_s": 20, "total_s": 180},
        "pacing": "together",
        "identity_leak": "exclude",
        "score": {"points": 25, "formula": "anchored", "anchors": [0.35, 0.65], "min_votes_per_entry": 100},
    },
    "entries": [{}, {}],
}
"""What a new form begins with: the example round file's rules, and two empty teams."""

MOST_TEAMS = 50
_TEAM_NAME = re.compile(r"entries\.(\d{1,4})\.(.+)")


def fields_for(teams: int) -> Iterator[Field]:
    """All fields of a form with so many teams, in its order."""
    yield from ROUND
    for number in range(teams):
        for field in TEAM:
            yield field._replace(path=f"entries.{number}.{field.path}")


def teams_in(sent: Sent) -> int:
    """How many teams a form has that numbers them from 0."""
    return len({found[1] for name in sent if (found := _TEAM_NAME.fullmatch(name))})


def renumbered(sent: Sent, *, without: int | None = None) -> dict[str, Sequence[str]]:
    """The form with its teams numbered from 0, one of them left out."""
    numbers = sorted({int(found[1]) for name in sent if (found := _TEAM_NAME.fullmatch(name))} - {without})
    places = {number: place for place, number in enumerate(numbers)}
    form: dict[str, Sequence[str]] = {}
    for name, values in sent.items():
        found = _TEAM_NAME.fullmatch(name)
        if found is None:
            form[name] = values
        elif int(found[1]) in places:
            form[f"entries.{places[int(found[1])]}.{found[2]}"] = values
    return form


def with_team(sent: Sent) -> dict[str, Sequence[str]]:
    """The form with an empty team more, if there is room."""
    number = teams_in(sent)
    more = {f"entries.{number}.{field.path}": [""] for field in TEAM} if number < MOST_TEAMS else {}
    return {**sent, **more}


def read(sent: Sent) -> dict[str, Any]:
    """A numbered form as the data of a round file; what is not understood stays text, which no rule admits."""
    data: dict[str, Any] = {"entries": [{} for _ in range(teams_in(sent))]}
    for field in fields_for(teams_in(sent)):
        value = _read(field.kind, [text.replace("\r\n", "\n").replace("\0", "") for text in sent.get(field.path, ())])
        if value is not None:
            _put(data, field.path.split("."), value)
    return data


def shown(data: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """The data of a round file as a form shows it, however wrong it is."""
    entries = data.get("entries")
    teams = len(entries) if isinstance(entries, list) else 0
    return {field.path: _shown(field.kind, value_at(data, field.path)) for field in fields_for(teams)}


def _read(kind: Kind, values: Sequence[str]) -> Any:
    text = values[0] if values else ""
    match kind:
        case "long":
            return text
        case "ticks":
            return [value for value in values if value]
        case "pair":
            return [_number(value.strip()) for value in values]
        case "lines":
            return [line.strip() for line in text.splitlines() if line.strip()]
    text = text.strip()
    match kind:
        case "whole":
            return int(text) if re.fullmatch(r"-?\d{1,15}", text, re.ASCII) else text
        case "number":
            return _number(text)
        case "time":
            return _time(text) if text else None
        case "json":
            return _json(text) if text else None
        case "if_any":
            return text or None
    return text


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _time(text: str) -> datetime | str:
    """Without a zone it is Korean time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found if found.tzinfo else found.replace(tzinfo=SEOUL)


def _json(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


def _shown(kind: Kind, value: Any) -> list[str]:
    if value is None:
        return ["", ""] if kind == "pair" else [""]
    if kind in ("pair", "ticks"):
        return [_plain(item) for item in value] if isinstance(value, list | tuple) else [_plain(value)]
    if kind == "lines" and isinstance(value, list | tuple):
        return ["\n".join(map(str, value))]
    if kind == "json":
        return [json.dumps(value, ensure_ascii=False, default=str) if value != {} else ""]
    return [_local(value) if kind == "time" else _plain(value)]


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _local(value: Any) -> str:
    """A time as `datetime-local` fields want it."""
    if not isinstance(value, datetime):
        return str(value)
    try:
        found = (value.astimezone(SEOUL) if value.tzinfo else value).replace(tzinfo=None)
    except OverflowError:
        return str(value)
    return found.isoformat(timespec="auto" if found.second or found.microsecond else "minutes")


def _put(data: dict[str, Any], path: Sequence[str], value: object) -> None:
    if path[0] == "entries":
        data, path = data["entries"][int(path[1])], path[2:]
    for part in path[:-1]:
        data = data.setdefault(part, {})
    data[path[-1]] = value


def value_at(data: Any, path: str) -> Any:
    """The value at a path of a round file's data; None where there is none."""
    for part in path.split("."):
        if isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        elif isinstance(data, dict):
            data = data.get(part)
        else:
            return None
    return data
