"""What scipy says of the differences on stdin, as JSON on stdout."""

import json
import sys

import numpy as np
from scipy import stats


def holm(p):
    """By the definition of the step-down procedure."""
    order = np.argsort(p)
    out = np.empty(len(p))
    highest = 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        out[i] = highest
    return out


def differences(d):
    d = np.array(d)
    t = stats.ttest_1samp(d, 0.0)
    interval = t.confidence_interval(0.95)
    out = {"t": t.statistic, "p": t.pvalue, "low": interval.low, "high": interval.high}
    if len(d) <= 12:
        test = stats.permutation_test(
            (d, np.zeros(len(d))),
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
        )
        out["permutation"] = test.pvalue
    b = stats.bootstrap((d,), np.mean, n_resamples=20000, method="percentile", rng=1)
    out["bootstrap"] = [b.confidence_interval.low, b.confidence_interval.high]
    return {k: v if isinstance(v, list) else float(v) for k, v in out.items()}


def power(n, sd, alpha, difference):
    shift = difference / sd * n**0.5
    t = stats.t.isf(alpha / 2, n - 1)
    return float(stats.nct.sf(t, n - 1, shift) + stats.nct.cdf(-t, n - 1, shift))


def main():
    work = json.load(sys.stdin)
    p = np.array(work["p"])
    json.dump(
        {
            "differences": [differences(d) for d in work["differences"]],
            "holm": holm(p).tolist(),
            "bh": stats.false_discovery_control(p).tolist(),
            "power": [power(*row) for row in work["power"]],
            "sign": [float(stats.binomtest(a, a + b).pvalue) for a, b in work["sign"]],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
