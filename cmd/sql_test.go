package cmd_test

import (
	"bytes"
	"strings"
	"testing"

	"flowlog/cmd"
	"flowlog/report"
)

// TestGoldenSQL has every report of the catalog in every dialect, but those by what only flowlog knows: these are
// refused. Bins of time are an hour wide.
func TestGoldenSQL(t *testing.T) {
	g := goldens{prefix: "sql-"}
	for _, r := range report.Catalog() {
		for _, d := range report.Dialects() {
			t.Run(r.Name+"/"+d.Name, func(t *testing.T) {
				args := []string{"sql", r.Name, "--dialect", d.Name, "--table", "vpc.flow_logs"}
				for _, k := range r.Keys {
					if k.Name() == "time" {
						args = append(args, "--every", "1h")
					}
				}
				if strings.HasSuffix(r.Name, "-geo") || strings.HasSuffix(r.Name, "-asn") {
					var out, errOut bytes.Buffer
					if code := cmd.Main(args, nil, &out, &errOut); code != 2 || !strings.Contains(errOut.String(), "the nearest report is --by pkt_") {
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
