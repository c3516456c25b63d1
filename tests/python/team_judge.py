"""An independent judge of service teams: the same problem as an integer programme for HiGHS.

    python team_judge.py TEAM.json

Prints the greatest weighted cover. Reads size, budget, per_institution and least_leads.
"""

import json
import sys

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix, vstack


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        problem = json.load(file)
    people = problem["candidates"]
    weights = [t["weight"] for t in problem["tasks"]]
    pairs = [(t, j, s) for j, c in enumerate(people) for t, s in c["scores"]]
    n, m, tasks = len(people), len(pairs), len(weights)
    total = n + m
    worth = np.concatenate([np.zeros(n), [-weights[t] * s for t, _, s in pairs]])
    blocks, low, high = [], [], []

    def rows(row, column, value, least, most, count):
        blocks.append(coo_matrix((value, (row, column)), shape=(count, total)))
        low.append(np.full(count, least))
        high.append(np.full(count, most))

    every = np.arange(n)
    of_task = np.array([t for t, _, _ in pairs])
    of_person = np.array([j for _, j, _ in pairs])
    rows(of_task, n + np.arange(m), np.ones(m), -np.inf, 1, tasks)
    rows(
        np.tile(np.arange(m), 2),
        np.concatenate([n + np.arange(m), of_person]),
        np.concatenate([np.ones(m), -np.ones(m)]),
        -np.inf,
        0,
        m,
    )
    zero = np.zeros(n, int)
    rows(zero, every, np.ones(n), 0, problem["size"], 1)
    rows(zero, every, np.array([c["cost"] for c in people]), 0, problem["budget"], 1)
    rows(zero, every, np.array([float(c["lead"]) for c in people]), problem["least_leads"], np.inf, 1)
    institutions = np.array([c["institution"] for c in people])
    rows(institutions, every, np.ones(n), 0, problem["per_institution"], institutions.max() + 1)
    found = milp(
        worth,
        constraints=LinearConstraint(vstack(blocks).tocsr(), np.concatenate(low), np.concatenate(high)),
        integrality=np.concatenate([np.ones(n), np.zeros(m)]),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 1e-9, "time_limit": 120},
    )
    if found.status != 0:
        sys.exit(f"team_judge.py: {found.message}")
    print(repr(-float(found.fun)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: team_judge.py TEAM.json")
    main(sys.argv[1])
