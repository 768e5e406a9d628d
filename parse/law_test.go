package parse

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"flowlog/parse/schema"
)

// TestContainers holds the law that the same records in any container are the same: whatever the container is, whatever
// the types, the spelling of the values and the names of the columns are.
func TestContainers(t *testing.T) {
	for seed := range uint64(fewer(lawSeeds)) {
		l := &law{rand.New(rand.NewPCG(seed, 1)), nil}
		l.generate(3 + l.IntN(60))
		own := l.text(false)
		options := []Options{{Workers: 1, BlockSize: 1 + l.IntN(2000)}, {Workers: 8}, l.window(), {Only: only("action", "REJECT")}, {Only: only("log_status", "NODATA")}}
		var rows [][]string
		var stats []Stats
		for _, opt := range options {
			r, s := l.rows(t, own, opt)
			rows, stats = append(rows, r), append(stats, s)
		}
		for name, content := range l.containers() {
			for i, opt := range options {
				what := fmt.Sprintf("seed %d, %s, options %d", seed, name, i)
				if strings.HasPrefix(name, "wrapped") {
					opt.LogFormat = lawNames()
				}
				got, s := l.rows(t, content, opt)
				if len(s.Failed) > 0 || s.Malformed > 0 {
					t.Fatalf("%s: failed %v, problems %v", what, s.Failed, s.Problems)
				}
				if fmt.Sprint(got) != fmt.Sprint(rows[i]) {
					t.Fatalf("%s:\n got %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(rows[i], "\n     "))
				}
				want(t, what, counts(s), counts(stats[i]))
			}
		}
		if t.Failed() {
			return
		}
	}
}

// lawSeeds is how many sets of records are tried.
const lawSeeds = 5

func only(field, value string) struct{ Field, Value string } {
	return struct{ Field, Value string }{field, value}
}

func counts(s Stats) string {
	return fmt.Sprint(s.Records, s.Flows, s.NoData, s.SkipData, s.Other, s.Outside, s.Odd)
}

// law generates records, and writes them.
type law struct {
	*rand.Rand
	records [][]string // values as AWS writes them, by lawFields; "" is null
}

const strangeField = "shiny_field"

var lawFields = func() schema.Table {
	p, err := schema.Logged().Project("version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
		"start", "end", "action", "log_status", "tcp_flags", "flow_direction", "type", "pkt_srcaddr", "instance_tag")
	if err != nil {
		panic(err)
	}
	return append(p.Fields, schema.Field{Name: strangeField, Kind: schema.Text})
}()

func lawNames() []string { return lawFields.Names() }

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func (l *law) generate(n int) {
	begin := int64(1_710_000_000 + l.IntN(1e6))
	for i := range n {
		status := pick(l.Rand, "OK", "OK", "OK", "OK", "NODATA", "SKIPDATA", "")
		action := pick(l.Rand, "ACCEPT", "ACCEPT", "REJECT")
		if i > 3 && l.IntN(20) == 0 {
			action, status = pick(l.Rand, "DROPPED", "Blocked"), pick(l.Rand, status, "PARTIAL")
		}
		start := begin + int64(l.IntN(3600))
		values := map[string]string{
			"version": strconv.Itoa(2 + l.IntN(10)), "account_id": pick(l.Rand, "012345678901", "123456789012", "000000000012", "unknown"), "interface_id": fmt.Sprintf("eni-%d", l.IntN(5)),
			"start": fmt.Sprint(start), "end": fmt.Sprint(start + int64(l.IntN(600))), "log_status": status,
		}
		if status != "NODATA" && status != "SKIPDATA" {
			for field, value := range map[string]string{
				"srcaddr": l.addr(), "dstaddr": l.addr(), "pkt_srcaddr": l.addr(), "srcport": fmt.Sprint(l.IntN(65536)), "dstport": fmt.Sprint(l.IntN(2000)), "protocol": fmt.Sprint(l.IntN(256)),
				"packets": fmt.Sprint(l.Int64N(1 << l.IntN(20))), "bytes": fmt.Sprint(l.Int64N(1 << l.IntN(50))), "action": action, "tcp_flags": fmt.Sprint(l.IntN(256)),
				"flow_direction": pick(l.Rand, "ingress", "egress"), "type": pick(l.Rand, "IPv4", "IPv6", "EFA"), "instance_tag": pick(l.Rand, "web server", "None", "prod", "ü"), strangeField: pick(l.Rand, "a", "NULL", "1.50"),
			} {
				if i < 3 || l.IntN(10) > 0 {
					values[field] = value
				}
			}
		}
		var record []string
		for _, f := range lawFields {
			record = append(record, values[f.Name])
		}
		l.records = append(l.records, record)
	}
}

func (l *law) addr() string {
	if l.IntN(4) > 0 {
		return netip.AddrFrom4([4]byte{10, 0, byte(l.IntN(3)), byte(l.IntN(256))}).String()
	}
	return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 15: byte(l.IntN(256))}).String()
}

// window is a time that some of the records end in.
func (l *law) window() Options {
	var ends []int64
	for _, record := range l.records {
		end, _ := strconv.ParseInt(record[slices.Index(lawNames(), "end")], 10, 64)
		ends = append(ends, end)
	}
	slices.Sort(ends)
	return Options{Since: ends[len(ends)/3], Until: ends[len(ends)/3] + 1 + int64(l.IntN(1200))}
}

