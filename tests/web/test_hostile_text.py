"""Text that no database can hold is refused as the sender's fault, on both databases."""

import pytest

from arena.db import Database
from tests.support import Citizen, open_round, round_file, serving, settings_for


@pytest.mark.parametrize("path", ["/rounds/%00", "/rounds/%00/rules", "/rounds/%00/leaderboard"])
def test_a_nul_in_an_address_is_no_fault_of_ours(database_url: str, path: str) -> None:
    with serving(settings_for(database_url)) as origin:
        citizen = Citizen(origin)
        assert citizen.http.get(path).status_code in (404, 422)
        citizen.close()


def test_a_nul_in_a_form_is_no_fault_of_ours(database_url: str) -> None:
    db = Database(database_url)
    open_round(db, round_file("http://127.0.0.1:9"))
    db.close()
    with serving(settings_for(database_url)) as origin:
        citizen = Citizen(origin)
        answers = [
            citizen.post("/battles/%00/vote", choice="a"),
            citizen.post("/battles", suggestion="\0", consent=["participate"]),
            citizen.post("/sign-in", email="\0@example.org", password="x"),
        ]
        assert {answer.status_code for answer in answers} <= {404, 422}
        citizen.close()
