"""The errors that end a run, each with its exit code, and the two that end one decode.

Everything else that can be survived is a ``Problem`` value instead.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the documentation lists the same numbers."""

    ALL_PRESENT = 0
    NOT_ALL_PRESENT = 1
    NO_VERDICT = 2
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    TERMINATED = 143


class DupfindError(Exception):
    """Base of all errors that end a run; the text is one line for the user."""

    exit_code: int = ExitCode.NO_VERDICT


class SettingsError(DupfindError):
    """The options contradict each other or name something that cannot be used.

    ``option`` is the one whose value is at fault, as it is typed; ``cause`` is the text without the name of the file
    that it is about.
    """

    def __init__(self, text: str, *, option: str | None = None, cause: str | None = None) -> None:
        super().__init__(text)
        self.option = option
        self.cause = text if cause is None else cause


def option_error(option: str, said: str) -> SettingsError:
    """Make the error of an option: its name, then what is ``said`` of it.

    >>> str(option_error("--threshold", "takes 0 to 32 bits, not 40"))
    '--threshold takes 0 to 32 bits, not 40'
    """
    return SettingsError(f"{option} {said}", option=option)


def error_of(called: str, said: str) -> SettingsError:
    """Make the error of what is ``called`` by an option and a blank, or by nothing where no option gives it."""
    return option_error(called.rstrip(), said) if called else SettingsError(said)


def reason_of(error: OSError | ValueError) -> str:
    """Say what went wrong, in the system's words and in lower case: ``permission denied``; the one place that does.

    >>> reason_of(FileNotFoundError(2, "No such file or directory")), reason_of(ValueError("Embedded null byte"))
    ('no such file or directory', 'embedded null byte')
    """
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


class TooFewPicturesError(DupfindError):
    """There is nothing to be compared."""


class OutputError(DupfindError):
    """The report could not be written whole."""


class OutputClosedError(DupfindError):
    """The reader of standard output went away."""

    exit_code = ExitCode.OUTPUT_CLOSED


class CacheError(DupfindError):
    """A command about the cache could not be carried out."""


class ActingError(DupfindError):
    """Files cannot be copied, moved or put back, or not safely; what was done before is in the journal."""


class CutOffError(ActingError):
    """A run that acts has ended in the midst; what it did by then is in its journal."""

    def __init__(self, reason: str, journal: str) -> None:
        super().__init__(f"{reason}; dupfind undo {journal} takes back what was done until then")
        self.journal = journal


class CatalogError(DupfindError):
    """A catalog could not be read or written, or is not to be trusted."""


class ServerError(DupfindError):
    """A server could not be asked, or does not answer as it should."""


class CacheLostError(DupfindError):
    """The cache could not be read any further; the run starts again, with a new file if the old one is gone."""

    def __init__(self, text: str, *, is_gone: bool, is_told: bool = False) -> None:
        super().__init__(text)
        self.is_gone = is_gone
        self.is_told = is_told
        """Whether the user has been told already that the run goes on without its cache."""


class ShortageError(DupfindError):
    """The system gives this process too little of something."""


class NoProcessError(DupfindError):
    """No process could be started to read files, which is no fault of any of them."""


class ClusterError(DupfindError):
    """The cluster cannot be used, or is gone; what was read is in the cache."""


class StoppedError(BaseException):
    """A signal asked the run to end; not an ``Exception``, so that nothing on the way swallows it."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.exit_code = 128 + signal_number


class NotAPictureError(Exception):
    """The content is no picture in a format that we decode."""


class UndecodableError(Exception):
    """A picture by content that gave no thumbnail; the text says why, in words for the user.

    ``lasting`` is False where other settings, more memory or an extra may help; ``stage`` is what problems name.
    """

    def __init__(self, reason: str, *, lasting: bool = True, stage: str = "thumbnail") -> None:
        super().__init__(reason)
        self.lasting = lasting
        self.stage = stage


class NoMemoryError(UndecodableError):
    """A picture for which there was too little memory, or may have been; where there is more it may be read."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, lasting=False)


def missing_extra(what: str, extra: str) -> UndecodableError:
    """Make the error of a picture that an optional extra of the package would read."""
    reason = f"{what}: compared by bytes only; installed with its extra {extra}, dupfind looks at it"
    return UndecodableError(reason, lasting=False, stage="extra")