// rows returns the records of a file. What is passed over because nobody asks for it makes no difference.
func (l *law) rows(t *testing.T, content string, opt Options) ([]string, Stats) {
	t.Helper()
	rows, stats := rowsOf(t, readerAtSource{"x", []byte(content)}, opt, lawNames()[:len(lawFields)-1]...)
	if opt.Only.Field != "" {
		rows = slices.DeleteFunc(rows, func(row string) bool { return !strings.Contains(row, opt.Only.Field+"="+opt.Only.Value+" ") })
		stats.Odd = nil
	}
	return rows, stats
}

// containers returns the records in files of all kinds.
func (l *law) containers() map[string]string {
	text := l.text(true)
	_, bare, _ := strings.Cut(text, "\n")
	all := map[string]string{"text": text, "csv": l.csv(), "ndjson": l.json(false), "json": l.json(true)}
	for name, content := range shapesOf(bare) {
		all["wrapped: "+name] = content
	}
	for name, content := range shapesOf(text) {
		if !strings.Contains(name, "aws logs") && !strings.Contains(name, "output") && name != "Insights" { // where a header would be a value
			all["with a header: "+name] = content
		}
	}
	for i := range 4 {
		content, types := l.parquet(i == 0)
		all[fmt.Sprintf("parquet %d %s", i, types)] = content
		content, types = l.arrow()
		all[fmt.Sprintf("arrow %d %s", i, types)] = content
	}
	return all
}

// names returns the names of the columns, in a spelling.
func (l *law) names(any bool) []string {
	names := lawNames()
	if !any {
		return names
	}
	others := map[string]string{"account_id": "accountId", "srcaddr": "sourceaddress", "dstaddr": "dst_addr", "bytes": "numbytes", "start": "start_time", "end": "endTime", "log_status": "logStatus"}
	how := l.IntN(3)
	for i, name := range names {
		switch {
		case how == 0 && others[name] != "":
			names[i] = others[name]
		case how == 1:
			names[i] = strings.ToUpper(name)
		case how == 2:
			names[i] = strings.ReplaceAll(name, "_", "-")
		}
	}
	return names
}

// spell returns a value in one of its spellings; blanks may be in it.
func (l *law) spell(f schema.Field, v string) string {
	switch {
	case f.Values != nil && f.Documents(v):
		return pick(l.Rand, v, strings.ToLower(v), strings.ToUpper(v), strings.ToUpper(v[:1])+strings.ToLower(v[1:]))
	case f.Digits > 0 && v[0] == '0':
		return pick(l.Rand, v, strings.TrimLeft(v, "0"), strings.TrimLeft(v, "0")+".0")
	case f.Kind == schema.Time:
		seconds, _ := strconv.ParseInt(v, 10, 64)
		at := time.Unix(seconds, int64(l.IntN(1e9)))
		return pick(l.Rand, v, v+".0", fmt.Sprint(at.UnixMilli()), fmt.Sprint(at.UnixMicro()), fmt.Sprint(at.UnixNano()), at.UTC().Format(time.RFC3339Nano),
			at.In(time.FixedZone("", 3600)).Format(time.RFC3339), at.UTC().Format("2006-01-02 15:04:05.000 UTC"), at.UTC().Format("2006-01-02 15:04:05"))
	case f.Kind == schema.Int32 || f.Kind == schema.Int64:
		return pick(l.Rand, v, v, v+".0", v+".00", v+"e0")
	}
	return v
}

func (l *law) null(f schema.Field) string {
	if f.Name == strangeField || f.Escaped {
		return pick(l.Rand, "-", `\N`)
	}
	return pick(l.Rand, "-", `\N`, "NULL", "None", "NaN", "<NA>")
}

func (l *law) text(any bool) string {
	var b strings.Builder
	b.WriteString(strings.Join(l.names(any), " ") + "\n")
	for _, record := range l.records {
		for i, v := range record {
			f := lawFields[i]
			switch {
			case v == "" && any:
				v = l.null(f)
			case v == "":
				v = "-"
			case f.Escaped:
				v = url.PathEscape(v)
			case any:
				if v = l.spell(f, v); strings.Contains(v, " ") {
					v = record[i]
				}
			}
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(v)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (l *law) csv() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Comma = pick(l.Rand, ',', ';', '\t')
	must(w.Write(l.names(true)))
	for _, record := range l.records {
		var cells []string
		for i, v := range record {
			if v != "" {
				v = l.spell(lawFields[i], v)
			} else if l.IntN(2) == 0 {
				v = l.null(lawFields[i])
			}
			cells = append(cells, v)
		}
		must(w.Write(cells))
	}
	w.Flush()
	return b.String()
}

func (l *law) json(array bool) string {
	names := l.names(true)
	var docs []string
	for _, record := range l.records {
		var members []string
		for i, v := range record {
			f := lawFields[i]
			switch {
			case v == "" && l.IntN(2) == 0:
				continue
			case v == "":
				v = pick(l.Rand, "null", quoted(l.null(f)))
			default:
				v = l.spell(f, v)
				if _, err := strconv.ParseFloat(v, 64); err != nil || f.Name == strangeField || f.Kind == schema.Addr || len(v) > 1 && v[0] == '0' && v[1] != '.' || l.IntN(2) == 0 {
					v = quoted(v)
				}
			}
			members = append(members, quoted(names[i])+":"+v)
		}
		l.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		docs = append(docs, "{"+strings.Join(members, ",")+"}")
	}
	if !array {
		return strings.Join(docs, "\n") + "\n"
	}
	var b bytes.Buffer
	must(json.Indent(&b, []byte("["+strings.Join(docs, ",")+"]"), "", "  "))
	return b.String()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
