package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// kinds is the table of trials: of so many parts of all, each is of a kind.
var kinds = []struct {
	name  string
	parts int
	make  func(*known, *dice, *trial)
}{
	{"report", 40, (*known).report},
	{"spill", 2, (*known).spill},
	{"parse", 14, (*known).parse},
	{"partition", 4, (*known).partition},
	{"merge", 10, (*known).merge},
	{"sql", 12, (*known).sql},
	{"ddl", 4, (*known).ddl},
	{"check", 8, (*known).check},
	{"diff", 8, (*known).diff},
	{"dashboard", 4, (*known).dashboard},
	{"saved", 3, (*known).saved},
	{"lists", 5, (*known).lists},
}

// trial is the nth of a seed. Most are right; the wild ones have what may be wrong, so that errors are compared too.
func (k *known) trial(seed uint64, n int) trial {
	r := &dice{Rand: rand.New(rand.NewPCG(seed, uint64(n)))}
	r.wild = r.IntN(6) == 0
	all := 0
	for _, kind := range kinds {
		all += kind.parts
	}
	at := r.IntN(all)
	t := trial{files: make(map[string]string)}
	for _, kind := range kinds {
		if at -= kind.parts; at < 0 {
			t.kind = kind.name
			kind.make(k, r, &t)
			break
		}
	}
	if r.wild && r.IntN(3) == 0 {
		damage(r, &t)
	}
	if strings.Contains(t.String(), "@nets.txt") {
		t.files["nets.txt"] = "# known\n10.0.0.0/24\n2001:db8::/64 # v6\n192.0.2.7\n"
	}
	return t
}

// damage changes a word of a command at random, as people mistype.
func damage(r *dice, t *trial) {
	c := &t.commands[r.IntN(len(t.commands))]
	at := r.IntN(len(c.args))
	word := c.args[at]
	switch r.IntN(6) {
	case 0:
		c.args = slices.Delete(c.args, at, at+1)
	case 1:
		c.args = slices.Insert(c.args, at, pick(r, "--limit", "--filter", "--verbose", "--group-by", "x", "-f", "--last", "--port", "443", ""))
	case 2:
		c.args = slices.Insert(c.args, at, word)
	default:
		if word == "" {
			return
		}
		i := r.IntN(len(word))
		c.args[at] = word[:i] + pick(r, "", "", "x", "(", "'", " ", ",", "0", "é") + word[i+r.IntN(2):]
	}
}

// some returns inputs, most often one.
func (k *known) some(r *dice) []string {
	var in []string
	for range []int{1, 1, 1, 1, 2, 3}[r.IntN(6)] {
		switch n := r.IntN(20); {
		case n < 11 || !r.wild && n < 14: // those of all fields
			in = append(in, pick(r, k.inputs.full...))
		case n < 16:
			in = append(in, pick(r, k.inputs.rich...))
		case n < 18:
			in = append(in, pick(r, k.inputs.logs...))
		case n < 19:
			in = append(in, pick(r, k.inputs.odd...))
		default:
			in = append(in, r.or([]string{"../in/edge", "../in/bad"}, "../in/nowhere.log", "../in/geo/city.mmdb", "../in/*/v*.log"))
		}
	}
	return in
}

// reading are flags of whatever reads logs.
func (k *known) reading(r *dice) (f flags) {
	f.sometimes(r, 2, "workers", "1", "3")
	f.sometimes(r, 4, "tz", r.or(zones, "Mars/Olympus"))
	f.sometimes(r, 5, "since", "2023-11-15T00:00:00Z", "2023-11-14", "1700100000", "2026-05-14T09:20")
	f.sometimes(r, 5, "until", "2023-11-16T12:00:00Z", "2026-05-14T09:40", "2030-01-01")
	f.sometimes(r, 25, "log-format", r.or([]string{"v2", "v5", "${srcaddr} ${dstaddr} ${bytes}"}, "v99"))
	f.sometimes(r, 30, "max-errors", r.or([]string{"1000"}, "1", "5"))
	if r.wild {
		f.sometimes(r, 10, "input-format", "text", "csv", "json", "parquet", "arrow")
	}
	f.sometimes(r, 30, "rejects", "rejects.txt")
	f.sometimes(r, 40, "account", "123456789012", "000000000001")
	f.sometimes(r, 40, "region-filter", "us-east-1", "eu-west-1")
	f.sometimes(r, 40, "rename", "future_field=instance_tag", "srcaddr=pkt_srcaddr")
	if r.IntN(30) == 0 {
		f = append(f, "--dry-run")
	}
	if r.IntN(4) == 0 {
		f = append(f, "-q")
	}
	return f
}

