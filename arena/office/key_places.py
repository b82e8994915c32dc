"""Where the key of each variable goes, so that no form of a single operator sends it anywhere else."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.teams.addresses import origin_of
from arena.teams.queries import keys_in_use

Places = Mapping[str, Collection[str]]
"""By variable, the origins that get its key."""
Endpoints = dict[str, dict[str, str | None]]
"""By entry, its `address` and its `key`'s variable, as the trail tells of them."""


def key_places(session: Session) -> Places:
    """Those of all rounds' entries, and of what drafts had before: what a draft loses is not free for others."""
    places: defaultdict[str, set[str]] = defaultdict(set)
    for _, name, origin in keys_in_use(session):
        places[name].add(origin)
    drafts = col(Act.what).in_(("round.create", "round.revise"))
    for act in session.exec(select(Act).where(drafts, Act.outcome == "done")):
        for state in ("before", "after"):
            for each in act.detail.get(state, {}).get("endpoints", {}).values():
                if each["key"]:
                    places[each["key"]].add(origin_of(each["address"]))
    return places


def endpoints_in(data: Mapping[str, Any]) -> Endpoints:
    """Of a round file's data."""
    entries = enumerate(data["entries"], start=1)
    return {f"e{n}": {"address": each["base_url"], "key": each.get("api_key_env")} for n, each in entries}
