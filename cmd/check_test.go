package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowlog/cmd"
)

// traffic is an hour of flow logs in the default format.
type traffic struct {
	*rand.Rand
	bytes.Buffer
}

// from is its first second.
const from = 1778749200 // 2026-05-14T09:00:00Z

// flow writes a record. second is counted from the first.
func (t *traffic) flow(second int, src, dst string, srcport, dstport, packets, size int, action string) {
	fmt.Fprintf(t, "2 123456789012 eni-0a1b2c3d4e5f60718 %s %s %d %d 6 %d %d %d %d %s OK\n",
		src, dst, srcport, dstport, packets, size, from+second, from+second+50, action)
}

// quiet writes what goes on in a VPC all day: hosts that use each other and the internet, visitors of the web server
// who are served much, a backup that is as large in each interval, administrators inside, and the noise of the internet,
// which is refused.
func quiet(seed uint64) *traffic {
	t := &traffic{Rand: rand.New(rand.NewPCG(seed, 7))}
	t.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	host := func() string { return fmt.Sprintf("10.0.%d.%d", t.IntN(3), 4+t.IntN(30)) }
	high := func() int { return 32768 + t.IntN(28000) }
	for second := 0; second < 3600; second += 2 {
		client, server, port := host(), host(), []int{443, 5432, 53, 6379}[t.IntN(4)]
		packets := 4 + t.IntN(60)
		t.flow(second, client, server, high(), port, packets, packets*(60+t.IntN(900)), "ACCEPT")
		t.flow(second, server, client, port, high(), packets, packets*(60+t.IntN(900)), "ACCEPT")
		visitor := fmt.Sprintf("198.51.100.%d", 1+t.IntN(250))
		t.flow(second, visitor, "10.0.0.10", high(), 443, packets, packets*80, "ACCEPT")
		t.flow(second, "10.0.0.10", visitor, 443, high(), 900*packets, 900*packets*1200, "ACCEPT")
		t.flow(second, host(), fmt.Sprintf("203.0.113.%d", 1+t.IntN(40)), high(), 443, packets, packets*200, "ACCEPT")
		if t.IntN(4) == 0 {
			t.flow(second, fmt.Sprintf("192.0.2.%d", 1+t.IntN(200)), host(), high(), []int{22, 23, 445, 3389}[t.IntN(4)], 1, 40, "REJECT")
		}
		if second%60 == 0 {
			t.flow(second, "10.0.1.5", "203.0.113.200", high(), 443, 40000, 48e6+t.IntN(4e6), "ACCEPT")
			t.flow(second, "10.0.2.4", host(), high(), 22, 30, 4000, "ACCEPT")
		}
		if second%600 == 0 {
			t.WriteString("2 123456789012 eni-0ffffffffffffffff - - - - - - - 1778749200 1778749260 - NODATA\n")
		}
	}
	return t
}

// events are what can be planted, and the rule that fires for it, and about whom.
var events = []struct {
	rule, about string
	plant       func(t *traffic)
}{
	{"port-scan", "192.0.2.66 tried", func(t *traffic) { // slowly, so that it is no spike
		for i := range 300 {
			t.flow(12*i, "192.0.2.66", "10.0.0.7", 40000, 1+i, 1, 40, "REJECT")
		}
	}},
	{"scan-from-inside", "10.0.2.9 tried", func(t *traffic) {
		for i := range 80 {
			t.flow(40*i, "10.0.2.9", fmt.Sprintf("10.0.1.%d", 100+i), 40000, 445, 1, 40, "REJECT")
		}
	}},
	{"rejected-spike", "from 2026-05-14 09:35:00", func(t *traffic) { // many do it, so that nobody scans
		for i := range 700 {
			t.flow(35*60+i%280, fmt.Sprintf("192.0.2.%d", 1+i%200), "10.0.0.10", 40000+i, 8443, 1, 40, "REJECT")
		}
	}},
	{"new-external-destination", "10.0.1.17 sent 191 MiB to 203.0.113.250", func(t *traffic) {
		for i := range 4 {
			t.flow(40*60+i*60, "10.0.1.17", "203.0.113.250", 50123, 443, 40000, 50e6, "ACCEPT")
		}
	}},
	{"admin-from-outside", "198.51.100.9 reached port 3389 of 10.0.0.12", func(t *traffic) {
		t.flow(100, "198.51.100.9", "10.0.0.12", 50200, 3389, 20, 3000, "ACCEPT")
		t.flow(100, "10.0.0.12", "198.51.100.9", 3389, 50200, 20, 9000, "ACCEPT")
	}},
	{"threat-list", "10.0.1.8 and 203.0.113.99 talk, of which one is on a threat list; the source: -, the destination: Dridex; ", func(t *traffic) {
		t.flow(300, "10.0.1.8", "203.0.113.99", 50300, 443, 9, 900, "ACCEPT")
		t.flow(300, "203.0.113.99", "10.0.1.9", 50300, 22, 1, 40, "REJECT")
	}},
	{"records-lost", "records of eni-0a1b2c3d4e5f60718 were lost: 1 SKIPDATA", func(t *traffic) {
		t.WriteString("2 123456789012 eni-0a1b2c3d4e5f60718 - - - - - - - 1778749200 1778749260 - SKIPDATA\n")
	}},
}

