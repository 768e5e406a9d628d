package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// known is what trials are made of.
type known struct {
	fields  []field
	reports []string
	inputs  inputs
}

// A field is what `flowlog fields` says of one.
type field struct {
	Name   string
	Kind   string
	Since  int
	Max    int64
	Values []string
}

// learn asks a binary for its fields and reports.
func learn(binary string) (*known, error) {
	var k known
	var reports []struct{ Name string }
	for command, to := range map[string]any{"fields": &k.fields, "reports": &reports} {
		out, err := exec.Command(binary, command, "-o", "json").Output()
		if err == nil {
			err = json.Unmarshal(out, to)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", binary, command, err)
		}
	}
	for _, r := range reports {
		k.reports = append(k.reports, r.Name)
	}
	return &k, nil
}

// inputs are paths of logs, as seen from the directory of a trial.
type inputs struct {
	rich  []string // random logs, each with all fields of a version
	full  []string // those of the last version, and what other formats make of them
	logs  []string // testdata/logs
	small []string // random logs of few records
	odd   []string // testdata/edge and bad
	wide  string   // has so many groups that they do not fit into little memory
}

// The versions of the random logs: each as text, and the last as everything else too.
var versions = []int{2, 5, 6, 11}

// Formats that parse writes and reads.
var formats = []string{"csv", "tsv", "json", "ndjson", "parquet", "arrow"}

// makeInputs fills a directory with logs.
func makeInputs(binary, dir string, k *known) (inputs, error) {
	var in inputs
	for _, from := range []string{"logs", "edge", "bad", "geo", "tables"} {
		err := filepath.WalkDir("testdata/"+from, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name := strings.TrimPrefix(path, "testdata/")
			switch from {
			case "logs":
				in.logs = append(in.logs, "../in/"+name)
			case "edge", "bad":
				in.odd = append(in.odd, "../in/"+name)
			}
			return copyFile(filepath.Join(dir, name), path)
		})
		if err != nil {
			return in, fmt.Errorf("%w: run it in the top directory", err)
		}
	}
	in.logs = append(in.logs, "../in/logs", "../in/logs/AWSLogs", "../in/logs/*.log")
	r := rand.New(rand.NewPCG(*seed, 1<<32))
	if err := os.MkdirAll(filepath.Join(dir, "made"), 0o777); err != nil {
		return in, err
	}
	for _, version := range versions {
		for i, records := range []int{40, 3000} {
			name := fmt.Sprintf("made/v%d-%d.log", version, i)
			paths := &in.rich
			if version == versions[len(versions)-1] {
				paths = &in.full
			}
			if err := writeInput(dir, name, k.log(r, version, records, i == 1), paths); err != nil {
				return in, err
			}
		}
	}
	for _, name := range append(in.rich, in.full...) {
		if strings.HasSuffix(name, "-0.log") {
			in.small = append(in.small, name)
		}
	}
	in.wide = "../in/made/wide.log"
	if err := writeInput(dir, "made/wide.log", wideLog(r), nil); err != nil {
		return in, err
	}
	if err := writeInput(dir, "made/ranges.json", ranges, nil); err != nil {
		return in, err
	}
	return in, in.convert(binary, dir)
}

// writeInput writes a log, and adds its path to the paths.
func writeInput(dir, name, content string, paths *[]string) error {
	if paths != nil {
		*paths = append(*paths, "../in/"+name)
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666)
}

// convert makes the largest random log into files of each format, and of gzip.
func (in *inputs) convert(binary, dir string) error {
	last := fmt.Sprintf("made/v%d-1.log", versions[len(versions)-1])
	for _, f := range formats {
		name := "made/all." + f
		cmd := exec.Command(binary, "parse", "--config", "none", "-q", "-o", f, "-O", name, last)
		cmd.Dir = dir
		var exit *exec.ExitError
		if out, err := cmd.CombinedOutput(); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 3) {
			return fmt.Errorf("parse -o %s: %w\n%s", f, err, out)
		}
		in.full = append(in.full, "../in/"+name)
	}
	content, err := os.ReadFile(filepath.Join(dir, last))
	if err != nil {
		return err
	}
	in.full = append(in.full, "../in/made/all.log.gz")
	f, err := os.Create(filepath.Join(dir, "made/all.log.gz"))
	if err != nil {
		return err
	}
	w := gzip.NewWriter(f)
	_, err = w.Write(content)
	return errors.Join(err, w.Close(), f.Close())
}

// The addresses of the logs: few, so that there are ties, and IPv6 with zeros in all places.
var addresses = []string{
	"10.0.0.1", "10.0.0.2", "10.0.0.10", "10.0.1.9", "10.200.0.1", "9.255.255.255", "172.16.5.4", "172.31.0.1", "172.32.0.1",
	"192.0.2.7", "198.51.100.200", "198.51.100.66", "203.0.113.9", "0.0.0.0", "255.255.255.255",
	"2001:db8::1", "2001:db8::1:0:0:1", "2001:db8:0:1::", "1:0:0:2::3", "::", "::1", "fe80::1", "::ffff:10.0.0.10",
}

