"""Holds the call table, which comes as JSON on stdin, against botocore's model of the services, and prints what differs.

With a folder of answers as argument, it prints their elements as botocore parses them: a JSON object by the file's name.
"""
import datetime
import json
import pathlib
import sys

import botocore.parsers
import botocore.session

SESSION = botocore.session.get_session()
KINDS = {"string": 0, "character": 0, "integer": 1, "long": 1, "double": 1, "float": 1, "boolean": 2, "timestamp": 3, "list": 4, "structure": 5}
SERVICES = {"": "ec2", "elbv2": "elbv2", "rds": "rds", "lambda": "lambda", "ecs": "ecs", "eks": "eks"}


def members(where, shape, table):
    for m in table or []:
        name = m["CLI"]
        if name not in shape.members:
            yield f"{where}: there is no member {name}"
            continue
        member = shape.members[name]
        xml = member.serialization.get("name", name)
        if xml != m["XML"] and m["XML"]:
            yield f"{where}.{name}: it is {xml} in XML, not {m['XML']}"
        if KINDS[member.type_name] != m["Kind"]:
            yield f"{where}.{name}: it is of kind {member.type_name}"
        elif member.type_name == "list":
            if member.serialization.get("flattened"):
                yield f"{where}.{name}: the list is flattened"
            if member.member.type_name == "structure" and m["Of"]:
                yield from members(f"{where}.{name}", member.member, m["Of"])
            elif (member.member.type_name == "structure") != bool(m["Of"]):
                yield f"{where}.{name}: it is a list of {member.member.type_name}"
        elif member.type_name == "structure":
            yield from members(f"{where}.{name}", member, m["Of"])


def check(call):
    model = SESSION.get_service_model(SERVICES[call["With"]])
    op, service = model.operation_model(call["Action"]), call["Service"]
    where = call["With"] + " " + call["Action"]
    facts = {"Name": model.signing_name, "ID": str(model.service_id)}
    for name, want in facts.items():
        if service[name] != want:
            yield f"{where}: {name} is {want}, not {service[name]}"
    if model.protocol in ("ec2", "query") and service["Version"] != model.api_version:
        yield f"{where}: the version is {model.api_version}"
    if model.metadata.get("targetPrefix", "") != service["Target"] and model.protocol == "json":
        yield f"{where}: the target is {model.metadata['targetPrefix']}"
    if op.http["requestUri"].split("?")[0] != (call["Path"] or "/") or op.http["method"] != ("GET" if call["Path"] else "POST"):
        yield f"{where}: it is {op.http}"
    inputs = op.input_shape.members if op.input_shape else {}
    wire = {}
    for name, shape in inputs.items():
        sent = shape.serialization.get("name", name)
        wire[sent[:1].upper() + sent[1:] if model.protocol == "ec2" else sent] = shape
    size = wire.get(service["Size"])
    if (size is not None) != (call["Page"] > 0):
        yield f"{where}: has pages: {size is not None}"
    elif size is not None:
        limits = size.metadata
        if not limits.get("min", 0) <= call["Page"] <= limits.get("max", 1000):
            yield f"{where}: a page has {limits}"
        if service["Token"] not in wire:
            yield f"{where}: there is no parameter {service['Token']}"
        outputs = [m.serialization.get("name", n) for n, m in op.output_shape.members.items()]
        if service["Next"] not in outputs:
            yield f"{where}: there is no member {service['Next']}"
    each = call["Each"] or {"Param": ""}
    if each["Param"] and each["Param"] not in wire:
        yield f"{where}: there is no parameter {each['Param']}"
    required = {n for n in (op.input_shape.required_members if op.input_shape else [])}
    if required - {each["Param"]}:
        yield f"{where}: requires {required}"
    result = op.output_shape.members.get(call["CLI"])
    if result is None:
        yield f"{where}: there is no result {call['CLI']}"
        return
    if call["XML"] and result.serialization.get("name", call["CLI"]) != call["XML"]:
        yield f"{where}: the result is {result.serialization.get('name')}"
    element = result.member if result.type_name == "list" else result
    if element.type_name == "structure":
        yield from members(where, element, call["Members"])


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).isoformat()  # as the aws command prints times
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def answers(folder):
    """The files are called SERVICE.Action.xml, or .json; what stands behind a second dot tells pages apart."""
    parsed = {}
    for file in sorted(pathlib.Path(folder).iterdir()):
        if file.suffix not in (".xml", ".json"):
            continue
        service, action = file.name.split(".")[:2]
        model = SESSION.get_service_model(service)
        answer = {"status_code": 200, "headers": {}, "body": file.read_bytes()}
        got = botocore.parsers.create_parser(model.protocol).parse(answer, model.operation_model(action).output_shape)
        got.pop("ResponseMetadata", None)
        parsed[file.name] = plain(got)
    return parsed


if len(sys.argv) > 1:
    json.dump(answers(sys.argv[1]), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
else:
    for problem in (p for call in json.load(sys.stdin) for p in check(call)):
        print(problem)
