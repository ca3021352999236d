"""How one asks: HTTP, the audit console and the command line. The only room that knows litestar."""
