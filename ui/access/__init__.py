"""Who sits behind a request, and which files and workspaces they may use."""
