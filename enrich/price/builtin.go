package price

import (
	"maps"
	"slices"
)

// builtinDate is that of the newest of the price lists that the table is from: AWSDataTransfer of 2026-07-20, AmazonVPC of
// 2026-07-24, AmazonEC2 of 2026-08-17.
const builtinDate = "2026-08-17"

// The tiers of the internet and of endpoints end after so many GB of a month: 10, 50 and 150 TB, 1 and 5 PB.
var (
	internetTiers = []int64{10 << 10, 50 << 10, 150 << 10, 0}
	endpointTiers = []int64{1 << 20, 5 << 20, 0}
)

// builtin is THE table of prices, in USD per GB. Two bills agree with it: 984.22 for 20,504.592 GB by NAT gateways of
// eu-west-1, and 746.25 for 14,924.987 GB of eu-west-2.
var builtin = []struct {
	regions  []string
	nat      string    // per GB and per hour; "" if it is not known
	internet [4]string // by internetTiers
	region   string    // to any other region
}{
	{[]string{"us-east-1", "us-east-2", "us-west-2"}, "0.045", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"us-west-1"}, "0.048", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"ca-central-1"}, "0.050", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"eu-west-1"}, "0.048", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"eu-west-2", "eu-west-3"}, "0.050", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"eu-central-1"}, "0.052", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"eu-north-1"}, "0.046", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"eu-south-1"}, "", [4]string{"0.09", "0.085", "0.07", "0.05"}, "0.02"},
	{[]string{"il-central-1"}, "", [4]string{"0.11", "0.085", "0.077", "0.055"}, "0.08"},
	{[]string{"ap-northeast-1", "ap-northeast-3"}, "0.062", [4]string{"0.114", "0.089", "0.086", "0.084"}, "0.09"},
	{[]string{"ap-northeast-2"}, "0.059", [4]string{"0.126", "0.122", "0.117", "0.108"}, "0.08"},
	{[]string{"ap-southeast-1"}, "0.059", [4]string{"0.12", "0.085", "0.082", "0.08"}, "0.09"},
	{[]string{"ap-southeast-2"}, "0.059", [4]string{"0.114", "0.098", "0.094", "0.092"}, "0.098"},
	{[]string{"ap-south-1"}, "0.056", [4]string{"0.1093", "0.085", "0.082", "0.08"}, "0.086"},
	{[]string{"ap-east-1"}, "0.065", [4]string{"0.12", "0.085", "0.082", "0.08"}, "0.09"},
	{[]string{"sa-east-1"}, "0.093", [4]string{"0.15", "0.138", "0.126", "0.114"}, "0.138"},
	{[]string{"me-south-1"}, "0.0528", [4]string{"0.117", "0.1105", "0.091", "0.065"}, "0.1105"},
	{[]string{"af-south-1"}, "", [4]string{"0.154", "0.147", "0.126", "0.112"}, "0.147"},
	{[]string{"us-gov-east-1", "us-gov-west-1"}, "0.054", [4]string{"0.155", "0.115", "0.09", "0.065"}, "0.03"},
}

// Prices that were read in us-east-1 only, but for zones, where all regions have the same. Other regions have them as a
// guess, GovCloud has none.
const (
	zonePrice = "0.01"
	tgwPrice  = "0.02"
	gwlbPrice = "0.0035"
)

var endpointPrices = []string{"0.01", "0.006", "0.004"}

// closest are pairs of regions between which traffic costs less.
var closest = map[[2]string]string{
	{"us-east-1", "us-east-2"}: "0.01",
	{"us-east-2", "us-east-1"}: "0.01",
}

// hoursOf are prices by the hour that were read, beside those of NAT gateways.
var hoursOf = map[string]map[string]string{
	"us-east-1": {"endpoint": "0.01", "gwlb_endpoint": "0.01", "tgw": "0.05", "public-ipv4": "0.005"},
	"eu-west-1": {"endpoint": "0.011"},
}

// Builtin returns the prices that flowlog knows. The caller owns the book.
func Builtin() *Book {
	b := newBook()
	b.Sides = maps.Clone(sides)
	for _, row := range builtin {
		for _, region := range row.regions {
			l := b.local(region)
			l.set(NAT, nil, row.nat)
			l.set(Zone, nil, zonePrice)
			l.set(Internet, internetTiers, row.internet[:]...)
			l.set(Region, nil, row.region)
			if row.nat != "" {
				l.Hours["nat"] = mustPrice(row.nat)
			}
			for name, text := range hoursOf[region] {
				l.Hours[name] = mustPrice(text)
			}
			if !slices.Contains([]string{"us-gov-east-1", "us-gov-west-1"}, region) {
				l.set(TGW, nil, tgwPrice)
				l.set(Endpoint, endpointTiers, endpointPrices...)
				l.set(GWLBEndpoint, nil, gwlbPrice)
			}
			if region != "us-east-1" {
				l.Assumed = Of(TGW, Endpoint, GWLBEndpoint) & l.priced()
			}
			for c := range l.priced().All {
				l.Source[c] = Source{Date: builtinDate}
			}
		}
	}
	b.Regions["us-west-1"].Assumed |= Of(Internet)
	for pair, text := range closest {
		l := b.Regions[pair[0]]
		l.To = map[string]Price{pair[1]: mustPrice(text)}
	}
	return b
}

// set sets the prices of a charge by their tiers; nil is one without an end. An empty price is none.
func (l *Local) set(c Charge, ends []int64, prices ...string) {
	for i, text := range prices {
		if text == "" {
			return
		}
		t := Tier{Price: mustPrice(text)}
		if ends != nil {
			t.UpTo = ends[i]
		}
		l.Tiers[c] = append(l.Tiers[c], t)
	}
}

// priced returns the charges that have a price.
func (l *Local) priced() (s Set) {
	for c := range Priced {
		if l.Tiers[c] != nil {
			s |= 1 << c
		}
	}
	return s
}

// mustPrice reads a price of the built-in table.
func mustPrice(text string) Price {
	p, err := ParsePrice(text)
	if err != nil {
		panic(text + " " + err.Error())
	}
	return p
}
