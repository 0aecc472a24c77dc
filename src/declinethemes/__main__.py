"""`python -m declinethemes`: the same as the `themes` command."""

from declinethemes.cli import main

main()
