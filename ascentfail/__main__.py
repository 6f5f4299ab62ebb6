"""`python -m ascentfail` is the command line."""

from ascentfail.apps.cli import main

if __name__ == "__main__":
    main()
