"""The record in plain words: who is who, what was said, and a sentence for every fact."""
