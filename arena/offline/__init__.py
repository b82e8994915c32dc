"""Anyone's vote files: read, checked, rated and shown at the terminal, without a database."""
