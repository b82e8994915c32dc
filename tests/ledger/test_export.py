"""The bundle that everyone may fetch: what is in it and what is not, and that it holds together while people vote."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select, update

from arena.battles.tables import Battle, Vote
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.errors import RefusedError
from arena.ledger.queries import newest_checkpoint
from arena.offline.vote_file import read_votes
from arena.ratings.export import export_round
from arena.ratings.queries import snapshot_of
from arena.rounds.actions import create_round
from arena.rounds.queries import find_round, rules_of
from arena.stats.figures import ratings_body
from arena.stats.rating import rate_exactly
from tests.data import NOWHERE, closes, voted, voter
from tests.ledger.played import bundle_of, kept, play, played_round, rows, sequenced, verified
from tests.support import round_file

SEALED = {"README.md", "checkpoints.jsonl", "ledger.jsonl", "round.json", "votes.jsonl"}
OPENED = SEALED | {"ratings.json", "scores.json", "votes.parquet"}


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def about(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "round.json").read_text("utf-8"))
    return found


def secrets_in(folder: Path, db: Database) -> list[str]:
    """What would tell whose answers a vote was on: the seed, models, addresses, voters."""
    text = "".join(file.read_text("utf-8") for file in folder.iterdir() if file.suffix != ".parquet")
    models = [persona.model for persona in PERSONAS.values()]
    return [word for word in (played_round(db).seed, NOWHERE, "citizen-", *models) if word in text]


def test_the_bundle_of_an_open_round_keeps_pairs_models_and_figures_sealed(played: Database, tmp_path: Path) -> None:
    folder = bundle_of(played, tmp_path / "bundle", unsealed=True)
    assert files(folder) == SEALED
    assert secrets_in(folder, played) == []
    assert (about(folder)["seed"], about(folder)["models"], about(folder)["outages"]) == (None, {}, {})
    assert {(row["model_a"], row["model_b"]) for row in rows(folder, "votes.jsonl")} == {(None, None)}


def test_the_bundle_of_a_closed_round_opens_what_was_committed_to(played: Database, tmp_path: Path) -> None:
    closes(played)
    folder = bundle_of(played, tmp_path / "bundle")
    assert files(folder) == OPENED
    with played.reading() as session:
        official = snapshot_of(session, played_round(played).id or 0)
        votes = session.exec(select(Vote.choice, Battle.id).join(Battle, col(Battle.id) == Vote.battle_id)).all()
    assert official is not None
    assert json.loads((folder / "ratings.json").read_text("utf-8")) == official.ratings
    assert json.loads((folder / "scores.json").read_text("utf-8")) == official.scores
    assert {row["battle"] for row in rows(folder, "votes.jsonl")} == {battle for _, battle in votes}
    assert about(folder)["seed"] == played_round(played).seed
    assert about(folder)["votes"] == len(votes)


def test_names_that_the_rules_never_reveal_stay_sealed_except_for_auditors(db: Database, tmp_path: Path) -> None:
    play(db, voters=2, battles=1, reveal="never")
    closes(db)
    folder = bundle_of(db, tmp_path / "public")
    assert files(folder) == SEALED
    assert secrets_in(folder, db) == []
    assert verified(folder).sealed
    auditors = bundle_of(db, tmp_path / "auditors", unsealed=True)
    assert files(auditors) == OPENED
    assert not verified(auditors).sealed


def test_the_parquet_file_has_the_columns_of_the_fields_public_data(bundles: Path) -> None:
    table = pyarrow.parquet.read_table(bundles / "closed" / "votes.parquet")
    assert table.schema.names == [
        "question_id",
        "model_a",
        "model_b",
        "winner",
        "judge",
        "voter",
        "turn",
        "anony",
        "language",
        "tstamp",
    ]
    counted = [row for row in rows(bundles / "closed", "votes.jsonl") if row["excluded"] is None]
    assert table.num_rows == len(counted) == 17
    for found, row in zip(table.to_pylist(), counted, strict=True):
        assert [found[name] for name in ("model_a", "model_b", "winner", "voter")] == [
            row[name] for name in ("model_a", "model_b", "winner", "voter")
        ]
        assert (found["judge"], found["turn"], found["language"]) == (row["voter"], 1, "Korean")
        assert (found["anony"], found["tstamp"]) == (True, datetime.fromisoformat(row["at"]).timestamp())


def test_rating_the_parquet_file_gives_the_official_figures(db: Database, tmp_path: Path) -> None:
    """Enough votes for intervals, and a limit of rated votes that matters."""
    play(db, voters=12, battles=8, rated_votes_per_voter=7)
    closes(db)
    folder = bundle_of(db, tmp_path / "bundle")
    with db.reading() as session:
        official = snapshot_of(session, played_round(db).id or 0)
    assert official is not None
    assert official.ratings["state"] == "ok"
    counted = read_votes(folder / "votes.parquet", rules_of(played_round(db)).rated_votes_per_voter)
    assert ratings_body(rate_exactly(counted.cells, side=True))["figures_hash"] == official.ratings["figures_hash"]


def test_the_readme_says_what_is_in_the_bundle(bundles: Path) -> None:
    said = (bundles / "closed" / "README.md").read_text("utf-8")
    assert said.startswith("# Stage 1 — public bundle\n")
    assert "Entries 53, votes 19." in said
    assert str(about(bundles / "closed")["key"]) in said
    assert all(f"`{name}`" in said for name in OPENED - {"README.md"})


@pytest.mark.parametrize("made", ["file", "folder with a file", "below a file"])
def test_a_folder_in_use_is_refused_and_left_alone(played: Database, tmp_path: Path, made: str) -> None:
    folder = tmp_path / "used"
    if made == "folder with a file":
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    else:
        folder.write_text("mine")
    with pytest.raises(RefusedError, match="used"):
        bundle_of(played, folder / "below" if made == "below a file" else folder)
    assert (folder / "mine.txt" if folder.is_dir() else folder).read_text() == "mine"


def test_a_draft_has_no_bundle(db: Database, tmp_path: Path) -> None:
    draft = round_file(NOWHERE)
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    with pytest.raises(RefusedError, match="draft"):
        bundle_of(db, tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_conversations_whose_words_were_erased_are_counted(played: Database, tmp_path: Path) -> None:
    """Their votes and entries stay."""

    def erase(session: Session) -> None:
        some = session.exec(select(Battle.id).where(Battle.state == "voted").limit(2)).all()
        session.execute(update(Battle).where(col(Battle.id).in_(some)).values(erased_at=now(), salt=None))

    played.writing(erase)
    folder = bundle_of(played, tmp_path / "bundle")
    found = verified(folder)
    assert (about(folder)["erased"], found.erased, found.votes) == (2, 2, 19)
    assert "erased at a citizen's wish: 2." in (folder / "README.md").read_text("utf-8")


def test_a_bundle_made_while_people_vote_is_of_one_moment(played: Database, tmp_path: Path) -> None:
    """Each verifies, and extends the one before; the last is made while the round is closed."""
    names = [voter(played, f"busy-{number}") for number in range(3)]

    def take_part(name: str) -> None:
        for _ in range(6):
            voted(played, name, "a", now())
            sequenced(played)

    with ThreadPoolExecutor(4) as pool:
        people = [pool.submit(take_part, name) for name in names]
        folders = [bundle_of(played, tmp_path / f"during-{number}") for number in range(4)]
        for person in people:
            person.result(60)
        closing = pool.submit(closes, played)
        folders.append(bundle_of(played, tmp_path / "closing"))
        closing.result(60)
    folders.append(bundle_of(played, tmp_path / "closed"))
    for earlier, later in pairwise(folders):
        assert verified(later, kept=kept(earlier)).votes >= verified(earlier).votes
    assert verified(folders[-1]).votes == 19 + 18


def test_what_happens_while_a_bundle_is_made_is_not_in_it(played: Database, tmp_path: Path) -> None:
    """A vote, and the closing, right after its first read."""
    happened: list[str] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not happened and "FROM log" in statement:
            happened.append(statement)
            voted(played, voter(played, "citizen-9"), "a", now())
            closes(played)

    event.listen(played.engine, "after_cursor_execute", meanwhile)
    folder = bundle_of(played, tmp_path / "before")
    assert happened
    assert (verified(folder).votes, about(folder)["state"]) == (19, "open")
    assert verified(bundle_of(played, tmp_path / "after")).votes == 20


def test_votes_that_wait_for_the_sequencer_are_in_the_next_bundle(played: Database, tmp_path: Path) -> None:
    voted(played, voter(played, "citizen-9"), "a", now())
    assert verified(bundle_of(played, tmp_path / "before")).votes == 19
    sequenced(played)
    assert verified(bundle_of(played, tmp_path / "after")).votes == 20


def test_the_bundle_is_of_the_round_as_it_is_now(played: Database, tmp_path: Path) -> None:
    """Not as it was when somebody looked it up."""
    with played.reading() as session:
        earlier = find_round(session, "stage-1")
    assert earlier is not None
    closes(played)
    with played.reading() as session:
        found = export_round(session, earlier, tmp_path / "bundle")
        size = newest_checkpoint(session, earlier.id or 0)
    assert found["state"] == "closed"
    assert size is not None
    assert verified(tmp_path / "bundle").entries == size.size
