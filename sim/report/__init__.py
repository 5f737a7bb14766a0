"""What people see: the page, the story, what the terminal says. Nothing here prints."""