// enriching are flags that name databases and tables.
func (k *known) enriching(r *dice) (f flags) {
	if r.wild && r.IntN(2) == 0 {
		return nil
	}
	f.set("city-db", r.or([]string{"../in/geo/city.mmdb", "../in/geo/city.mmdb", "../in/geo/ipinfo.mmdb"}, "../in/geo/asn.mmdb", "../in/geo/country.mmdb"))
	f.set("asn-db", r.or([]string{"../in/geo/asn.mmdb"}, "../in/geo/own.mmdb", "../in/geo/nowhere.mmdb"))
	f.set("aws-ranges", "../in/made/ranges.json")
	f.sometimes(r, 6, "table", "net=../in/tables/nets.csv", "acc=../in/tables/accounts.csv", "ni=../in/tables/interfaces.json")
	return f
}

// writing are flags of outputs, which have the formats of reports.
func writing(r *dice, formats ...string) (f flags) {
	f.sometimes(r, 2, "output", formats...)
	if f == nil && r.IntN(3) == 0 {
		f.set("out", "out."+pick(r, formats...))
	} else if f != nil && r.IntN(4) == 0 {
		f.set("out", "out")
	}
	if r.IntN(8) == 0 && (f == nil || f[1] == "table") {
		f = append(f, "--raw")
	}
	return f
}

// outputs are formats that a report can be printed in. Files of the binary ones are compared as they are.
var outputs = []string{"table", "json", "ndjson", "csv", "tsv", "markdown", "html", "parquet", "arrow", "none", "jsonl", "md"}

// several are those that can have more than one report.
var several = []string{"table", "json", "ndjson", "markdown", "html", "none"}

// names are one report with changes, or several without.
func (k *known) names(r *dice) []string {
	if r.IntN(6) > 0 {
		return append([]string{pick(r, k.reports...)}, k.change(r)...)
	}
	names := pick(r, k.reports...)
	for range 1 + r.IntN(3) {
		names += "," + pick(r, k.reports...)
	}
	words := []string{names}
	if r.wild {
		words = append(words, k.change(r)...)
	}
	return words
}

// words puts a command together.
func words(command string, parts ...[]string) []string {
	return append(strings.Fields(command), slices.Concat(parts...)...)
}

func (k *known) report(r *dice, t *trial) {
	var f flags
	f.sometimes(r, 8, "vantage", "src", "dst", "dedupe", "all")
	f.sometimes(r, 10, "memory", "64MiB", "100MB")
	in, name, formats := k.some(r), k.names(r), outputs
	if r.IntN(12) == 0 {
		name = nil
	}
	if !r.wild && (name == nil || strings.Contains(name[0], ",")) {
		formats = several
	}
	out := writing(r, formats...)
	if r.IntN(3) == 0 && (r.wild || out == nil) {
		f = append(f, "--chart")
	}
	t.add(words("report", name, f, k.reading(r), k.enriching(r), out, in)...)
	if len(in) == 1 && !strings.Contains(in[0], "*") && strings.Contains(in[0], "made/") && r.IntN(6) == 0 {
		c := &t.commands[0]
		c.args[len(c.args)-1], c.stdin = "-", in[0]
	}
}

// spill are reports with more groups than fit into memory.
func (k *known) spill(r *dice, t *trial) {
	var f flags
	f.set("by", pick(r, "srcaddr,dstaddr,srcport,dstport", "srcaddr,dstport", "srcaddr,srcport,interface_id", "srcaddr,dstaddr,time"))
	f.sometimes(r, 2, "measures", "bytes,flows,first,last", "flows,distinct(dstport),p95(bytes)", "rejected_share,bytes,avg(bytes),max(packets)", "distinct(dstaddr+dstport),bps")
	f.sometimes(r, 3, "having", "flows > 1", "bytes > 80000")
	f.sometimes(r, 3, "every", "5m", "auto")
	f.sometimes(r, 3, "where", "action = REJECT", "dstport < 500")
	f.sometimes(r, 2, "vantage", "all", "dedupe")
	f.set("workers", pick(r, "1", "3"))
	f.set("memory", "64MiB")
	f.set("temp-dir", ".")
	f.set("top", pick(r, "3", "20", "2000"))
	t.add(words("report", []string{pick(r, "talkers", "pairs,talkers", "rejected", "scanners")}, f, []string{"-o", pick(r, "csv", "json", "table"), k.inputs.wide})...)
}

func (k *known) parse(r *dice, t *trial) {
	var f flags
	if r.IntN(2) == 0 {
		var fields []string
		for range 1 + r.IntN(8) {
			fields = append(fields, k.field(r).Name)
		}
		f.set("fields", strings.Join(fields, ","))
	}
	if r.IntN(2) == 0 {
		f.set("where", k.condition(r, r.IntN(3)))
	}
	if r.IntN(4) == 0 {
		f = append(f, "--enrich")
	}
	t.add(words("parse", f, k.reading(r), k.enriching(r), writing(r, outputs...), k.some(r))...)
}

