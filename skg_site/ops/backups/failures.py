"""What keeps a backup or a restore from its end: a sentence for the operator, and the exit code that says its kind."""

# Those of sysexits.h: EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE and EX_TEMPFAIL.
FAILED, DAMAGED, MISSING, UNAVAILABLE, BUSY = 1, 65, 66, 69, 75


class BackupFailure(Exception):
    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class Damaged(BackupFailure):
    """A backup that is not what was saved, or cannot be restored."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, DAMAGED)
