"""The page: one module a section, thin over ``deftx``; nothing here trains."""
