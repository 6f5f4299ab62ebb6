"""`python -m ascentfail` is the command line."""

from ascentfail.cli import main

main()
