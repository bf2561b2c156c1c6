"""Training classifiers: from a recipe and data to the files of a run.

`train` resolves what is asked for, `run` carries it out, `loop` is the training loop, `clock` tells how
far it is, `augmentation` distorts images, `calibration` fits temperature and threshold, `finetuning`
learns from corrections, `checkpoints` and `progress` keep the state, `tensorboard` logs it.
"""
