"""What a host has no more of: memory, threads, open files. Nobody's bug, and one sentence each."""

from __future__ import annotations

import errno

from cleanupctl.core.errors import CleanupFailedError

_BY_NUMBER = {
    errno.EMFILE: "too many files are open for this process: raise its limit (`ulimit -n`, LimitNOFILE=)",
    errno.ENFILE: "this host cannot open more files: end what has so many open, or raise fs.file-max",
    errno.ENOMEM: "this host has no memory left, or this process may not take more",
    errno.ENOSPC: "a disk of this host is full, that of temporary files perhaps",
}
_NO_MEMORY = "no memory is left for this process: raise its limit, or lower batch_size in [cleanup]"
_NO_THREADS = "no thread can be started: raise the limit of processes (`ulimit -u`, TasksMax=) or of memory"


def exhausted(error: BaseException) -> CleanupFailedError | None:
    """Return an error that says what there is no more of; None when it is another failure."""
    sentence: str | None = None
    if isinstance(error, MemoryError):
        sentence = _NO_MEMORY
    elif isinstance(error, RuntimeError) and "start new thread" in str(error):
        sentence = _NO_THREADS
    elif isinstance(error, OSError) and error.errno is not None:
        sentence = _BY_NUMBER.get(error.errno)
    return None if sentence is None else CleanupFailedError(sentence)
