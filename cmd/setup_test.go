package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzFlowLogs reads any bytes as the output of describe-flow-logs: an error says which file it is, and each flow log that is
// read has fields.
func FuzzFlowLogs(f *testing.F) {
	f.Add([]byte(`{"FlowLogs":[{"FlowLogId":"fl-1","ResourceId":"vpc-1","LogFormat":"${version} ${srcaddr}","DeliverLogsStatus":"FAILED"}]}`))
	f.Add([]byte(`{"FlowLogs":[{"LogFormat":"${version"}]}`))
	f.Add([]byte(`{"FlowLogs":[]}`))
	f.Add([]byte(`{"FlowLogs":[{}]} x`))
	name := filepath.Join(f.TempDir(), "flow-logs.json")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		logs, err := describedLogs(name)
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name the file: %v", err)
		}
		for _, log := range logs {
			if len(log.Fields) == 0 || (log.Format == "") != (len(log.Lacking) == 0) {
				t.Errorf("got %+v", log)
			}
		}
	})
}

// The fields that a report lacks: enriched fields need one of theirs, but both of two ports.
func TestLackedFields(t *testing.T) {
	for _, test := range []struct{ field, has, want string }{
		{"srcaddr", "dstaddr", "srcaddr"},
		{"srcaddr", "srcaddr", ""},
		{"src_country", "pkt_srcaddr", ""},
		{"src_country", "bytes", "srcaddr"},
		{"service", "srcport", "dstport"},
		{"account_id", "bytes", ""},
		{"tgw_id", "bytes", ""},
		{"protocol_name", "bytes", "protocol"},
	} {
		if got := strings.Join(lackedFields(test.field, strings.Fields(test.has)), " "); got != test.want {
			t.Errorf("%s of %s: got %q, want %q", test.field, test.has, got, test.want)
		}
	}
}
