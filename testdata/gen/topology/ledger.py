"""What the inventory says, and what a record costs by it: the second reading of the bill, from records.

Ways of reading, of which none sees the transfers:

  v11   flow direction, path, next hop and interface type of the record; the inventory only for what an interface
        is, and for public addresses
  v5    flow direction and path of the record; next hops by route tables, zones by addresses
  v2    all of it by the inventory
"""
import glob
import ipaddress
import json
import os
from functools import lru_cache

BILLABLE = {"instance", "lambda", "network_load_balancer", "nat_gateway"}
FREE = {"application_load_balancer", "vpc_endpoint", "transit_gateway"}


def kind(eni):
    """What an interface belongs to."""
    if eni.get("Attachment", {}).get("InstanceId"):
        return "instance"
    if eni["InterfaceType"] != "interface":
        return eni["InterfaceType"]
    if eni["Description"].startswith("ELB app/"):
        return "application_load_balancer"
    if eni["Description"] == "RDSNetworkInterface":
        return "rds"
    raise ValueError(f"what is {eni}?")


class Inventory:
    def __init__(self, folder):
        self.snapshots = [json.load(open(path, encoding="utf-8")) for path in sorted(glob.glob(os.path.join(folder, "inventory", "*.json")))]
        for s in self.snapshots:
            s["at"] = self.seconds(s["time"])
        every = lambda call, member: [x for s in self.snapshots for x in s["calls"][call][member]]
        self.enis = {e["NetworkInterfaceId"]: e for e in every("DescribeNetworkInterfaces", "NetworkInterfaces")}
        self.subnets = {s["SubnetId"]: s for s in every("DescribeSubnets", "Subnets")}
        self.vpcs = {v["VpcId"]: v for v in every("DescribeVpcs", "Vpcs")}
        self.nats = {n["NatGatewayId"]: n for n in every("DescribeNatGateways", "NatGateways")}
        self.tables = {a["SubnetId"]: t for t in every("DescribeRouteTables", "RouteTables") for a in t["Associations"]}
        self.peerings = {p["VpcPeeringConnectionId"]: p for p in every("DescribeVpcPeeringConnections", "VpcPeeringConnections")}
        self.groups = {s["time"] + g["GroupId"]: g for s in self.snapshots for g in s["calls"]["DescribeSecurityGroups"]["SecurityGroups"]}
        self.acls = {a["SubnetId"]: acl for acl in every("DescribeNetworkAcls", "NetworkAcls") for a in acl["Associations"]}
        entries = every("GetManagedPrefixListEntries", "Entries")
        self.lists = {e["PrefixListId"]: [x["Cidr"] for x in entries if x["PrefixListId"] == e["PrefixListId"]] for e in entries}
        with open(os.path.join(folder, "ip-ranges.json"), encoding="utf-8") as file:
            self.ranges = [p for p in json.load(file)["prefixes"] if p["service"] != "AMAZON"]
        self.private, self.public, self.prefixes = {}, {}, []
        for eni in self.enis.values():
            eni["kind"] = kind(eni)
            eni["zone"] = eni["AvailabilityZoneId"]
            for a in [x["PrivateIpAddress"] for x in eni["PrivateIpAddresses"]] + [x["Ipv6Address"] for x in eni["Ipv6Addresses"]]:
                self.private[eni["VpcId"], a] = eni
            if "Association" in eni:
                self.public[eni["Association"]["PublicIp"]] = eni
            self.prefixes += [(eni["VpcId"], ipaddress.ip_network(p["Ipv4Prefix"]), eni) for p in eni.get("Ipv4Prefixes", [])]

    @staticmethod
    def seconds(text):
        from datetime import datetime
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())

    def own(self, r):
        """The interface of a record; of a regional NAT gateway a stand-in, which in versions before 9 is the one of the
        record's VPC, or the account's only one."""
        if "interface-id" in r:
            return self.enis[r["interface-id"]]
        regional = [n for n in self.nats.values() if n["AvailabilityMode"] == "regional"]
        if "resource-id" in r:
            regional = [n for n in regional if n["NatGatewayId"] == r["resource-id"]]
        elif "vpc-id" in r:
            regional = [n for n in regional if n["VpcId"] == r["vpc-id"]]
        else:  # the gateway that has one of the addresses, or whose VPC has
            ends = (r["srcaddr"], r["dstaddr"])
            regional = [n for n in regional if any(a["PublicIp"] in ends for a in n["NatGatewayAddresses"]) or any(self.holder(n["VpcId"], a) for a in ends)]
        nat = regional[0]
        return {"kind": "regional_nat_gateway", "zone": None, "VpcId": nat["VpcId"], "id": nat["NatGatewayId"], "OwnerId": self.vpcs[nat["VpcId"]]["OwnerId"],
                "addresses": {a["PublicIp"] for a in nat["NatGatewayAddresses"]}}

    def side(self, r):
        own = self.own(r)
        return own["OwnerId"], own.get("NetworkInterfaceId", own.get("id")), direction(self, own, r)

    def holder(self, vpc, address):
        eni = self.private.get((vpc, address))
        if eni is None:
            ip = ipaddress.ip_address(address)
            eni = next((e for v, p, e in self.prefixes if v == vpc and p.version == ip.version and ip in p), None)
        return eni

    def holders(self, vpc, address):
        """Every interface that has an address of a VPC at some time."""
        ip = ipaddress.ip_address(address)
        own = [e for e in self.enis.values() if e["VpcId"] == vpc and (e["PrivateIpAddress"] == address or address in [x["Ipv6Address"] for x in e["Ipv6Addresses"]])]
        return own + [e for v, p, e in self.prefixes if v == vpc and p.version == ip.version and ip in p]

    def next_hops(self, r):
        """What the next-hop fields of a record can be, by routes; more than one for an address with several owners."""
        own, egress = self.own(r), r["flow-direction"] == "egress"
        peer = r["pkt-dstaddr"] if egress else r["pkt-srcaddr"]
        none = {"interface-id": None, "subnet-id": None, "az-id": None, "vpc-id": None, "interface-type": None}

        def hop(eni):
            shown = eni["kind"] if eni["kind"] in ("nat_gateway", "network_load_balancer", "transit_gateway", "vpc_endpoint") else None
            return {"interface-id": eni["NetworkInterfaceId"], "subnet-id": eni["SubnetId"], "az-id": eni["zone"], "vpc-id": eni["VpcId"], "interface-type": shown}

        local = any(ipaddress.ip_address(peer) in ipaddress.ip_network(c) for c in self.networks(own["VpcId"]) if (":" in c) == (":" in peer))
        if own["kind"] == "transit_gateway" or "nat_gateway" in own["kind"] or local:
            # the gateway's other side has no interface to tell: the internet, or the transit gateway itself
            found = [hop(e) for e in self.holders(own["VpcId"], peer)]
            return found if len(found) == 1 else found + [none]  # between two owners an address has none
        via = self.target(own["SubnetId"], peer)
        if via.startswith("nat-"):
            return [hop(e) for e in self.enis.values() if e["Description"].endswith(via)] or [none | {"interface-type": "regional_nat_gateway"}]
        hubs = [e for e in self.enis.values() if e["kind"] == "transit_gateway" and e["VpcId"] == own["VpcId"]]
        if via.startswith("tgw-") and egress:
            return [hop(e) for e in hubs if e["zone"] == own["zone"]]
        if via.startswith("tgw-"):  # it came by the interface of the zone that it was sent from, which both VPCs must have
            zones = {e["zone"] for v in self.vpcs for e in self.holders(v, peer)}
            return [hop(e) for e in hubs if e["zone"] in zones] or [hop(hubs[0])]
        if via.startswith("pcx-"):
            p = self.peerings[via]
            other = next(v for v in (p["RequesterVpcInfo"], p["AccepterVpcInfo"]) if v["VpcId"] != own["VpcId"])
            found = self.holders(other["VpcId"], peer)
            same = other["OwnerId"] == own["OwnerId"]
            return [hop(e) if same else none | {"az-id": e["zone"]} for e in found] or [none]
        return [none]

    def networks(self, vpc):
        v = self.vpcs[vpc]
        return [v["CidrBlock"]] + [x["Ipv6CidrBlock"] for x in v.get("Ipv6CidrBlockAssociationSet", [])]

    @lru_cache(maxsize=None)
    def target(self, subnet, address):
        """Where a subnet's route to an address leads."""
        ip, best = ipaddress.ip_address(address), (-1, "")
        for route in self.tables[subnet]["Routes"]:
            to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock") or route.get("DestinationPrefixListId")
            via = route.get("GatewayId") or route.get("NatGatewayId") or route.get("TransitGatewayId") or route.get("VpcPeeringConnectionId")
            for cidr in self.lists.get(to, [to]):
                network = ipaddress.ip_network(cidr)
                if network.version == ip.version and ip in network:
                    best = max(best, (network.prefixlen, via))
        return best[1]

    def service(self, address):
        ip = ipaddress.ip_address(address)
        return next((p for p in self.ranges if ip in ipaddress.ip_network(p["ip_prefix"])), None)

    def around(self, r):
        """The snapshots of the record's account before and after it; the nearest if there is only one."""
        account = self.own(r)["OwnerId"]
        ours = [s for s in self.snapshots if s["account"] == account]
        before = [s for s in ours if s["at"] <= int(r["start"])]
        after = [s for s in ours if s["at"] > int(r["start"])]
        return before[-1:] + after[:1]

    def allows(self, snapshot, r, first):
        """Whether a snapshot's rules admit a record."""
        own = self.own(r)
        egress = r["flow-direction"] == "egress"
        peer = r["pkt-dstaddr"] if egress else r["pkt-srcaddr"]
        protocol, port = int(r["protocol"]), int(r["dstport"])
        next_hop = r.get("next-hop-subnet-id")
        if next_hop is None and self.target(own["SubnetId"], peer) == "local":
            holder = self.holder(own["VpcId"], peer)
            next_hop = holder and holder["SubnetId"]
        if next_hop != own["SubnetId"] and not self.acl_allows(self.acls[own["SubnetId"]], egress, peer, protocol, port):
            return False
        if not first or not own["Groups"]:
            return True
        return any(self.group_allows(snapshot, g["GroupId"], own, egress, peer, protocol, port) for g in own["Groups"])

    @staticmethod
    def acl_allows(acl, egress, peer, protocol, port):
        ip = ipaddress.ip_address(peer)
        for e in sorted(acl["Entries"], key=lambda e: e["RuleNumber"]):
            network = ipaddress.ip_network(e.get("CidrBlock") or e["Ipv6CidrBlock"])
            if e["Egress"] != egress or e["Protocol"] not in ("-1", str(protocol)) or network.version != ip.version or ip not in network:
                continue
            if "PortRange" not in e or e["PortRange"]["From"] <= port <= e["PortRange"]["To"]:
                return e["RuleAction"] == "allow"
        return False

    def group_allows(self, snapshot, group, own, egress, peer, protocol, port):
        ip = ipaddress.ip_address(peer)
        for rule in self.groups[snapshot["time"] + group]["IpPermissionsEgress" if egress else "IpPermissions"]:
            names = {"tcp": 6, "udp": 17, "icmp": 1}
            if rule["IpProtocol"] != "-1" and names[rule["IpProtocol"]] != protocol:
                continue
            if rule["IpProtocol"] in ("tcp", "udp") and not rule["FromPort"] <= port <= rule["ToPort"]:
                continue
            cidrs = [x["CidrIp"] for x in rule["IpRanges"]] + [x["CidrIpv6"] for x in rule["Ipv6Ranges"]] + [c for x in rule["PrefixListIds"] for c in self.lists[x["PrefixListId"]]]
            if any(ip in ipaddress.ip_network(c) for c in cidrs if ipaddress.ip_network(c).version == ip.version):
                return True
            holder = self.holder(own["VpcId"], peer)
            if holder and any(x["GroupId"] in [g["GroupId"] for g in holder["Groups"]] for x in rule["UserIdGroupPairs"]):
                return True
        return False


