"""From the pixels of a page to digits with boxes, confidences and probabilities.

- `recognizer`: `Recognizer`, `Reading` and `Digit`, the public API; rejects marks that are no digits
- `file_reader`: reads many image files, decoding and inference overlapped
- `detections`: from a detector's outputs to boxes
- `page_reader`: reads pages with a detector and a classifier
- `finder`, `marks`, `forms`, `scoring`, `lines`: its parts; they look at a picture at several sizes, gather
  what was seen, cut digits out, tell which marks are digits, and bring them into reading order
- `page_marks`: what a detector cuts out of generated pages, for training and to fit `scoring`
- `tta`: test-time augmentation
- `rules`: finds lines, separates touching digits and joins broken ones
- `annotation`: draws readings into a copy of the image
- `pretrained`: the networks that ship with digitcli, and the lookup of a user's own
"""
