"""All turns that stream in this process, and how they are saved."""

import asyncio
from collections.abc import Sequence

import structlog

from arena.battles.actions import checkpoint_turn, finish_turn
from arena.battles.column import Said
from arena.battles.gateway import Gateway
from arena.battles.relay import Outcome, Relay, Shown, TurnJob
from arena.clock import now
from arena.db import Database
from arena.errors import BusyError

log = structlog.get_logger()


class Relays:
    """Starts turns, finds them again, and bounds how many stream at once; `allow` is that of the gateway."""

    def __init__(self, db: Database, limit: int, allow: Sequence[str]) -> None:
        self._db = db
        self._limit = limit
        self._gateway = Gateway(allow)
        self._running: dict[int, tuple[Relay, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self._running)

    def check_room(self) -> None:
        """Raises BusyError when as many turns stream as this process is to carry."""
        if len(self._running) >= self._limit:
            raise BusyError(retry_after_s=20)

    def start(self, job: TurnJob) -> Relay:
        relay = Relay(job, self._gateway, self._save)
        task = asyncio.create_task(self._run(relay), name=f"turn-{job.turn_id}")
        self._running[job.turn_id] = (relay, task)
        return relay

    def find(self, turn_id: int) -> Relay | None:
        found = self._running.get(turn_id)
        return found[0] if found else None

    async def close(self) -> None:
        """Pauses every turn, so that it begins again when its reader comes back."""
        tasks = [task for _, task in self._running.values()]
        for relay, _ in list(self._running.values()):
            relay.end("paused")
        if tasks:
            await asyncio.wait(tasks)
        await self._gateway.close()

    async def _run(self, relay: Relay) -> None:
        try:
            await relay.run()
        except Exception:
            log.exception("turn_crashed", turn=relay.job.turn_id)
        finally:
            if self.find(relay.job.turn_id) is relay:
                del self._running[relay.job.turn_id]

    async def _save(self, job: TurnJob, outcome: Outcome | None, said: tuple[Said, Said], shown: Shown) -> bool:
        if outcome is None:
            return await self._db.write(lambda session: checkpoint_turn(session, job, said, now()))
        if outcome == "failed":
            log.warning("turn_failed", turn=job.turn_id, a=said[0].ending, b=said[1].ending)
        return await self._db.write(lambda session: finish_turn(session, job, outcome, said, now(), shown))
