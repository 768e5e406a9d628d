package schema

import "strings"

// aliases are names that other tools give to fields that AWS logs, without case and separators: those of Athena's
// former table, and those of Microsoft Sentinel's. A field's own name without separators needs no row, which covers CloudWatch Logs Insights
// (accountId, logStatus) and Tailpipe (src_addr, start_time is a row).
var aliases = map[string]string{
	"account": "account_id", "sourceaddress": "srcaddr", "destinationaddress": "dstaddr", "sourceport": "srcport",
	"destinationport": "dstport", "numbytes": "bytes", "numpackets": "packets", "starttime": "start", "endtime": "end",
	"traffictype": "type",
}

// byAlias has the fields by their names without separators, and by their aliases.
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

// FieldNamed returns the field that AWS logs for which name, a canonical one, is another spelling or an alias;
// another name comes back as it is.
func FieldNamed(name string) string {
	if f, ok := byAlias[squeezed(name)]; ok {
		return f
	}
	return name
}
