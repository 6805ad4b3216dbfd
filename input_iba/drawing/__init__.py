"""From arrays to colours, PNG and HTML: what needs no other part, so that records can use it."""