// partition writes a dataset, in one run or two, and reads it.
func (k *known) partition(r *dice, t *trial) {
	var f flags
	keys, in := pick(r, "date", "date,region", "account_id,date"), k.some
	if r.IntN(2) == 0 { // each hour of an account is a file, so there must be few records
		keys = r.or([]string{"date,hour,account_id,region", "date,hour"}, "srcaddr", "hour")
		in = func(*dice) []string { return []string{pick(r, k.inputs.small...), pick(r, k.inputs.small...)} }
	}
	f.set("partition-by", keys)
	f.sometimes(r, 2, "file-size", r.or([]string{"2MB", "1MiB"}, "20kB"))
	f.sometimes(r, 2, "commit-size", r.or([]string{"2MB", "1MiB"}, "1kB"))
	f.sometimes(r, 3, "memory", "64MiB")
	f.sometimes(r, 3, "where", k.condition(r, 1))
	f.sometimes(r, 3, "fields", "srcaddr,dstaddr,bytes,end,account_id,region", "srcaddr,bytes")
	if r.IntN(4) == 0 {
		f = append(f, "--enrich")
	}
	databases := k.enriching(r)
	for range 1 + r.IntN(2) {
		t.add(words("parse -o parquet -O lake", f, k.reading(r), databases, in(r))...)
	}
	t.add("check-dataset", "lake")
	t.add(words("report", k.names(r), databases, []string{"-o", "json", "lake"})...)
}

// merge makes partial results and merges them.
func (k *known) merge(r *dice, t *trial) {
	name, databases, out := k.names(r), k.enriching(r), writing(r, outputs...)
	if r.IntN(5) == 0 {
		name = []string{"dashboard"}
	}
	if !r.wild && (name[0] == "dashboard" || strings.Contains(name[0], ",")) {
		out = writing(r, several...)
	}
	parts := []string{"a.arrow", "b.arrow", "c.arrow"}[:1+r.IntN(3)]
	for _, part := range parts {
		t.add(words("report", name, databases, []string{"--partial", "-O", part}, k.reading(r), k.some(r))...)
	}
	if r.IntN(3) == 0 {
		t.add(words("merge --partial -O all.arrow", parts)...)
		parts = []string{"all.arrow"}
	}
	if r.IntN(6) == 0 {
		parts = append(parts, parts[0])
	}
	var f flags
	f.sometimes(r, 4, "tz", "Europe/Berlin")
	f.sometimes(r, 4, "memory", "64MiB")
	t.add(words("merge", f, out, parts)...)
}

func (k *known) sql(r *dice, t *trial) {
	var f flags
	f.sometimes(r, 2, "dialect", "duckdb", "trino", "athena")
	f.sometimes(r, 3, "table", "vpc.flow_logs", "flows.parquet", "a b", "hive.vpc.flow_logs")
	f.sometimes(r, 4, "since", "2023-11-15T00:00:00Z", "2023-11-14")
	f.sometimes(r, 4, "until", "2023-11-16T12:00:00Z")
	f.sometimes(r, 6, "layout", "daily", "hourly", "hive", "hive-hourly", "dataset", "none")
	f.sometimes(r, 4, "tz", zones...)
	t.add(words("sql", []string{pick(r, k.reports...)}, k.change(r), f)...)
}

func (k *known) ddl(r *dice, t *trial) {
	var f flags
	f.set("since", pick(r, "2026-01-01", "2025-06-30")) // without, it is counted from today
	f.sometimes(r, 2, "dialect", "duckdb", "trino", "athena")
	f.sometimes(r, 2, "format", "text", "parquet", "dataset")
	f.sometimes(r, 2, "layout", "daily", "hourly", "hive", "hive-hourly", "none")
	f.sometimes(r, 3, "log-format", "v2", "v5", "v11", "${version} ${srcaddr} ${end}", "${srcaddr}")
	f.sometimes(r, 4, "partition-by", "date", "date,account_id", "hour,region")
	f.sometimes(r, 3, "account", "123456789012", "123456789012,000000000001")
	f.sometimes(r, 3, "region-filter", "eu-west-1,us-east-1")
	f.sometimes(r, 3, "tz", "Europe/Berlin")
	f.sometimes(r, 3, "table", "vpc.flow_logs", "hive.lake.flows")
	t.add(words("sql ddl --location", []string{pick(r, "s3://my-logs/", "s3://lake/flows", "flows/")}, f)...)
}

