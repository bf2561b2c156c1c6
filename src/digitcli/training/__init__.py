"""Training classifiers and detectors: from a recipe and data to the files of a run.

- `train`: `train`, the public function behind ``digitcli train``
- `run`: carries out a resolved run
- `job`: what a run does for its task; `classifier_job` and `detector_job`: the two jobs
- `loop`: the training loop
- `task`: the task protocol: what the loop has to know of what is learned
- `classification`: the task of the classifier
- `detection`: the task of the detector; `detection_targets`: its targets and losses
- `page_pool`: the generated pages that a detector is trained on, drawn in the background
- `clock`: how far a training is, in steps or seconds, and the learning rate that is due
- `training_images`: the images that a run trains on
- `augmentation`: random distortions inside the training graph
- `finetuning`: continues from a trained model, on corrections
- `checkpoints`: the state of a run on disk
- `progress`: the state of a run in memory, and `Reporter`, which is told of it
- `cluster`: several workers that train together
- `tensorboard`: logs for TensorBoard
"""
