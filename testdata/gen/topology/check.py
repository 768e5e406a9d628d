#!/usr/bin/env python3
"""Checks what topology and bill.py have written: python3 check.py FOLDER

  the three formats are the same records, and what a record says of itself agrees
  a transfer is logged at the interfaces that it crosses and at no other, in its time, with its bytes and packets
  windows are of 60 seconds, and those of an interface do not overlap
  what is accepted and rejected is what the inventory's security groups and network ACLs say
  charges that are read off the records, in three ways, are those of the bill: by the fields of version 11, by those of
  version 5 with the inventory, and by version 2 with the inventory

Nothing of the program that writes the records is used. The points that a transfer crosses are those of bill.py.
"""
import csv
import glob
import gzip
import json
import os
import sys
from collections import Counter, defaultdict

sys.dont_write_bytecode = True  # no folder of caches beside the source

import bill as billing
from ledger import Inventory, price

EVENTS = {"bpa", "ec", "late"}
failures = Counter()


def fail(what, *where):
    failures[what] += 1
    if failures[what] <= 5:
        print("FAILED:", what, *where)


def table(folder, name):
    path = os.path.join(folder, name)
    with (gzip.open(path, "rt") if name.endswith(".gz") else open(path, encoding="utf-8")) as file:
        return list(csv.DictReader(file, delimiter="\t"))


def logs(folder, form):
    """The records of a format by VPC, in the order of their files, as {field: value} without what is missing."""
    with open(os.path.join(folder, "topology.json"), encoding="utf-8") as file:
        vpcs = json.load(file)["vpcs"]
    snapshots = [json.load(open(path, encoding="utf-8")) for path in sorted(glob.glob(os.path.join(folder, "inventory", "*.json")))]
    owner = {f["FlowLogId"]: f["ResourceId"] for s in snapshots for f in s["calls"]["DescribeFlowLogs"]["FlowLogs"]}
    records = {v["name"]: [] for v in vpcs}
    names = {v["id"]: v["name"] for v in vpcs}
    for path in glob.glob(os.path.join(folder, form, "AWSLogs/*/vpcflowlogs/*/*/*/*/*.log.gz")):
        vpc = names[owner[os.path.basename(path).split("_")[3]]]
        with gzip.open(path, "rt") as file:
            header = file.readline().split()
            for line in file:
                values = line.rstrip("\n").split(" ")
                if len(values) != len(header):
                    fail("a line has other fields than the header", path, line)
                records[vpc].append({k: v for k, v in zip(header, values) if v != "-"})
    return records


def same_records(forms):
    """The fields that formats share are equal, line by line, but for the version."""
    for vpc, newest in forms["v11"].items():
        for form in ("v2", "v5"):
            if len(forms[form][vpc]) != len(newest):
                fail("formats have different numbers of records", form, vpc)
            for line, (a, b) in enumerate(zip(forms[form][vpc], newest), 2):
                for field, value in a.items():
                    if field != "version" and b.get(field) != value:
                        fail("formats differ", form, vpc, line, field)


def itself(r, where, event):
    """What must hold of one record."""
    if int(r["start"]) > int(r["end"]) or int(r["end"]) - int(r["start"]) >= 60:
        fail("a record is longer than its window", where)
    if r["log-status"] != "OK":
        return
    if not 20 <= int(r.get("bytes", 40)) / int(r["packets"]) <= 1500:
        fail("packets of an impossible size", where, r)
    if {"bpa": "BPA", "ec": "EC"}.get(event) != r.get("reject-reason") and r["action"] == "REJECT" or r["action"] == "ACCEPT" and "reject-reason" in r:
        fail("another reason of a reject", where)
    if (r["flow-direction"] == "egress" and r["action"] == "ACCEPT") != ("traffic-path" in r):
        fail("egress has a path, ingress and rejects have none", where)
    if r["protocol"] != "6" and r["tcp-flags"] != "0" or r["protocol"] == "1" and (r["srcport"], r["dstport"]) != ("0", "0"):
        fail("flags or ports that the protocol does not have", where)


