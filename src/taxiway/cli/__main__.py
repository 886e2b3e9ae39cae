"""`python -m taxiway.cli`, for processes that start taxiway with their own interpreter."""

from taxiway.cli import main

main()
