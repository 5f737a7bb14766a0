"""What people see: the page, the story, the terminal. `cli` and `terminal` alone print."""
