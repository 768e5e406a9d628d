package price

import (
	"slices"
	"strings"
)

// charges is THE table of what AWS bills, a row a charge.
var charges = [...]struct {
	name string
	// pays says which records pay, for people. The test for that is verdict.
	pays string
	test func(*facts) verdict
	// usage are the usage types of a bill without the prefix of the region; those of codes have the destination's in front,
	// if it is another region. The first is that of price lists.
	usage []string
	// key is the charge whose prices hold, if there are none of its own.
	key Charge
}{
	NAT: {
		"nat", "records of a NAT gateway on the side of its clients, both directions", natTest,
		[]string{"NatGateway-Bytes"}, NAT,
	},
	Zone: {
		"zone", "both ends of what crosses zones, or goes between public addresses of one region; each pays its own", zoneTest,
		[]string{"DataTransfer-Regional-Bytes", "VpcPeering-In-Bytes", "VpcPeering-Out-Bytes", "DataTransfer-xAZ-In-Bytes", "DataTransfer-xAZ-Out-Bytes"}, Zone,
	},
	Internet: {
		"internet", "egress that leaves AWS; by a NAT gateway it is taken where the client sends to the gateway", internetTest,
		[]string{"DataTransfer-Out-Bytes"}, Internet,
	},
	Region: {
		"region", "egress to another region", regionTest,
		[]string{"AWS-Out-Bytes"}, Region,
	},
	TGW: {
		"tgw", "ingress of a VPC, VPN or Direct Connect attachment in a transit gateway flow log", tgwTest,
		[]string{"TransitGateway-Bytes"}, TGW,
	},
	Endpoint: {
		"endpoint", "records of an interface endpoint, both directions", endpointTest,
		[]string{"VpcEndpoint-Bytes"}, Endpoint,
	},
	GWLBEndpoint: {
		"gwlb_endpoint", "records of a Gateway Load Balancer endpoint, both directions", gwlbTest,
		[]string{"VpcEndpoint-GWLBE-Bytes"}, GWLBEndpoint,
	},
	DX: {
		"dx", "egress by a virtual private gateway, if the file of prices says that it leads to Direct Connect", dxTest,
		[]string{"DataXfer-Out", "DataXfer-Out:dc.3"}, DX,
	},
	VPN: {
		"vpn", "egress by a virtual private gateway, if the file of prices says that it leads to a VPN", vpnTest,
		nil, Internet,
	},
	Free: {
		"free", "all other records: the same zone, gateway endpoints, ingress, services of AWS in the same region, what was rejected", nil,
		[]string{"AWS-In-Bytes", "DataTransfer-In-Bytes", "DataTransfer-AZ-In-Bytes", "DataTransfer-AZ-Out-Bytes"}, Free,
	},
	Unknown: {"unknown", "records whose fields neither show nor exclude some charge", nil, nil, Unknown},
}

// hourly are what is billed by the hour beside the traffic, by its name in files of prices and its usage type. The hours of
// an endpoint are of each zone, those of a transit gateway of each attachment.
var hourly = []struct{ name, usage string }{
	{"nat", "NatGateway-Hours"},
	{"tgw", "TransitGateway-Hours"},
	{"endpoint", "VpcEndpoint-Hours"},
	{"gwlb_endpoint", "VpcEndpoint-GWLBE-Hours"},
	{"public-ipv4", "PublicIPv4:InUseAddress"},
}

func (c Charge) String() string { return charges[c].name }

// Pays says which records pay the charge, in a sentence's end.
func (c Charge) Pays() string { return charges[c].pays }

// Names returns the names of all charges, those with prices first.
func Names() []string {
	names := make([]string, len(charges))
	for i, c := range charges {
		names[i] = c.name
	}
	return names
}

// ChargeNamed finds a charge that has a price by its name.
func ChargeNamed(name string) (Charge, bool) {
	i := slices.Index(Names()[:Priced], name)
	return Charge(max(i, 0)), i >= 0
}

// String joins the names by +, as in nat+zone.
func (s Set) String() string {
	var names []string
	for c := range s.All {
		names = append(names, c.String())
	}
	return strings.Join(names, "+")
}

// Charges returns what a record pays. It is a pure function.
func (rules *Rules) Charges(r *Record) Due {
	f := factsOf(rules, r)
	var d Due
	for c := range Priced {
		switch charges[c].test(&f) {
		case assumed:
			d.Assumed |= 1 << c
			d.Charges |= 1 << c
		case yes:
			d.Charges |= 1 << c
		case maybe:
			d.Most |= 1 << c
		}
	}
	switch {
	case d.Most != 0:
		d.Charges |= Of(Unknown)
	case d.Charges == 0:
		d.Charges = Of(Free)
	}
	if (d.Charges | d.Most).Has(Region) {
		d.To = f.toRegion()
	}
	return d
}

// A Usage is what a usage type of a bill says.
type Usage struct {
	Charge Charge
	Region string // that pays; us-east-1 if the usage type names none
	To     string // for Region: where the traffic went, "" if it is not said
}

// UsageOf reads a usage type, such as EUW2-NatGateway-Bytes or USE1-USE2-AWS-Out-Bytes. It is false for one that is none of
// traffic that a flow log can show.
func UsageOf(usageType string) (Usage, bool) {
	u := Usage{Region: "us-east-1"}
	region, rest := cutRegion(usageType)
	if region != "" {
		u.Region = region
	}
	to, after := cutRegion(rest)
	for c, row := range charges {
		if slices.Contains(row.usage, rest) || to != "" && strings.HasPrefix(after, "AWS-") && slices.Contains(row.usage, after) {
			u.Charge, u.To = Charge(c), to
			return u, true
		}
	}
	return Usage{}, false
}