def addresses(inventory, r, where):
    """An interface logs its own address on its side, and the packet's on the other; a regional NAT gateway has none."""
    own, egress = inventory.own(r), r["flow-direction"] == "egress"
    near, far = ("src", "dst") if egress else ("dst", "src")
    if r[far + "addr"] != r["pkt-" + far + "addr"]:
        fail("the far address is not that of the packet", where, r)
    primary = own.get("PrivateIpAddress") if r["type"] == "IPv4" else None
    if r[near + "addr"] != (primary or r["pkt-" + near + "addr"]):
        fail("the near address is not that of the interface", where, r)
    if own["kind"] not in ("nat_gateway", "transit_gateway", "regional_nat_gateway") and own not in inventory.holders(own["VpcId"], r["pkt-" + near + "addr"]):
        fail("the packet's address is not one of the interface", where, r)
    if (r["type"] == "IPv6") != (":" in r["srcaddr"]):
        fail("a wrong type", where, r)
    expected = {"vpc-id": own["VpcId"], "subnet-id": own.get("SubnetId"), "az-id": own["zone"], "instance-id": own.get("Attachment", {}).get("InstanceId")}
    for field, value in expected.items():
        if r.get(field) != value:
            fail("a field differs from the inventory", where, field, r.get(field), value)


def next_hops(inventory, r, where):
    """The next hop is the interface that routes lead to, of another account its zone alone, and none outside."""
    seen = {k: r.get("next-hop-" + k) for k in ("interface-id", "subnet-id", "az-id", "vpc-id", "interface-type")}
    ways = [dict.fromkeys(seen)]
    if r["action"] == "ACCEPT":
        ways = inventory.next_hops(r)
    if seen not in ways:
        fail("another next hop than by the routes", where, r, seen, ways)


def flags(t, pieces):
    """The handshake is in the first window, the end in the last, and nothing in those between."""
    pieces.sort()
    for number, (_, (value, back)) in enumerate(pieces):
        first, last = number == 0, number == len(pieces) - 1
        wanted = 0
        if t["protocol"] == "6" and t["close"] == "refused":
            wanted = 4 if back else 2
        elif t["protocol"] == "6" and t["outcome"].endswith(":late"):
            wanted = 4
        elif t["protocol"] == "6" and t["outcome"] != "accept":
            wanted = 18 if back else 2
        elif t["protocol"] == "6":
            wanted |= (18 if back else 2) if first and t["begins"] == "true" else 0
            wanted |= 1 if last and t["close"] == "fin" else 0
            wanted |= 4 if last and t["close"] == ("rst-server" if back else "rst-client") else 0
        if value != wanted:
            fail("other TCP flags", t, pieces, wanted)


def crossing(net, t):
    """The points that a transfer crosses: (interface, direction, back) -> (packets, bytes, accepted)."""
    at = int(t["start"])
    client, client_addr = net.end(t["client"], at)
    server, server_addr = net.end(t["server"], at)
    forth, back = billing.way(net, t["client"], t["server"], client, client_addr, server, server_addr)
    points = {}
    for is_back, way, packets, size in ((False, forth, t["packets_up"], t["bytes_up"]), (True, back, t["packets_down"], t["bytes_down"])):
        for index, (node, direction, _, _, _) in enumerate(way):
            ok = billing.passed(t["outcome"], is_back, index)
            if ok is None or packets == "0":
                continue
            points[node.get("interface", node["owner"]), direction, is_back] = (int(packets), int(size), ok)
    return points


