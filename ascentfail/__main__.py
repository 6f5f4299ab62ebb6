"""`python -m ascentfail` is the command line."""

from ascentfail.cli import main

if __name__ == "__main__":
    main()
