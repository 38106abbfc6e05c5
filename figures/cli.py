"""Old name of `figures.command.cli`, kept for one version."""

from figures.command.cli import main as main
