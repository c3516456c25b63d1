"""A peer of the retrieval bench: builds its index once, then answers all queries when asked to.

    peers.py NAME FOLDER

Speaks one line of JSON at a time on standard input and output. Time is processor time of the process;
one thread; queries are given in one batch.
"""
import json
import os
import sys
import tempfile
import time

import numpy as np

K = 10
M, EF_CONSTRUCTION = 16, 200
EF = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384]


name, folder = sys.argv[1:]
with open(os.path.join(folder, "set.json")) as f:
    said = json.load(f)
DIM, ISOTROPIC = said["dim"], said.get("name") == "isotropic"
if ISOTROPIC:
    EF += [512, 1_024, 2_048, 4_096]


def cpu():
    return time.process_time()


def rss():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))


class Hnswlib:
    # Its filter calls back into Python for every vector it meets: that would measure Python.
    points, filtered = EF, []

    def __init__(self, base):
        import hnswlib
        self.index = hnswlib.Index("ip", DIM)
        self.index.init_index(len(base), ef_construction=EF_CONSTRUCTION, M=M)
        self.index.set_num_threads(1)
        self.index.add_items(base)

    def search(self, queries, point, mask, name):
        self.index.set_ef(point)
        return self.index.knn_query(queries, k=K, num_threads=1)[0]


class Usearch:
    points, filtered = EF, []

    def __init__(self, base):
        from usearch.index import Index
        self.index = Index(ndim=DIM, metric="ip", dtype="bf16", connectivity=M, expansion_add=EF_CONSTRUCTION)
        self.index.add(np.arange(len(base)), base, threads=1)

    def search(self, queries, point, mask, name):
        self.index.expansion_search = point
        return self.index.search(queries, K, threads=1).keys


class Faiss:
    def __init__(self, base):
        import faiss
        faiss.omp_set_num_threads(1)
        self.faiss, self.base = faiss, base
        self.make(base)
        self.selectors = {}

    def selector(self, mask):
        key = id(mask)
        if key not in self.selectors:
            bits = np.packbits(mask, bitorder="little")
            self.selectors[key] = (bits, self.faiss.IDSelectorBitmap(len(mask), self.faiss.swig_ptr(bits)))
        return self.selectors[key][1]


class FaissHnsw(Faiss):
    points, filtered = EF, [64, 256, 1000]

    def make(self, base):
        self.index = self.faiss.IndexHNSWFlat(DIM, M, self.faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(base)

    def search(self, queries, point, mask, name):
        p = self.faiss.SearchParametersHNSW(efSearch=point)
        if mask is not None:
            p.sel = self.selector(mask)
        return self.index.search(queries, K, params=p)[1]


class FaissSq8(Faiss):
    points, filtered = EF, []

    def make(self, base):
        f = self.faiss
        self.codes = f.IndexHNSWSQ(DIM, f.ScalarQuantizer.QT_8bit, M, f.METRIC_INNER_PRODUCT)
        self.codes.hnsw.efConstruction = EF_CONSTRUCTION
        self.codes.train(base)
        self.codes.add(base)
        self.index = f.IndexRefineFlat(self.codes, f.swig_ptr(base))

    def search(self, queries, point, mask, name):
        f = self.faiss
        p = f.IndexRefineSearchParameters(
            k_factor=min(point, 40) / K, base_index_params=f.SearchParametersHNSW(efSearch=point)
        )
        return self.index.search(queries, K, params=p)[1]


class FaissIvfPq(Faiss):
    """Fast-scan codes with refinement; filtered, where it has no selector, the flat lists or all vectors."""

    points, filtered = [4, 8, 16, 24, 32, 48, 64, 96, 128, 256], [4, 8, 16, 32, 64, 128, 256, 0]
    if ISOTROPIC:
        points = points + [384, 512, 768, 1_024]

    def make(self, base):
        f = self.faiss
        lists = int(4 * np.sqrt(len(base)))
        self.codes = f.index_factory(DIM, f"IVF{lists},PQ{DIM // 2}x4fs", f.METRIC_INNER_PRODUCT)
        self.codes.cp.niter, self.codes.cp.max_points_per_centroid = 10, 64
        self.codes.train(base[:100_000])
        self.codes.add(base)
        self.index = f.IndexRefineFlat(self.codes, f.swig_ptr(base))
        self.lists = self.flat = None

    def search(self, queries, point, mask, name):
        f = self.faiss
        if mask is None:
            # Where nothing stands near anything, codes of four bits miss more than lists do.
            more = point // 4 if ISOTROPIC else 0
            p = f.IndexRefineSearchParameters(
                k_factor=max(10, more), base_index_params=f.SearchParametersIVF(nprobe=point)
            )
            return self.index.search(queries, K, params=p)[1]
        if point == 0:
            if self.flat is None:
                self.flat = f.IndexFlatIP(DIM)
                self.flat.add(self.base)
            return self.flat.search(queries, K, params=f.SearchParameters(sel=self.selector(mask)))[1]
        if self.lists is None:
            n = int(4 * np.sqrt(len(self.base)))
            self.coarse = f.IndexFlatIP(DIM)
            self.lists = f.IndexIVFFlat(self.coarse, DIM, n, f.METRIC_INNER_PRODUCT)
            self.lists.cp.niter, self.lists.cp.max_points_per_centroid = 10, 64
            self.lists.train(self.base[:100_000])
            self.lists.add(self.base)
        p = f.SearchParametersIVF(nprobe=point, sel=self.selector(mask))
        return self.lists.search(queries, K, params=p)[1]


def shares():
    """What passes which filter: a column of numbers for each."""
    names = sorted(f[:-5] for f in os.listdir(folder) if f.endswith(".mask") and f != "all.mask")
    columns = {f"f{i}": np.fromfile(os.path.join(folder, f"{n}.mask"), dtype=np.uint8) for i, n in enumerate(names)}
    return columns, {n: f"f{i}" for i, n in enumerate(names)}


class MilvusLite:
    """HNSW, in this process."""

    points, filtered = EF[1:8], [64, 256]

    def __init__(self, base):
        from pymilvus import DataType, MilvusClient
        self.columns, self.names = shares()
        self.folder = tempfile.TemporaryDirectory()
        self.client = MilvusClient(os.path.join(self.folder.name, "milvus.db"))
        schema = self.client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIM)
        for c in self.columns:
            schema.add_field(c, DataType.INT64)
        params = self.client.prepare_index_params()
        params.add_index("v", index_type="HNSW", metric_type="IP", params={"M": M, "efConstruction": EF_CONSTRUCTION})
        self.client.create_collection("c", schema=schema, index_params=params)
        for start in range(0, len(base), 5_000):
            rows = [
                {"id": i, "v": base[i], **{c: int(v[i]) for c, v in self.columns.items()}}
                for i in range(start, min(start + 5_000, len(base)))
            ]
            self.client.insert("c", rows)
        self.client.flush("c")
        self.client.load_collection("c")

    def search(self, queries, point, mask, name):
        found = self.client.search(
            "c", data=list(queries), limit=K, search_params={"params": {"ef": point}},
            filter="" if mask is None else f"{self.names[name]} == 1",
        )
        out = np.full((len(queries), K), -1, dtype=np.int64)
        for row, hits in zip(out, found):
            row[: len(hits)] = [h["id"] for h in hits]
        return out


