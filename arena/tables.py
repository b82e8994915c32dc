"""Every room's tables in one metadata, for the migrations."""

import arena.accounts.tables
import arena.battles.tables
import arena.jobs
import arena.ledger.tables
import arena.ratings.tables
import arena.rounds.tables
import arena.screening.tables
import arena.teams.tables
from arena.db import Row

__all__ = ["arena", "metadata"]

metadata = Row.metadata
