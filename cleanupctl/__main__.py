"""Entry point of `python -m cleanupctl` and of the console script."""

import gc

# Loading the program makes many objects and hardly any garbage: looking for some in between would take
# a seventh of a short call. A long run reaches this number of new objects, too.
gc.set_threshold(200_000)

from cleanupctl.cli.main import main  # noqa: E402  (after the line above, which is about loading it)

if __name__ == "__main__":
    main()
