"""An independent bound of timetables: the linear programme over meetings and slots, by HiGHS.

    python timetable_judge.py TIMETABLE.json

Prints the greatest worth that no timetable can pass. Reads one site, no limits, no locks.
"""

import json
import sys

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        problem = json.load(file)
    slots = len(problem["slots"])
    people = [np.array(p["open"]) for p in problem["people"]]
    tables = sum(np.array(t["open"]).astype(int) for t in problem["tables"])
    column = []
    for m, meeting in enumerate(problem["meetings"]):
        both = people[meeting["left"]] & people[meeting["right"]]
        column += [(m, meeting["left"], meeting["right"], s) for s in np.nonzero(both)[0]]
    column = np.array(column)
    n, meetings, persons = len(column), len(problem["meetings"]), len(people)
    row = np.concatenate(
        [
            column[:, 0],
            meetings + column[:, 1] * slots + column[:, 3],
            meetings + column[:, 2] * slots + column[:, 3],
            meetings + persons * slots + column[:, 3],
        ]
    )
    height = meetings + persons * slots + slots
    bound = np.concatenate([np.ones(meetings + persons * slots), tables])
    worth = np.array([problem["meetings"][m]["worth"] for m in column[:, 0]])
    found = linprog(
        -worth,
        A_ub=coo_matrix((np.ones(4 * n), (row, np.tile(np.arange(n), 4))), shape=(height, n)).tocsr(),
        b_ub=bound,
        bounds=(0, 1),
        method="highs-ipm",
    )
    if found.status != 0:
        sys.exit(f"timetable_judge.py: {found.message}")
    print(repr(-float(found.fun)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: timetable_judge.py TIMETABLE.json")
    main(sys.argv[1])
