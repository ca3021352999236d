"""Pages for people: what the record says, in words, as one HTML file or on paper."""
