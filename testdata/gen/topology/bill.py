#!/usr/bin/env python3
"""Writes the bill of a network that the program topology has written: python3 bill.py FOLDER

It reads topology.json and transfers.tsv, never a record, and shares no code with the program: it has its own reading of
routes, and the rules of what AWS charges for each way, by hand. Every rule names the side that pays: an interface meters
what passes it, so a transfer has as many sides as charges.

  truth/charges.tsv    bytes and cost by interface, direction, charge and client
  truth/costs.tsv      the same by charge alone
  truth/zones.tsv      bytes of records by the zones of srcaddr and dstaddr
  bill.csv             lines as in the Cost and Usage Report
  cost-explorer.json   the same lines as `aws ce get-cost-and-usage` groups them by usage type
"""
import csv
import ipaddress
import json
import os
import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

# Millionths of a USD for 2^30 bytes, in us-east-1, in the first tier; and for an hour.
RATES = {"nat": 45000, "zone": 10000, "internet": 90000, "region": 20000, "tgw": 20000, "endpoint": 10000, "dx": 20000}
HOURS = {"nat": 45000, "endpoint": 10000, "tgw": 50000, "public-ipv4": 5000}

# Whose bytes to another zone AWS charges: at the database's, the balancer's and the gateways' own end it does not.
BILLABLE = {"instance", "lambda", "network_load_balancer", "nat_gateway"}
# With these at one end, the other end does not pay for a zone either.
FREE_PEER = {"application_load_balancer", "vpc_endpoint", "transit_gateway"}


class Network:
    def __init__(self, folder):
        with open(os.path.join(folder, "topology.json"), encoding="utf-8") as file:
            top = json.load(file)
        self.begin = top["begin"]
        self.vpcs = {v["name"]: v for v in top["vpcs"]}
        self.subnets = {s["name"]: s for s in top["subnets"]}
        self.tables = {t["name"]: t for t in top["route_tables"]}
        self.nodes = {e["name"]: e for e in top["nodes"]}
        self.pods = {p["name"]: p for p in top["pods"] or []}
        self.outside = {o["name"]: o for o in top["outside"]}
        self.places = {a["name"]: a for a in top["addresses"] or []}
        self.lists = {p["id"]: p["entries"] for p in top["prefix_lists"]}
        for node in self.nodes.values():
            node["zone"] = self.subnets[node["subnet"]]["zone"] if "subnet" in node else "-"
            node["account"] = self.vpcs[node["vpc"]]["account"]

    def end(self, name, at):
        """The interface (or None) and the address that a transfer's client or server is, at a time."""
        if name in self.outside:
            return None, self.outside[name]["address"]
        if name in self.pods:
            return self.nodes[self.pods[name]["node"]], self.pods[name]["address"]
        if name in self.places:
            place = self.places[name]
            for node in self.nodes.values():
                until = node.get("until", 0)
                if node["vpc"] == place["vpc"] and node.get("address") == place["address"] and node["attached"] <= at and (not until or at < until):
                    return node, place["address"]
            return None, place["address"]
        base, _, form = name.partition("@")
        node = self.nodes[base]
        return node, node[{"": "address", "public": "public", "6": "address6"}[form]]

    def via(self, node, address):
        """Where the route of the interface's subnet leads, or "local"."""
        ip = ipaddress.ip_address(address)
        vpc = self.vpcs[node["vpc"]]
        if any(ip in ipaddress.ip_network(vpc[k]) for k in ("cidr", "cidr6") if k in vpc):
            return "local"
        best = (-1, "")
        for route in self.tables[self.subnets[node["subnet"]]["route_table"]]["routes"]:
            for cidr in self.lists.get(route["to"], [route["to"]]):
                network = ipaddress.ip_network(cidr)
                if ip.version == network.version and ip in network:
                    best = max(best, (network.prefixlen, route["via"]))
        return best[1]

    def hub(self, vpc, zone):
        """The zone of the transit gateway's interface that traffic from a zone uses."""
        zones = [e["zone"] for e in self.nodes.values() if e["type"] == "transit_gateway" and e["vpc"] == vpc]
        zone = zone if zone in zones else zones[0]
        return next(e for e in self.nodes.values() if e["type"] == "transit_gateway" and e["vpc"] == vpc and e["zone"] == zone)


