"""From the pixels of a page to digits with boxes, confidences and probabilities.

- `recognizer`: `Recognizer`, the public API; rejects marks that are no digits
- `reading`: `Reading`, `Digit` and `Symbol`, and how they are written as JSON
- `file_reader`: reads many image files, decoding and inference overlapped
- `detections`: from a detector's outputs to boxes
- `page_reader`: reads pages with a detector and a classifier
- `finder`, `marks`, `forms`, `scoring`, `lines`, `signs`: its parts; they look at a picture at several sizes,
  gather what was seen, cut digits out, tell which marks are digits, bring them into reading order, and place
  signs beside them
- `consensus_reader`, `consensus`: whose reading of a page stands, that of the rules or that of the detector
- `page_marks`: what a detector cuts out of generated pages, for training and to fit `scoring`
- `tta`: test-time augmentation
- `rules`: finds lines, separates touching digits and joins broken ones
- `annotation`: draws readings into a copy of the image
- `pretrained`: the networks that ship with digitcli, and the lookup of a user's own
"""
