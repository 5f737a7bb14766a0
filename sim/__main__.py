"""`python -m sim` is `trialsim`."""

from __future__ import annotations

from sim.showing.cli import main

if __name__ == "__main__":
    main()
