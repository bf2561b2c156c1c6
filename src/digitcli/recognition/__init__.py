"""From the pixels of a page to digits with boxes, confidences and probabilities.

`recognizer.Recognizer` reads arrays, `file_reader` reads files, `tta` is test-time augmentation,
`annotation` draws results into a picture, `rules` separates digits, `pretrained` holds the bundled model.
"""
