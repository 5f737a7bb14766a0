"""The command line: what was asked is read, done and printed."""
