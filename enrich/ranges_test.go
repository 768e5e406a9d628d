package enrich

import (
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

const rangesFile = `{
  "syncToken": "1", "createDate": "2026-08-22-21-17-05",
  "prefixes": [
    {"ip_prefix": "3.0.0.0/15", "region": "ap-southeast-1", "service": "AMAZON", "network_border_group": "ap-southeast-1"},
    {"ip_prefix": "3.0.0.0/15", "region": "ap-southeast-1", "service": "EC2", "network_border_group": "ap-southeast-1"},
    {"ip_prefix": "3.1.7.0/24", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"},
    {"ip_prefix": "3.1.7.0/24", "region": "GLOBAL", "service": "CLOUDFRONT_ORIGIN_FACING", "network_border_group": "GLOBAL"},
    {"ip_prefix": "3.1.7.0/24", "region": "GLOBAL", "service": "AMAZON", "network_border_group": "GLOBAL"},
    {"ip_prefix": "3.1.8.0/24", "region": "eu-west-1", "service": "S3", "network_border_group": "eu-west-1"},
    {"ip_prefix": "3.1.8.0/24", "region": "eu-west-1", "service": "EC2", "network_border_group": "eu-west-1"},
    {"ip_prefix": "9.0.0.0/8", "region": "us-east-1", "service": "AMAZON", "network_border_group": "us-east-1"}
  ],
  "ipv6_prefixes": [
    {"ipv6_prefix": "2600:9000::/28", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}
  ]
}`

func TestAWSRanges(t *testing.T) {
	ranges, err := readAWSRanges("r.json", []byte(rangesFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ addr, service, region string }{
		{"3.0.0.1", "EC2", "ap-southeast-1"},
		{"3.1.7.1", "CLOUDFRONT_ORIGIN_FACING", "GLOBAL"},
		{"3.1.8.1", "S3", "eu-west-1"},
		{"9.1.1.1", "AMAZON", "us-east-1"},
		{"10.0.0.1", "-", "-"},
		{"2600:9000::1", "CLOUDFRONT", "GLOBAL"},
		{"2001:db8::1", "-", "-"},
		{"-", "-", "-"},
	} {
		for _, side := range []string{"src", "dst"} {
			if got := lookup(t, ranges.Lookups(), side+"_aws_service", "-", "-", test.addr); got != test.service {
				t.Errorf("%s_aws_service of %s: got %s, want %s", side, test.addr, got, test.service)
			}
			if got := lookup(t, ranges.Lookups(), side+"_aws_region", "-", test.addr); got != test.region {
				t.Errorf("%s_aws_region of %s: got %s, want %s", side, test.addr, got, test.region)
			}
		}
	}
	// what was logged comes first, and the packet's address before the interface's
	if got := lookup(t, ranges.Lookups(), "src_aws_service", "DYNAMODB", "3.1.8.1", "3.0.0.1"); got != "DYNAMODB" {
		t.Errorf("got %s, want what was logged", got)
	}
	if got := lookup(t, ranges.Lookups(), "src_aws_service", "-", "10.0.0.1", "3.0.0.1"); got != "-" {
		t.Errorf("got %s of the interface's address", got)
	}
	if got := lookup(t, ranges.Lookups(), "src_aws_service"); got != "-" {
		t.Errorf("without the fields: got %s", got)
	}
}

func TestAWSRangesErrors(t *testing.T) {
	for _, test := range []struct{ content, want string }{
		{"", "r.json:1: column 1: this is not AWS's ip-ranges.json: unexpected end"},
		{"cidr,team\n", "r.json:1: column 1: this is not AWS's ip-ranges.json: invalid character 'c'"},
		{"{}", "r.json:1: column 1: there are no prefixes in it"},
		{"{\n \"prefixes\": [5]}", "r.json:2: column 15: this is not AWS's ip-ranges.json: "},
		{"{\"prefixes\": [\n {\"ip_prefix\": \"3.0.0.0\", \"service\": \"S3\"}]}", `r.json:2: column 16: "3.0.0.0" is not the prefix of a service`},
		{"{\"prefixes\": [\n {\"ip_prefix\": \"3.0.0.0/8\"}]}", `r.json:2: column 16: "3.0.0.0/8" is not the prefix of a service`},
	} {
		if _, err := readAWSRanges("r.json", []byte(test.content)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: got error %v\nwant %s", test.content, err, test.want)
		}
	}
	if _, err := OpenAWSRanges("nowhere.json"); !os.IsNotExist(err) {
		t.Errorf("got error %v", err)
	}
}

func realRanges(t testing.TB) *AWSRanges {
	t.Helper()
	ranges, err := OpenAWSRanges("../../shared/reference/aws-ip-ranges.json")
	if os.IsNotExist(err) {
		t.Skipf("without AWS's file: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return ranges
}

func TestAWSRangesOfAWS(t *testing.T) {
	lookups := realRanges(t).Lookups()
	for _, test := range []struct{ addr, service, region string }{
		{"3.5.140.7", "S3", "ap-northeast-2"},
		{"52.94.5.1", "DYNAMODB", "eu-west-1"},
		{"99.77.131.1", "EC2", "us-east-2"},
		{"8.8.8.8", "-", "-"},
		{"10.0.0.1", "-", "-"},
	} {
		if got := lookup(t, lookups, "dst_aws_service", "-", "-", test.addr); got != test.service {
			t.Errorf("service of %s: got %s, want %s", test.addr, got, test.service)
		}
		if got := lookup(t, lookups, "dst_aws_region", "-", test.addr); got != test.region {
			t.Errorf("region of %s: got %s, want %s", test.addr, got, test.region)
		}
	}
}

func addrColumn(addrs ...netip.Addr) arrow.Array {
	c := schema.NewColumn(schema.Field{Name: "srcaddr", Kind: schema.Addr})
	for _, a := range addrs {
		c.Addr = append(c.Addr, a.As16())
	}
	return c.Array()
}

func BenchmarkAWSRanges(b *testing.B) {
	ranges := realRanges(b)
	random := rand.New(rand.NewPCG(1, 2))
	addrs := make([]netip.Addr, 1<<16)
	for i := range addrs {
		addrs[i] = netip.AddrFrom4([4]byte{byte(random.IntN(60)), byte(random.Uint32()), byte(random.Uint32()), 1})
	}
	in := []arrow.Array{nil, addrColumn(addrs...)}
	for i := 0; b.Loop(); i++ {
		ranges.find(in, i%len(addrs))
	}
}

func BenchmarkOpenAWSRanges(b *testing.B) {
	for b.Loop() {
		realRanges(b)
	}
}

// Whatever the file is, it is read or what is wrong has a place in it.
func FuzzAWSRanges(f *testing.F) {
	f.Add([]byte(rangesFile), "3.1.7.1")
	f.Add([]byte("\ufeff"+rangesFile), "2600:9000::1")
	f.Add([]byte(`{"prefixes":[{"ip_prefix":"10.1.2.3/8","service":"S3"},{"ip_prefix":"10.0.0.0/8","service":"EC2","region":"\u0000"}]}`), "10.0.0.1")
	f.Add([]byte(`{"prefixes":[{"ip_prefix":"::ffff:10.0.0.0/104","ipv6_prefix":"x","service":1}]}`), "10.0.0.1")
	f.Add([]byte(rangesFile)[:600], "10.0.0.1")
	f.Fuzz(func(t *testing.T, content []byte, addr string) {
		ranges, err := readAWSRanges("r.json", content)
		if err != nil {
			if ranges != nil || !strings.HasPrefix(err.Error(), "r.json:") {
				t.Errorf("got %v with error %v", ranges, err)
			}
			return
		}
		if _, err := netip.ParseAddr(addr); err != nil || strings.Contains(addr, "%") {
			addr = "10.0.0.1"
		}
		for _, l := range ranges.Lookups() {
			from := make([]string, len(l.From))
			for i := range from {
				from[i] = "-"
			}
			from[len(from)-1] = addr
			lookup(t, ranges.Lookups(), l.Name, from...)
		}
	})
}
