"""A client that is not written in Rust: stubs from `proto/`, then the main job against a server.

    python client.py HOST:PORT

Exits with 0 when every check holds, and says which one does not otherwise. The server needs no
records; those that this client puts in (tenants `python-client` and `python-examples`) it erases again.
"""

import contextlib
import importlib
import importlib.resources
import json
import pathlib
import re
import sys
import tempfile
import uuid

import grpc
from google.protobuf import json_format
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
PARENT = "tenants/python-client"
PHONE = "13912345678"


def generate(out: str) -> None:
    """Compiles every file under `proto/` into Python modules in `out`."""
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    files = sorted(str(f.relative_to(PROTO)) for f in PROTO.rglob("*.proto"))
    flags = [f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    check(protoc.main(["protoc", *flags, *files]) == 0, "the stubs are generated")
    sys.path.insert(0, out)


def check(holds: bool, what: str) -> None:
    if not holds:
        sys.exit(f"client.py: this does not hold: {what}")
    print(f"ok: {what}")


@contextlib.contextmanager
def refused(code: grpc.StatusCode, reason: str, field: str | None = None):
    """The call inside fails with a code, google.rpc.ErrorInfo and the field at fault."""
    try:
        yield
    except grpc.RpcError as error:
        status = rpc_status.from_call(error)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details if status else ():
            detail.Unpack(info) or detail.Unpack(bad)
        fields = [v.field for v in bad.field_violations]
        got = (error.code(), info.domain, info.reason, fields)
        wanted = (code, "queqiao", reason, [field] if field else [])
        check(got == wanted, f"{wanted} is told (got {got})")
        return
    check(False, f"a call is refused with {code} {reason}")


def holds(told, said) -> bool:
    """Whether all that is `told` is in what was `said`: members of objects, beginnings of lists."""
    if isinstance(told, dict):
        return isinstance(said, dict) and all(k in said and holds(v, said[k]) for k, v in told.items())
    if isinstance(told, list):
        return isinstance(said, list) and len(told) <= len(said) and all(map(holds, told, said))
    return told == said


def examples(address: str) -> None:
    """The calls of docs/api.md, with the retry policy that it gives, against the answers that it shows."""
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    text = text.replace("tenants/default", "tenants/python-examples")
    # A request id is remembered for a day, and what is erased meanwhile is not stored again.
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda _: str(uuid.uuid4()), text)
    blocks = re.findall(r"^```(sh|json)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    policy = next(body for kind, body in blocks if kind == "json" and "methodConfig" in body)
    options = [("grpc.service_config", json.dumps(json.loads(policy)))]
    calls = []
    for (kind, body), (_, shown) in zip(blocks, blocks[1:]):
        call = re.search(r"-d '(.*)' http://[^/]+/(queqiao\.v1)\.(\w+)/(\w+)", body, re.DOTALL)
        if kind == "sh" and call is not None:
            calls.append((*call.groups(), json.loads(shown)))
    check(len(calls) >= 4, "docs/api.md has examples")
    stored = [r["name"] for sent, *_ in calls for r in json.loads(sent).get("records", [])]
    with grpc.insecure_channel(address, options) as channel:
        try:
            for sent, package, service, method, shown in calls:
                file = re.sub(r"(?<!^)(?=[A-Z])", "_", service).lower()
                described = importlib.import_module(f"{package}.{file}_pb2").DESCRIPTOR
                described = described.services_by_name[service].methods_by_name[method]
                asked = described.input_type._concrete_class
                answered = described.output_type._concrete_class
                answer = channel.unary_unary(
                    f"/{package}.{service}/{method}", asked.SerializeToString, answered.FromString
                )(json_format.Parse(sent, asked()), timeout=20)
                said = json_format.MessageToDict(answer)
                check(holds(shown, said), f"docs/api.md: {service}/{method} answers so")
        finally:
            erase = importlib.import_module("queqiao.v1.record_service_pb2").EraseRecordRequest
            stub = importlib.import_module("queqiao.v1.record_service_pb2_grpc")
            for name in stored:
                with contextlib.suppress(grpc.RpcError):
                    stub.RecordServiceStub(channel).EraseRecord(erase(name=name), timeout=20)


def main(address: str) -> None:
    with tempfile.TemporaryDirectory() as out:
        generate(out)
        v1 = "queqiao.v1."
        record_pb2, vocabulary_pb2 = (
            importlib.import_module(v1 + m) for m in ("record_pb2", "vocabulary_pb2")
        )
        records_pb2, matches_pb2 = (
            importlib.import_module(v1 + m) for m in ("record_service_pb2", "match_service_pb2")
        )
        records_grpc, matches_grpc = (
            importlib.import_module(v1 + m)
            for m in ("record_service_pb2_grpc", "match_service_pb2_grpc")
        )
        with grpc.insecure_channel(address) as channel:
            grpc.channel_ready_future(channel).result(timeout=20)
            records = records_grpc.RecordServiceStub(channel)
            matches = matches_grpc.MatchServiceStub(channel)

            health = health_pb2_grpc.HealthStub(channel)
            for service in ("", "queqiao.v1.RecordService", "queqiao.v1.MatchService"):
                answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=20)
                check(
                    answer.status == health_pb2.HealthCheckResponse.SERVING,
                    f"health of '{service}' is SERVING",
                )

            texts = {
                "anode": "锂离子电池硅碳负极材料的制备与循环寿命提升",
                "vision": "工业机器视觉表面缺陷检测",
                "graph": "图论与组合优化算法",
            }
            for key, text in texts.items():
                record = record_pb2.Record(
                    name=f"{PARENT}/experts/{key}",
                    title=f"专家 {key}",
                    region="440300",
                    expert=record_pb2.Expert(
                        research=[text], contact=record_pb2.Contact(phone=PHONE)
                    ),
                )
                request = records_pb2.UpsertRecordRequest(
                    record=record, request_id=str(uuid.uuid4())
                )
                first = records.UpsertRecord(request, timeout=20)
                again = records.UpsertRecord(request, timeout=20)
                check(first == again, f"a retry of storing {key} answers the same")
                check(PHONE.encode() not in first.SerializeToString(), "no contact comes back")

            question = matches_pb2.MatchRequest(
                parent=PARENT, text="提高锂离子电池硅碳负极材料的循环寿命", k=3
            )
            answer = matches.Match(question, timeout=20)
            check(answer.matches[0].id == "anode", "the right expert comes first")
            check([m.rank for m in answer.matches] == list(range(1, len(answer.matches) + 1)), "ranks")
            scores = [m.score for m in answer.matches]
            check(scores == sorted(scores, reverse=True), "scores descend")
            for m in answer.matches:
                total = 0.0
                for part in m.parts:
                    total += part.contribution
                check(total == m.score, f"the parts of {m.id} add up to its score exactly")
            quote = answer.matches[0].quote
            check(quote.path == "expert.research[0]", "the quote names its field")
            check(
                texts["anode"][quote.start : quote.end] == quote.text and quote.text != "",
                "the quote is verbatim, with offsets in code points",
            )
            check(
                question.text[quote.asked.start : quote.asked.end] == quote.asked.text,
                "and so is what was asked",
            )
            check(matches.Match(question, timeout=20).matches == answer.matches, "the same again")

            page, names = records_pb2.ListRecordsRequest(parent=PARENT, page_size=2), []
            while True:
                listed = records.ListRecords(page, timeout=20)
                names += [r.name for r in listed.records]
                if not listed.next_page_token:
                    break
                page.page_token = listed.next_page_token
            check(sorted(names) == sorted(f"{PARENT}/experts/{k}" for k in texts), "the list is whole")

            with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "k"):
                matches.Match(matches_pb2.MatchRequest(parent=PARENT, text="x", k=0), timeout=20)
            with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "filter"):
                matches.Match(
                    matches_pb2.MatchRequest(parent=PARENT, text="电池", k=1, filter="region ="),
                    timeout=20,
                )
            with refused(grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND"):
                name = f"{PARENT}/experts/none"
                records.GetRecord(records_pb2.GetRecordRequest(name=name), timeout=20)
            with refused(grpc.StatusCode.ABORTED, "STALE_ETAG"):
                name = f"{PARENT}/experts/anode"
                request = records_pb2.DeleteRecordRequest(name=name, etag="0" * 24)
                records.DeleteRecord(request, timeout=20)

            name = f"{PARENT}/experts/anode"
            deleted = records.DeleteRecord(records_pb2.DeleteRecordRequest(name=name), timeout=20)
            check(deleted.HasField("delete_time"), "a deleted record says when")
            answer = matches.Match(question, timeout=20)
            check("anode" not in [m.id for m in answer.matches], "and is gone from the next match")
            check(
                all(m.kind == vocabulary_pb2.KIND_EXPERT for m in answer.matches),
                "a text is answered with experts",
            )
            for key in texts:
                name = f"{PARENT}/experts/{key}"
                records.EraseRecord(records_pb2.EraseRecordRequest(name=name), timeout=20)
            listed = records.ListRecords(
                records_pb2.ListRecordsRequest(parent=PARENT, show_deleted=True), timeout=20
            )
            check(len(listed.records) == 0, "nothing is left")
        examples(address)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: client.py HOST:PORT")
    main(sys.argv[1])
