"""A demonstration round: five made-up teams, or real small language models, on this machine."""
