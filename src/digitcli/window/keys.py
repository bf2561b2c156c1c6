"""The keys of the window: their actions and their descriptions."""

ACTIONS = {  # events on the canvas, by the character of the key
    "\r": "keep",
    "\n": "keep",
    "c": "clear",
    "u": "undo",
    "\x1a": "undo",  # Ctrl-Z, where the system gives it to us
    "\x08": "undo",
    "r": "redo",
    "\x19": "redo",  # Ctrl-Y
    "e": "eraser",
    "n": "mode",
    "h": "explain",
    "?": "help",
    "s": "save",
    "\x1b": "quit",
}
KEYS = (
    ("Enter", "keep the reading"),
    ("C", "clear"),
    ("U", "undo"),
    ("R", "redo"),
    ("[  ]", "thinner, thicker pen"),
    ("E", "eraser; the right button, too"),
    ("0 ... 9", "say what it really is"),
    ("N", "one digit, number, automatic"),
    ("H", "what the network looked at"),
    ("S", "save picture and strokes"),
    ("?", "these keys"),
    ("Esc", "quit"),
)
SHORT = (  # the most useful first; as many as fit are shown
    ("?", "keys"),
    ("Enter", "keep"),
    ("C", "clear"),
    ("Esc", "quit"),
    ("U", "undo"),
    ("0-9", "correct"),
    ("N", "number"),
    ("H", "why"),
    ("E", "eraser"),
    ("S", "save"),
    ("[ ]", "pen"),
)
