package cmd_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/parse/schema"
)

// A record with a bad value is out, whatever a report reads of it and whatever else is asked: each report over logs
// with bad records says what it says over the good ones alone.
func TestMalformedWhateverIsAsked(t *testing.T) {
	names := schema.Version(5)
	names = append(slices.Clone(names), "instance_tag", "unheard_of")
	reports := []string{"talkers", "summary", "protocols", "ports", "rejected", "timeline", "pairs", "interfaces"}
	asked := [][]string{{strings.Join(reports, ",")}, {"talkers,summary", "--where", "bytes > 2"}, {"rejected,quality"}}
	for _, name := range reports {
		asked = append(asked, []string{name}, []string{name, "--where", "end > 2020-01-01"}, []string{name, "--by", "az_id", "--workers", "8"})
	}
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 24))
		records, good := malformedWorld(r, names)
		for format, write := range containers {
			dir := t.TempDir()
			bad, without := filepath.Join(dir, "bad"), filepath.Join(dir, "good")
			for path, records := range map[string][][]string{bad: records, without: good} {
				if err := os.WriteFile(path, write(names, records), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			parquet := filepath.Join(dir, "parsed.parquet")
			cmd.Invoke("parse", "-q", "-o", "parquet", "-O", parquet, bad).Exits(t, 3)
			some := asked[:3]
			some = append(some, asked[3+r.IntN(len(asked)-3)], asked[3+r.IntN(len(asked)-3)], asked[3+r.IntN(len(asked)-3)])
			for _, args := range some {
				args = append([]string{"report", "-o", "ndjson", "--top", "0"}, args...)
				want := cmd.Invoke(append(args, without)...).Exits(t, 0)
				want = countMalformed(want, len(records)-len(good))
				for path, code := range map[string]int{bad: 3, parquet: 0} {
					got := cmd.Invoke(append(args, path)...).Exits(t, code)
					if code == 0 {
						got = countMalformed(got, len(records)-len(good))
					}
					if got != want {
						t.Fatalf("seed %d, %s: flowlog %s: got\n%s\nwant what the good records alone give\n%s", seed, format, strings.Join(append(args, path), " "), got, want)
					}
				}
			}
		}
	}
}

// countMalformed puts the number of malformed records into the rows that count them.
func countMalformed(rows string, n int) string {
	return strings.ReplaceAll(rows, `"malformed":0`, fmt.Sprintf(`"malformed":%d`, n))
}

// malformedWorld makes records of which some have one bad value, and says which are good.
func malformedWorld(r *rand.Rand, names []string) (records, good [][]string) {
	bad := map[schema.Kind][]string{
		schema.Int32: {"x", "-1", "70000000000", "1.5", "12x4", "１", "4294967296000000000"},
		schema.Int64: {"x", "-5", "9223372036854775808", "99999999999999999999", "1e3x", "12x4", "0x10"},
		schema.Time:  {"171000006x", "-1", "99999999999999999999", "17100000.5x"},
		schema.Addr:  {"localhost", "10.0.0.256", "10.0.0.01", "10.0.0", "10.0.0.1.2", "1::2::3", "12345::", "fe80::1%eth0", ":::", "1:2:3:4:5:6:7:8:9"},
	}
	for i := range 400 {
		record := make([]string, len(names))
		for k, name := range names {
			f, _ := schema.Logged().Lookup(name)
			switch {
			case name == "version":
				record[k] = "5"
			case name == "log_status":
				record[k] = "OK"
			case name == "action":
				record[k] = []string{"ACCEPT", "REJECT"}[r.IntN(2)]
			case name == "start":
				record[k] = fmt.Sprint(1710000000 + 10*i)
			case name == "end":
				record[k] = fmt.Sprint(1710000009 + 10*i)
			case r.IntN(40) == 0:
				record[k] = "-"
			case f.Max > 0:
				record[k] = fmt.Sprint(r.Int64N(f.Max + 1))
			case f.Kind == schema.Int32 || f.Kind == schema.Int64:
				record[k] = fmt.Sprint(r.IntN(9))
			case f.Kind == schema.Addr && r.IntN(4) > 0:
				record[k] = fmt.Sprintf("10.%d.%d.%d", r.IntN(2), r.IntN(256), r.IntN(256))
			case f.Kind == schema.Addr:
				record[k] = []string{"2001:db8::1", "::1", "fe80::", "2001:db8:0:1:2:3:4:5", "::ffff:10.0.0.1", "1:2:3:4:5:6:7::"}[r.IntN(6)]
			default:
				record[k] = fmt.Sprintf("%s-%d", strings.ReplaceAll(name, "_", ""), r.IntN(3))
			}
		}
		records = append(records, record)
		if r.IntN(12) > 0 {
			good = append(good, record)
			continue
		}
		for {
			k := r.IntN(len(names))
			f, ok := schema.Logged().Lookup(names[k])
			if !ok || f.Kind == schema.Text {
				continue
			}
			values := bad[f.Kind]
			record[k] = values[r.IntN(len(values))]
			if f.Max > 0 && r.IntN(2) == 0 {
				record[k] = fmt.Sprint(f.Max + 1 + r.Int64N(20))
			}
			break
		}
	}
	return records, good
}

// containers write records in formats that are read record by record.
var containers = map[string]func(names []string, records [][]string) []byte{
	"text": func(names []string, records [][]string) []byte {
		return joined(append([][]string{names}, records...), " ")
	},
	"csv": func(names []string, records [][]string) []byte {
		return joined(append([][]string{names}, records...), ",")
	},
	"messages": func(names []string, records [][]string) []byte {
		var out bytes.Buffer
		for _, record := range append([][]string{names}, records...) {
			line, _ := json.Marshal(map[string]string{"message": strings.Join(record, " ")})
			out.Write(append(line, '\n'))
		}
		return out.Bytes()
	},
	"objects": func(names []string, records [][]string) []byte {
		var out bytes.Buffer
		for _, record := range records {
			object := maps.Collect(func(yield func(string, string) bool) {
				for i, name := range names {
					if !yield(name, record[i]) {
						return
					}
				}
			})
			line, _ := json.Marshal(object)
			out.Write(append(line, '\n'))
		}
		return out.Bytes()
	},
}

func joined(records [][]string, sep string) []byte {
	var out bytes.Buffer
	for _, record := range records {
		fmt.Fprintln(&out, strings.Join(record, sep))
	}
	return out.Bytes()
}
