"""Logs and metrics. Neither holds prompts, answers, addresses or anything by which an entry could be told."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import Processor

REQUESTS = Counter("arena_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("arena_http_request_seconds", "Time to the last byte, streams aside", ["route"])
VOTES = Counter("arena_votes_total", "Votes acknowledged")
BATTLES = Counter("arena_battles_total", "Battles started")
BLOCKED = Counter("arena_prompts_blocked_total", "Prompts refused by the rules or the classifier", ["category"])
HELD = Counter("arena_prompts_held_total", "Prompts kept until a person has looked at them")
STREAMS = Gauge("arena_turns_streaming", "Turns that stream in this process")


def configure_logging() -> None:
    """One JSON object a line on stderr, the request's id in each; libraries' warnings too."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
