package cmd_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestCounting counts the records of each example of `flowlog help counting` from each vantage. Its records, their
// directions and its sums must be those that the page says, with and without flow_direction.
func TestCounting(t *testing.T) {
	page, err := os.ReadFile("help/counting.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, block := range regexp.MustCompile(`(?m)(?:^    .*\n)+`).FindAllString(string(page), -1) {
		examples++
		e := readExample(t, block)
		t.Run(fmt.Sprint(examples), func(t *testing.T) { e.check(t) })
	}
	if examples < 11 {
		t.Errorf("found %d examples", examples)
	}
}

// An example is the records of a block of the page.
type example struct {
	names   []string
	records []map[string]string
	sums    map[string]string // by vantage
}

// readExample reads a table whose columns begin where their names do, and the line of sums below it.
func readExample(t *testing.T, block string) example {
	t.Helper()
	lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
	header := lines[0]
	var names []string
	var starts []int
	for _, m := range regexp.MustCompile(`counted by|\S+`).FindAllStringIndex(header, -1) {
		names, starts = append(names, header[m[0]:m[1]]), append(starts, m[0])
	}
	e := example{names: names, sums: make(map[string]string)}
	last := len(lines) - 1
	for _, line := range lines[1:last] {
		r := make(map[string]string)
		for i, name := range names {
			end := len(line)
			if i+1 < len(starts) {
				end = min(end, starts[i+1])
			}
			r[name] = strings.TrimSpace(line[min(starts[i], len(line)):end])
		}
		e.records = append(e.records, r)
	}
	for _, m := range regexp.MustCompile(`(all|src|dst|dedupe) (\d+)`).FindAllStringSubmatch(lines[last], -1) {
		e.sums[m[1]] = m[2]
	}
	if len(e.sums) != 4 || len(e.records) == 0 {
		t.Fatalf("not an example with sums:\n%s", block)
	}
	return e
}

// logFields are what a log of an example has, with what stands for a field that the example does not say.
var logFields = [][2]string{
	{"interface", "-"}, {"resource-id", "-"}, {"srcaddr", "-"}, {"dstaddr", "-"}, {"pkt-srcaddr", "-"}, {"pkt-dstaddr", "-"}, {"bytes", "-"},
	{"protocol", "6"}, {"srcport", "0"}, {"dstport", "0"}, {"start", "1710000000"}, {"end", "1710000060"}, {"action", "ACCEPT"}, {"log-status", "OK"},
}

// log writes the records as a flow log. The packets of each are another power of two, so that their sum tells which were
// counted.
func (e example) log(t *testing.T, directions []string) string {
	var text strings.Builder
	for _, f := range logFields {
		text.WriteString(strings.Replace(f[0], "interface", "interface-id", 1) + " ")
	}
	text.WriteString("packets flow-direction\n")
	for i, r := range e.records {
		for _, f := range logFields {
			value := r[f[0]]
			if value == "" {
				value = f[1]
			}
			text.WriteString(value + " ")
		}
		direction := "-"
		if directions != nil && directions[i] != "" {
			direction = directions[i]
		}
		fmt.Fprintf(&text, "%d %s\n", 1<<i, direction)
	}
	file := filepath.Join(t.TempDir(), "example.log")
	if err := os.WriteFile(file, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

func (e example) check(t *testing.T) {
	directions := e.count(t, e.log(t, nil))
	e.count(t, e.log(t, directions)) // what follows from the records may as well be logged
}

// count compares what is counted with what the page says, and returns the direction of each record.
func (e example) count(t *testing.T, file string) []string {
	t.Helper()
	for vantage, sum := range e.sums {
		rows := csvOf(t, "report", "summary", "-q", "-o", "csv", "--measures", "bytes,packets", "--vantage", vantage, file)
		counted, bytes := 0, "0"
		if len(rows) > 1 && rows[1][1] != "" {
			bytes = rows[1][0]
			counted, _ = strconv.Atoi(rows[1][1])
		}
		if bytes != sum {
			t.Errorf("%s: %s bytes, the page says %s", vantage, bytes, sum)
		}
		for i, r := range e.records {
			page := vantage == "all" || strings.Contains(" "+r["counted by"]+" ", " "+vantage+" ")
			if page != (counted&(1<<i) != 0) {
				t.Errorf("%s: record %d is counted: %v, the page says %v", vantage, i+1, !page, page)
			}
		}
	}
	directions := make([]string, len(e.records))
	for _, direction := range []string{"ingress", "egress"} {
		rows := csvOf(t, "report", "summary", "-q", "-o", "csv", "--measures", "packets", "--where", "direction = "+direction, file)
		packets := 0
		if len(rows) > 1 {
			packets, _ = strconv.Atoi(rows[1][0])
		}
		for n := range e.records {
			if packets&(1<<n) != 0 {
				directions[n] = direction
			}
		}
	}
	for i, r := range e.records {
		if page, says := r["direction"]; says && directions[i] != page {
			t.Errorf("record %d is %q, the page says %q", i+1, directions[i], page)
		}
	}
	return directions
}

// csvOf runs flowlog and reads its output.
func csvOf(t *testing.T, args ...string) [][]string {
	t.Helper()
	var stderr bytes.Buffer
	c := exec.Command("flowlog", args...)
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil && strings.Contains(stderr.String(), " needs direction") { // it is known of none
		return nil
	}
	if err != nil {
		t.Fatalf("flowlog %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
