package cmd

import (
	"strings"
	"time"

	"flowlog/report"
)

// selection is what a run reads and counts of its input, as the settings that tables show. vantage is the side that
// flows are counted from, "" if none was asked for.
func (r *reader) selection(vantage string) []report.Setting {
	var list []report.Setting
	put := func(name, value string) {
		if value != "" {
			list = append(list, report.Setting{Name: name, Value: value})
		}
	}
	put("since", second(r.opt.Since))
	put("until", second(r.opt.Until))
	put("flow-log", strings.Join(r.opt.Keys.FlowLogs, ","))
	put("account", strings.Join(r.opt.Keys.Accounts, ","))
	put("region-filter", strings.Join(r.opt.Keys.Regions, ","))
	put("vantage", vantage)
	if zone := r.zone.String(); zone != time.UTC.String() {
		put("tz", zone)
	}
	return list
}

// second is a time in Unix seconds as RFC 3339, "" for 0.
func second(s int64) string {
	if s == 0 {
		return ""
	}
	return time.Unix(s, 0).UTC().Format(time.RFC3339)
}