// TestBuiltinRules holds flowlog's own rules against logs in which nothing happens, in which one thing does, and in
// which all do: they fire for that and for nothing else.
func TestBuiltinRules(t *testing.T) {
	threats := filepath.Join(t.TempDir(), "feodo.csv")
	if err := os.WriteFile(threats, []byte("first_seen_utc,dst_ip,dst_port,malware\n2021-01-17,203.0.113.99,443,Dridex\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	check := func(name string, log *traffic, plant ...int) {
		t.Run(name, func(t *testing.T) {
			var expected []string
			for _, i := range plant {
				events[i].plant(log)
				expected = append(expected, events[i].rule)
			}
			file := filepath.Join(t.TempDir(), "flow.log")
			if err := os.WriteFile(file, log.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
			var out, errOut bytes.Buffer
			code := cmd.Main([]string{"check", "--config", "none", "-q", "--builtin", "--table", "threat=" + threats, "-o", "json", file}, strings.NewReader(""), &out, &errOut)
			if want := min(len(plant), 1) * 5; code != want {
				t.Errorf("exit code %d, want %d: %s", code, want, &errOut)
			}
			var doc struct {
				Findings []struct{ Rule, Message string }
			}
			if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
				t.Fatal(err)
			}
			var fired []string
			for _, f := range doc.Findings {
				fired = append(fired, f.Rule)
				for _, e := range events {
					if e.rule == f.Rule && !strings.Contains(f.Message, e.about) {
						t.Errorf("%s: %s, want %s", f.Rule, f.Message, e.about)
					}
				}
			}
			slices.Sort(fired)
			slices.Sort(expected)
			if !slices.Equal(fired, expected) {
				t.Errorf("fired:\n got %q\nwant %q\n%s", fired, expected, &out)
			}
		})
	}
	var all []int
	for seed := range uint64(5) {
		check(fmt.Sprintf("quiet %d", seed), quiet(seed))
	}
	for i, e := range events {
		all = append(all, i)
		check(e.rule, quiet(uint64(i)), i)
	}
	check("all", quiet(9), all...)
}

// TestBuiltinNetwork holds the rule that needs a database against a leak.
func TestBuiltinNetwork(t *testing.T) {
	log := quiet(3)
	for i := range 4 { // an address of the test database
		log.flow(40*60+i*60, "10.0.1.17", "8.8.8.8", 50123, 443, 40000, 50e6, "ACCEPT")
	}
	file := filepath.Join(t.TempDir(), "flow.log")
	if err := os.WriteFile(file, log.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	code := cmd.Main([]string{"check", "--config", "none", "-q", "--builtin", "--asn-db", "../testdata/geo/asn.mmdb", file}, strings.NewReader(""), &out, &errOut)
	if code != 5 || strings.Count(out.String(), "\nhigh") != 2 || !strings.Contains(out.String(), "went to AS") {
		t.Errorf("exit code %d:\n%s%s", code, &out, &errOut)
	}
}
