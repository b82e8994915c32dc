"""Rounds that were played, and their bundles."""

from tests.ledger.fixtures import bundles, played, played_postgres, played_sqlite, played_url

__all__ = ["bundles", "played", "played_postgres", "played_sqlite", "played_url"]
