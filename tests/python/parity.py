"""What pytrec_eval and ir_measures say of the cases on stdin, as JSON on stdout.

Stdin: {"plain": [case ...], "diverse": [case ...]}, a case being {"qrels": [[query, subtopic,
document, grade] ...], "run": [[query, document, score as text] ...]}. Names of measures come with
the cases. Values that an oracle cannot give are left out and named under "unavailable".
"""

import contextlib
import io
import json
import logging
import sys
from collections import defaultdict

import ir_measures
import pytrec_eval

logging.disable(logging.WARNING)


def nested(rows):
    out = defaultdict(dict)
    for query, document, value in rows:
        out[query][document] = value
    return dict(out)


def strict(run):
    """The same order without ties: score down, then document id down, then whole numbers."""
    out = {}
    for query, documents in run.items():
        order = sorted(documents.items(), key=lambda d: d[0].encode(), reverse=True)
        order.sort(key=lambda d: d[1], reverse=True)
        out[query] = {d: float(len(order) - i) for i, (d, _) in enumerate(order)}
    return out


def trec(qrels, run, names, level):
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, names, relevance_level=level)
    return evaluator.evaluate(run)


def by_query(measures, qrels, run):
    out = defaultdict(dict)
    for metric in ir_measures.iter_calc(measures, qrels, run):
        out[metric.query_id][str(metric.measure)] = float(metric.value)
    return out


def guarded(texts, qrels, run, unavailable):
    """Measures that share an oracle's call, apart where the oracle mixes them up or breaks down."""
    out = defaultdict(dict)
    for group in apart(texts):
        if group[0].startswith("Accuracy"):
            found = accuracy(group, qrels, run)
        else:
            found = at_once(group, qrels, run, unavailable)
        for q, values in found.items():
            out[q].update(values)
    return out


def apart(texts):
    """ir_measures 0.4.3 counts NumRet, NumQ and plain nDCG in whichever call of pytrec_eval comes
    first, also in one that leaves out what is not judged or that has gains of its own. Which one
    that is changes from process to process, with the seed of Python's hashes."""
    kinds = defaultdict(list)
    for t in texts:
        kinds["judged_only" in t, "gains" in t, t.startswith("Accuracy")].append(t)
    return kinds.values()


def accuracy(texts, qrels, run):
    """ir_measures 0.4.3 divides by zero where a query has nothing but relevant answers."""
    out = defaultdict(dict)
    for t in texts:
        for q in run:
            if q in qrels:
                try:
                    m = [ir_measures.parse_measure(t)]
                    found = by_query(m, {q: qrels[q]}, {q: run[q]})
                except ZeroDivisionError:
                    continue
                out[q].update({t: v for values in found.values() for v in values.values()})
    return out


def at_once(texts, qrels, run, unavailable):
    """All measures at once, or one by one where the oracle breaks down."""
    measures = [ir_measures.parse_measure(t) for t in texts]
    names = {str(m): t for m, t in zip(measures, texts)}
    out = defaultdict(dict)
    try:
        found = by_query(measures, qrels, run)
    except Exception:
        found = defaultdict(dict)
        for m, t in zip(measures, texts):
            try:
                for q, values in by_query([m], qrels, run).items():
                    found[q].update(values)
            except Exception as e:
                unavailable[t] = f"{type(e).__name__}: {e}"[:200]
    for q, values in found.items():
        out[q].update({names[m]: v for m, v in values.items()})
    return out


def together(cases):
    """All cases as one, their queries told apart by number."""
    qrels, run = [], []
    for i, case in enumerate(cases):
        qrels += [(str(i * 100 + int(q)), t, d, g) for q, t, d, g in case["qrels"]]
        run += [(str(i * 100 + int(q)), d, float(s)) for q, d, s in case["run"]]
    return qrels, nested(run)


def mean(case, texts):
    qrels = nested((q, d, g) for q, _, d, g in case["qrels"])
    run = nested((q, d, float(s)) for q, d, s in case["run"])
    out = {}
    for group in apart(texts):
        measures = [ir_measures.parse_measure(t) for t in group]
        means = ir_measures.calc_aggregate(measures, qrels, run)
        out.update({t: float(means[m]) for t, m in zip(group, measures)})
    return out


def diverse(cases, names, unavailable):
    qrels, run = together(cases)
    qrels = [ir_measures.Qrel(q, d, g, t) for q, t, d, g in qrels]
    run = [
        ir_measures.ScoredDoc(q, d, s) for q, ds in strict(run).items() for d, s in ds.items()
    ]
    # One by one: ir_measures 0.4.3 hands the run to ndeval as an iterator that is used up by the
    # first set of parameters.
    out = defaultdict(dict)
    for name in names["diverse"]:
        for q, values in guarded([name], qrels, run, unavailable).items():
            out[q].update(values)
    return out


def numbers(value):
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {k: numbers(v) for k, v in value.items()}
    if isinstance(value, list):
        return [numbers(v) for v in value]
    return None if isinstance(value, float) and value != value else value


def main():
    work = json.load(sys.stdin)
    names, unavailable = work["names"], {}
    quadruples, run = together(work["plain"])
    qrels = nested((q, d, g) for q, _, d, g in quadruples)
    some, some_run = together(work["plain"][: work["slow"]])
    some = nested((q, d, g) for q, _, d, g in some)
    # ndeval warns where there is one subtopic.
    with contextlib.redirect_stderr(io.StringIO()):
        result = {
            "trec": trec(qrels, run, names["trec"], 1),
            "trec_level_2": trec(qrels, run, names["trec_level"], 2),
            "ir": guarded(names["ir"], qrels, run, unavailable),
            "ir_strict": guarded(names["ir_strict"], qrels, strict(run), unavailable),
            # In numpy, a thousand ranks for each query.
            "cwl": guarded(names["cwl"], some, strict(some_run), unavailable),
            "gdeval": guarded(names["gdeval"], qrels, strict(run), unavailable),
            "means": [mean(c, names["ir"]) for c in work["plain"][: work["slow"]]],
            "diverse": diverse(work["diverse"], names, unavailable),
            "unavailable": unavailable,
        }
    json.dump(numbers(result), sys.stdout)


if __name__ == "__main__":
    main()
