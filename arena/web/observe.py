"""Logs and metrics. Neither holds prompts, answers, addresses or anything by which an entry could be told."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("arena_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("arena_http_request_seconds", "Time to the last byte, streams aside", ["route"])
VOTES = Counter("arena_votes_total", "Votes acknowledged")
BATTLES = Counter("arena_battles_total", "Battles started")
STREAMS = Gauge("arena_turns_streaming", "Turns that stream in this process")


def configure_logging() -> None:
    """One JSON object a line on stderr, the request's id in each."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