def transfers_logged(net, inventory, transfers, records, names):
    """Each transfer at each of its points, whole; each record in a transfer."""
    found = defaultdict(lambda: [0, 0, set()])
    windows, seen, phases = defaultdict(list), defaultdict(list), defaultdict(lambda: set(range(60)))
    by_id = {t["transfer"]: t for t in transfers}
    for row in names:
        where = (row["vpc"], row["line"])
        r = records[row["vpc"]][int(row["line"]) - 2]
        itself(r, where, by_id[row["transfer"]]["outcome"].rsplit(":", 1)[-1] if row["transfer"] != "-" else "")
        if r["log-status"] == "OK":
            addresses(inventory, r, where)
            next_hops(inventory, r, where)
        if row["transfer"] == "-":
            if r["log-status"] == "OK":
                fail("a record belongs to no transfer", where)
            continue
        t = by_id[row["transfer"]]
        if not int(t["start"]) <= int(r["start"]) <= int(r["end"]) <= int(t["end"]):
            fail("a record is outside its transfer's time", where, t)
        back = is_back(net, r, t)
        far, near = (r["srcport"], r["dstport"]) if back else (r["dstport"], r["srcport"])
        if r["protocol"] != t["protocol"] or far != t["server_port"] or near not in (t["client_port"], t["nat_port"]):
            fail("a record has other ports than its transfer", where, r, t)
        ends = {a for name in (t["client"], t["server"]) for a in every_address(net, name, int(t["start"]))}
        gateway = {a for e in net.nodes.values() if "nat_gateway" in e["type"] for a in [e.get("address"), *(z.split("=")[1] for z in e.get("public_by_zone", []))]}
        if not {r["pkt-srcaddr"], r["pkt-dstaddr"]} <= ends | (gateway if near == t["nat_port"] or t["protocol"] == "1" else set()):
            fail("a record has other addresses than its transfer", where, r, t)
        interface = r.get("interface-id", r.get("resource-id"))
        key = (t["transfer"], interface, r["flow-direction"], back)
        found[key][0] += int(r["packets"])
        found[key][1] += int(r.get("bytes", 0)) if "bytes" in r else int(t["bytes_up"])
        found[key][2].add(r["action"] == "ACCEPT")
        windows[key].append((int(r["start"]), int(r["end"])))
        seen[key].append((int(r["start"]), (int(r["tcp-flags"]), back)))
        phases[interface] -= {second % 60 for second in range(int(r["start"]) + 1, int(r["end"]) + 1)}
    expected = {(t["transfer"], *point): value for t in transfers for point, value in crossing(net, t).items()}
    for key in expected.keys() | found.keys():
        if key not in found:
            fail("a transfer is not logged where it crosses", key)
        elif key not in expected:
            fail("a transfer is logged where it does not cross", key)
        elif (found[key][0], found[key][1], found[key][2]) != (expected[key][0], expected[key][1], {expected[key][2]}):
            fail("a transfer is logged with other packets or bytes", key, found[key], expected[key])
    for key, spans in windows.items():
        spans.sort()
        if any(a[1] > b[0] for a, b in zip(spans, spans[1:])):
            fail("windows overlap", key, spans)
    for key, pieces in seen.items():
        flags(by_id[key[0]], pieces)
    for interface in (i for i in phases if not phases[i]):
        fail("an interface's windows do not begin at one second of the minute", interface)
    return len(found)


def every_address(net, name, at):
    node, address = net.end(name, at)
    return [address] + ([node.get(k) for k in ("public", "address") if k in node and ":" not in address] if node and address not in [p["address"] for p in net.pods.values()] else [])


def is_back(net, r, t):
    """Whether a record is of the direction from server to client."""
    if t["protocol"] != "1":
        return r["srcport"] == t["server_port"] and r["dstport"] in (t["client_port"], t["nat_port"])
    server, address = net.end(t["server"], int(t["start"]))
    return r["pkt-dstaddr"] not in {address} | ({server.get("address"), server.get("public")} if server else set())


def filtered(inventory, net, transfers, records, names, rejects):
    """Rejects are what the rules refuse, and nothing else is."""
    by_id = {t["transfer"]: t for t in transfers}
    verdicts = {(r["vpc"], r["line"]): r for r in rejects}
    for row in names:
        where = (row["vpc"], row["line"])
        r = records[row["vpc"]][int(row["line"]) - 2]
        if r["log-status"] != "OK" or "interface-id" not in r:
            continue
        t = by_id[row["transfer"]]
        event = t["outcome"].rsplit(":", 1)[-1]
        back = is_back(net, r, t)
        answers = {inventory.allows(s, r, first=not back) for s in inventory.around(r)}
        reject = r["action"] == "REJECT"
        if reject != (where in verdicts):
            fail("rejects.tsv lacks a reject, or has an accept", where)
        if event in EVENTS and reject:
            continue
        expected = "unexplained" if reject and answers == {True} else "refused" if reject else "accepted"
        if expected == "refused" and False not in answers or expected == "accepted" and True not in answers:
            fail("the rules say otherwise", where, r, answers)
        if expected == "unexplained" and verdicts[where]["verdict"] != "unexplained":
            fail("both snapshots admit a reject", where, r)
        if reject and verdicts[where]["snapshots"] == "same" and len(answers) != 1:
            fail("the snapshots around differ", where)


def charged(folder, inventory, forms):
    """Charges by the records of each format."""
    truth = defaultdict(int)
    for row in table(folder, "truth/charges.tsv"):
        truth[row["account"], row["interface"], row["direction"], row["charge"]] += int(row["bytes"])
    for form, records in forms.items():
        sums = defaultdict(int)
        for r in (r for all in records.values() for r in all):
            for charge in price(inventory, form, r):
                account, interface, direction = inventory.side(r)
                sums[account, interface, direction, charge] += int(r["bytes"])
        wanted = dict(truth)
        if form == "v2":  # that a NAT gateway's bytes go to the internet, its public side alone tells
            sums, wanted = by_charge(sums), by_charge(truth)
        for key in wanted.keys() | sums.keys():
            if wanted.get(key) != sums.get(key):
                fail(f"{form}: other bytes than in the bill", key, sums.get(key), "billed", wanted.get(key))


