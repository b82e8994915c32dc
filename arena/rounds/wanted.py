"""What an operator wants changed in an open round: a form's fields, understood and checked without the database."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from pydantic import TypeAdapter, ValidationError

from arena.errors import N_, InvalidError
from arena.rounds.rules import EntryFile, Variable
from arena.teams.addresses import in_clear, refusal

Kind = Literal["address", "pause", "resume", "join"]
Fields = Mapping[str, str]
Permission = Literal["address", "pause", "join"]
"""A word of the rules' `may_change`."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
NEEDS: Final[dict[Kind, Permission]] = {"address": "address", "pause": "pause", "resume": "pause", "join": "join"}
REASONS: Final[dict[str, tuple[str, ...]]] = {
    "address": ("endpoint_moved", "endpoint_failing", "mistake"),
    "pause": ("endpoint_failing", "team_withdrew", "identity_leak", "mistake"),
    "resume": ("endpoint_restored", "appeal_upheld", "mistake"),
    "join": ("late_joiner", "appeal_upheld", "mistake"),
}
KEY_PREFIX: Final = "TEAM_"
"""How variables begin that a form may name, so that no other secret of a server is ever sent to an endpoint."""

FAULTS: Final = {
    "kind": N_("This kind of change is not known."),
    "reason": N_("Please choose one of the reasons."),
    "entry": N_("Please choose one of the teams."),
    "team": N_("Please give the team's name in Korean and in English, at most 200 letters each."),
    "model": N_("Please give the model's name as the endpoint expects it, at most 200 letters."),
    "base_url": N_(
        "This address cannot be used. It has to begin with http:// or https://, hold no password, no query and no"
        " fragment, and its host has to be found on the internet or be named in ARENA_ENDPOINT_ALLOW."
    ),
    "api_key_env": N_(
        "Please give the name of the variable that holds the key, such as TEAM_A_KEY, and never the key itself."
        " The name has to begin with TEAM_."
    ),
    "aliases": N_("Please give the words that would give the team away, one a line, at most 200 letters each."),
    "extra_body": N_('Please give a JSON object, such as {"top_p": 0.95}, or nothing.'),
}
IN_CLEAR: Final = N_(
    "A key is sent over the internet only to an address that begins with https://. Please give such an address, or no"
    " variable for the key."
)
ANOTHERS_KEY: Final = N_(
    "Another team uses this variable for a key at another host. Please give the variable of this team's own key."
)
_KEY_NAME: Final = TypeAdapter(Variable)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that could be; `payload` as `Proposal` keeps it."""

    kind: Kind
    payload: dict[str, Any]
    reason: str


def read_wanted(fields: Fields, allow: Sequence[str]) -> Wanted:
    """Understands a form; looks up the host of an address. Raises InvalidError with the field's name as its code."""
    if any("\0" in value for value in fields.values()):
        raise InvalidError
    kind = cast(Kind, fields.get("kind", ""))
    if kind not in KINDS:
        raise fault("kind")
    if fields.get("reason") not in REASONS[kind]:
        raise fault("reason")
    payload = _READ[kind](fields)
    if "base_url" in payload and refusal(payload["base_url"], allow):
        raise fault("base_url")
    if payload.get("api_key_env") and in_clear(payload["base_url"], allow):
        raise InvalidError(IN_CLEAR, code="base_url")
    return Wanted(kind, payload, fields["reason"])


def fault(field: str) -> InvalidError:
    return InvalidError(FAULTS[field], code=field)


def _entry(fields: Fields) -> dict[str, Any]:
    if not fields.get("entry"):
        raise fault("entry")
    return {"entry": fields["entry"]}


def _address(fields: Fields) -> dict[str, Any]:
    return _entry(fields) | {"base_url": fields.get("base_url", "").rstrip("/"), "api_key_env": _key_name(fields)}


def _key_name(fields: Fields) -> str | None:
    try:
        return _KEY_NAME.validate_python(fields["api_key_env"]) if fields.get("api_key_env") else None
    except ValidationError:
        raise fault("api_key_env") from None


def _joiner(fields: Fields) -> dict[str, Any]:
    joiner = {
        "team": {"ko": fields.get("team_ko", ""), "en": fields.get("team_en", "")},
        "model": fields.get("model", ""),
        "base_url": fields.get("base_url", ""),
        "api_key_env": _key_name(fields),
        "aliases": [line.strip() for line in fields.get("aliases", "").splitlines() if line.strip()],
        "extra_body": _extra_body(fields),
    }
    try:
        return EntryFile.model_validate(joiner).model_dump(mode="json")
    except ValidationError as error:
        raise fault(str(error.errors()[0]["loc"][0])) from None


def _extra_body(fields: Fields) -> object:
    try:
        return json.loads(fields.get("extra_body") or "{}")
    except (ValueError, RecursionError):
        raise fault("extra_body") from None


_READ: Final[dict[Kind, Callable[[Fields], dict[str, Any]]]] = {
    "address": _address,
    "pause": _entry,
    "resume": _entry,
    "join": _joiner,
}
