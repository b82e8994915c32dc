"""The page of a round's form: empty, of a draft, or again with what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arena.office.round_fields import Sent, fields_for, teams_in
from arena.office.round_pages import FormPage
from arena.rounds.pages import RoundView
from arena.web.i18n import translations
from arena.web.pages import Locale


@dataclass(frozen=True, slots=True)
class Told:
    """What a form's page has to say besides its fields; `faults`, `problem` and `file_fault` are msgids."""

    faults: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None
    file: str = ""
    file_fault: str | None = None
    file_params: Mapping[str, str] = field(default_factory=dict)
    focus: str | None = None


def form_page(
    form: Sent, locale: Locale, *, told: Told | None = None, round_: RoundView | None = None, seen: str = ""
) -> FormPage:
    """`round_` is the draft that the form changes, as it was when its fingerprint was `seen`."""
    told, gettext = told or Told(), translations(locale).gettext
    return FormPage(
        round=round_,
        seen=seen,
        values=_without_keys(form, told.faults),
        faults={path: gettext(message) for path, message in told.faults.items()},
        labels={each.path: gettext(each.label) for each in fields_for(teams_in(form))},
        teams=teams_in(form),
        problem=gettext(told.problem) if told.problem else None,
        file=told.file,
        file_fault=gettext(told.file_fault) % told.file_params if told.file_fault else None,
        focus=told.focus,
    )


def _without_keys(form: Sent, faults: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """Where a variable's name was refused somebody may have put a key itself: that is not shown again."""
    return {name: [""] if name.endswith(".api_key_env") and name in faults else form[name] for name in form}
