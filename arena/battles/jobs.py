"""What the worker does for battles: it asks endpoints that failed again and again whether they answer now."""

import asyncio
from collections.abc import Sequence

import structlog
from sqlmodel import Session

from arena.battles.gateway import GOOD, Gateway, Message
from arena.battles.leaves import write_outage
from arena.battles.queries import endpoint_of
from arena.clock import now
from arena.db import Database
from arena.jobs import Task
from arena.rounds.queries import open_round, rules_of
from arena.rounds.tables import Round
from arena.teams.outages import checked, to_check
from arena.teams.tables import Outage

log = structlog.get_logger()

QUESTION = (Message("user", "안녕하세요? 한 문장으로 인사해 주세요."),)
LONGEST_S = 45.0


def check_endpoints(allow: Sequence[str]) -> Task:
    """Ends outages; `allow` is that of the gateway."""

    async def run(db: Database) -> None:
        gateway = Gateway(allow)
        try:
            round_, due = await db.read(_due)
            await asyncio.gather(*(_check(db, gateway, round_, outage) for outage in due if round_))
        finally:
            await gateway.close()

    return Task("endpoints", lambda session, _at: bool(_due(session)[1]), run, every_s=2)


def _due(session: Session) -> tuple[Round | None, list[Outage]]:
    round_ = open_round(session)
    return round_, to_check(session, round_.id, now()) if round_ and round_.id else []


async def _check(db: Database, gateway: Gateway, round_: Round, outage: Outage) -> None:
    endpoint = await db.read(lambda session: endpoint_of(session, outage.entry_id))
    rules, outage_id = rules_of(round_), outage.id or 0
    deadlines = rules.deadlines.model_copy(update={"total_s": min(rules.deadlines.total_s, LONGEST_S)})
    ending = await gateway.stream(endpoint, QUESTION, rules.answer, deadlines, lambda _text: None)
    log.info("endpoint_checked", ending=ending)
    await db.write(lambda session: _note(session, round_, outage_id, good=ending in GOOD))


def _note(session: Session, round_: Round, outage_id: int, *, good: bool) -> None:
    ended = checked(session, outage_id, now(), good=good)
    if ended:
        write_outage(session, round_, ended, now())
