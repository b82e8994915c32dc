"""the ledger, what it needs of battles and entries, and triggers that keep what was written as it is

A ledger begins with its round's opening. So no round may be open when it arrives; closed ones stay without.

Revision ID: 0005
Revises: 0004
"""

import hashlib
import secrets

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
COLUMNS = {
    "battle": (
        sa.Column("said", AutoString(), server_default="", nullable=False),
        sa.Column("salt", AutoString(64), nullable=True),
        sa.Column("erased_at", UTCDateTime(), nullable=True),
    ),
    "vote": (sa.Column("leaf_id", sa.Integer(), nullable=True),),
    "entry": (sa.Column("address_salt", AutoString(64), server_default="", nullable=False),),
    "outage": (sa.Column("salt", AutoString(64), server_default="", nullable=False),),
    "rating_snapshot": (
        sa.Column("ledger_size", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ledger_root", AutoString(64), server_default=EMPTY_ROOT, nullable=False),
    ),
}
WAITING = sa.text("position is null")
# By table: the columns that stay as they are, and for which rows.
KEPT = {
    "round": (("slug", "rules", "rules_hash", "seed", "seed_commitment"), "OLD.state <> 'draft'"),
    "entry": (
        ("round_id", "team_id", "code", "model", "aliases", "extra_body"),
        "(SELECT state FROM round WHERE id = OLD.round_id) <> 'draft'",
    ),
    "battle": (("round_id", "voter_id", "epoch", "k", "entry_a", "entry_b", "created_at"), "1 = 1"),
    "vote": (("battle_id", "receipt", "choice", "cast_at", "leaf_id"), "1 = 1"),
    "log": (("round_id", "origin"), "1 = 1"),
    "leaf": (("id", "round_id", "type", "body", "hash"), "1 = 1"),
    "ledger_node": (("round_id", "level", "place", "hash"), "1 = 1"),
    "checkpoint": (("round_id", "size", "root", "note", "signed_at"), "1 = 1"),
}


def upgrade() -> None:
    bind = op.get_bind()
    if bind.execute(sa.text("SELECT 1 FROM round WHERE state = 'open'")).first():
        raise RuntimeError("a round is open: close it before this migration, as a ledger begins with the opening")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("uq_vote_leaf", "vote", ["leaf_id"], unique=True)
    _fill("entry", "address_salt")
    _fill("outage", "salt")
    _create_tables()
    if bind.dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION kept_rows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "'what was written stays' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table, (kept, rows) in KEPT.items():
        _keep(table, kept, rows)


def _fill(table: str, column: str) -> None:
    """Gives each row a salt of its own."""
    rows = sa.table(table, sa.column("id"), sa.column(column))
    for row in op.get_bind().execute(sa.select(rows.c.id)).scalars().all():
        op.execute(sa.update(rows).where(rows.c.id == row).values({column: secrets.token_hex(32)}))


def _create_tables() -> None:
    op.create_table(
        "log",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("origin", AutoString(), nullable=False),
        sa.Column("verifier", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_log_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_log")),
    )
    op.create_table(
        "leaf",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("type", AutoString(), nullable=False),
        sa.Column("body", AutoString(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_leaf_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaf")),
        sa.UniqueConstraint("round_id", "position", name=op.f("uq_leaf_round_id_position")),
    )
    op.create_index(op.f("ix_leaf_hash"), "leaf", ["hash"])
    op.create_index("ix_leaf_waiting", "leaf", ["round_id", "id"], sqlite_where=WAITING, postgresql_where=WAITING)
    op.create_table(
        "ledger_node",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_ledger_node_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "level", "place", name=op.f("pk_ledger_node")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("signed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_checkpoint_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "size", name=op.f("pk_checkpoint")),
    )


def _keep(table: str, columns: tuple[str, ...], rows: str) -> None:
    """Refuses changes of these columns, and that rows are deleted; a leaf's position is given once."""
    if table == "leaf":
        _refuse("leaf_placed", "leaf", "UPDATE OF position", "OLD.position IS NOT NULL")
    if table == "round":
        _refuse("round_forward", "round", "UPDATE OF state", "OLD.state <> 'draft' AND NEW.state = 'draft'")
    _refuse(f"{table}_kept", table, f"UPDATE OF {', '.join(columns)}", rows)
    _refuse(f"{table}_stays", table, "DELETE", rows)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_filled BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kept_rows()"
        )


def _refuse(name: str, table: str, event: str, rows: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {rows} "
            f"BEGIN SELECT RAISE(ABORT, '{table}: what was written stays'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {rows} THEN "
        f"RAISE EXCEPTION '{table}: what was written stays' USING ERRCODE = 'integrity_constraint_violation'; "
        "END IF; RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    more = {"leaf": ["leaf_placed"], "round": ["round_forward"]}
    for table in KEPT:
        for name in (f"{table}_kept", f"{table}_stays", *more.get(table, [])):
            op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP FUNCTION {name}() CASCADE")
    if not sqlite:
        op.execute("DROP FUNCTION kept_rows() CASCADE")
    for table in ("checkpoint", "ledger_node", "leaf", "log"):
        op.drop_table(table)
    op.drop_index("uq_vote_leaf", "vote")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
