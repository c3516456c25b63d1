"""What would be written in Python today: a model, a vector store, and an HTTP server.

    service.py milvus-lite|lancedb MODEL FOLDER

A question is embedded, its nearest passages and those that share most words are asked for, both
lists are joined by reciprocal ranks (k = 60), and passages are joined to records by the best. Where
a store has no search by words, vectors alone answer.
"""
import json
import os
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from model2vec import StaticModel

DEPTH = 100
name, model_folder, folder = sys.argv[1:]
model = StaticModel.from_pretrained(model_folder)


def embed(texts):
    return np.asarray(model.encode(texts), dtype=np.float32)


class Milvus:
    def __init__(self):
        from pymilvus import DataType, MilvusClient
        self.client = MilvusClient(os.path.join(folder, "milvus.db"))
        schema = self.client.create_schema(auto_id=True)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("record", DataType.VARCHAR, max_length=64)
        schema.add_field("v", DataType.FLOAT_VECTOR, dim=model.dim)
        params = self.client.prepare_index_params()
        params.add_index("v", index_type="HNSW", metric_type="IP", params={"M": 16, "efConstruction": 200})
        self.client.create_collection("c", schema=schema, index_params=params)

    def add(self, records):
        texts = [p for r in records for p in r["passages"]]
        owners = [r["id"] for r in records for _ in r["passages"]]
        self.client.insert("c", [{"record": o, "v": v} for o, v in zip(owners, embed(texts))])

    def ready(self):
        self.client.flush("c")
        self.client.load_collection("c")

    def put(self, record):
        self.client.delete("c", filter=f'record == "{record["id"]}"')
        self.add([record])

    def lists(self, text):
        found = self.client.search(
            "c", data=[embed([text])[0]], limit=DEPTH, output_fields=["record"], search_params={"params": {"ef": 200}}
        )
        return [[hit["entity"]["record"] for hit in found[0]]]


class Lance:
    def __init__(self):
        global pa
        import lancedb
        import pyarrow as pa
        self.db = lancedb.connect(folder)
        self.table = None

    def rows(self, records):
        texts = [p for r in records for p in r["passages"]]
        owners = [r["id"] for r in records for _ in r["passages"]]
        v = pa.FixedSizeListArray.from_arrays(pa.array(embed(texts).reshape(-1)), model.dim)
        return pa.table({"record": owners, "text": texts, "v": v})

    def add(self, records):
        rows = self.rows(records)
        if self.table is None:
            self.table = self.db.create_table("c", rows)
        else:
            self.table.add(rows)

    def ready(self):
        n = self.table.count_rows()
        self.table.optimize()
        self.table.create_index(
            metric="dot", vector_column_name="v", index_type="IVF_PQ",
            num_partitions=int(4 * np.sqrt(n)), num_sub_vectors=model.dim // 4,
        )
        # Bigrams, as Chinese has no spaces.
        self.table.create_fts_index(
            "text", base_tokenizer="ngram", ngram_min_length=2, ngram_max_length=2, with_position=False,
            stem=False, remove_stop_words=False, ascii_folding=False,
        )

    def put(self, record):
        self.table.delete(f"record = '{record['id']}'")
        self.table.add(self.rows([record]))

    def lists(self, text):
        near = self.table.search(embed([text])[0], vector_column_name="v").distance_type("dot").nprobes(32)
        near = near.refine_factor(5).limit(DEPTH).select(["record", "_distance"]).to_arrow()
        words = self.table.search(text, query_type="fts").limit(DEPTH).select(["record", "_score"]).to_arrow()
        return [near["record"].to_pylist(), words["record"].to_pylist()]


store = {"milvus-lite": Milvus, "lancedb": Lance}[name]()
writing = threading.Lock()


def match(text, k):
    scores = defaultdict(float)
    for ranked in store.lists(text):
        best = {}
        for rank, record in enumerate(ranked):
            best.setdefault(record, rank)
        for record, rank in best.items():
            scores[record] += 1 / (60 + rank)
    return sorted(scores, key=lambda r: (-scores[r], r))[:k]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/match":
            said = match(asked["text"], asked["k"])
        else:
            with writing:
                {"/fill": store.add, "/put": store.put, "/ready": lambda _: store.ready()}[self.path](asked)
            said = {}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
