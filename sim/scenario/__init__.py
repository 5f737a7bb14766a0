"""What a scenario file says, checked, and the protocol it stands for. Knows no simulation."""