func (k *known) diff(r *dice, t *trial) {
	var f flags
	if r.IntN(2) == 0 {
		f.set("by", strings.Join(k.keys(r), ","))
	}
	if r.IntN(2) == 0 {
		f.set("measures", k.measure(r))
	}
	if r.IntN(3) == 0 {
		f.set("where", k.condition(r, 2))
	}
	f.sometimes(r, 3, "having", "status = new", "status != grown and after > 1000", "before is null", "change > 50%", "before < after")
	f.sometimes(r, 3, "top", "0", "3", "all")
	f.sometimes(r, 8, "vantage", "src", "dedupe")
	in, reading := append(k.some(r)[:1], k.some(r)[0]), k.reading(r)
	if r.IntN(3) == 0 {
		if !r.wild {
			reading = nil // it says which time is read
		}
		f.set("before", pick(r, "2023-11-15", "2023-11-14T00:00..2023-11-16T00:00", "2026-05-14T09:00..2026-05-14T09:30"))
		f.set("after", pick(r, "2023-11-16", "2023-11-16T00:00..2023-11-18T00:00", "2026-05-14T09:30..2026-05-14T10:00"))
		in = in[:1]
	}
	t.add(words("diff", f, reading, k.enriching(r), writing(r, outputs...), in)...)
}

func (k *known) dashboard(r *dice, t *trial) {
	var f flags
	f.sometimes(r, 3, "top", "3", "0", "20")
	f.sometimes(r, 4, "every", "5m", "1h", "1d", "auto")
	if r.IntN(3) == 0 {
		f.set("where", k.condition(r, 1))
	}
	f.sometimes(r, 6, "vantage", "src", "dst", "dedupe")
	t.add(words("report dashboard", f, k.reading(r), k.enriching(r), writing(r, "html", "json", "table", "markdown", "ndjson"), k.some(r))...)
}

// saved are reports and settings of flowlog.yaml and the environment.
func (k *known) saved(r *dice, t *trial) {
	t.files["flowlog.yaml"] = fmt.Sprintf(`%s
reports:
  mine:
    doc: Of my own
    from: %s
    by: [%s]
    measures: %s
    where: "%s"
    top: %d
`, r.or([]string{"", "top: 3", "tz: Europe/Berlin", "output: json"}, "topp: 3", "out: x"), pick(r, k.reports...), strings.Join(k.keys(r), ", "),
		pick(r, "flows", "bytes, flows", "'distinct(dstport)'"), r.or([]string{"dstport = 443", "action = REJECT", "srcaddr in 10.0.0.0/8"}, "bytes >"), r.IntN(20))
	t.env = []string{r.or([]string{"FLOWLOG_TOP=2", "FLOWLOG_OUTPUT=csv", "FLOWLOG_WORKERS=1", "FLOWLOG_QUIET=true", "NO_COLOR=1"}, "FLOWLOG_TPO=3")}
	switch r.IntN(5) {
	case 0:
		t.add("config", "-o", pick(r, "table", "json"))
	case 1:
		t.add("reports")
	case 2:
		t.add("report", "mine", "--help")
	default:
		t.add(words("report mine", k.reading(r), k.enriching(r), writing(r, outputs...), k.some(r))...)
	}
}

// lists are what flowlog says of itself.
func (k *known) lists(r *dice, t *trial) {
	command := pick(r, "fields", "reports", "formats", "config", "help", "help", "completion", "__complete", "report --help", "parse -h", "check --print-builtin", "version")
	t.add(strings.Fields(command)...)
	args := &t.commands[0].args
	switch command {
	case "fields", "reports", "formats":
		if r.IntN(2) == 0 {
			*args = append(*args, pick(r, "port", "aws", "time", "json", "zzz"))
		}
		if r.IntN(2) == 0 {
			*args = append(*args, "-o", pick(r, "json", "table", "yaml"))
		}
	case "help":
		*args = append(*args, pick(r, "counting", "exit-codes", "filters", "measures", "partitions", "performance", "recipes", "rules", "lists", "scaling", "config", "sql", "formats",
			"report", "parse", "merge", "diff", "s3", "nat", "unknown", "sql ddl"))
	case "completion":
		*args = append(*args, pick(r, "bash", "zsh", "fish", "powershell", "csh"))
	case "__complete":
		*args = append(*args, strings.Split(pick(r, "report |", "report |t", "report |--by|", "parse |--fields|src", "report |-o|", "sql |--dialect|", "check |--fail-on|", "report |--where|", "sql |ddl|--layout|"), "|")...)
		for i := range *args {
			(*args)[i] = strings.TrimSpace((*args)[i])
		}
	}
}
