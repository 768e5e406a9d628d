package cmd_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/report"
	"flowlog/report/sql"
)

// TestGoldenSQL has every report of the catalog in every dialect, but those by what only flowlog knows: these are
// refused. Bins of time are an hour wide.
func TestGoldenSQL(t *testing.T) {
	g := goldens{prefix: "sql-"}
	for _, r := range report.Catalog() {
		refused := ""
		switch {
		case strings.HasSuffix(r.Name, "-geo"), strings.HasSuffix(r.Name, "-asn"):
			refused = "the nearest report is --by pkt_"
		case r.Name == "services":
			refused = "only flowlog knows service_port"
		}
		for _, d := range sql.Dialects() {
			if refused == "" {
				g.expect(r.Name + "." + d.Name + ".sql")
			}
			t.Run(r.Name+"/"+d.Name, func(t *testing.T) {
				args := []string{"sql", r.Name, "--dialect", d.Name, "--table", "vpc.flow_logs"}
				for _, k := range r.Keys {
					if k.Name() == "time" {
						args = append(args, "--every", "1h")
					}
				}
				if refused != "" {
					var out, errOut bytes.Buffer
					if code := cmd.Main(args, nil, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), refused) {
						t.Errorf("got exit code %d, %s%s", code, &out, &errOut)
					}
					return
				}
				g.check(t, r.Name+"."+d.Name+".sql", run(t, nil, args...))
			})
		}
	}
	if !t.Failed() {
		g.finish(t)
	}
}

// TestGoldenDDL has the statements for tables of each format and layout in every dialect.
func TestGoldenDDL(t *testing.T) {
	g := goldens{prefix: "ddl-"}
	some := []string{"--log-format", "${version} ${srcaddr} ${dstaddr} ${srcport} ${bytes} ${end} ${log-status} ${new-field}"}
	known := []string{"--account", "012345678901,123456789012", "--region-filter", "eu-west-1,us-gov-west-1"}
	tables := map[string][]string{
		"text-default":      nil,
		"text-no-status":    {"--layout", "none", "--log-format", "${srcaddr} ${dstaddr} ${bytes}"},
		"text-v6":           {"--layout", "none", "--log-format", "v6"},
		"parquet-default":   {"--format", "parquet"},
		"parquet-hive-some": append([]string{"--format", "parquet", "--layout", "hive", "--log-format", "v3"}, known...),
		"dataset-default":   {"--format", "dataset"},
		"dataset-keys":      append([]string{"--format", "dataset", "--partition-by", "date,hour,account_id,region"}, some...),
		"dataset-known":     slices.Concat([]string{"--format", "dataset", "--partition-by", "date,hour,account_id,region"}, some, known),
	}
	for _, l := range sql.Layouts() {
		tables["text-"+l.Name] = slices.Concat([]string{"--layout", l.Name}, some, known)
	}
	for name, args := range tables {
		for _, d := range sql.Dialects() {
			g.expect(d.Name + "-" + name + ".sql")
			t.Run(d.Name+"-"+name, func(t *testing.T) {
				args := append([]string{"sql", "ddl", "--dialect", d.Name, "--table", "vpc.flow_logs", "--location", "s3://my-bucket/prefix/", "--since", "2026-05-14"}, args...)
				g.check(t, d.Name+"-"+name+".sql", run(t, nil, args...))
			})
		}
	}
	if !t.Failed() {
		g.finish(t)
	}
}
