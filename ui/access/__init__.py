"""Access control: who made a request, and which files and workspaces they may use."""
