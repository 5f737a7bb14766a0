"""What every other room speaks of: time, distributions, random numbers, facts, texts."""
