"""The levels from which on a host needs attention: `system_check` warns, and the overview says so."""

OLD_BACKUP_SECONDS = 26 * 3600.0
# Of the disk that is free.
LITTLE_DISK = 0.15
