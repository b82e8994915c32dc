"""Statistics: pure functions on numbers, without I/O, database or clock."""

import os

# Before NumPy is loaded: on matrices this small BLAS threads cost a thousand times what they save, and memory.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
