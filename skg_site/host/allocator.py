"""The settings of the C library's allocator, so that it gives memory back to the system."""

import ctypes

# From malloc.h of the GNU C library.
_M_MMAP_THRESHOLD = -3
# Smaller blocks, which are most, stay with the process for the next request.
LARGE_BYTES = 1 << 20


def return_large_blocks() -> None:
    """Give every block of 1 MiB or more back to the system as soon as it is freed.

    By default the allocator raises this limit to 32 MiB as it sees large blocks. Then a worker that has once sent many
    large answers at a time keeps their memory for good. Other C libraries return them anyhow.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
