"""Settings come from `ARENA_*` variables or `.env`; a mistake is named by its variable."""

import re
from pathlib import Path

import pytest

from arena.errors import RefusedError
from arena.settings import PREFIX, Settings, load_settings

VARIABLES = sorted(PREFIX + name.upper() for name in Settings.model_fields)
PAGE = Path(__file__).parent.parent / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither variables nor a `.env` but the test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_any_setting_the_database_lies_in_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().database == "sqlite:///data/arena.db"
    monkeypatch.setenv("ARENA_DATA_DIR", "/srv/arena")
    assert load_settings().database == "sqlite:////srv/arena/arena.db"


def test_the_database_url_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_DATA_DIR", "/srv/arena")
    monkeypatch.setenv("ARENA_DATABASE_URL", "postgresql://arena@db/arena")
    assert load_settings().database == "postgresql://arena@db/arena"


def test_an_unknown_variable_is_refused_by_name_with_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_DATABSE_URL", "sqlite:///x.db")
    with pytest.raises(RefusedError) as refused:
        load_settings()
    assert str(refused.value).startswith("ARENA_DATABSE_URL is not a setting")
    assert all(name in str(refused.value) for name in VARIABLES)


def test_an_unknown_name_in_the_env_file_is_refused_too() -> None:
    Path(".env").write_text("ARENA_MAX_BATLES=5\n")
    with pytest.raises(RefusedError, match="ARENA_MAX_BATLES is not a setting"):
        load_settings()


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_A_KEY", "secret")
    monkeypatch.setenv("MAX_BATTLES", "1")
    Path(".env").write_text("TEAM_B_KEY=secret\n")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARENA_MAX_BATTLES", "many"),
        ("ARENA_MAX_BATTLES", "0"),
        ("ARENA_EMBEDDED_WORKER", "perhaps"),
        ("ARENA_SECRET_KEY", "too short"),
        ("ARENA_PUBLIC_URL", "arena.example"),
        ("ARENA_PUBLIC_URL", "https://arena.example/path"),
        ("ARENA_DATABASE_URL", "mysql://arena@db/arena"),
        ("ARENA_DATABASE_URL", "arena.db"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_naming_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RefusedError, match=rf"^{name}: [^\n]+$") as refused:
        load_settings()
    if name == "ARENA_SECRET_KEY":
        assert value not in str(refused.value)


def test_lists_are_split_at_commas_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_ENDPOINT_ALLOW", "10.1.0.0/16, models.internal,,")
    monkeypatch.setenv("ARENA_TRUSTED_PROXIES", "")
    settings = load_settings()
    assert settings.endpoint_allow == ["10.1.0.0/16", "models.internal"]
    assert settings.trusted_proxies == []


def test_the_env_file_is_read_and_a_variable_goes_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text('ARENA_MAX_BATTLES=7\nARENA_PUBLIC_URL="https://arena.example"\n')
    assert (load_settings().max_battles, load_settings().public_url) == (7, "https://arena.example")
    monkeypatch.setenv("ARENA_MAX_BATTLES", "9")
    assert load_settings().max_battles == 9


def test_the_secret_key_does_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_SECRET_KEY", "k" * 40)
    assert "k" * 40 not in repr(load_settings())


def test_every_setting_has_its_line_in_the_settings_page_and_no_other_is_there() -> None:
    documented = re.findall(r"^\| *`(ARENA_[A-Z_]+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(documented) == VARIABLES