class Bill:
    def __init__(self):
        self.sides = defaultdict(int)  # (account, interface, direction, charge, usage type, operation, product, client) -> bytes
        self.zones = defaultdict(lambda: [0, 0])  # (zone, zone) -> accepted, rejected bytes


def passed(outcome, back, index):
    """Whether a direction's packets passed its point of that number: True, False, or None if they never came there."""
    if outcome == "accept":
        return True
    way, point, _ = outcome.split(":", 2)
    refused = (way == "back", int(point))
    if (back, index) == refused:
        return False
    return True if (back, index) < refused else None


def transfer(net, bill, t):
    """Adds the sides of one transfer."""
    at = int(t["start"])
    client, client_addr = net.end(t["client"], at)
    server, server_addr = net.end(t["server"], at)
    up, down, outcome = int(t["bytes_up"]), int(t["bytes_down"]), t["outcome"]
    # points, forth and back: interface, zones of srcaddr and dstaddr, charges as (charge, usage type, operation, product)
    forth, back = way(net, t["client"], t["server"], client, client_addr, server, server_addr)
    blocked = outcome.endswith(":bpa")
    for is_back, points, size in ((False, forth, up), (True, back, down)):
        for index, (node, direction, src, dst, charges) in enumerate(points):
            ok = passed(outcome, is_back, index)
            if ok is None or size == 0:
                continue
            bill.zones[src, dst][0 if ok else 1] += 0 if blocked and not ok else size
            if not ok:
                continue
            for charge, usage, operation, product in charges:
                bill.sides[node["account"], node.get("interface", node["owner"]), direction, charge, usage, operation, product, t["client"]] += size


NAT = ("nat", "NatGateway-Bytes", "NatGateway", "AmazonEC2")
TGW = ("tgw", "TransitGateway-Bytes", "TransitGatewayVPC", "AmazonVPC")
ENDPOINT = ("endpoint", "VpcEndpoint-Bytes", "VpcEndpoint", "AmazonVPC")
DX = ("dx", "DataXfer-Out", "", "AWSDirectConnect")


def to_internet(net, name, node):
    """What a byte costs that goes out to an address outside, beside what the gateway on its way costs."""
    outside = net.outside[name]
    service, region = outside.get("service"), outside.get("region")
    if service and region not in ("us-east-1", "GLOBAL"):
        return [("region", "USE1-USW2-AWS-Out-Bytes", "", "AmazonEC2")]
    if service:
        return []
    if node["type"] == "application_load_balancer":
        return [("internet", "DataTransfer-Out-Bytes", "LoadBalancing", "AWSELB")]
    return [("internet", "DataTransfer-Out-Bytes", "RunInstances", "AmazonEC2")]


def zone_sides(one, other, peering=False):
    """The charges for what leaves and what enters one, if the other is in another zone."""
    if one["zone"] == other["zone"] or one["type"] not in BILLABLE or one["type"] in FREE_PEER or other["type"] in FREE_PEER:
        return [], []
    if peering:
        return [("zone", "VpcPeering-Out-Bytes", "VPCPeering-Out", "AmazonVPC")], [("zone", "VpcPeering-In-Bytes", "VPCPeering-In", "AmazonVPC")]
    return [("zone", "DataTransfer-Regional-Bytes", "InterZone-Out", "AmazonEC2")], [("zone", "DataTransfer-Regional-Bytes", "InterZone-In", "AmazonEC2")]


