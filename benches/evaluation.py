"""One evaluation by one tool, as its users write it; what it took, as JSON on stdout.

usage: evaluation.py pytrec_eval|ranx QRELS RUN
"""

import json
import resource
import sys
import time

MEASURES = {
    "pytrec_eval": ["ndcg_cut_10", "map", "recip_rank", "P_10", "recall_100"],
    "ranx": ["ndcg@10", "map", "mrr", "precision@10", "recall@100"],
}


class Clock:
    """Wall and CPU seconds between laps, over all threads of the process."""

    def __init__(self):
        self.laps = {}
        self.start()

    def start(self):
        self.at = (time.perf_counter(), time.process_time())

    def lap(self, name):
        wall, cpu = time.perf_counter(), time.process_time()
        self.laps[name] = {"wall": wall - self.at[0], "cpu": cpu - self.at[1]}
        self.start()


def pytrec_eval(qrels_file, run_file):
    import pytrec_eval

    measures = MEASURES["pytrec_eval"]
    clock = Clock()
    with open(qrels_file) as f:
        qrels = pytrec_eval.parse_qrel(f)
    with open(run_file) as f:
        run = pytrec_eval.parse_run(f)
    clock.lap("read")
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {m.replace("_1", ".1") for m in measures})
    clock.lap("build")
    values = evaluator.evaluate(run)
    means = [sum(v[m] for v in values.values()) / len(values) for m in measures]
    clock.lap("compute")
    return clock, means


def ranx(qrels_file, run_file):
    from ranx import Qrels, Run, evaluate
    from ranx.meta.evaluate import convert_qrels, convert_run

    measures = MEASURES["ranx"]
    # Compiling is not what is measured.
    queries = {f"q{i}": {"a": 1, "b": 2} for i in range(20)}
    scores = {q: {"a": 0.5, "b": 0.25} for q in queries}
    evaluate(Qrels(queries), Run(scores), measures)
    clock = Clock()
    qrels = Qrels.from_file(qrels_file, kind="trec")
    run = Run.from_file(run_file, kind="trec")
    clock.lap("read")
    means = evaluate(qrels, run, measures)
    clock.lap("compute")
    # Its kernels alone, on arrays that were converted beforehand.
    qrels, run = convert_qrels(qrels), convert_run(run)
    clock.start()
    evaluate(qrels, run, measures)
    clock.lap("kernels")
    return clock, [float(means[m]) for m in measures]


def main():
    tool, qrels_file, run_file = sys.argv[1:]
    clock, means = {"pytrec_eval": pytrec_eval, "ranx": ranx}[tool](qrels_file, run_file)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump({"laps": clock.laps, "means": means, "peak_kib": peak}, sys.stdout)


if __name__ == "__main__":
    main()
