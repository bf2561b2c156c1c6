"""Models that somebody else made, brought into digitcli's form: `load` finds out what they take.

- `untrusted`: files from strangers are looked into before anything loads them
- `onnx_form`: any of them as an ONNX graph, and that graph in digitcli's form
- `input_form`: which values and which ink a model expects, by what it reads
"""

from digitcli.export.foreign.model import ForeignModel, load

__all__ = ["ForeignModel", "load"]
