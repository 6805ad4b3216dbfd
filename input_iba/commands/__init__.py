"""What the commands do, one room each."""
