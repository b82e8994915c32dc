"""What makes a ledger checkable: Merkle trees, signed notes, the form of an entry. Pure: no database, no clock."""
