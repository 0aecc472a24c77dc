"""The `themes` command: one file per subcommand, each a thin shell over a function that returns.

stdout is data, stderr is talk; exit 0 done, 1 a clear error, 2 wrong usage.
"""

from declinethemes.cli.app import main

__all__ = ["main"]
