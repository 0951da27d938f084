"""`python -m aedetect`."""

from aedetect.cli.main import run

run()
