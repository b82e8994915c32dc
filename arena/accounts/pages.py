"""What the accounts' templates may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignInPage:
    """`problem` is a translated sentence about what was refused; `next_path` is where to go afterwards."""

    email: str
    next_path: str
    problem: str | None
