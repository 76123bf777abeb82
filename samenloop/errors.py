"""Errors that end a command with one clear line on stderr."""


class NotDoneError(Exception):
    """The command did not do its work; the text says where and why, without personal data. Exit code 2."""