def direction(inventory, own, r):
    """flow_direction, or by the inventory: the end that is an address of the record's interface."""
    if "flow-direction" in r:
        return r["flow-direction"]
    if own["kind"] == "regional_nat_gateway":
        client_sends = inventory.holder(own["VpcId"], r["srcaddr"]) is not None
        return "ingress" if client_sends or r["dstaddr"] in own["addresses"] else "egress"
    return "egress" if inventory.private.get((own["VpcId"], r["srcaddr"])) is own or r["srcaddr"] == own["PrivateIpAddress"] else "ingress"


def price(inventory, form, r):
    """The charges of a record."""
    if r["log-status"] != "OK" or r["action"] != "ACCEPT" or "bytes" not in r:
        return []
    own = inventory.own(r)
    egress = direction(inventory, own, r) == "egress"
    peer = r["dstaddr"] if egress else r["srcaddr"]
    if own["kind"] == "vpc_endpoint":
        return ["endpoint"]
    if own["kind"] == "transit_gateway":
        return [] if egress else ["tgw"]
    if own["kind"] == "regional_nat_gateway":
        if inventory.holder(own["VpcId"], peer) is None:
            return []
        return ["nat"] if egress else ["nat"] + outwards(inventory, r["dstaddr"])
    if own["kind"] == "nat_gateway":
        client = inventory.holder(own["VpcId"], peer)
        if client is None:  # the public side
            return outwards(inventory, peer) if form == "v2" and egress else []
        charges = ["nat"] + zone(own, own["zone"] != (r["next-hop-az-id"] if form == "v11" else client["zone"]), client["kind"])
        if not egress and form != "v2":
            charges += outwards(inventory, r["pkt-dstaddr"])
        return charges
    if form == "v11":
        return by_next_hop(inventory, own, egress, peer, r)
    if form == "v5" and egress:
        return by_path(inventory, own, peer, int(r["traffic-path"]))
    return by_route(inventory, own, egress, peer)


