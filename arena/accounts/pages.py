"""What the accounts' templates may see."""

from dataclasses import dataclass
from datetime import datetime

from arena.web.qr import QrCode


@dataclass(frozen=True, slots=True)
class SignInPage:
    """`problem` is a translated sentence about what was refused; `next_path` is where to go afterwards.

    `provider`: people may also sign in with their organisation's account.
    """

    email: str
    next_path: str
    problem: str | None
    provider: bool


@dataclass(frozen=True, slots=True)
class CodePage:
    next_path: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class SetUp:
    """A second factor's new secret: as a QR code for the app, and as a `key` in groups of four to type."""

    qr: QrCode
    key: str


@dataclass(frozen=True, slots=True)
class SetUpPage:
    set_up: SetUp
    next_path: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A sign-in that lasts; `mark` names it in forms, `here` is the reader's own."""

    mark: str
    browser: str
    begun: datetime
    seen: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A translated sentence about what was refused, shown in the form of that name."""

    form: str
    message: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The reader's own account. `done` is what the form just did; `password`: there is one."""

    code: str
    email: str
    role: str
    password: bool
    second_factor: bool
    sessions: tuple[SessionView, ...]
    done: str
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class NewPhonePage:
    """Setting up another phone for the second factor."""

    set_up: SetUp
    replaces: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody of the office; `me` is the reader. `last_seen` is None for who has done nothing yet."""

    number: int
    code: str
    email: str
    role: str
    last_seen: datetime | None
    second_factor: bool
    provider: bool
    disabled_at: datetime | None
    sessions: tuple[SessionView, ...]
    me: bool


@dataclass(frozen=True, slots=True)
class PeoplePage:
    people: tuple[PersonRow, ...]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """One of them, to end sessions, disable and enable; `note` is what was typed as the reason."""

    person: PersonRow
    done: str
    problem: Problem | None
    note: str
