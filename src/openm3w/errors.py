"""The errors that a user may meet.

OpenM3WError
├── RecipeError    a recipe, an override or an option is wrong          exit code 2
├── NotBuiltError  a planned command or option does not exist yet       exit code 2
├── InputError     an input is missing, empty or not what it should be  exit code 1
├── OutputError    the output folder is in use, full or of another recipe
├── FilterError    a filter of the user's own fell over a page
├── ShardError     a shard or manifest is damaged, short or missing
└── MissingError   an optional package or model file is not installed

Each message is one line: what was found, where, and what to do. The command line prints it
without a traceback; anything else that escapes is a defect of OpenM3W.
"""

from typing import ClassVar

LISTED = "\n  "
"""What stands before each line below the first, of an error that lists several things."""


class OpenM3WError(Exception):
    """Base of every error that is the user's to mend; its text is one line.

    Where it lists several things, one more for each follows, after LISTED.
    """

    exit_code: ClassVar[int] = 1


class RecipeError(OpenM3WError):
    """A recipe file, a `--set` override or an option does not decode."""

    exit_code: ClassVar[int] = 2


class NotBuiltError(OpenM3WError):
    """The command or option is part of the design, but this version does not have it."""

    exit_code: ClassVar[int] = 2


class InputError(OpenM3WError):
    """An input file is missing, empty or of another kind than expected."""


class OutputError(OpenM3WError):
    """The output folder cannot be written, or belongs to something else."""


class FilterError(OpenM3WError):
    """A filter of the user's own raised an error over what it was to judge."""


class ShardError(OpenM3WError):
    """A shard or a manifest is damaged, short, missing or of an unknown version."""

    def __init__(self, message: str, *, reason: str = "damaged") -> None:
        super().__init__(message)
        self.reason = reason
        """In snake_case, as readers that leave bad shards out count them."""


class MissingError(OpenM3WError):
    """An optional package or a model file is needed and not installed."""
