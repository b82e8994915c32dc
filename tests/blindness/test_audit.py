"""The audit (docs/audit.md): what reached voters before the vote, searched for names and given to classifiers."""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlmodel import select

from arena.battles.tables import Battle
from arena.db import Database
from arena.teams.queries import entries_of
from tests.blindness.features import features_of
from tests.blindness.guessing import Case, Guesses, guesses
from tests.blindness.recorder import Exchange, Recording, record, static_files
from tests.blindness.teams import KEY, KEY_NAME, TEAMS, answering_teams, audited_round
from tests.processes import arena_command
from tests.support import open_round, settings_for

ENTRY_CODE = re.compile(rb"""[\s"'>:]e[1-5][\s"'<,]""")


@dataclass(frozen=True, slots=True)
class Run:
    """What the voters of one arena received, and the teams at side A and side B of each battle."""

    recordings: list[Recording]
    static: list[Exchange]
    pairs: dict[str, tuple[str, str]]
    teams_origin: str

    def guesses(self) -> list[Guesses]:
        return list(guesses([self._case(recording) for recording in self.recordings if recording.votable]))

    def _case(self, recording: Recording) -> Case:
        return Case(features_of(recording), recording.voter, *self.pairs[recording.battle])


def run(folder: Path, database: Path, *, pacing: str, voters: int, battles: int) -> Run:
    """Arena, teams and recorder in a process each."""
    url = f"sqlite:///{shutil.copy(database, folder / 'arena.db')}"
    db = Database(url)
    with answering_teams() as origin:
        open_round(db, audited_round(origin, pacing))
        with arena_command(folder / "log", "serve", settings=settings_for(url)) as served:
            recordings = asyncio.run(record(served.origin, voters=voters, battles=battles))
            static = asyncio.run(static_files(served.origin))
    pairs = dealt(db)
    db.close()
    return Run(recordings, static, pairs, origin)


def dealt(db: Database) -> dict[str, tuple[str, str]]:
    with db.reading() as session:
        codes = {entry.id: team.code for entry, team in zip(entries_of(session, 1), TEAMS, strict=True)}
        return {row.id: (codes[row.entry_a], codes[row.entry_b]) for row in session.exec(select(Battle))}


@pytest.fixture(scope="module")
def keyed() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_NAME, KEY)
        yield


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, keyed: None) -> Run:
    return run(tmp_path_factory.mktemp("together"), sqlite_template, pacing="together", voters=50, battles=8)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, keyed: None) -> Run:
    return run(tmp_path_factory.mktemp("raw"), sqlite_template, pacing="raw", voters=50, battles=2)


def secrets(teams_origin: str) -> list[str]:
    port = teams_origin.rpartition(":")[2]
    return [KEY, KEY_NAME, f":{port}", "chatcmpl", *(name for team in TEAMS for name in (team.code, team.korean))]


def named(data: bytes, secrets: Sequence[str]) -> list[str]:
    """Those of the secrets that occur in the bytes: as they are, in JSON's ASCII, or in a URL."""
    told = data.lower()
    return [secret for secret in secrets if any(spelling in told for spelling in spellings(secret.lower()))]


def spellings(secret: str) -> set[bytes]:
    return {spelling.lower().encode() for spelling in (secret, json.dumps(secret)[1:-1], quote(secret, safe=":"))}


def received(exchange: Exchange) -> bytes:
    """As it came off the socket, and once more without the chunks' borders."""
    return b"".join(data for _, data in exchange.pieces) + exchange.body


@pytest.mark.parametrize("spell", [str, str.upper, json.dumps, quote])
@pytest.mark.parametrize("secret", [TEAMS[0].code, TEAMS[0].korean])
def test_the_search_finds_a_name_however_it_is_spelled(secret: str, spell: type[str]) -> None:
    assert named(f"data:{spell(secret)}\n\n".encode(), [secret, KEY]) == [secret]


def test_nothing_that_reaches_a_voter_before_the_vote_names_a_team(together: Run, raw: Run) -> None:
    for run in (together, raw):
        exchanges = [exchange for recording in run.recordings for exchange in recording.exchanges]
        assert any(not recording.votable for recording in run.recordings)
        for exchange in exchanges + run.static:
            assert not named(received(exchange), secrets(run.teams_origin)), exchange.step
        assert not [exchange.step for exchange in exchanges if ENTRY_CODE.search(exchange.body)]


def test_nothing_but_the_words_tells_a_classifier_which_team_answers(together: Run) -> None:
    for guessed in together.guesses():
        print(guessed)
        assert guessed.interval[0] <= guessed.chance, str(guessed)


def test_the_same_classifiers_know_the_teams_where_pacing_hides_nothing(raw: Run) -> None:
    for guessed in raw.guesses():
        print(guessed)
        assert guessed.interval[0] > 0.8, str(guessed)
