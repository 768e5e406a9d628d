package price

import "strings"

// The tests of the table of charges: each says whether a record pays its charge.

func natTest(f *facts) verdict {
	switch {
	case f.Rejected || f.Transit:
		return no
	case f.rules.At == AtClients:
		return f.viaNAT()
	case f.nat != notNAT:
		return when(f.nat == clientSide, yes)
	case f.own != "":
		return no
	case !f.packets():
		return maybe
	case !f.translated():
		return no
	case f.src == outside || f.dst == outside:
		return assumed // an interface of no instance that passes packets of the internet on
	}
	return maybe // a private NAT gateway, or an interface with several addresses
}

func zoneTest(f *facts) verdict {
	if f.Rejected || f.Transit || f.rules.Sides[f.own] != BothSides || f.rules.Sides[f.met()] == NoSide {
		return no
	}
	if v := f.publicly(); v != no {
		return v
	}
	switch f.Path {
	case 0, 1, 4:
	case 6:
		return maybe
	default:
		return no
	}
	zone := f.Next.Zone
	if zone == "" {
		zone = f.Peer.Zone
	}
	switch {
	case f.Own.Zone == "" || zone == "":
		return f.crosses()
	case f.Own.Zone == zone:
		return no
	case f.own == "":
		return assumed // an endpoint or a database would not pay
	}
	return yes
}

// met returns the type of what the interface exchanged the traffic with, "" if it is not known.
func (f *facts) met() string {
	if f.Next.Type != "" {
		return f.Next.Type
	}
	return f.Peer.Type
}

// publicly is whether the record is of traffic between public addresses of instances of one region, which pays as if it
// crossed zones.
func (f *facts) publicly() verdict {
	if f.aws.Service != "EC2" {
		return no
	}
	v := f.arrives()
	if f.out {
		v = f.leaves()
	}
	switch f.destination() {
	case atHome:
		return v
	case atAWS:
		if v != no {
			return maybe
		}
	}
	return no
}

// crosses is zoneTest where a zone is not known.
func (f *facts) crosses() verdict {
	passed := isNAT(f.own) && f.nat == clientSide // the zone is that of the client, not of the far end
	switch {
	case f.own == "regional_nat_gateway", f.Next.Type == "regional_nat_gateway":
		return no // it is in the zone of each client
	case f.NextKnown && f.Next == End{}:
		return when(f.Path != 0, maybe)
	case passed:
		return maybe
	case f.at == outside && f.viaNAT() == no:
		return no
	}
	return maybe
}

func internetTest(f *facts) verdict {
	v := f.leaves()
	switch f.destination() {
	case atInternet:
		return v
	case atGuess:
		if v == yes {
			return assumed
		}
		return v
	}
	return no
}

func regionTest(f *facts) verdict {
	switch {
	case f.Rejected || f.Transit:
		return no
	case f.Path == 5:
		return yes
	case f.at == inside:
		return f.toPrivateRegion()
	}
	v := f.leaves()
	switch d := f.destination(); {
	case d == atRegion:
		return v
	case d == atAWS && v != no:
		return maybe
	}
	return no
}

// toPrivateRegion is regionTest for private addresses.
func (f *facts) toPrivateRegion() verdict {
	switch {
	case f.flow() == Ingress, f.nat != notNAT, f.Path != 0 && f.Path != 1:
		return no
	case f.Peer.Region != "" && f.Own.Region != "":
		return when(f.Peer.Region != f.Own.Region && f.flow() == Egress, yes)
	case f.Peer.Type != "", f.Peer.Zone != "", f.Path == 1, f.Route == "local", f.NextKnown && f.Next != End{}:
		return no
	}
	return maybe
}

func tgwTest(f *facts) verdict {
	switch {
	case f.Rejected, !f.Transit && f.rules.At == AtGateways, f.Transit && f.rules.At == AtClients:
		return no
	case f.Transit:
		return f.attached()
	case f.nat != notNAT, f.flow() == Ingress, f.own != "" && !ofInstance(f.own):
		return no
	case f.Next.Type == "transit_gateway", strings.HasPrefix(f.Route, "tgw-"):
		if f.flow() == NoDirection {
			return maybe
		}
		return yes
	case f.NextKnown, f.Route != "", f.Path > 1, f.Peer.Type != "", f.at != inside:
		return no
	}
	return maybe
}

// attached is tgwTest of a record of a transit gateway.
func (f *facts) attached() verdict {
	switch f.Attachment {
	case "vpc", "vpn", "direct-connect-gateway":
		if f.Flow == NoDirection {
			return maybe
		}
		return when(f.Flow == Ingress, yes)
	case "":
		return when(f.Flow != Egress, maybe)
	}
	return no
}

func endpointTest(f *facts) verdict { return f.passes("vpc_endpoint", false) }

func gwlbTest(f *facts) verdict {
	return f.passes("gateway_load_balancer_endpoint", strings.HasPrefix(f.Route, "vpce-"))
}

// passes is whether the record pays for an endpoint of a kind; routed says that the route leads to one.
func (f *facts) passes(kind string, routed bool) verdict {
	switch {
	case f.Rejected || f.Transit:
		return no
	case f.rules.At == AtGateways && f.own != "":
		return when(f.own == kind, yes)
	case f.rules.At == AtClients && f.own != "" && !ofInstance(f.own):
		return no
	case f.rules.At == AtClients && (f.met() == kind || routed):
		return yes
	case f.at == outside, f.rules.At == AtClients && (f.NextKnown || f.Route != "" && f.Route != "local" || f.met() != "" || f.Path > 1):
		return no
	}
	return maybe
}

// ofInstance reports whether a type of interface is that of no gateway or endpoint.
func ofInstance(kind string) bool {
	switch kind {
	case "vpc_endpoint", "gateway_load_balancer_endpoint", "transit_gateway":
		return false
	}
	return !isNAT(kind)
}

func dxTest(f *facts) verdict { return f.private(DX) }

func vpnTest(f *facts) verdict { return f.private(VPN) }

// private is whether the record pays for egress by a virtual private gateway, which leads to what c says.
func (f *facts) private(c Charge) verdict {
	var v verdict
	switch {
	case f.Rejected, f.Transit, f.flow() == Ingress, f.nat != notNAT, f.rules.Private != Unknown && f.rules.Private != c:
		return no
	case f.Path == 3, f.Path == 0 && strings.HasPrefix(f.Route, "vgw-"):
		v = yes
	case f.Path != 0, f.Route != "", f.at == outside, f.Peer.Type != "", f.NextKnown && f.Next != End{}:
		return no
	default:
		return maybe
	}
	if f.rules.Private == Unknown || f.flow() == NoDirection {
		v = maybe
	}
	return v
}
