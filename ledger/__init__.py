"""The append-only record and its proofs; only `recorder` knows the event-sourcing library."""
