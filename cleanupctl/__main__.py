"""Entry point of `python -m cleanupctl` and of the console script."""

from cleanupctl.cli.main import main

if __name__ == "__main__":
    main()
