package price

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// reading returns how Read opens a text.
func reading(text string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// A list in JSON, with products of each kind: charges, hours, regions, what has several operations, and what is none of ours.
const jsonList = `{
  "formatVersion" : "v1.0",
  "disclaimer" : "made for a test \"}{",
  "offerCode" : "AWSDataTransfer",
  "version" : "20260720160000",
  "publicationDate" : "2026-07-20T16:00:00Z",
  "products" : {
    "NAT" : {"sku" : "NAT", "productFamily" : "NAT Gateway", "attributes" : {"usagetype" : "EU-NatGateway-Bytes", "regionCode" : "eu-west-1", "operation" : "NatGateway"}},
    "NATH" : {"sku" : "NATH", "attributes" : {"usagetype" : "EU-NatGateway-Hours", "regionCode" : "eu-west-1"}},
    "OUT" : {"sku" : "OUT", "attributes" : {"usagetype" : "EU-DataTransfer-Out-Bytes", "transferType" : "AWS Outbound", "fromRegionCode" : "eu-west-1", "toLocation" : "External"}},
    "R1" : {"sku" : "R1", "attributes" : {"usagetype" : "EU-USE1-AWS-Out-Bytes", "fromRegionCode" : "eu-west-1", "toRegionCode" : "us-east-1"}},
    "R2" : {"sku" : "R2", "attributes" : {"usagetype" : "EU-EUW2-AWS-Out-Bytes", "fromRegionCode" : "eu-west-1", "toRegionCode" : "eu-west-2"}},
    "RIN" : {"sku" : "RIN", "attributes" : {"usagetype" : "EU-USE1-AWS-In-Bytes", "fromRegionCode" : "us-east-1", "toRegionCode" : "eu-west-1"}},
    "TGWV" : {"sku" : "TGWV", "attributes" : {"usagetype" : "TransitGateway-Bytes", "operation" : "TransitGatewayVPC"}},
    "TGWP" : {"sku" : "TGWP", "attributes" : {"usagetype" : "TransitGateway-Bytes", "operation" : "TransitGatewayPeering"}},
    "XAZ" : {"sku" : "XAZ", "attributes" : {"usagetype" : "DataTransfer-xAZ-In-Bytes", "regionCode" : "us-east-1"}},
    "ZONE" : {"sku" : "ZONE", "attributes" : {"usagetype" : "DataTransfer-Regional-Bytes", "regionCode" : "us-east-1"}},
    "ODD" : {"sku" : "ODD", "attributes" : {"usagetype" : "VpcEndpoint-Bytes", "regionCode" : "us-east-1"}},
    "GAP" : {"sku" : "GAP", "attributes" : {"usagetype" : "USW2-VpcEndpoint-Bytes", "regionCode" : "us-west-2"}},
    "BOX" : {"sku" : "BOX", "attributes" : {"usagetype" : "BoxUsage:m5.large", "regionCode" : "us-east-1"}}
  },
  "terms" : {
    "Reserved" : {"NAT" : {"NAT.X" : {"priceDimensions" : {"1" : {"unit" : "GB", "pricePerUnit" : {"USD" : "9"}}}}}},
    "OnDemand" : {
      "NAT" : {"NAT.J" : {"effectiveDate" : "2026-07-01T00:00:00Z", "priceDimensions" : {"a" : {"unit" : "GB", "beginRange" : "0", "endRange" : "Inf", "pricePerUnit" : {"USD" : "0.0480000000"}}}},
               "NAT.I" : {"effectiveDate" : "2026-01-01T00:00:00Z", "priceDimensions" : {"a" : {"unit" : "GB", "beginRange" : "0", "endRange" : "Inf", "pricePerUnit" : {"USD" : "0.7"}}}}},
      "NATH" : {"N" : {"priceDimensions" : {"a" : {"unit" : "Hrs", "beginRange" : "0", "endRange" : "Inf", "pricePerUnit" : {"USD" : "0.0480000000"}}}}},
      "OUT" : {"O" : {"priceDimensions" : {
        "d" : {"unit" : "GB", "beginRange" : "51200", "endRange" : "Inf", "pricePerUnit" : {"USD" : "0.0700000000"}},
        "a" : {"unit" : "GB", "beginRange" : "0", "endRange" : "1", "pricePerUnit" : {"USD" : "0.0000000000"}},
        "b" : {"unit" : "GB", "beginRange" : "1", "endRange" : "10240", "pricePerUnit" : {"USD" : "0.0910000000"}},
        "c" : {"unit" : "GB", "beginRange" : "10240", "endRange" : "51200", "pricePerUnit" : {"USD" : "0.0850000000"}}}}},
      "R1" : {"R" : {"priceDimensions" : {"a" : {"unit" : "GB", "pricePerUnit" : {"USD" : "0.0200000000"}}}}},
      "R2" : {"R" : {"priceDimensions" : {"a" : {"unit" : "GB", "pricePerUnit" : {"USD" : "0.0100000000"}}}}},
      "RIN" : {"R" : {"priceDimensions" : {"a" : {"unit" : "GB", "pricePerUnit" : {"USD" : "0.0000000000"}}}}},
      "TGWP" : {"T" : {"priceDimensions" : {"a" : {"unit" : "GigaBytes", "pricePerUnit" : {"USD" : "0.0000000000"}}}}},
      "TGWV" : {"T" : {"priceDimensions" : {"a" : {"unit" : "GigaBytes", "pricePerUnit" : {"USD" : "0.0200000000"}}}}},
      "XAZ" : {"X" : {"priceDimensions" : {"a" : {"unit" : "GB", "pricePerUnit" : {"USD" : "0.0000000000"}}}}},
      "ZONE" : {"Z" : {"priceDimensions" : {"a" : {"unit" : "GB", "pricePerUnit" : {"USD" : "0.0100000000"}}}}},
      "ODD" : {"Z" : {"priceDimensions" : {"a" : {"unit" : "Request", "pricePerUnit" : {"USD" : "0.5"}}}}},
      "GAP" : {"Z" : {"priceDimensions" : {"a" : {"unit" : "GB", "beginRange" : "5", "endRange" : "Inf", "pricePerUnit" : {"USD" : "0.5"}}}}},
      "BOX" : {"B" : {"priceDimensions" : {"a" : {"unit" : "Hrs", "pricePerUnit" : {"USD" : "0.096"}}}}}
    }
  }
}
`

// The same prices in CSV, in another order.
const csvList = `"FormatVersion","v1.0"
"Disclaimer","made for a test, with a ""quote"" and
two lines"
"Publication Date","2026-07-20T16:00:00Z"
"Version","20260720160000"
"OfferCode","AWSDataTransfer"
"SKU","OfferTermCode","RateCode","TermType","PriceDescription","EffectiveDate","StartingRange","EndingRange","Unit","PricePerUnit","Currency","serviceCode","usageType","operation","From Region Code","Region Code","To Region Code"
"OUT","O","d","OnDemand","d","2026-07-01","51200","Inf","GB","0.0700000000","USD","AWSDataTransfer","EU-DataTransfer-Out-Bytes","","eu-west-1","",""
"OUT","O","a","OnDemand","d","2026-07-01","0","1","GB","0.0000000000","USD","AWSDataTransfer","EU-DataTransfer-Out-Bytes","","eu-west-1","",""
"OUT","O","b","OnDemand","d","2026-07-01","1","10240","GB","0.0910000000","USD","AWSDataTransfer","EU-DataTransfer-Out-Bytes","","eu-west-1","",""
"OUT","O","c","OnDemand","d","2026-07-01","10240","51200","GB","0.0850000000","USD","AWSDataTransfer","EU-DataTransfer-Out-Bytes","","eu-west-1","",""
"NAT","J","a","Reserved","d","2026-07-01","0","Inf","GB","9","USD","AmazonEC2","EU-NatGateway-Bytes","NatGateway","","eu-west-1",""
"NAT","J","a","OnDemand","d","2026-07-01","0","Inf","GB","0.0480000000","USD","AmazonEC2","EU-NatGateway-Bytes","NatGateway","","eu-west-1",""
"NAT","I","a","OnDemand","d","2026-01-01","0","Inf","GB","0.7","USD","AmazonEC2","EU-NatGateway-Bytes","NatGateway","","eu-west-1",""
"NATH","J","a","OnDemand","d","2026-07-01","0","Inf","Hrs","0.0480000000","USD","AmazonEC2","EU-NatGateway-Hours","NatGateway","","eu-west-1",""
"R1","R","a","OnDemand","d","","0","Inf","GB","0.0200000000","USD","AWSDataTransfer","EU-USE1-AWS-Out-Bytes","","eu-west-1","","us-east-1"
"R2","R","a","OnDemand","d","","0","Inf","GB","0.0100000000","USD","AWSDataTransfer","EU-EUW2-AWS-Out-Bytes","","eu-west-1","","eu-west-2"
"TGWP","T","a","OnDemand","d","","0","Inf","GigaBytes","0.0000000000","USD","AmazonVPC","TransitGateway-Bytes","TransitGatewayPeering","","",""
"TGWV","T","a","OnDemand","d","","0","Inf","GigaBytes","0.0200000000","USD","AmazonVPC","TransitGateway-Bytes","TransitGatewayVPC","","",""
"XAZ","X","a","OnDemand","d","","0","Inf","GB","0.0000000000","USD","AmazonEC2","DataTransfer-xAZ-In-Bytes","","","us-east-1",""
"ZONE","Z","a","OnDemand","d","","0","Inf","GB","0.0100000000","USD","AmazonEC2","DataTransfer-Regional-Bytes","","","us-east-1",""
"ODD","Z","a","OnDemand","d","","0","Inf","Request","0.5","USD","AmazonVPC","VpcEndpoint-Bytes","","","us-east-1",""
"GAP","Z","a","OnDemand","d","","5","Inf","GB","0.5","USD","AmazonVPC","USW2-VpcEndpoint-Bytes","","","us-west-2",""
"BOX","B","a","OnDemand","d","","0","Inf","Hrs","0.096","USD","AmazonEC2","BoxUsage:m5.large","RunInstances","","us-east-1",""
`

const listYAML = `date: 2026-07-20
eu-west-1:
  nat: 0.048
  internet: [{up_to_gb: 10240, price: 0.091}, {up_to_gb: 51200, price: 0.085}, {price: 0.07}]
  region: {default: 0.02, eu-west-2: 0.01, us-east-1: 0.02}
  hours: {nat: 0.048}
us-east-1:
  zone: 0.01
  tgw: 0.02
`

func compressed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// reversed returns the JSON with the terms in front of the products.
func reversed() string {
	head, rest, _ := strings.Cut(jsonList, `  "products"`)
	products, terms, _ := strings.Cut(rest, `  "terms"`)
	terms = strings.TrimSuffix(strings.TrimSpace(terms), "}")
	return head + `"terms"` + terms + `, "products"` + strings.TrimSuffix(strings.TrimSpace(products), ",") + "}"
}

// A price list says the same in JSON and CSV, in any order, with gzip or without.
func TestPriceLists(t *testing.T) {
	for name, text := range map[string]string{
		"json": jsonList, "csv": csvList, "json.gz": compressed(jsonList), "csv.gz": compressed(csvList),
		"reversed": reversed(), "bom": "\ufeff" + jsonList, "yaml": "# prices\n" + listYAML, "yaml.gz": compressed(listYAML),
	} {
		b, err := Read("list", reading(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, got, _ := strings.Cut(b.YAML(b.Names()), "assumed: a guess.\n")
		if got != listYAML {
			t.Errorf("%s: got\n%swant\n%s", name, got, listYAML)
		}
		if strings.HasPrefix(name, "yaml") {
			continue
		}
		slices.Sort(b.Notes)
		want := []string{
			"list: a price of us-east-1 endpoint is per request, and left out",
			"list: the tiers of us-west-2 endpoint do not follow each other, and are left out",
		}
		if !slices.Equal(b.Notes, want) {
			t.Errorf("%s: got notes %q, want %q", name, b.Notes, want)
		}
		if got := b.Regions["eu-west-1"].Source[NAT].String(); got != "list of 2026-07-20" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// One list lies over another, and over the built-in prices: what none of them has stays.
func TestListsOverBuiltin(t *testing.T) {
	b := Builtin()
	for _, text := range []string{jsonList, "eu-west-1: {zone: 0.02}"} {
		over, err := Read("list", reading(text))
		if err != nil {
			t.Fatal(err)
		}
		b.Lay(over)
	}
	l := b.Regions["eu-west-1"]
	for c, want := range map[Charge]string{NAT: "list of 2026-07-20", Zone: "list", Endpoint: "the built-in table of 2026-08-17"} {
		if got := l.Source[c].String(); got != want {
			t.Errorf("%s: got %s, want %s", c, got, want)
		}
	}
	r := b.Rates()
	for _, test := range []struct {
		c    Charge
		to   string
		want Rate
	}{{Internet, "", 91_000}, {Region, "eu-west-2", 10_000}, {Region, "ap-south-1", 20_000}, {Endpoint, "", 10_000}, {Zone, "", 20_000}} {
		if got, _ := r.Rate("eu-west-1", test.c, test.to); got != test.want {
			t.Errorf("%s %s: got %d, want %d", test.c, test.to, got, test.want)
		}
	}
}

func TestListCurrency(t *testing.T) {
	text := strings.NewReplacer(`"USD"`, `"CNY"`, "EU-", "CNN1-", "eu-west-1", "cn-north-1").Replace(jsonList)
	b, err := Read("list", reading(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Rates().Currency("cn-north-1"); got != "CNY" {
		t.Errorf("got %s, want CNY", got)
	}
	text = strings.Replace(jsonList, `{"USD" : "0.0910000000"}`, `{"CNY" : "0.0910000000"}`, 1)
	if _, err := Read("list", reading(text)); err == nil || !strings.Contains(err.Error(), "prices of eu-west-1 internet in ") {
		t.Errorf("got %v, want that the currencies of the tiers differ", err)
	}
	text = strings.Replace(csvList, `"0.0480000000","USD","AmazonEC2","EU-NatGateway-Bytes"`, `"0.0480000000","CNY","AmazonEC2","EU-NatGateway-Bytes"`, 1)
	if _, err := Read("list", reading(text)); err == nil || !strings.Contains(err.Error(), "prices of eu-west-1 in ") {
		t.Errorf("got %v, want that the currencies differ", err)
	}
}

func TestListErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{jsonList[:len(jsonList)/2], "list:25: the file is cut off"},
		{jsonList[:strings.Index(jsonList, "  \"terms\"")], "the file is cut off"},
		{jsonList + "x", `list:46: 'x' behind the end of the object`},
		{"{}", "list: is no price list of AWS: it has no products"},
		{`{"products": {}, "terms": {}}`, "list: has no prices of traffic: the price lists AmazonEC2, AmazonVPC and AWSDataTransfer have them"},
		{`{"products": []}`, `list:1: '[' where an object begins`},
		{`{"products": {"a": 3}}`, "list:1: json: cannot unmarshal number"},
		{"{\n\"products\": {1: 3}}", `list:2: '1' where a name begins`},
		{strings.Replace(jsonList, "0.0480000000", "cheap", 1), `the price "cheap" of eu-west-1 nat is no decimal number`},
		{strings.Replace(jsonList, `"10240"`, `"ten"`, 1), `the tier from "1" to "ten" of eu-west-1 internet: is no number of GB`},
		{strings.Replace(jsonList, `{"USD" : "0.0480000000"}`, `{"USD" : "1", "EUR" : "1"}`, 1), "a price of eu-west-1 nat in 2 currencies"},
		{strings.Replace(csvList, `"TermType"`, `"Term"`, 1), "list:7: is no price list of AWS: it has no column termtype"},
		{csvList[:strings.Index(csvList, `"SKU"`)], "is no price list of AWS: it has no column SKU"},
		{strings.Replace(csvList, "0.0910000000", "cheap", 1), `list:10: the price "cheap" of eu-west-1 internet is no decimal number`},
		{csvList[:strings.Index(csvList, "Disclaimer")+30], "list:2: extraneous or missing \" in quoted-field"},
		{"\"FormatVersion\"\n\"" + strings.Repeat("x", 2<<20), "list:1: a record of more than 1 MiB"},
		{`{"` + strings.Repeat("x", 2<<20), "list:1: a member of more than 1 MiB"},
		{compressed(jsonList)[:200], "list:"},
		{"\x1f\x8bno", "list: gzip: "},
		{"a: b\n" + strings.Repeat("# \n", 1<<19), "list: is larger than 1 MiB"},
		{"nat: 3", `list:1:1: "nat" is no region`},
	} {
		_, err := Read("list", reading(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: got %v, want %s", test.text, err, test.want)
		}
	}
	gone := errors.New("gone")
	if _, err := Read("list", func() (io.ReadCloser, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("got %v, want %v", err, gone)
	}
}

// A largeList is a price list of many products and reservations, in JSON. It notes the most memory that is in use.
type largeList struct {
	parts []string // to repeat, in turn, each the given times
	times []int
	left  string
	most  uint64
	size  int
}

func (l *largeList) Read(p []byte) (int, error) {
	for l.left == "" {
		if len(l.parts) == 0 {
			return 0, io.EOF
		}
		l.left = l.parts[0]
		if l.times[0]--; l.times[0] == 0 {
			l.parts, l.times = l.parts[1:], l.times[1:]
		}
		if len(l.times) > 0 && l.times[0]%10_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			l.most = max(l.most, m.HeapAlloc)
		}
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	l.size += n
	return n, nil
}

// A list of any size needs no more memory than a small one.
func TestListMemory(t *testing.T) {
	var most uint64
	size := 0
	head, rest, _ := strings.Cut(jsonList, `    "NAT" :`)
	middle, tail, _ := strings.Cut(rest, `"Reserved" : {`)
	box := fmt.Sprintf(`    "BOX" : {"sku" : "BOX", "attributes" : {"usagetype" : "BoxUsage:m5.large", "comment" : %q}},`+"\n", strings.Repeat("x", 400))
	reserved := fmt.Sprintf(`"BOX" : {"BOX.X" : {"priceDimensions" : {"1" : {"unit" : "Hrs", "description" : %q}}}},`+"\n", strings.Repeat("x", 400))
	b, err := Read("list", func() (io.ReadCloser, error) {
		l := &largeList{parts: []string{head, box, `    "NAT" :` + middle + `"Reserved" : {`, reserved, tail}, times: []int{1, 40_000, 1, 40_000, 1}}
		return struct {
			io.Reader
			io.Closer
		}{l, closer(func() { most, size = max(most, l.most), l.size })}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := b.Rates().Rate("eu-west-1", NAT, ""); got != 48_000 {
		t.Errorf("got %d, want 48000", got)
	}
	if size < 30<<20 || most == 0 || most > 64<<20 {
		t.Errorf("%d bytes in use for a list of %d", most, size)
	}
}

type closer func()

func (c closer) Close() error { c(); return nil }

// No content makes Read panic, and prices that it reads print as prices that read the same.
func FuzzRead(f *testing.F) {
	for _, text := range []string{jsonList, csvList, listYAML, compressed(csvList), "{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := Read("list", reading(string(text)))
		if err != nil {
			return
		}
		printed := b.YAML(b.Names())
		again, err := ReadYAML("list", []byte(printed))
		if err != nil || again.YAML(again.Names()) != printed {
			t.Errorf("%q is printed as %q, which reads as %v", text, printed, err)
		}
	})
}
