"""One problem of benches/decisions.rs solved by OR-tools, as its users would; JSON on stdout.

usage: decisions.py PROBLEM.json SECONDS   (one thread; SECONDS: the time CP-SAT has)

Shortlists: min-cost flow of the largest flow. Teams: SCIP (far ahead of CP-SAT there). Timetables:
CP-SAT.
"""

import json
import resource
import sys
import time

import numpy as np
from ortools.graph.python import min_cost_flow
from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

# Scores become whole numbers.
SCALE = 1_000_000


class Clock:
    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def told(self, value, bound, proven):
        return {
            "cpu": time.process_time() - self.cpu,
            "wall": time.perf_counter() - self.wall,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "value": value,
            "bound": bound,
            "proven": proven,
        }


def shortlists(p, _seconds):
    need, expert = np.array(p["need"]), np.array(p["expert"])
    worth = np.rint(np.array(p["worth"]) * SCALE).astype(np.int64)
    needs, experts = p["needs"], p["experts"]
    clock = Clock()
    source, sink = needs + experts, needs + experts + 1
    every, others = np.arange(needs), needs + np.arange(experts)
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(
        np.full(needs, source), every, np.full(needs, p["need_most"]), np.zeros(needs, np.int64)
    )
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        need, needs + expert, np.ones(len(need), np.int64), -worth
    )
    flow.add_arcs_with_capacity_and_unit_cost(
        others, np.full(experts, sink), np.full(experts, p["expert_most"]), np.zeros(experts, np.int64)
    )
    supply = min(needs * p["need_most"], experts * p["expert_most"])
    flow.set_node_supply(source, supply)
    flow.set_node_supply(sink, -supply)
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        sys.exit(f"decisions.py: status {status}")
    value = float((flow.flows(arcs) * worth).sum()) / SCALE
    return clock.told(value, value, True)


def solve(model, clock, seconds):
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return clock.told(0.0, solver.best_objective_bound / SCALE, False)
    return clock.told(
        solver.objective_value / SCALE,
        solver.best_objective_bound / SCALE,
        status == cp_model.OPTIMAL,
    )


def team(p, seconds):
    p = p["problem"]
    people = p["candidates"]
    clock = Clock()
    solver = pywraplp.Solver.CreateSolver("SCIP")
    solver.SetTimeLimit(int(seconds * 1000))
    on = [solver.BoolVar("") for _ in people]
    of_task = [[] for _ in p["tasks"]]
    objective = solver.Objective()
    for j, c in enumerate(people):
        for t, s in c["scores"]:
            # Whole by itself once the members are.
            x = solver.NumVar(0, 1, "")
            solver.Add(x <= on[j])
            of_task[t].append(x)
            objective.SetCoefficient(x, p["tasks"][t]["weight"] * s)
    for xs in of_task:
        solver.Add(sum(xs) <= 1)
    solver.Add(sum(on) <= p["size"])
    solver.Add(sum(c["cost"] * x for x, c in zip(on, people)) <= p["budget"])
    solver.Add(sum(x for x, c in zip(on, people) if c["lead"]) >= p["least_leads"])
    for i in {c["institution"] for c in people}:
        solver.Add(sum(x for x, c in zip(on, people) if c["institution"] == i) <= p["per_institution"])
    objective.SetMaximization()
    status = solver.Solve()
    if status not in (solver.OPTIMAL, solver.FEASIBLE):
        return clock.told(0.0, objective.BestBound(), False)
    return clock.told(objective.Value(), objective.BestBound(), status == solver.OPTIMAL)


def timetable(p, seconds):
    p = p["problem"]
    slots = len(p["slots"])
    people = [q["open"] for q in p["people"]]
    clock = Clock()
    model = cp_model.CpModel()
    at_once = [[[] for _ in range(slots)] for _ in people]
    in_slot = [[] for _ in range(slots)]
    objective, coefficients = [], []
    for m in p["meetings"]:
        own = []
        for s in range(slots):
            if people[m["left"]][s] and people[m["right"]][s]:
                x = model.new_bool_var("")
                own.append(x)
                at_once[m["left"]][s].append(x)
                at_once[m["right"]][s].append(x)
                in_slot[s].append(x)
                objective.append(x)
                coefficients.append(round(m["worth"] * SCALE))
        model.add_at_most_one(own)
    for person in at_once:
        for xs in person:
            if len(xs) > 1:
                model.add_at_most_one(xs)
    for s, xs in enumerate(in_slot):
        model.add(sum(xs) <= sum(t["open"][s] for t in p["tables"]))
    model.maximize(cp_model.LinearExpr.weighted_sum(objective, coefficients))
    return solve(model, clock, seconds)


def main(path, seconds):
    with open(path, encoding="utf-8") as file:
        problem = json.load(file)
    kinds = {"shortlists": shortlists, "team": team, "timetable": timetable}
    print(json.dumps(kinds[problem["kind"]](problem, seconds)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: decisions.py PROBLEM.json SECONDS")
    main(sys.argv[1], float(sys.argv[2]))
