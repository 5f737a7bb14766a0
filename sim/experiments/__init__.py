"""Many replications: run them, on many cores, and say how sure we are."""
