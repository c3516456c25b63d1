"""How long trained rankers take to score one list, as learning-to-rank plugins run them: the peers of benches/ranking.rs.

usage: ranking.py [CANDIDATES [FEATURES]]   (packages: numpy, lightgbm, xgboost; one thread; JSON on stdout)

Trees are trained on random numbers: what they say means nothing, what they cost does not depend on it.
"""

import json
import statistics
import sys
import time

import lightgbm
import numpy as np
import xgboost

ROUNDS = 101
TREES, LEAVES = 100, 31


def median_ms(score):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        score()
        times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 3)


def main():
    candidates, features = (int(a) for a in (sys.argv[1:] + ["1000", "26"][len(sys.argv) - 1 :])[:2])
    rng = np.random.default_rng(1)
    x = rng.random((20_000, features))
    grade = rng.integers(0, 4, len(x))
    groups = [100] * (len(x) // 100)
    asked = rng.random((candidates, features))

    forest = lightgbm.train(
        {"objective": "lambdarank", "num_leaves": LEAVES, "num_threads": 1, "verbose": -1},
        lightgbm.Dataset(x, grade, group=groups),
        TREES,
    )
    data = xgboost.DMatrix(x, grade)
    data.set_group(groups)
    boosted = xgboost.train(
        {"objective": "rank:ndcg", "max_leaves": LEAVES, "grow_policy": "lossguide", "nthread": 1}, data, TREES
    )
    told = {
        "bench": "ranking peers",
        "candidates": candidates,
        "features": features,
        "trees": TREES,
        "leaves": LEAVES,
        "median_ms": {
            f"lightgbm {lightgbm.__version__}": median_ms(lambda: forest.predict(asked, num_threads=1)),
            f"xgboost {xgboost.__version__}": median_ms(lambda: boosted.inplace_predict(asked)),
        },
    }
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
