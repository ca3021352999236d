"""Everything that can be read over HTTP: each module has a table of routes and their functions."""
