package cmd_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oschwald/geoip2-golang/v2"
)

// TestRecipes runs each command of `flowlog help recipes` in a shell, as it is written, in a folder whose logs are
// those of testdata/logs that are text. Each must find something. Those that stand for OpenObserve's panels and
// AWS's queries must come to what plain says, which knows nothing of this project: it splits lines at blanks, and
// adds up in maps.
func TestRecipes(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no shell")
	}
	page, err := os.ReadFile("help/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	geo, err := filepath.Abs("../testdata/geo")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FLOWLOG_CITY_DB", filepath.Join(geo, "city.mmdb"))
	t.Setenv("FLOWLOG_ASN_DB", filepath.Join(geo, "asn.mmdb"))
	dir := t.TempDir()
	records := copyLogs(t, filepath.Join(dir, "logs"))
	for name, content := range map[string]string{
		"bad.txt":        "198.51.100.66 # scans\n203.0.113.96/29\n",
		"nets.csv":       "cidr,team\n10.0.0.0/20,edge\n10.0.80.0/20,shop\n",
		"ip-ranges.json": `{"prefixes": [{"ip_prefix": "52.216.0.0/15", "region": "us-east-1", "service": "S3"}], "ipv6_prefixes": []}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	expected := expectations(t, geo)
	compared := 0
	for i, line := range strings.Split(string(page), "\n") {
		place := fmt.Sprintf("help/recipes.md:%d", i+1)
		for _, m := range regexp.MustCompile("`(flowlog [^`]+)`").FindAllStringSubmatch(line, -1) {
			command := m[1]
			out := recipe(t, dir, place, command)
			if bytes.Contains(out, []byte("no matching flows")) || len(out) == 0 && !strings.Contains(command, "-o none") {
				t.Errorf("%s: %s: finds nothing in the samples:\n%s", place, command, out)
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			e, ok := expected[name]
			if !ok {
				if regexp.MustCompile(`^\| (\d+ |VpcFlowLogs)`).MatchString(line) {
					t.Errorf("%s: %q: nothing says what it must come to", place, name)
				}
				continue
			}
			delete(expected, name)
			compared++
			e.compare(t, place+": "+command, recipe(t, dir, place, command+" -o ndjson"), records)
		}
	}
	for name := range expected {
		t.Errorf("help/recipes.md has no line for %q", name)
	}
	if compared < 28+16 {
		t.Errorf("compared %d of OpenObserve's 28 panels and AWS's 16 queries", compared)
	}
}

// recipe runs a command of the page.
func recipe(t *testing.T, dir, place, command string) []byte {
	t.Helper()
	c := exec.Command("sh", "-c", command)
	var out, errOut bytes.Buffer
	c.Dir, c.Stdout, c.Stderr = dir, &out, &errOut
	if err := c.Run(); err != nil || strings.Contains(errOut.String(), "flowlog: warning") {
		t.Errorf("%s: %s: %v\n%s", place, command, err, &errOut)
	}
	return out.Bytes()
}

// A plain record is the fields of a line by the names in the header, with _ for -; those that are - are missing.
type plain map[string]string

// defaultHeader is what a file without a header has.
const defaultHeader = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"

// copyLogs copies the sample logs that are text, and returns their flows.
func copyLogs(t *testing.T, to string) (flows []plain) {
	t.Helper()
	const from = "../testdata/logs"
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".log") && !strings.HasSuffix(path, ".log.gz") {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o666); err != nil {
			return err
		}
		if strings.HasSuffix(path, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(content))
			if err != nil {
				return err
			}
			if content, err = io.ReadAll(z); err != nil {
				return err
			}
		}
		header := strings.Fields(strings.ReplaceAll(defaultHeader, "-", "_"))
		for i, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
			words := strings.Fields(line)
			if i == 0 && slices.Contains(words, "srcaddr") {
				header = strings.Fields(strings.ReplaceAll(line, "-", "_"))
				continue
			}
			r := plain{}
			for i, word := range words {
				if word != "-" {
					r[header[i]] = word
				}
			}
			if status := r["log_status"]; status == "OK" || status == "" {
				flows = append(flows, r)
			}
		}
		return nil
	})
	if err != nil || len(flows) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	return flows
}

