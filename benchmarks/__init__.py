"""What the arena costs and how fast it is, measured over loopback: see README.md."""
