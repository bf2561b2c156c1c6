"""Measuring classifiers and detectors and showing the results.

- `evaluate`: `evaluate`, the public function behind ``digitcli evaluate``
- `measuring`: what it is made of: runs a model on images, writes `metrics.json` and the plots
- `metrics`: accuracy, loss, confusion, calibration error and their definitions
- `calibration`: the temperature, the rejection threshold, and whether test-time augmentation helps
- `image_form`: whether a source's images lie as they should, and are bright on dark
- `label_errors`, `suspects`: labels that may be wrong, by confident learning
- `out_of_fold`: what networks make of training images that they have not seen
- `comparison`: two models on the same images, with McNemar's test
- `detection`: average precision, counts and false digits of detectors
- `detector_evaluation`: what a detector finds on generated pages
- `robustness`: accuracy under the fifteen kinds of corruption in `corruptions`
- `plots`: every figure
- `report`: the report card, as HTML and as JSON
- `wording`: numbers in words, the same everywhere
"""
