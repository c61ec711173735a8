"""Writes reference_writer.safetensors with the reference's own writer (python3-safetensors 0.5.2), for the writer here to be held against.

Every dtype that version can write, names that must be escaped or that UTF-16 sorts otherwise than UTF-8, empty tensors and scalars.
The metadata has one key: the reference writes several in no certain order.
"""

import os

from safetensors import serialize_file

SIZES = {"bool": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1, "int16": 2, "uint16": 2, "float16": 2,
         "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "float64": 8, "int64": 8, "uint64": 8}
NAMES = ["", "a", "a.b", "A", "layers.10.weight", "layers.9.weight", "quote\"back\\slash/", "tab\tline\nreturn\rfeed\fback\b",
         "bell\x07unit\x1f", "del\x7f", "line\u2028end", "\uffee half-width", "\U0001f600 astral", "\u00e9", "e\u0301", "x" * 300]

tensors = {}
for i, name in enumerate(NAMES):
    for j, (dtype, size) in enumerate(SIZES.items()):
        if (i + j) % 4 == 0:
            shape = [[], [3], [2, 2], [0], [1, 0, 5]][(i * 7 + j) % 5]
            count = 1
            for dimension in shape:
                count *= dimension
            data = bytes((i * 31 + j * 17 + k) % 256 for k in range(count * size))
            tensors[f"{name}|{dtype}" if name else dtype] = {"dtype": dtype, "shape": shape, "data": data}

tensors[""] = {"dtype": "uint8", "shape": [1], "data": b"!"}
folder = os.path.dirname(os.path.abspath(__file__))
serialize_file(tensors, os.path.join(folder, "reference_writer.safetensors"), {"made \"by\"": "python3-safetensors 0.5.2\n\u00e9\u2028\u0001"})
