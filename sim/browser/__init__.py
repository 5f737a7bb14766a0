"""What runs in the one file: plain Python alone, for a browser has no numpy."""
