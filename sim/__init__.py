"""A small randomised trial, simulated: who comes, what it asks of whom, and when it is done."""

__version__ = "0.1.0"