class LanceDb:
    """IVF-PQ with refinement, in this process. A query a call: it takes no batches."""

    points, filtered = [4, 8, 16, 32, 64, 128], [16, 64, 256]

    def __init__(self, base):
        import lancedb
        import pyarrow as pa
        columns, self.names = shares()
        self.folder = tempfile.TemporaryDirectory()
        v = pa.FixedSizeListArray.from_arrays(pa.array(base.reshape(-1)), DIM)
        table = pa.table({
            "id": pa.array(np.arange(len(base))), "v": v, **{c: pa.array(x.astype(np.int64)) for c, x in columns.items()}
        })
        self.table = lancedb.connect(self.folder.name).create_table("c", table)
        self.table.create_index(
            metric="dot", vector_column_name="v", index_type="IVF_PQ",
            num_partitions=int(4 * np.sqrt(len(base))), num_sub_vectors=DIM // 4,
        )

    def search(self, queries, point, mask, name):
        out = np.full((len(queries), K), -1, dtype=np.int64)
        for row, q in zip(out, queries):
            ask = self.table.search(q, vector_column_name="v").distance_type("dot").nprobes(point).refine_factor(10)
            if mask is not None:
                ask = ask.where(f"{self.names[name]} = 1", prefilter=True)
            ids = ask.limit(K).select(["id", "_distance"]).to_arrow()["id"].to_numpy()
            row[: len(ids)] = ids
        return out


def main():
    tools = {
        "hnswlib": Hnswlib,
        "usearch": Usearch,
        "faiss-hnsw": FaissHnsw,
        "faiss-sq8": FaissSq8,
        "faiss-ivfpq": FaissIvfPq,
        "milvus-lite": MilvusLite,
        "lancedb": LanceDb,
    }
    base = np.fromfile(os.path.join(folder, "base.f32"), dtype=np.float32).reshape(-1, DIM)
    queries = np.fromfile(os.path.join(folder, "query.f32"), dtype=np.float32).reshape(-1, DIM)
    before, start = rss(), cpu()
    tool = tools[name](base)
    built = cpu() - start
    print(json.dumps({
        "cpu_seconds": round(built, 1),
        "resident_mib": [before, rss()],
        "points": tool.points,
        "filtered": tool.filtered,
    }), flush=True)
    masks, truths = {}, {}
    for line in sys.stdin:
        asked = json.loads(line)
        f = asked["filter"]
        if f not in truths:
            truths[f] = np.fromfile(os.path.join(folder, f"{f}.truth"), dtype="<u4").reshape(-1, K)
            mask = np.fromfile(os.path.join(folder, f"{f}.mask"), dtype=np.uint8) == 1
            masks[f] = None if f == "all" else mask
            if f != "all":
                # What it makes for filters it makes now.
                tool.search(queries[:2], asked["point"], masks[f], f)
        # Slow ones are asked some of the queries.
        some = queries[: asked.get("queries", len(queries))]
        start = cpu()
        found = tool.search(some, asked["point"], masks[f], f)
        seconds = (cpu() - start) * len(queries) / len(some)
        found = np.asarray(found).astype(np.int64)
        truth = truths[f].astype(np.int64)[: len(some)]
        there = truth != 0xFFFFFFFF
        hits = sum(len(set(a) & set(t[w])) for a, t, w in zip(found.tolist(), truth, there))
        print(json.dumps({"seconds": seconds, "recall": hits / int(there.sum())}), flush=True)


main()