def outwards(inventory, address):
    """What a byte costs that leaves through an internet gateway."""
    if address in inventory.public:
        return ["zone"]
    service = inventory.service(address)
    if service is None:
        return ["internet"]
    return [] if service["region"] in ("us-east-1", "GLOBAL") else ["region"]


def zone(own, crosses, peer_kind):
    return ["zone"] if crosses and own["kind"] in BILLABLE and peer_kind not in FREE else []


def by_next_hop(inventory, own, egress, peer, r):
    path = int(r.get("traffic-path", 0))
    if egress and path in (2, 8):
        return outwards(inventory, peer)  # 2 may be a gateway endpoint, whose services are free either way
    if path in (3, 5, 7):
        return {3: ["dx"], 5: ["region"], 7: []}[path]
    if not egress and peer in inventory.public:
        return ["zone"]
    next_kind = r.get("next-hop-interface-type")
    if next_kind is None and r.get("next-hop-interface-id") in inventory.enis:
        next_kind = inventory.enis[r["next-hop-interface-id"]]["kind"]
    return zone(own, r.get("next-hop-az-id", own["zone"]) != own["zone"], next_kind)


def by_path(inventory, own, peer, path):
    if path in (2, 8):
        return outwards(inventory, peer)
    if path in (3, 5, 7):
        return {3: ["dx"], 5: ["region"], 7: []}[path]
    return by_route(inventory, own, True, peer)


def by_route(inventory, own, egress, peer):
    via = inventory.target(own["SubnetId"], peer)
    gateway = via.split("-")[0]
    if via == "local":
        holder = inventory.holder(own["VpcId"], peer)
        return zone(own, holder["zone"] != own["zone"], holder["kind"]) if holder else []
    if gateway == "igw":
        if egress:
            return outwards(inventory, peer)
        return ["zone"] if peer in inventory.public else []
    if gateway == "nat":
        nat = next((e for e in inventory.enis.values() if e["Description"].endswith(via)), None)
        return zone(own, nat["zone"] != own["zone"], "nat_gateway") if nat else []
    if gateway == "pcx":
        p = inventory.peerings[via]
        other = next(v for v in (p["RequesterVpcInfo"], p["AccepterVpcInfo"]) if v["VpcId"] != own["VpcId"])
        if other["Region"] != "us-east-1":
            return ["region"] if egress else []
        holder = inventory.holder(other["VpcId"], peer)
        return zone(own, holder["zone"] != own["zone"], holder["kind"]) if holder else []
    return ["dx"] if gateway == "vgw" and egress else []