// An expectation is what a report must come to: the flows for which where is true, in groups of one value of each
// key, the top of them by a measure, or all.
type expectation struct {
	keys  string // names of columns, and how to compute those that were not logged in the table computed
	by    string // the measure that ranks, "" if the groups are in another order
	top   int
	where func(plain) bool
	value map[string]func(plain) string // of keys that were not logged
}

// sums are what all reports here measure. A sum of nothing is none.
type sums struct {
	flows          float64
	bytes, packets *float64
}

func (s sums) of(measure string) float64 {
	values := map[string]*float64{"flows": &s.flows, "bytes": s.bytes, "packets": s.packets}
	if v := values[measure]; v != nil {
		return *v
	}
	return -1
}

func add(sum *float64, value string) *float64 {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return sum
	}
	if sum != nil {
		v += *sum
	}
	return &v
}

// groups adds up.
func (e expectation) groups(flows []plain) map[string]sums {
	groups := make(map[string]sums)
	for _, r := range flows {
		if e.where != nil && !e.where(r) {
			continue
		}
		var key []string
		for name := range strings.FieldsSeq(e.keys) {
			if f := e.value[name]; f != nil {
				key = append(key, f(r))
			} else {
				key = append(key, r[name])
			}
		}
		g := groups[strings.Join(key, " ")]
		g.flows++
		g.bytes, g.packets = add(g.bytes, r["bytes"]), add(g.packets, r["packets"])
		groups[strings.Join(key, " ")] = g
	}
	return groups
}

// compare checks the rows of a report.
func (e expectation) compare(t *testing.T, what string, ndjson []byte, flows []plain) {
	t.Helper()
	groups := e.groups(flows)
	var ranking []float64
	for _, g := range groups {
		ranking = append(ranking, g.of(e.by))
	}
	slices.SortFunc(ranking, func(a, b float64) int { return cmp.Compare(b, a) })
	want := len(groups)
	if e.top > 0 {
		want = min(want, e.top)
	}
	rows := strings.Split(strings.TrimSpace(string(ndjson)), "\n")
	if len(rows) != want || want == 0 {
		t.Errorf("%s: %d rows, want %d", what, len(rows), want)
		return
	}
	seen := make(map[string]bool)
	for i, line := range rows {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Errorf("%s: %v: %s", what, err, line)
			return
		}
		var key []string
		for name := range strings.FieldsSeq(e.keys) {
			key = append(key, text(row[name]))
		}
		g, ok := groups[strings.Join(key, " ")]
		if !ok || seen[strings.Join(key, " ")] {
			t.Errorf("%s: there is no such group, or it came before: %s", what, line)
			continue
		}
		seen[strings.Join(key, " ")] = true
		measured := 0
		for name, value := range map[string]*float64{"flows": &g.flows, "bytes": g.bytes, "packets": g.packets} {
			got, ok := row[name]
			if !ok {
				continue
			}
			measured++
			if value == nil || got != *value {
				t.Errorf("%s: %s of %s are %v, want %v", what, name, key, got, g)
			}
		}
		if measured == 0 && g.bytes != nil {
			t.Errorf("%s: nothing is measured: %s", what, line)
		}
		if e.by != "" && g.of(e.by) != ranking[i] {
			t.Errorf("%s: row %d has %v %s, want %v", what, i, g.of(e.by), e.by, ranking[i])
		}
	}
}

