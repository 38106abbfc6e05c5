"""`python -m toymodels` is the command `toymodels`."""

from figures.command.cli import main

main()
