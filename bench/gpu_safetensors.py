"""Loads the file in Python with safetensors.torch.load_file(device="cuda"), cold and warm. Usage: gpu_safetensors.py FILE"""
import os
import sys
import time

try:
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(f"missing: Python's {error.name}; its figures are left out")
    sys.exit(3)

path = sys.argv[1]
if not torch.cuda.is_available():
    print("missing: Python's torch sees no GPU; its figures are left out")
    sys.exit(3)

torch.zeros(1, device="cuda")
size = os.path.getsize(path)
for name in ["cold", "warm", "warm", "warm"]:
    if name == "cold":
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)  # pages that are not on the disk yet would stay in the page cache
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)
    start = time.perf_counter()
    tensors = load_file(path, device="cuda")
    torch.cuda.synchronize()
    print(f"Python safetensors {name}: {size / (time.perf_counter() - start) / 1e9:.2f} GB/s")
    del tensors
