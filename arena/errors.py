"""Errors that know their HTTP status; one handler renders them as a page, a partial or a problem document."""

from collections.abc import Callable


def N_(message: str) -> str:
    """Marks a text for translation that is shown in the reader's language later."""
    return message


class ArenaError(Exception):
    """What went wrong, in words for the person who caused it.

    `message` is an English msgid with `%(name)s` places for `params`; `code` is stable for machines.
    """

    status = 500
    code = "internal"
    message = N_("Something went wrong on our side. Nothing you sent was lost. Please try again.")

    def __init__(self, message: str | None = None, /, *, code: str | None = None, **params: object) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.params = params
        super().__init__(self.message % params if params else self.message)

    def text(self, gettext: Callable[[str], str]) -> str:
        """The message in the reader's language."""
        translated = gettext(self.message)
        return translated % self.params if self.params else translated


class NotFoundError(ArenaError):
    status = 404
    code = "not_found"
    message = N_("We could not find this page. It may have moved, or it may belong to someone else.")


class ForbiddenError(ArenaError):
    status = 403
    code = "forbidden"
    message = N_("This is not allowed from here. Go back to the page and try again.")


class UnauthorizedError(ArenaError):
    status = 401
    code = "unauthorized"
    message = N_("Please sign in first.")


class ConflictError(ArenaError):
    status = 409
    code = "conflict"
    message = N_("This was already decided and cannot be changed.")


class InvalidError(ArenaError):
    status = 422
    code = "invalid"
    message = N_("Something in the form was not understood. Please check it and send it again.")


class LimitError(ArenaError):
    status = 429
    code = "limit"
    message = N_("That was a lot at once. Please wait a moment and try again.")

    def __init__(
        self,
        message: str | None = None,
        /,
        *,
        code: str | None = None,
        retry_after_s: int = 60,
        **params: object,
    ) -> None:
        super().__init__(message, code=code, **params)
        self.retry_after_s = retry_after_s


class BusyError(LimitError):
    status = 503
    code = "busy"
    message = N_("Many people are asking right now. Please try again in a minute.")


class RefusedError(Exception):
    """A command's input was refused: one clear line for the person at the terminal."""
