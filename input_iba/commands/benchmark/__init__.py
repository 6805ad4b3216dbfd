"""Many networks, methods and measures: explained, scored and summed up by one command."""
