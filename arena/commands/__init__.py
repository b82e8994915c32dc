"""The groups of the command line: thin, every command with an example."""
