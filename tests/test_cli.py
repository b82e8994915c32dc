"""The command line as a person meets it: help with examples, plain answers, refusals of one line."""

import hashlib
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from arena.accounts.actions import password_fits, start_session
from arena.accounts.queries import admin_by_email, key_scopes
from arena.accounts.tables import Act, Admin, AdminSession, ApiKey
from arena.battles.tables import VoteCell
from arena.cli import main
from arena.clock import now
from arena.db import Database
from arena.ledger.actions import sequence
from arena.ledger.tables import Leaf
from arena.proofs.notes import SigningKey
from tests.data import MINJI, opened, voted, voter
from tests.support import KEY

EXAMPLE = Path(__file__).parent.parent / "docs" / "round.example.toml"
PASSWORD = "a long enough password"
FOR_ALL = {"ARENA_ENDPOINT_ALLOW": "127.0.0.0/8", "ARENA_LEDGER_KEY": KEY.secret()}
NEED_NO_DATABASE = ("demo", "migrate", "rate", "verify", "key ledger")
COMMANDS = [
    "demo",
    "serve",
    "worker",
    "migrate",
    "rate",
    "export",
    "verify",
    "round create",
    "round revise",
    "round open",
    "round close",
    "round show",
    "round recount",
    "admin create",
    "admin role",
    "admin password",
    "admin reset-totp",
    "admin reset-oidc",
    "key create",
    "key ledger",
    "key rotate",
    "erase",
    "backup",
]


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Arena = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own, with no setting set."""
    for name in [name for name in os.environ if name.startswith("ARENA_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def arena(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Arena:
    """Runs `arena ARGUMENTS` with this standard input and these settings."""

    def run(*arguments: str, stdin: str = "", **settings: str) -> Ran:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["arena", *arguments])
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            for name, value in settings.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        written = capsys.readouterr()
        return Ran(int(ended.value.code or 0), written.out, written.err)

    return run


@pytest.fixture
def settings(database_url: str) -> dict[str, str]:
    """A migrated database of each kind, and room for endpoints on this machine."""
    return FOR_ALL | {"ARENA_DATABASE_URL": database_url}


@pytest.fixture
def sqlite(sqlite_url: str) -> dict[str, str]:
    return FOR_ALL | {"ARENA_DATABASE_URL": sqlite_url}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def refused(ran: Ran) -> str:
    """What a refusal says: one line on stderr, nothing on stdout, exit 2."""
    assert ran.code == 2, ran
    assert ran.out == ""
    assert re.fullmatch(r"arena: [^\n]+\n", ran.err), ran.err
    return ran.err.removeprefix("arena: ").rstrip()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(arena: Arena, command: str) -> None:
    ran = arena(*command.split(), "--help")
    assert ran.code == 0
    assert re.search(rf"Example: .*arena {command}\b", ran.out)


def test_no_command_is_left_out_above(arena: Arena) -> None:
    def listed(*group: str) -> set[str]:
        commands = arena(*group, "--help").out.partition("Commands:")[2]
        return set(re.findall(r"^  ([\w-]+)", commands, re.MULTILINE))

    groups = {"round", "admin", "key"}
    found = listed() - groups | {f"{group} {name}" for group in groups for name in listed(group)}
    assert found == set(COMMANDS)


def test_arena_alone_shows_its_commands(arena: Arena) -> None:
    ran = arena()
    assert (ran.code, ran.err) == (0, "")
    assert all(command.split()[0] in ran.out for command in COMMANDS)


def test_a_round_goes_from_its_file_to_its_closing(arena: Arena, settings: dict[str, str]) -> None:
    created = arena("round", "create", str(EXAMPLE), **settings)
    assert created.code == 0, created.err
    hash_of_rules = re.findall(r"\b[0-9a-f]{64}\b", created.out)[0]
    assert "draft" in arena("round", "show", "stage-1", **settings).out

    opened = arena("round", "open", "stage-1", **settings)
    assert opened.code == 0, opened.err
    assert hash_of_rules in opened.out
    assert "open" in arena("round", "show", "stage-1", **settings).out.splitlines()[0]

    closed = arena("round", "close", "stage-1", **settings)
    assert closed.code == 0, closed.err
    shown = arena("round", "show", "stage-1", **settings).out
    assert "closed" in shown.splitlines()[0]
    assert hash_of_rules in shown


def test_showing_a_round_tells_its_entries_votes_and_rules_but_not_its_seed(
    arena: Arena, settings: dict[str, str]
) -> None:
    arena("round", "create", str(EXAMPLE), **settings)
    shown = arena("round", "show", "stage-1", **settings).out
    assert len(re.findall(r"^entry e\d: ", shown, re.MULTILINE)) == 5
    assert "votes 0" in shown
    rules = shown.partition("\nrules {")[2]
    assert hashlib.sha256(("{" + rules.rstrip("\n")).encode()).hexdigest() in shown
    assert '"seed"' not in shown


def test_cells_that_differ_from_the_votes_are_named_and_mended_on_demand(
    arena: Arena, settings: dict[str, str], db: Database
) -> None:
    opened(db)
    voted(db, voter(db, MINJI))
    agreed = arena("round", "recount", "stage-1", **settings)
    assert (agreed.code, agreed.out) == (0, "the cells agree with the votes\n")
    db.writing(lambda session: session.execute(update(VoteCell).values(both_bad=7)))
    differing = arena("round", "recount", "stage-1", **settings)
    assert differing.code == 1
    assert re.search(r"^e\d-e\d: .*both_bad=7 kept, .*both_bad=0 counted$", differing.out, re.MULTILINE)
    mended = arena("round", "recount", "stage-1", "--mend", **settings)
    assert (mended.code, mended.out.splitlines()[:-1]) == (0, differing.out.splitlines())
    assert arena("round", "recount", "stage-1", **settings).code == 0


@pytest.mark.parametrize(
    ("state", "verb"),
    [("draft", "close"), ("open", "open"), ("closed", "open"), ("closed", "close")],
)
def test_a_round_moves_forward_only(arena: Arena, sqlite: dict[str, str], state: str, verb: str) -> None:
    arena("round", "create", str(EXAMPLE), **sqlite)
    for step in {"draft": (), "open": ("open",), "closed": ("open", "close")}[state]:
        assert arena("round", step, "stage-1", **sqlite).code == 0
    assert state in refused(arena("round", verb, "stage-1", **sqlite))


def test_a_second_round_waits_until_the_first_is_closed(arena: Arena, sqlite: dict[str, str], home: Path) -> None:
    second = home / "second.toml"
    second.write_text(EXAMPLE.read_text("utf-8").replace('slug = "stage-1"', 'slug = "stage-2"'), "utf-8")
    for file, slug in ((EXAMPLE, "stage-1"), (second, "stage-2")):
        assert arena("round", "create", str(file), **sqlite).code == 0
        last = arena("round", "open", slug, **sqlite)
    assert "stage-1" in refused(last)


@pytest.mark.parametrize("verb", ["open", "close", "show", "recount"])
def test_an_unknown_round_is_named(arena: Arena, sqlite: dict[str, str], verb: str) -> None:
    assert "'stage-9'" in refused(arena("round", verb, "stage-9", **sqlite))


def test_a_taken_slug_is_refused(arena: Arena, settings: dict[str, str]) -> None:
    arena("round", "create", str(EXAMPLE), **settings)
    why = refused(arena("round", "create", str(EXAMPLE), **settings))
    assert why.startswith("slug: ")
    assert "'stage-1'" in why


def test_a_round_file_that_is_not_there_is_named(arena: Arena, sqlite: dict[str, str]) -> None:
    assert "nowhere.toml" in refused(arena("round", "create", "nowhere.toml", **sqlite))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'slug = "stage-1', "not TOML"),
        (b"slug = " + b"9" * 5000, "not TOML"),
        (b"\xff\xfe", "cannot be read"),
    ],
    ids=["bad TOML", "a number of 5,000 digits", "not UTF-8"],
)
def test_a_round_file_that_cannot_be_read_is_refused(
    arena: Arena, sqlite: dict[str, str], home: Path, content: bytes, says: str
) -> None:
    (home / "broken.toml").write_bytes(content)
    assert says in refused(arena("round", "create", "broken.toml", **sqlite))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("max_turns = 5", "max_turnz = 5\nmax_turns = 5", "rules.max_turnz"),
        ('model = "team-a-large"', "", "entries.0.model"),
        ("max_turns = 5", "max_turns = 0", "rules.max_turns"),
    ],
    ids=["unknown key", "missing key", "value out of range"],
)
def test_a_fault_in_a_round_file_is_shown_with_its_path(
    arena: Arena, sqlite: dict[str, str], home: Path, old: str, new: str, path: str
) -> None:
    text = EXAMPLE.read_text("utf-8")
    assert text.count(old) == 1
    (home / "faulty.toml").write_text(text.replace(old, new), "utf-8")
    assert refused(arena("round", "create", "faulty.toml", **sqlite)).startswith(f"{path}: ")


def test_an_endpoint_on_this_machine_needs_to_be_allowed(arena: Arena, sqlite: dict[str, str]) -> None:
    why = refused(arena("round", "create", str(EXAMPLE), **sqlite | {"ARENA_ENDPOINT_ALLOW": ""}))
    assert why.startswith("entries.0.base_url: ")
    assert "ARENA_ENDPOINT_ALLOW" in why


def test_an_admin_is_made_with_the_password_of_standard_input(arena: Arena, settings: dict[str, str]) -> None:
    ran = arena("admin", "create", "Sora@example.org", "--role", "operator", stdin=PASSWORD + "\n", **settings)
    assert ran.code == 0, ran.err
    assert PASSWORD not in ran.out + ran.err
    db = Database(settings["ARENA_DATABASE_URL"])
    with db.reading() as session:
        sora = admin_by_email(session, "sora@example.org")
        assert sora is not None
        assert sora.role == "operator"
        assert PASSWORD not in sora.password_hash
        assert password_fits(sora, PASSWORD)
    db.close()


@pytest.mark.parametrize(
    ("email", "role", "password", "says"),
    [
        ("sora@example.org", "king", PASSWORD, "role: "),
        ("sora", "operator", PASSWORD, "email: "),
        ("sora@example.org", "operator", "short", "password: "),
        ("sora@example.org", "operator", "", "password: "),
    ],
)
def test_an_admin_that_does_not_fit_is_refused(
    arena: Arena, sqlite: dict[str, str], email: str, role: str, password: str, says: str
) -> None:
    ran = arena("admin", "create", email, "--role", role, stdin=password + "\n", **sqlite)
    assert refused(ran).startswith(says)
    db = Database(sqlite["ARENA_DATABASE_URL"])
    with db.reading() as session:
        assert not session.exec(select(Admin)).all()
    db.close()


def test_an_admin_is_made_once(arena: Arena, sqlite: dict[str, str]) -> None:
    for _ in range(2):
        ran = arena("admin", "create", "sora@example.org", "--role", "auditor", stdin=PASSWORD, **sqlite)
    assert refused(ran).startswith("email: ")


def acts(settings: dict[str, str]) -> list[tuple[str, str, str, dict[str, object]]]:
    """The trail of a database: who did what to whom."""
    db = Database(settings["ARENA_DATABASE_URL"])
    with db.reading() as session:
        found = session.exec(select(Act).order_by(col(Act.id))).all()
    db.close()
    return [(act.who, act.what, act.subject, act.detail) for act in found]


def test_what_is_done_about_admins_is_on_the_trail_without_a_secret(arena: Arena, settings: dict[str, str]) -> None:
    kim, new = "kim@example.org", "another long password"
    assert arena("admin", "create", kim, "--role", "operator", "--oidc-only", **settings).code == 0
    assert arena("admin", "password", kim, stdin=new + "\n", **settings).code == 0
    assert arena("admin", "role", kim, "auditor", **settings).code == 0
    assert acts(settings) == [
        ("command line", "admin.create", "operator-1", {"role": "operator", "oidc_only": True}),
        ("command line", "admin.password", "operator-1", {}),
        ("command line", "admin.role", "auditor-1", {"before": "operator-1", "after": "auditor-1"}),
    ]
    db = Database(settings["ARENA_DATABASE_URL"])
    with db.reading() as session:
        admin = admin_by_email(session, kim)
        assert password_fits(admin, new)
        assert admin is not None
        assert admin.role == "auditor"
    db.close()


def test_a_lost_phone_is_reset(arena: Arena, settings: dict[str, str]) -> None:
    arena("admin", "create", "kim@example.org", "--role", "operator", stdin=PASSWORD, **settings)
    assert "no second factor" in refused(arena("admin", "reset-totp", "kim@example.org", **settings))
    db = Database(settings["ARENA_DATABASE_URL"])
    db.writing(lambda session: session.execute(update(Admin).values(totp_secret="sealed", totp_step=1)))
    db.writing(lambda session: start_session(session, 1, now()))
    assert arena("admin", "reset-totp", "kim@example.org", **settings).code == 0
    with db.reading() as session:
        admin = session.get_one(Admin, 1)
        assert (admin.totp_secret, admin.totp_step) == (None, None)
        assert not session.exec(select(AdminSession)).all()
    db.close()
    assert acts(settings)[-1][:3] == ("command line", "admin.reset_totp", "operator-1")


def test_an_organisations_account_is_reset(arena: Arena, settings: dict[str, str]) -> None:
    kim = "kim@example.org"
    arena("admin", "create", kim, "--role", "operator", "--oidc-only", **settings)
    assert "has not signed in" in refused(arena("admin", "reset-oidc", kim, **settings))
    db = Database(settings["ARENA_DATABASE_URL"])
    db.writing(lambda session: session.execute(update(Admin).values(subject="https://login.example kim-1")))
    db.writing(lambda session: start_session(session, 1, now()))
    assert arena("admin", "reset-oidc", kim, **settings).code == 0
    with db.reading() as session:
        assert session.get_one(Admin, 1).subject is None
        assert not session.exec(select(AdminSession)).all()
    db.close()
    bound = {"before": "bound", "after": "none"}
    assert acts(settings)[-1] == ("command line", "admin.reset_oidc", "operator-1", bound)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["role", "nobody@example.org", "auditor"], "email: "),
        (["role", "sora@example.org", "king"], "role: "),
        (["role", "sora@example.org", "operator"], "role: "),
        (["password", "nobody@example.org"], "email: "),
        (["password", "sora@example.org"], "password: "),
        (["reset-totp", "nobody@example.org"], "email: "),
        (["reset-oidc", "nobody@example.org"], "email: "),
    ],
    ids=str,
)
def test_what_cannot_be_done_about_an_admin_is_refused(
    arena: Arena, sqlite: dict[str, str], arguments: list[str], says: str
) -> None:
    arena("admin", "create", "sora@example.org", "--role", "operator", stdin=PASSWORD, **sqlite)
    assert refused(arena("admin", *arguments, stdin="short\n", **sqlite)).startswith(says)
    assert [what for _, what, *_ in acts(sqlite)] == ["admin.create"]


def test_a_key_is_printed_once_and_stored_as_its_hash_alone(arena: Arena, settings: dict[str, str]) -> None:
    ran = arena("key", "create", "pipeline", "--scope", "ratings:read", "--scope", "votes:read", **settings)
    assert ran.code == 0, ran.err
    key = ran.out.strip()
    assert re.fullmatch(r"\S{40,}", key)
    db = Database(settings["ARENA_DATABASE_URL"])
    with db.reading() as session:
        row = session.exec(select(ApiKey)).one()
        assert key not in str(row.model_dump())
        assert row.key_hash == hashlib.sha256(key.encode()).hexdigest()
        assert key_scopes(session, key) == frozenset({"ratings:read", "votes:read"})
    db.close()
    assert refused(arena("key", "create", "pipeline", "--scope", "votes:read", **settings)).startswith("name: ")


def test_an_unknown_scope_is_refused(arena: Arena, sqlite: dict[str, str]) -> None:
    assert "everything" in refused(arena("key", "create", "pipeline", "--scope", "everything", **sqlite))


def test_migrating_makes_a_database_usable_and_may_be_repeated(arena: Arena, home: Path) -> None:
    before = refused(arena("round", "show", "stage-1"))
    assert "arena migrate" in before
    for _ in range(2):
        assert arena("migrate").code == 0
    assert (home / "data" / "arena.db").exists()
    assert "'stage-1'" in refused(arena("round", "show", "stage-1"))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in NEED_NO_DATABASE])
def test_without_a_schema_every_command_says_what_to_run(arena: Arena, command: str) -> None:
    rest = {
        "round create": [str(EXAMPLE)],
        "round revise": [str(EXAMPLE)],
        "admin create": ["sora@example.org", "--role", "operator"],
        "admin role": ["sora@example.org", "operator"],
        "key create": ["pipeline", "--scope", "votes:read"],
        "serve": [],
        "worker": [],
        "export": ["stage-1", "--out", "bundle"],
    }.get(command, ["stage-1"])
    why = refused(arena(*command.split(), *rest, stdin=PASSWORD, ARENA_ENDPOINT_ALLOW="127.0.0.0/8"))
    assert "arena migrate" in why


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ARENA_COLOUR", "red", "ARENA_COLOUR is not a setting"),
        ("ARENA_SECRET_KEY", "short", "ARENA_SECRET_KEY: "),
        ("ARENA_PUBLIC_URL", "arena.example", "ARENA_PUBLIC_URL: "),
        ("ARENA_OIDC_ISSUER", "http://login.example", "ARENA_OIDC_ISSUER: "),
        ("ARENA_OIDC_CLIENT_ID", "arena", "ARENA_OIDC_ISSUER, ARENA_OIDC_CLIENT_ID, ARENA_OIDC_CLIENT_SECRET: "),
        ("ARENA_MAX_BATTLES", "many", "ARENA_MAX_BATTLES: "),
        ("ARENA_DATABASE_URL", "nonsense", "ARENA_DATABASE_URL: "),
        ("ARENA_DATABASE_URL", "mysql://somewhere/arena", "ARENA_DATABASE_URL: "),
        ("ARENA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/arena", "the database does not answer: "),
        ("ARENA_DATABASE_URL", "sqlite:////proc/none/arena.db", "cannot make the database's folder /proc/none"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(arena: Arena, name: str, value: str, says: str) -> None:
    assert refused(arena("migrate", **{name: value})).startswith(says)


def test_unknown_settings_in_the_env_file_are_refused_too(arena: Arena, home: Path) -> None:
    (home / ".env").write_text("ARENA_COLOUR=red\nOTHER=fine\n")
    assert refused(arena("migrate")).startswith("ARENA_COLOUR is not a setting")


def test_a_refused_secret_key_is_not_shown(arena: Arena) -> None:
    assert "swordfish" not in refused(arena("migrate", ARENA_SECRET_KEY="swordfish"))


def test_serving_needs_a_secret_key(arena: Arena, sqlite: dict[str, str]) -> None:
    assert "ARENA_SECRET_KEY" in refused(arena("serve", "--port", "0", **sqlite))


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_refused(arena: Arena, sqlite: dict[str, str], taken_port: int, command: str) -> None:
    port = str(taken_port)
    why = refused(arena(command, "--port", port, **sqlite, ARENA_SECRET_KEY="k" * 32))
    assert port in why
    assert "--port" in why


def test_a_demo_does_not_start_over_in_a_folder_that_is_used(arena: Arena, home: Path) -> None:
    (home / "arena.db").touch()
    assert "arena.db" in refused(arena("demo", "--port", "0", "--dir", str(home)))
    assert (home / "arena.db").read_bytes() == b""


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["round"],
        ["round", "open"],
        ["serve", "--port", "99999"],
        ["serve", "--nonsense"],
        ["demo", "--models", "x"],
    ],
    ids=" ".join,
)
def test_a_slip_of_the_pen_is_one_line(arena: Arena, arguments: list[str]) -> None:
    refused(arena(*arguments))


def test_the_installed_command_ends_the_same_way(home: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "arena", "round", "show", "x"], capture_output=True, text=True, check=False
    )
    assert "arena migrate" in refused(Ran(ran.returncode, ran.stdout, ran.stderr))


def test_a_ledgers_key_is_made_and_handed_over(arena: Arena, settings: dict[str, str]) -> None:
    made = arena("key", "ledger", "arena.example")
    new = SigningKey.parse(made.out.strip())
    assert (made.code, new.name) == (0, "arena.example")
    db = Database(settings["ARENA_DATABASE_URL"])
    round_ = opened(db)
    assert arena("key", "rotate", "stage-1", stdin=made.out, **settings).code == 0
    with db.reading() as session:
        waiting = session.exec(select(Leaf.type).where(col(Leaf.position).is_(None))).all()
    assert waiting == ["key.rotated"]
    assert db.writing(lambda s: sequence(s, round_.id or 0, new, now())) is not None
    db.close()


@pytest.mark.parametrize("given", ["", "nonsense", "PRIVATE+KEY+arena.example+00000000+AAAA"])
def test_what_is_no_key_takes_over_no_ledger(arena: Arena, settings: dict[str, str], given: str) -> None:
    db = Database(settings["ARENA_DATABASE_URL"])
    opened(db)
    db.close()
    assert "signing key" in refused(arena("key", "rotate", "stage-1", stdin=given + "\n", **settings))


def test_a_ledgers_name_has_no_spaces(arena: Arena) -> None:
    assert "without spaces" in refused(arena("key", "ledger", "two words"))


def test_without_the_ledgers_key_nothing_is_served_or_opened(arena: Arena, sqlite: dict[str, str]) -> None:
    without = {name: value for name, value in sqlite.items() if name != "ARENA_LEDGER_KEY"}
    for command in (["serve"], ["worker"], ["round", "open", "stage-1"]):
        why = refused(arena(*command, ARENA_SECRET_KEY="k" * 40, **without))
        assert "ARENA_LEDGER_KEY" in why