// value is what a log has in a field of a flow.
func value(rnd *rand.Rand, f field) string {
	r := &dice{Rand: rnd}
	if r.IntN(8) == 0 && f.Name != "version" {
		return "-"
	}
	switch f.Name {
	case "account_id":
		return pick(r, "123456789012", "000000000001", "unknown")
	case "srcport", "dstport":
		return pick(r, "0", "22", "80", "443", "443", "1000", "50000", strconv.Itoa(r.IntN(65536)))
	case "protocol":
		return pick(r, "1", "6", "6", "17", "58")
	case "packets":
		return strconv.Itoa(1 + r.IntN(5))
	case "bytes":
		if r.IntN(50) == 0 {
			return strconv.FormatInt(r.Int64N(1<<53), 10)
		}
		return strconv.Itoa(r.IntN(4) * 500)
	case "tcp_flags":
		return pick(r, "0", "1", "2", "18", "19", "4", "255")
	case "traffic_path":
		return strconv.Itoa(1 + r.IntN(8))
	case "instance_tag":
		return pick(r, "web", "Web", "db%231", "it's", "caf%C3%A9", "cafe%CC%81", "100%25", "a_b", `a\b`, "<b>&amp;", "=1+1", "%1B[31m")
	case "region":
		return pick(r, "us-east-1", "eu-west-1", "ap-southeast-2")
	}
	switch {
	case f.Values != nil:
		return pick(r, f.Values...)
	case f.Kind == "address":
		return pick(r, addresses...)
	case f.Kind == "text":
		return pick(r, "eni-1", "eni-2", "eni-10", "subnet-b", "x/y", "é", "Z", "a")
	}
	return strconv.Itoa(r.IntN(3))
}

// log is a log of the fields of one version, or for transit gateways 6, in any order. A few lines may be malformed.
func (k *known) log(r *rand.Rand, version, records int, malformed bool) string {
	var fields []field
	for _, f := range k.fields {
		if f.Since > 0 && f.Since <= version && (version == 6) == (f.Since == 6 || version == 6) {
			fields = append(fields, f)
		}
	}
	r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = strings.ReplaceAll(f.Name, "_", "-")
	}
	var b strings.Builder
	b.WriteString(strings.Join(names, " ") + "\n")
	values := make([]string, len(fields))
	for range records {
		status := pick(&dice{Rand: r}, "OK", "OK", "OK", "OK", "OK", "OK", "NODATA", "SKIPDATA", "-")
		idle := status == "NODATA" || status == "SKIPDATA"
		start := 1_700_000_000 + r.IntN(500)*600
		for i, f := range fields {
			switch f.Name {
			case "version":
				values[i] = strconv.Itoa(version)
			case "log_status":
				values[i] = status
			case "start":
				values[i] = strconv.Itoa(start)
			case "end":
				values[i] = strconv.Itoa(start + r.IntN(5)*300 - 300) // some end before they begin
			case "interface_id", "account_id":
				values[i] = value(r, f)
			default:
				if values[i] = "-"; !idle {
					values[i] = value(r, f)
				}
			}
		}
		line := values
		if malformed && r.IntN(300) == 0 {
			if line[r.IntN(len(line))] = "?"; r.IntN(2) == 0 {
				line = line[1:]
			}
		}
		b.WriteString(strings.Join(line, " ") + "\n")
	}
	return b.String()
}

// ranges is of the form of AWS's list of its addresses.
const ranges = `{"syncToken": "1", "createDate": "2026-05-14-00-00-00", "prefixes": [
{"ip_prefix": "192.0.2.0/24", "region": "us-east-1", "service": "AMAZON", "network_border_group": "us-east-1"},
{"ip_prefix": "192.0.2.0/25", "region": "us-east-1", "service": "S3", "network_border_group": "us-east-1"},
{"ip_prefix": "198.51.100.0/24", "region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}],
"ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/48", "region": "eu-west-1", "service": "EC2", "network_border_group": "eu-west-1"}]}
`

// wideRecords are so many that their groups take more than the least memory that flowlog may be given.
const wideRecords = 400_000

// wideLog is a log in which addresses and ports hardly repeat.
func wideLog(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n")
	for range wideRecords {
		start := 1_700_000_000 + r.IntN(3600)
		fmt.Fprintf(&b, "2 123456789012 eni-%d 10.%d.%d.%d 192.0.2.%d %d %d 6 %d %d %d %d %s OK\n", r.IntN(4), r.IntN(4), r.IntN(256), r.IntN(256), r.IntN(256),
			r.IntN(65536), 1+r.IntN(1000), 1+r.IntN(9), r.IntN(90_000), start, start+r.IntN(60), pick(&dice{Rand: r}, "ACCEPT", "ACCEPT", "REJECT"))
	}
	return b.String()
}
