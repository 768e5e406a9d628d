package schema

import "strings"

// aliases maps the names that other tools give to logged fields, in lower case and without separators: those of
// Athena's former table and of Microsoft Sentinel. A field's own name without separators needs no row: that covers
// CloudWatch Logs Insights (accountId, logStatus) and most of Tailpipe (src_addr).
var aliases = map[string]string{
	"account": "account_id", "sourceaddress": "srcaddr", "destinationaddress": "dstaddr", "sourceport": "srcport",
	"destinationport": "dstport", "numbytes": "bytes", "numpackets": "packets", "starttime": "start", "endtime": "end",
	"traffictype": "type",
}

// byAlias maps names without separators, and aliases, to field names.
var byAlias = func() map[string]string {
	names := make(map[string]string)
	for _, f := range logged {
		names[squeezed(f.Name)] = f.Name
	}
	for alias, name := range aliases {
		names[alias] = name
	}
	return names
}()

func squeezed(name string) string { return strings.ReplaceAll(name, "_", "") }

// FieldNamed resolves a canonical name that is another spelling or an alias of a logged field to that field's name.
// It returns any other name unchanged.
func FieldNamed(name string) string {
	if f, ok := byAlias[squeezed(name)]; ok {
		return f
	}
	return name
}
