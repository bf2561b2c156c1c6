"""From the pixels of a page to digits with boxes, confidences and probabilities.

- `recognizer`: `Recognizer`, `Reading` and `Digit`, the public API; rejects marks that are no digits
- `file_reader`: reads many image files, decoding and inference overlapped
- `detections`: from a detector's outputs to marks with boxes
- `tta`: test-time augmentation
- `rules`: finds lines, separates touching digits and joins broken ones
- `annotation`: draws readings into a copy of the image
- `pretrained`: the model that ships with digitcli, and the lookup of a user's own
"""
