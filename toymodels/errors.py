"""The one error that means: what was given is wrong, and the message says the way out."""


class InputError(ValueError):
    """A mistake in what the user gave.

    The message names the argument, the value that came, what is allowed and what to do instead.
    The command line prints it without a traceback and exits with status 2.
    """