def two(client, server, peering=False):
    """A way that client and server alone log."""
    c, s = client["zone"], server["zone"]
    client_out, client_in = zone_sides(client, server, peering)
    server_out, server_in = zone_sides(server, client, peering)
    if server["type"] == "vpc_endpoint":
        server_out, server_in = [ENDPOINT], [ENDPOINT]
    return ([(client, "egress", c, s, client_out), (server, "ingress", c, s, server_in)],
            [(server, "egress", s, c, server_out), (client, "ingress", s, c, client_in)])


def one(client, charges):
    """A way that the client alone logs."""
    return [(client, "egress", client["zone"], "-", charges)], [(client, "ingress", "-", client["zone"], [])]


def way(net, client_name, server_name, client, client_addr, server, server_addr):
    if client is None:  # from the internet: what goes back to it costs
        zone = server["zone"]
        return [(server, "ingress", "-", zone, [])], [(server, "egress", zone, "-", to_internet(net, client_name, server))]
    via = net.via(client, server_addr)
    if via == "local":
        if server is None:  # nobody has the address: the packets go nowhere
            return one(client, [])
        return two(client, server)
    kind = via.split("-")[0]
    if kind == "igw" and server is None:
        return one(client, to_internet(net, server_name, client))
    if kind == "igw":  # both are called by public addresses: the regional rate on both sides, in one zone too
        leave = [("zone", "DataTransfer-Regional-Bytes", "PublicIP-Out", "AmazonEC2")]
        enter = [("zone", "DataTransfer-Regional-Bytes", "PublicIP-In", "AmazonEC2")]
        c, s = client["zone"], server["zone"]
        return ([(client, "egress", c, s, leave), (server, "ingress", c, s, enter)],
                [(server, "egress", s, c, leave), (client, "ingress", s, c, enter)])
    if kind == "nat":
        nat = next(e for e in net.nodes.values() if e["owner"] == via)
        c, g = client["zone"], nat["zone"]
        out = to_internet(net, server_name, nat)
        if nat["type"] == "regional_nat_gateway":  # it is in every zone, and its addresses are those of the packets
            return ([(client, "egress", c, "-", []), (nat, "ingress", c, "-", [NAT] + out), (nat, "egress", "-", "-", [])],
                    [(nat, "ingress", "-", "-", []), (nat, "egress", "-", c, [NAT]), (client, "ingress", "-", c, [])])
        client_out, client_in = zone_sides(client, nat)
        nat_out, nat_in = zone_sides(nat, client)
        return ([(client, "egress", c, "-", client_out), (nat, "ingress", c, g, [NAT] + nat_in + out), (nat, "egress", g, "-", [])],
                [(nat, "ingress", "-", g, []), (nat, "egress", g, c, [NAT] + nat_out), (client, "ingress", "-", c, client_in)])
    if kind == "tgw":
        def leg(a, b):
            enter = net.hub(a["vpc"], a["zone"])
            leave = net.hub(b["vpc"], enter["zone"])
            x, y = a["zone"], b["zone"]
            return [(a, "egress", x, y, []), (enter, "ingress", x, enter["zone"], [TGW]), (leave, "egress", leave["zone"], y, []), (b, "ingress", x, y, [])]
        return leg(client, server), leg(server, client)
    if kind == "pcx" and server is not None:
        return two(client, server, True)
    if kind == "pcx":
        return one(client, [("region", "USE1-USW2-AWS-Out-Bytes", "VPCPeering-Out", "AmazonEC2")])
    if kind == "vgw":
        return one(client, [DX])
    if kind == "vpce":
        return one(client, [])
    raise ValueError(f"no way from {client_name} to {server_name}")


def decimal(value, digits):
    """A fraction as a decimal number, rounded half to even."""
    with localcontext() as context:
        context.prec = 60
        context.rounding = ROUND_HALF_EVEN
        number = Decimal(value.numerator) / Decimal(value.denominator)
        return format(number.quantize(Decimal(1).scaleb(-digits)), "f")