def transit(folder):
    """The transit gateway's own log: what comes in is what is charged, and it goes out again."""
    sums = {"ingress": Counter(), "egress": Counter()}
    for path in glob.glob(os.path.join(folder, "v6/AWSLogs/*/*/*/*/*/*/*.log.gz")):
        with gzip.open(path, "rt") as file:
            header = file.readline().split()
            for line in file:
                r = dict(zip(header, line.split()))
                sums[r["flow-direction"]][r["tgw-src-eni"]] += int(r["bytes"])
    truth = Counter()
    for row in table(folder, "truth/charges.tsv"):
        if row["charge"] == "tgw":
            truth[row["interface"]] += int(row["bytes"])
    if not sums["ingress"] == sums["egress"] == truth:
        fail("v6: other bytes than in the bill", sums, truth)


def by_charge(sides):
    total = defaultdict(int)
    for (account, _, _, charge), size in sides.items():
        total[account, charge] += size
    return dict(total)


def billed(folder):
    """The bill's own sums, and the prices of prices.yaml."""
    costs = {r["charge"]: r for r in table(folder, "truth/costs.tsv")}
    charge_of = {"NatGateway-Bytes": "nat", "DataTransfer-Regional-Bytes": "zone", "VpcPeering-In-Bytes": "zone", "VpcPeering-Out-Bytes": "zone", "DataTransfer-Out-Bytes": "internet",
                 "USE1-USW2-AWS-Out-Bytes": "region", "TransitGateway-Bytes": "tgw", "VpcEndpoint-Bytes": "endpoint", "DataXfer-Out": "dx"}
    sums = Counter()
    with open(os.path.join(folder, "bill.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = sorted({r["line_item_usage_start_date"] for r in rows})[1]
    for r in rows:
        if r["line_item_usage_start_date"] == first and r["line_item_usage_type"] in charge_of:
            sums[charge_of[r["line_item_usage_type"]]] += round(float(r["line_item_unblended_cost"]) * 1e10)
    for charge, row in costs.items():
        if charge != "total" and abs(sums[charge] - float(row["cost"]) * 1e10) > 500:
            fail("bill.csv is not costs.tsv", charge, sums[charge], row["cost"])
    with open(os.path.join(folder, "prices.yaml"), encoding="utf-8") as file:
        text = file.read()
    for charge, rate in billing.RATES.items():
        line = next(line for line in text.splitlines() if line.strip().startswith(charge + ":"))
        if f"{rate / 1e6:g}" not in line:
            fail("prices.yaml has another price", charge, line)


def zones(folder, records, names):
    """Bytes by the zones that names.tsv gives to srcaddr and dstaddr."""
    sums = defaultdict(lambda: [0, 0])
    for row in names:
        r = records[row["vpc"]][int(row["line"]) - 2]
        if r["log-status"] == "OK":
            sums[row["src_zone"], row["dst_zone"]][r["action"] == "REJECT"] += int(r.get("bytes", 0))
    truth = {(r["src_zone"], r["dst_zone"]): [int(r["accepted_bytes"]), int(r["rejected_bytes"])] for r in table(folder, "truth/zones.tsv")}
    if dict(sums) != truth:
        fail("zones.tsv is not what the records and names.tsv say", dict(sums), truth)


def main(folder):
    net = billing.Network(folder)
    transfers, names, rejects = table(folder, "transfers.tsv"), table(folder, "truth/names.tsv.gz"), table(folder, "truth/rejects.tsv")
    forms = {form: logs(folder, form) for form in ("v2", "v5", "v11")}
    inventory = Inventory(folder)
    same_records(forms)
    points = transfers_logged(net, inventory, transfers, forms["v11"], names)
    filtered(inventory, net, transfers, forms["v11"], names, rejects)
    zones(folder, forms["v11"], names)
    charged(folder, inventory, forms)
    transit(folder)
    billed(folder)
    records = sum(len(r) for r in forms["v11"].values())
    print(f"{len(transfers)} transfers, {points} points, {records} records in each format, {len(rejects)} rejects: {sum(failures.values())} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
