"""A file of decisions, read."""

from __future__ import annotations

from dupfind.answers import decisions
from dupfind.answers.decisions import Decision, MalformedError
from dupfind.errors import option_error, reason_of


def read(path: str) -> tuple[Decision, ...]:
    """Return the decisions in the file ``path``; raises
    :class:`~dupfind.errors.SettingsError` with one line for the user.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        reason = reason_of(error)
        raise option_error("--decisions", f"{path}: {reason}") from error
    try:
        return decisions.parse(data)
    except MalformedError as error:
        raise option_error("--decisions", f"{path}: {error}") from None