def gigabytes(size):
    return Fraction(size, 2**30)


def cost(charge, size):
    return gigabytes(size) * Fraction(RATES[charge], 10**6)


def write(folder, name, header, rows):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter="\t" if name.endswith(".tsv") else ",", lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def truth(folder, bill):
    rows, totals, clients = [], defaultdict(int), defaultdict(int)
    for (account, interface, direction, charge, usage, operation, _, client), size in bill.sides.items():
        totals[charge] += size
        clients[account, interface, direction, charge, operation or "-", client] += size
    for key in sorted(clients):
        rows.append((*key, clients[key], decimal(cost(key[3], clients[key]), 9)))
    write(folder, "truth/charges.tsv", ("account", "interface", "direction", "charge", "operation", "client", "bytes", "cost"), rows)
    rows = [(charge, totals[charge], decimal(gigabytes(totals[charge]), 6), decimal(Fraction(RATES[charge], 10**6), 3), decimal(cost(charge, totals[charge]), 9)) for charge in RATES]
    rows.append(("total", "", "", "", decimal(sum(cost(charge, totals[charge]) for charge in RATES), 9)))
    write(folder, "truth/costs.tsv", ("charge", "bytes", "gb", "rate", "cost"), [[v or "-" for v in row] for row in rows])
    write(folder, "truth/zones.tsv", ("src_zone", "dst_zone", "accepted_bytes", "rejected_bytes"), [(*key, *bill.zones[key]) for key in sorted(bill.zones)])


def hours(net):
    """What costs by the hour: account, product, usage type, operation, resource, rate."""
    for node in net.nodes.values():
        account = node["account"]
        if node["type"] in ("nat_gateway", "regional_nat_gateway"):
            for _ in node.get("public_by_zone", [0]):
                yield account, "AmazonEC2", "NatGateway-Hours", "NatGateway", node["owner"], HOURS["nat"]
        if node["type"] == "vpc_endpoint":
            yield account, "AmazonVPC", "VpcEndpoint-Hours", "VpcEndpoint", node["owner"], HOURS["endpoint"]
        if "public" in node:
            yield account, "AmazonVPC", "PublicIPv4:InUseAddress", "", node.get("interface", ""), HOURS["public-ipv4"]
    for owner, account in sorted({(e["owner"], e["account"]) for e in net.nodes.values() if e["type"] == "transit_gateway"}):
        yield account, "AmazonVPC", "TransitGateway-Hours", "TransitGatewayVPC", owner, HOURS["tgw"]


def lines(net, bill):
    """The day's lines: account, product, usage type, operation, resource -> quantity, cost."""
    owners = {e.get("interface", e["owner"]): e for e in net.nodes.values()}
    quantity, money = defaultdict(Fraction), defaultdict(Fraction)
    for (account, interface, _, charge, usage, operation, product, _), size in bill.sides.items():
        key = (account, product, usage, operation, owners[interface]["owner"] if product != "AWSDirectConnect" else "")
        quantity[key] += gigabytes(size)
        money[key] += cost(charge, size)
    for *key, rate in hours(net):
        quantity[tuple(key)] += 24
        money[tuple(key)] += Fraction(24 * rate, 10**6)
    return quantity, money


def free_lines(net, transfers, quantity, money):
    """Lines of no cost that a bill has beside: what comes in, and the database's own end."""
    for t in transfers:
        client, _ = net.end(t["client"], int(t["start"]))
        server, _ = net.end(t["server"], int(t["start"]))
        if t["outcome"] != "accept":
            continue
        if server is not None and server["type"] == "rds" and client["zone"] != server["zone"] and client["vpc"] == server["vpc"]:
            for usage, size in (("DataTransfer-xAZ-In-Bytes", t["bytes_up"]), ("DataTransfer-xAZ-Out-Bytes", t["bytes_down"])):
                key = (server["account"], "AmazonRDS", usage, "", server["owner"])
                quantity[key] += gigabytes(int(size))
                money[key] += 0
        if client is None and server["type"] == "instance":
            key = (server["account"], "AmazonEC2", "DataTransfer-In-Bytes", "RunInstances", server["owner"])
            quantity[key] += gigabytes(int(t["bytes_up"]))
            money[key] += 0


