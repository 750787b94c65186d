"""JSON logs with an allow-list of keys: an unknown key is dropped, so no identity gets in by
carelessness. The sentence itself (``event``) is a literal of the code, never built from data.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

ALLOWED_KEYS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "service",
        "event_id",
        "topic",
        "partition",
        "offset",
        "group",
        "code",
        "stage",
        "count",
        "bytes",
        "latency_ms",
        "attempt",
        "port",
        "source",
        "model",
        "version",
        "digest",
        "device",
        "state",
        "error_type",
        "where",
        "signal",
        "key_day",
        "route",
        "status",
        "method",
        "setting",
    }
)
HIDDEN = "…"


def configure(service: str, level: str = "INFO") -> None:
    """Send structlog and the standard library's logs to stderr as JSON lines.

    Of a standard log record (faust, aiokafka, uvicorn) the logger's name, its level and its message
    template pass, and of the arguments numbers and the types of errors; text, which may name
    somebody, is left out ("…"), and so is the traceback's.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _error_coordinates,
            _allow,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            getattr(logging, level.upper(), logging.INFO)
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    handler = _TemplateOnly(structlog.get_logger(service=service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def get(service: str) -> Any:
    """Return the logger of a service."""
    return structlog.get_logger(service=service)


def where(error: BaseException) -> str:
    """Return ``module:line`` of the innermost frame: enough to find it, nothing of the data."""
    trace = error.__traceback__
    found = "?"
    while trace is not None:
        found = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


class _TemplateOnly(logging.Handler):
    """Passes a library's log line on without those of its arguments that are text."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = {"source": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error_type"] = type(record.exc_info[1]).__name__
            fields["where"] = where(record.exc_info[1])
        # A library may build its message with data in it: only a template with arguments is
        # known to be a literal, so anything else is named by its place in the source.
        sentence = _sentence(record) if record.args else f"{record.module}:{record.lineno}"
        self._logger.log(record.levelno, sentence[:200], **fields)


def _sentence(record: logging.LogRecord) -> str:
    template, args = str(record.msg), record.args
    try:
        if isinstance(args, Mapping):
            return template % {name: _shown(value) for name, value in args.items()}
        return template % tuple(_shown(value) for value in args or ())
    except (TypeError, ValueError, KeyError):  # as in %d for what may not be shown
        return template


def _shown(value: object) -> object:
    """Return an argument that cannot name anybody as it is, anything else as a placeholder."""
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, type) and issubclass(value, BaseException):
        return value.__name__
    return HIDDEN


def _error_coordinates(
    _logger: object, _name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    error = event_dict.pop("error", None)
    if isinstance(error, BaseException):
        event_dict["error_type"] = type(error).__name__
        event_dict["where"] = where(error)
    return event_dict


def _allow(
    _logger: object, _name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {key: value for key, value in event_dict.items() if key in ALLOWED_KEYS}