// text is a value of JSON as plain has it, "" for null.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// expectations are what the lines of the page that stand for OpenObserve's panels and AWS's queries come to, by the
// name that they have there.
func expectations(t *testing.T, geo string) map[string]expectation {
	t.Helper()
	open := func(name string) *geoip2.Reader {
		db, err := geoip2.Open(filepath.Join(geo, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	cities, networks := open("city.mmdb"), open("asn.mmdb")
	is := func(name string, values ...string) func(plain) bool {
		return func(r plain) bool { return slices.Contains(values, r[name]) }
	}
	all := func(conditions ...func(plain) bool) func(plain) bool {
		return func(r plain) bool {
			return !slices.ContainsFunc(conditions, func(c func(plain) bool) bool { return !c(r) })
		}
	}
	// the packet's end, where it was logged
	end := func(r plain, side string) netip.Addr {
		a, err := netip.ParseAddr(cmp.Or(r["pkt_"+side+"addr"], r[side+"addr"]))
		if err != nil {
			t.Fatalf("%v: %v", r, err)
		}
		return a
	}
	place := func(side string, of func(geoip2.Location) *float64) func(plain) string {
		return func(r plain) string {
			city, err := cities.City(end(r, side))
			if err != nil {
				t.Fatal(err)
			}
			if v := of(city.Location); v != nil {
				return text(*v)
			}
			return ""
		}
	}
	network := func(side string) func(plain) string {
		return func(r plain) string {
			as, err := networks.ASN(end(r, side))
			if err != nil {
				t.Fatal(err)
			}
			return as.AutonomousSystemOrganization
		}
	}
	bin := func(seconds int64) func(plain) string {
		return func(r plain) string {
			start, err := strconv.ParseInt(r["start"], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return time.Unix(start-start%seconds, 0).UTC().Format(time.RFC3339)
		}
	}
	value := map[string]func(plain) string{
		"time":          bin(60), // an hour of logs has bins of a minute
		"src_latitude":  place("src", func(l geoip2.Location) *float64 { return l.Latitude }),
		"src_longitude": place("src", func(l geoip2.Location) *float64 { return l.Longitude }),
		"dst_latitude":  place("dst", func(l geoip2.Location) *float64 { return l.Latitude }),
		"dst_longitude": place("dst", func(l geoip2.Location) *float64 { return l.Longitude }),
		"src_as_org":    network("src"),
		"dst_as_org":    network("dst"),
		"ip_version": func(r plain) string {
			switch {
			case r["type"] != "":
				return r["type"]
			case strings.Contains(r["srcaddr"], ":"):
				return "IPv6"
			}
			return "IPv4"
		},
	}
	hourly := map[string]func(plain) string{"time": bin(3600)}
	reject, tcp := is("action", "REJECT"), is("protocol", "6")
	others := func(r plain) bool { return !is("protocol", "1", "6", "17")(r) }
	admin := is("dstport", "22", "23", "2375", "2376", "3389", "5900", "5985", "5986", "6443", "10250")
	version := func(v string) func(plain) bool { return func(r plain) bool { return value["ip_version"](r) == v } }
	expected := map[string]expectation{
		"1 Introduction, a text":                           {},
		"2 Packets transferred":                            {keys: "time protocol"},
		"3 Data transferred (Hourly)":                      {keys: "time protocol", value: hourly},
		"4 Direction":                                      {keys: "time flow_direction"},
		"5 Data transferred":                               {keys: "time protocol"},
		"6 Top 20 source IP addresses (Packet count)":      {keys: "srcaddr", by: "packets", top: 20},
		"7 Top 20 destination IP addresses (Packet count)": {keys: "dstaddr", by: "packets", top: 20},
		"8 Top 20 Senders (Volume)":                        {keys: "srcaddr", by: "bytes", top: 20},
		"9 Top 20 Receivers (Volume)":                      {keys: "dstaddr", by: "bytes", top: 20},
		"10 Top sources":                                   {keys: "src_latitude src_longitude", by: "flows"},
		"11 Top destinations":                              {keys: "dst_latitude dst_longitude", by: "flows"},
		"12 Top 20 IP addresses with rejections":           {keys: "srcaddr", by: "flows", top: 20, where: reject},
		"13 Actions":                                       {keys: "action", by: "flows"},
		"14 Top 20 source ASN":                             {keys: "src_as_org", by: "packets", top: 20},
		"15 Top 20 destination ASN":                        {keys: "dst_as_org", by: "packets", top: 20},
		"16 Top 20 source ASN (Volume)":                    {keys: "src_as_org", by: "bytes", top: 20},
		"17 Top 20 destination ASN (Volume)":               {keys: "dst_as_org", by: "bytes", top: 20},
		"18 overall":                                       {keys: "interface_id", by: "bytes"},
		"19 AZ traffic":                                    {keys: "time az_id"},
		"20 subnet traffic":                                {keys: "subnet_id", by: "bytes"},
		"21 Packets transferred (TCP)":                     {keys: "time protocol", where: tcp},
		"22 Packets transferred (UDP)":                     {keys: "time protocol", where: is("protocol", "17")},
		"23 Packets transferred (ICMP)":                    {keys: "time protocol", where: is("protocol", "1")},
		"24 Packets transferred (Others)":                  {keys: "time protocol", where: others},
		"25 Packets transferred":                           {keys: "protocol", by: "packets"},
		"26 Traffic by protocol":                           {keys: "protocol", by: "packets"},
		"27 src service":                                   {keys: "time pkt_src_aws_service"},
		"28 destination service":                           {keys: "time pkt_dst_aws_service"},

		"VpcFlowLogsAcceptedTraffic":                  {keys: "srcaddr dstaddr dstport", by: "bytes", top: 10, where: all(is("action", "ACCEPT"), tcp)},
		"VpcFlowLogsAdminPortTraffic":                 {keys: "srcaddr", by: "bytes", top: 10, where: admin},
		"VpcFlowLogsIPv4Traffic":                      {keys: "ip_version", by: "bytes", where: version("IPv4")},
		"VpcFlowLogsIPv6Traffic":                      {keys: "ip_version", by: "bytes", where: version("IPv6")},
		"VpcFlowLogsRejectedTCPTraffic":               {keys: "srcaddr", by: "flows", top: 10, where: all(reject, tcp)},
		"VpcFlowLogsRejectedTraffic":                  {keys: "srcaddr", by: "flows", top: 10, where: reject},
		"VpcFlowLogsSshRdpTraffic":                    {keys: "srcaddr dstaddr srcport dstport", by: "bytes", top: 10, where: func(r plain) bool { return is("srcport", "22", "3389")(r) || is("dstport", "22", "3389")(r) }},
		"VpcFlowLogsTopTalkers":                       {keys: "srcaddr", by: "bytes", top: 50},
		"VpcFlowLogsTopTalkersPacketLevel":            {keys: "pkt_srcaddr", by: "bytes", top: 50},
		"VpcFlowLogsTopTalkingInstances":              {keys: "instance_id", by: "bytes", top: 50},
		"VpcFlowLogsTopTalkingSubnets":                {keys: "subnet_id", by: "bytes", top: 50},
		"VpcFlowLogsTopTCPTraffic":                    {keys: "dstaddr", by: "bytes", top: 10, where: all(is("srcaddr", "10.0.0.5"), tcp)},
		"VpcFlowLogsTotalBytesTransferred":            {keys: "srcaddr dstaddr", by: "bytes", top: 50},
		"VpcFlowLogsTotalBytesTransferredPacketLevel": {keys: "pkt_srcaddr pkt_dstaddr", by: "bytes", top: 50},
		"VpcFlowLogsTrafficFrmSrcAddr":                {keys: "dstaddr dstport protocol", by: "bytes", top: 10, where: is("srcaddr", "10.0.0.5")},
		"VpcFlowLogsTrafficToDstAddr":                 {keys: "srcaddr dstport protocol", by: "bytes", top: 10, where: is("dstaddr", "10.0.0.5")},
	}
	for name, e := range expected {
		if e.value == nil {
			e.value = value
			expected[name] = e
		}
	}
	return expected
}