def bill_files(folder, net, quantity, money):
    day = datetime.fromtimestamp(net.begin, timezone.utc)
    # the days before and after, which no log covers, and a machine, which is no traffic
    other = {(list(quantity)[0][0], "AmazonEC2", "BoxUsage:m7g.large", "RunInstances", "i-0b111111111111111"): (Fraction(24), Fraction(24 * 81600, 10**6))}
    days = []
    for shift in (-1, 0, 1):
        rows = dict(other)
        for key in quantity:
            factor = Fraction(1) if shift == 0 or not key[2].endswith(("-Bytes", "-Out")) else Fraction(10 + 3 * shift, 10)
            rows[key] = (quantity[key] * factor, money[key] * factor)
        days.append((day + timedelta(days=shift), rows))
    header = ("identity_line_item_id", "bill_billing_period_start_date", "line_item_line_item_type", "line_item_usage_account_id", "line_item_usage_start_date", "line_item_usage_end_date",
              "line_item_product_code", "line_item_usage_type", "line_item_operation", "line_item_resource_id", "line_item_usage_amount", "line_item_currency_code",
              "line_item_unblended_cost", "product_region_code", "pricing_unit")
    rows = []
    for start, items in days:
        for key in sorted(items):
            account, product, usage, operation, resource = key
            amount, paid = items[key]
            unit = "Hrs" if "Hours" in usage or usage.startswith(("BoxUsage", "PublicIPv4")) else "GB"
            resource = f"arn:aws:ec2:us-east-1:{account}:natgateway/{resource}" if resource.startswith("nat-") else resource
            rows.append((f"line{len(rows) + 1:04d}", f"{day:%Y-%m}-01T00:00:00Z", "Usage", account, f"{start:%Y-%m-%dT00:00:00Z}", f"{start + timedelta(days=1):%Y-%m-%dT00:00:00Z}",
                         product, usage, operation, resource, decimal(amount, 10), "USD", decimal(paid, 10), "us-east-1", unit))
    write(folder, "bill.csv", header, rows)
    results = []
    for start, items in days:
        usages = defaultdict(lambda: [Fraction(0), Fraction(0)])
        for key, (amount, paid) in items.items():
            usages[key[2]][0] += amount
            usages[key[2]][1] += paid
        results.append({"TimePeriod": {"Start": f"{start:%Y-%m-%d}", "End": f"{start + timedelta(days=1):%Y-%m-%d}"}, "Total": {}, "Groups": [
            {"Keys": [usage], "Metrics": {"UnblendedCost": {"Amount": decimal(paid, 10), "Unit": "USD"}, "UsageQuantity": {"Amount": decimal(amount, 10), "Unit": "N/A"}}}
            for usage, (amount, paid) in sorted(usages.items())], "Estimated": False})
    with open(os.path.join(folder, "cost-explorer.json"), "w", encoding="utf-8") as file:
        json.dump({"GroupDefinitions": [{"Type": "DIMENSION", "Key": "USAGE_TYPE"}], "ResultsByTime": results, "DimensionValueAttributes": []}, file, indent=1)
        file.write("\n")


def main(folder):
    net, bill = Network(folder), Bill()
    with open(os.path.join(folder, "transfers.tsv"), encoding="utf-8", newline="") as file:
        transfers = list(csv.DictReader(file, delimiter="\t"))
    for t in transfers:
        transfer(net, bill, t)
    truth(folder, bill)
    quantity, money = lines(net, bill)
    free_lines(net, transfers, quantity, money)
    bill_files(folder, net, quantity, money)


if __name__ == "__main__":
    main(sys.argv[1])
