"""Making a draft round and changing it, from a form or a round file; its file to keep."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from arena.accounts.routes import only
from arena.clock import now
from arena.errors import ArenaError, ForbiddenError, NotFoundError
from arena.office.form_page import Told, form_page
from arena.office.key_places import Places, endpoints_in, key_places
from arena.office.round_acts import REFUSALS, found, make, refused, revise
from arena.office.round_fields import START, Sent, renumbered, shown, teams_in, with_team
from arena.office.round_form import (
    FILE_LIMIT,
    FILE_NOT_TEXT,
    FILE_NOT_TOML,
    FILE_TOO_LARGE,
    Addresses,
    Filled,
    Known,
    filled,
    from_file,
)
from arena.office.round_toml import file_data, fingerprint, round_data, toml
from arena.office.routes.operating import AtWork, Form, Operator, SentForm
from arena.rounds.pages import RoundView
from arena.rounds.queries import view
from arena.rounds.rules import RoundFile, rules_hash
from arena.rounds.tables import Round
from arena.web.respond import see_other

LANGUAGES = ("ko", "en")
PAGE = "office/round_form.html"

router = APIRouter(prefix="/office/rounds")


class _BadFileError(Exception):
    """A round file that no form can be made of; `words` is a msgid with a place for `fault`."""

    def __init__(self, words: str, fault: str = "") -> None:
        super().__init__(words)
        self.words, self.fault = words, fault


@dataclass(frozen=True, slots=True)
class _Draft:
    """A draft as it was loaded; `before` is what the trail tells of it."""

    round: RoundView
    addresses: Addresses
    before: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Work:
    """A form at work on a new round, or on a `draft`."""

    operator: Operator
    form: Form
    draft: _Draft | None
    places: Places
    save: Callable[[RoundFile], Round]

    @property
    def what(self) -> str:
        return "round.revise" if self.draft else "round.create"

    @property
    def slug(self) -> str | None:
        return self.draft.round.slug if self.draft else None

    def answer(self) -> Response:
        """Does what the pressed button says."""
        button, _, number = self.form.text("do").partition(".")
        if button in ("fill", "file"):
            return self._take_file(keep=button == "file")
        if button == "add":
            sent = with_team(renumbered(self.form.fields))
            return self._page(sent, Told(focus=f"entries.{teams_in(sent) - 1}.team.ko"))
        if button == "remove":
            without = int(number) if number.isascii() and number.isdecimal() else None
            return self._page(renumbered(self.form.fields, without=without), Told(focus="entries"))
        return self._keep(filled(self.form.fields, self._allow, self._known))

    @property
    def _allow(self) -> list[str]:
        return list(self.operator.arena.settings.endpoint_allow)

    @property
    def _known(self) -> Known:
        return Known(self.slug, self.draft.addresses if self.draft else (), self.places)

    def _take_file(self, *, keep: bool) -> Response:
        """Makes the draft of a round file at once, or fills the form with it."""
        text = self.form.fields.get("file", [""])[0]
        try:
            text = _text(self.form, text)
            made = from_file(text, self._allow, self._known)
        except _BadFileError as bad:
            told = Told(file=text, file_fault=bad.words, file_params={"fault": bad.fault}, focus="file")
        except tomllib.TOMLDecodeError as error:
            told = Told(file=text, file_fault=FILE_NOT_TOML, file_params={"fault": str(error)}, focus="file")
        else:
            return self._keep(made) if keep else self._page(made.form, Told(made.faults))
        return self._page(renumbered(self.form.fields), told, 422)

    def _keep(self, made: Filled) -> Response:
        detail: dict[str, object] = {"before": self.draft.before} if self.draft else {}
        if made.file:
            detail["after"] = _told(rules_hash(made.file.rules.canonical()), file_data(made.file))
        else:
            detail["fields"] = list(made.faults)[:20]
        try:
            with self.operator.on_record(self.what, self.slug or made.form.get("slug", [""])[0], **detail):
                if made.file is None:
                    raise refused("form")
                slug = self.save(made.file).slug
        except (ForbiddenError, NotFoundError):
            raise
        except ArenaError as error:
            taken = {"slug": REFUSALS["slug_taken"]} if error.code == "slug_taken" else {}
            return self._page(made.form, Told({**made.faults, **taken}, problem=error.message), error.status)
        return see_other(f"/office/rounds/{slug}")

    def _page(self, sent: Sent, told: Told, status: int = 200) -> Response:
        round_ = self.draft.round if self.draft else None
        page = form_page(sent, self.operator.locale, told=told, round_=round_, seen=self.form.text("seen"))
        return self.operator.render(PAGE, page, status=status)


def _text(form: Form, pasted: str) -> str:
    """The round file that came with a form, or else was pasted into it. Raises _BadFileError."""
    found = pasted.encode() if form.upload is None else form.upload
    if len(found) > FILE_LIMIT:
        raise _BadFileError(FILE_TOO_LARGE)
    try:
        return found.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _BadFileError(FILE_NOT_TEXT) from None


def _told(rules: str, data: Mapping[str, object]) -> dict[str, object]:
    return {"rules_hash": rules, "file": fingerprint(data), "endpoints": endpoints_in(data)}


@router.get("/new", dependencies=[only("operator")])
def new_round(operator: AtWork) -> Response:
    return operator.render(PAGE, form_page(shown(START), operator.locale))


@router.post("/new")
def make_round(form: SentForm, operator: AtWork) -> Response:
    operator.check("round.create", form.text("slug"))

    def save(file: RoundFile) -> Round:
        return operator.arena.db.writing(lambda session: make(session, file, LANGUAGES, now()))

    with operator.arena.db.reading() as session:
        places = key_places(session)
    return _Work(operator, form, None, places, save).answer()


@router.get("/{slug}/edit", dependencies=[only("operator")])
def edit_round(slug: str, operator: AtWork) -> Response:
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        data = round_data(session, round_)
    if round_.state != "draft":
        raise refused("not_draft")
    page = form_page(shown(data), operator.locale, round_=view(round_, operator.locale), seen=fingerprint(data))
    return operator.render(PAGE, page, demo=round_.demo)


@router.post("/{slug}/edit")
def revise_draft(slug: str, form: SentForm, operator: AtWork) -> Response:
    operator.check("round.revise", slug)

    def save(file: RoundFile) -> Round:
        return operator.arena.db.writing(lambda session: revise(session, file, form.text("seen")))

    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        data, places = round_data(session, round_), key_places(session)
    addresses = {(each["base_url"], each.get("api_key_env")) for each in data["entries"]}
    draft = _Draft(view(round_, operator.locale), addresses, _told(round_.rules_hash, data))
    return _Work(operator, form, draft, places, save).answer()


@router.get("/{slug}/round.toml", dependencies=[only("operator")])
def round_file(slug: str, operator: AtWork) -> Response:
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        text = toml(round_data(session, round_))
    headers = {"Content-Disposition": f'attachment; filename="{round_.slug}.toml"', "Cache-Control": "no-store"}
    return Response(text, media_type="application/toml", headers=headers)
