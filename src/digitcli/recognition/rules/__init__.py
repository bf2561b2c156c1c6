"""recognition.rules."""
