"""One replication: processes that only wait and note. Alone knows the simulation engine."""
