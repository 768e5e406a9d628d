package price

import (
	"math/big"
	"reflect"
	"strings"
	"testing"
)

// rates returns the rates of a text over the built-in prices.
func rates(t *testing.T, text string) *Rates {
	t.Helper()
	b := Builtin()
	b.Lay(read(t, text))
	return b.Rates()
}

// monthly returns the built-in rates where a month has so many GB already.
func monthly(months map[Charge]int64) *Rates {
	b := Builtin()
	b.At(months)
	return b.Rates()
}

func read(t *testing.T, text string) *Book {
	t.Helper()
	b, err := ReadYAML("prices.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Two bills: what they charge for the GB that they say is what the built-in table makes of them, to the cent.
func TestBills(t *testing.T) {
	r := Builtin().Rates()
	for _, bill := range []struct{ region, gb, cost string }{
		{"eu-west-1", "20504.592", "984.22"},
		{"eu-west-2", "14924.987", "746.25"},
	} {
		gb, _ := new(big.Rat).SetString(bill.gb)
		bytes := new(big.Int).Div(new(big.Int).Mul(gb.Num(), big.NewInt(1<<30)), gb.Denom())
		rate, ok := r.Rate(bill.region, NAT, "")
		var a Amount
		a.Add(bytes.Int64(), rate)
		if got := a.Money(); !ok || got != bill.cost {
			t.Errorf("%s: got %s, want %s", bill.region, got, bill.cost)
		}
	}
}

// The table by region, typed a second time: NAT, internet, other regions; ? is no price.
const byRegion = `
us-east-1 .045 .09 .085 .07 .05 .02
us-east-2 .045 .09 .085 .07 .05 .02
us-west-2 .045 .09 .085 .07 .05 .02
us-west-1 .048 .09 .085 .07 .05 .02
ca-central-1 .050 .09 .085 .07 .05 .02
eu-west-1 .048 .09 .085 .07 .05 .02
eu-west-2 .050 .09 .085 .07 .05 .02
eu-west-3 .050 .09 .085 .07 .05 .02
eu-central-1 .052 .09 .085 .07 .05 .02
eu-north-1 .046 .09 .085 .07 .05 .02
eu-south-1 ? .09 .085 .07 .05 .02
il-central-1 ? .11 .085 .077 .055 .08
ap-northeast-1 .062 .114 .089 .086 .084 .09
ap-northeast-3 .062 .114 .089 .086 .084 .09
ap-northeast-2 .059 .126 .122 .117 .108 .08
ap-southeast-1 .059 .12 .085 .082 .08 .09
ap-southeast-2 .059 .114 .098 .094 .092 .098
ap-south-1 .056 .1093 .085 .082 .08 .086
ap-east-1 .065 .12 .085 .082 .08 .09
sa-east-1 .093 .15 .138 .126 .114 .138
me-south-1 .0528 .117 .1105 .091 .065 .1105
af-south-1 ? .154 .147 .126 .112 .147
us-gov-west-1 .054 .155 .115 .09 .065 .03
us-gov-east-1 .054 .155 .115 .09 .065 .03
`

func TestBuiltin(t *testing.T) {
	b := Builtin()
	for line := range strings.Lines(strings.TrimSpace(byRegion)) {
		words := strings.Fields(line)
		region := words[0]
		l := b.Regions[region]
		if l == nil {
			t.Errorf("%s has no prices", region)
			continue
		}
		check := func(what string, tiers []Tier, i int, want string) {
			t.Helper()
			if want == "?" {
				if tiers != nil {
					t.Errorf("%s %s: got %v, want none", region, what, tiers)
				}
			} else if p, err := ParsePrice(want); err != nil || i >= len(tiers) || tiers[i].Price != p {
				t.Errorf("%s %s: got %v, want %s in tier %d", region, what, tiers, want, i)
			}
		}
		check("nat", l.Tiers[NAT], 0, words[1])
		for i := range 4 {
			check("internet", l.Tiers[Internet], i, words[2+i])
		}
		check("region", l.Tiers[Region], 0, words[6])
		check("zone", l.Tiers[Zone], 0, ".01")
		if hours, ok := l.Hours["nat"]; ok != (words[1] != "?") || ok && hours != l.Tiers[NAT][0].Price {
			t.Errorf("%s: hours of nat are %v", region, hours)
		}
		delete(b.Regions, region)
	}
	if more := b.Names(); len(more) > 0 {
		t.Errorf("prices of %v, which are not in the test's table", more)
	}
	r := Builtin().Rates()
	for _, test := range []struct {
		region string
		c      Charge
		to     string
		want   Rate
	}{
		{"us-east-1", TGW, "", 20_000}, {"us-east-1", Endpoint, "", 10_000}, {"us-east-1", GWLBEndpoint, "", 3_500},
		{"us-east-1", Region, "us-east-2", 10_000}, {"us-east-2", Region, "us-east-1", 10_000}, {"us-east-2", Region, "us-west-2", 20_000},
		{"us-east-1", Region, "", 20_000}, {"ap-south-1", Internet, "", 109_300}, {"me-south-1", NAT, "", 52_800},
		{"us-east-1", VPN, "", 90_000}, // that of the internet
	} {
		if got, ok := r.Rate(test.region, test.c, test.to); !ok || got != test.want {
			t.Errorf("%s %s to %q: got %d %v, want %d", test.region, test.c, test.to, got, ok, test.want)
		}
	}
	for _, lacks := range []struct {
		region string
		c      Charge
	}{{"us-gov-west-1", TGW}, {"us-east-1", DX}, {"eu-south-1", NAT}, {"cn-north-1", Zone}, {"", Zone}} {
		if got, ok := r.Rate(lacks.region, lacks.c, ""); ok {
			t.Errorf("%s %s: got %d, want none", lacks.region, lacks.c, got)
		}
	}
}

// The tier is that of the next byte of the month.
func TestMonths(t *testing.T) {
	for _, test := range []struct {
		gb   int64
		want Rate
	}{
		{0, 90_000}, {10239, 90_000}, {10240, 85_000}, {51199, 85_000}, {51200, 70_000}, {153599, 70_000}, {153600, 50_000}, {1 << 40, 50_000},
	} {
		if got, _ := monthly(map[Charge]int64{Internet: test.gb}).Rate("us-east-1", Internet, ""); got != test.want {
			t.Errorf("%d GB: got %d, want %d", test.gb, got, test.want)
		}
	}
	months := make(map[Charge]int64)
	for _, text := range []string{"50000", "endpoint=1048576"} {
		if err := MonthGB(text, months); err != nil {
			t.Error(err)
		}
	}
	if want := (map[Charge]int64{Internet: 50000, Endpoint: 1 << 20}); !reflect.DeepEqual(months, want) {
		t.Errorf("got %v, want %v", months, want)
	}
	if got, _ := monthly(months).Rate("us-east-1", Endpoint, ""); got != 6_000 {
		t.Errorf("endpoint: got %d, want 6000", got)
	}
	for _, text := range []string{"", "x", "-1", "free=1", "inet=3", "internet=1", "internet=1.5", "nat="} {
		if err := MonthGB(text, months); err == nil {
			t.Errorf("%q: want an error", text)
		}
	}
}

// What is printed reads back as the same book.
func TestYAMLRoundTrip(t *testing.T) {
	books := map[string]*Book{"builtin": Builtin(), "all": read(t, everything)}
	for name, b := range books {
		text := b.YAML(b.Names())
		got := read(t, text)
		for _, l := range b.Regions {
			for c := range l.priced().All {
				l.Source[c].File = "prices.yaml"
			}
		}
		if !reflect.DeepEqual(got, b) {
			t.Errorf("%s: reads back as another book:\n%s", name, text)
		}
		if again := got.YAML(got.Names()); again != text {
			t.Errorf("%s: got\n%swant\n%s", name, again, text)
		}
	}
}

const everything = `date: 2026-08-17
discount: {default: 0.93, internet: 0.8}
sides: {rds: both, lambda: peer, alb: none}
virtual_private_gateway: dx
cn-north-1:
  currency: CNY
  nat: 0.33
  zone: 0.067
  internet: 0.933
  hours: {nat: 0.427}
us-east-1:
  nat: 0.045
  zone: 0.0123456
  internet: [{up_to_gb: 10240, price: 0.09}, {price: 0.05}]
  region: {default: 0.02, us-east-2: 0.01}
  tgw: 0.02
  endpoint: [{price: 0.01}]
  gwlb_endpoint: 0.0035
  dx: 0.0282
  vpn: 0.11
  hours: {nat: 0.045, tgw: 0.05, endpoint: 0.01, gwlb_endpoint: 0.01, public-ipv4: 0.005}
  assumed: [zone, dx]
`

// A file of prices lies over the built-in ones; a discount is taken off both, and the rate is rounded once.
func TestLay(t *testing.T) {
	r := rates(t, everything)
	for _, test := range []struct {
		region string
		c      Charge
		to     string
		want   Rate
	}{
		{"us-east-1", Internet, "", 72_000}, {"us-east-1", Zone, "", 11_481}, // 0.0123456 × 0.93 = 0.011481408
		{"us-east-1", Region, "us-east-2", 9_300}, {"us-east-1", DX, "", 26_226}, {"us-east-1", VPN, "", 102_300},
		{"eu-west-1", NAT, "", 44_640}, {"eu-west-1", VPN, "", 72_000}, {"cn-north-1", NAT, "", 306_900},
	} {
		if got, ok := r.Rate(test.region, test.c, test.to); !ok || got != test.want {
			t.Errorf("%s %s %s: got %d %v, want %d", test.region, test.c, test.to, got, ok, test.want)
		}
	}
	if got := r.Currency("cn-north-1"); got != "CNY" {
		t.Errorf("got %s, want CNY", got)
	}
	if _, ok := r.Rate("cn-north-1", TGW, ""); ok {
		t.Error("cn-north-1 has a price for tgw")
	}
	// Half to even: 0.0000025 and 0.0000035 are 2 and 4 millionths.
	r = rates(t, "us-east-1: {nat: 0.0000025, zone: 0.0000035}")
	nat, _ := r.Rate("us-east-1", NAT, "")
	zone, _ := r.Rate("us-east-1", Zone, "")
	if nat != 2 || zone != 4 {
		t.Errorf("got %d and %d, want 2 and 4", nat, zone)
	}
	// Another currency does not mix with USD.
	r = rates(t, "us-east-1: {currency: EUR, nat: 0.04}")
	if _, ok := r.Rate("us-east-1", Zone, ""); ok || r.Currency("us-east-1") != "EUR" {
		t.Errorf("a price in USD is left beside prices in %s", r.Currency("us-east-1"))
	}
	// What is guessed is guessed no more if the file says it.
	b := Builtin()
	b.Lay(read(t, "eu-west-1: {tgw: 0.02}"))
	if l := b.Regions["eu-west-1"]; l.Assumed.Has(TGW) || !l.Assumed.Has(Endpoint) || l.Source[TGW].String() != "prices.yaml" || l.Source[NAT].String() != "the built-in table of 2026-08-17" {
		t.Errorf("assumed %s, from %q and %q", l.Assumed, l.Source[TGW], l.Source[NAT])
	}
}

func TestOf(t *testing.T) {
	r := Builtin().Rates()
	// The most that a record can cost that may go by a NAT gateway, to the internet and across zones.
	if got, all := r.Of("us-east-1", Of(NAT, Internet, Zone), ""); got != 145_000 || !all {
		t.Errorf("got %d %v, want 145000", got, all)
	}
	if got, all := r.Of("us-east-1", Of(NAT, DX, Unknown), ""); got != 45_000 || all {
		t.Errorf("got %d %v, want 45000 and that dx has no price", got, all)
	}
	if got, all := r.Of("us-east-1", Of(Free), ""); got != 0 || !all {
		t.Errorf("free: got %d %v", got, all)
	}
}

// Rates that differ have different texts.
func TestRatesText(t *testing.T) {
	seen := make(map[string]string)
	for _, text := range []string{"", "eu-west-1: {nat: 0.047}", "us-east-1: {region: {default: 0.02, us-east-2: 0.011}}", "xx-new-1: {nat: 1}", "us-east-1: {currency: EUR, nat: 0.04}", "discount: 0.99"} {
		got := rates(t, text).String()
		if other, twice := seen[got]; twice {
			t.Errorf("%q and %q have the same rates", text, other)
		}
		seen[got] = text
	}
	if got, want := rates(t, "").String(), rates(t, "discount: 1").String(); got != want {
		t.Errorf("no discount: got %s, want %s", got, want)
	}
}

func TestYAMLErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"us-east-1:\n  nat: 0.045\n  nta: 1", `p.yaml:3:3: "nta" is no charge with a price: these are nat, zone, internet, region, tgw, endpoint, gwlb_endpoint, dx, vpn; or currency, hours, assumed`},
		{"us-east-1: {free: 0}", `p.yaml:1:13: "free" is no charge with a price`},
		{"us-east-1:\n  nat: cheap", `p.yaml:2:8: nat: "cheap" is no decimal number`},
		{"us-east-1: {nat: -1}", `p.yaml:1:18: nat: "-1" is no price from 0 to 1000`},
		{"us-east-1: {nat: 4500}", `p.yaml:1:18: nat: "4500" is no price from 0 to 1000`},
		{"us-east-1:\n  internet: [{up_to_gb: 100, price: 1}, {up_to_gb: 100, price: 2}, {price: 3}]", `p.yaml:2:52: internet: up_to_gb counts from the first GB of the month and ascends: "100" is not more than 100`},
		{"us-east-1: {internet: [{up_to_gb: 100, price: 1}]}", "p.yaml:1:23: internet: the last tier has no end: leave its up_to_gb out"},
		{"us-east-1: {internet: [{price: 1}, {price: 2}]}", "p.yaml:1:36: internet: a tier after the one without up_to_gb"},
		{"us-east-1: {internet: []}", "p.yaml:1:23: internet: the last tier has no end"},
		{"us-east-1: {internet: [{up_to_gb: 5}]}", "p.yaml:1:24: internet: a tier without a price"},
		{"us-east-1: {region: {us-east-2: 0.01}}", "p.yaml:1:21: region has no default"},
		{"us-east-1: {hours: {natty: 1}}", "p.yaml:1:21: hours are of nat, tgw, endpoint, gwlb_endpoint, public-ipv4, not of"},
		{"us-east-1: {nat: 1, assumed: [tgw]}", "p.yaml:1:12: assumed names tgw, which has no price here"},
		{"us-east-1: {currency: usd}", "p.yaml:1:23: a currency is three letters, such as USD or CNY, not"},
		{"us-east-1: 3", "p.yaml:1:12: the region us-east-1 is written as names with values"},
		{"us-east1: {nat: 1}", `p.yaml:1:1: "us-east1" is no region, such as us-east-1`},
		{"us-east-1: {nat: 1}\nus-east-1: {nat: 2}", "p.yaml:2:1: us-east-1 stands here a second time, after line 1"},
		{"discount: 7", "p.yaml:1:11: a discount is the factor of what is left, above 0 and at most 1"},
		{"discount: {nat: 0}", "p.yaml:1:17: a discount is"},
		{"date: yesterday", "p.yaml:1:7: a date is written as in 2026-08-17"},
		{"sides: {rds: left}", `p.yaml:1:14: the side of rds is both or peer or none, not "left"`},
		{"virtual_private_gateway: nat", "p.yaml:1:26: virtual_private_gateway is dx or vpn"},
		{"- 3", "p.yaml:1:1: a file of prices is written as names with values"},
		{"a: [", "p.yaml:"},
		{"a: 1\n---\nb: 2", "p.yaml:2:1: a second document begins"},
		{"a: \"\x00\"", "p.yaml:1:5: is no text in UTF-8"},
		{"us-east-1: &a {nat: 1}\nus-east-2: *a", "p.yaml:2:12: the region us-east-2 is written as names with values"},
	} {
		_, err := ReadYAML("p.yaml", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
	if b, err := ReadYAML("p.yaml", []byte("# nothing\n")); err != nil || len(b.Regions) > 0 {
		t.Errorf("an empty file: got %v, %v", b, err)
	}
}

// No text makes the reader of YAML panic, and what it reads is printed as what reads the same.
func FuzzYAML(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(Builtin().YAML([]string{"us-east-1"})))
	f.Add([]byte("us-east-1: {internet: [{up_to_gb: 100, price: 1}]}"))
	f.Add([]byte("discount: 0.5"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := ReadYAML("prices.yaml", text)
		if err != nil {
			return
		}
		printed := b.YAML(b.Names())
		again, err := ReadYAML("prices.yaml", []byte(printed))
		if err != nil || again.YAML(again.Names()) != printed {
			t.Errorf("%q is printed as %q, which reads as %v", text, printed, err)
		}
		b.Rates()
	})
}
