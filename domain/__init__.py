"""What happened in a hiring loop, and what may happen next: pure, no clock, no database."""
