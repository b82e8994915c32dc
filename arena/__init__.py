"""Blind Arena: citizens judge AI models without knowing whose they are."""

__version__ = "0.1.0"
