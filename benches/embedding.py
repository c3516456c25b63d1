"""One run of a sentence encoder through sentence-transformers, for benches/embedding.rs.

usage: embedding.py MODEL_DIR TEXTS   (TEXTS: a text a line). Prints one JSON line.
"""

import json
import resource
import sys
import time

import torch
from sentence_transformers import SentenceTransformer

torch.set_num_threads(1)
folder, path = sys.argv[1:3]
start = time.perf_counter()
model = SentenceTransformer(folder, device="cpu")
load = time.perf_counter() - start
texts = open(path, encoding="utf-8").read().splitlines()
model.encode(texts[:32], batch_size=32)
wall, cpu = time.perf_counter(), time.process_time()
model.encode(texts, batch_size=32, normalize_embeddings=True)
print(json.dumps({
    "load_ms": load * 1e3,
    "texts_per_second": len(texts) / (time.perf_counter() - wall),
    "cpu_seconds": time.process_time() - cpu,
    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
