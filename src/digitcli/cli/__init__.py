"""One command a file: options, one plain call, words. Heavy imports stay inside the bodies."""
