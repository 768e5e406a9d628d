package report

import (
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// instead is what flow logs of transit gateways have near a field that they cannot have, since their format has not. Of
// other such fields nothing is near.
var instead = map[string][]string{
	"interface_id": {"tgw_attachment_id", "tgw_src_eni", "tgw_dst_eni"},
	"vpc_id":       {"tgw_src_vpc_id", "tgw_dst_vpc_id"},
	"subnet_id":    {"tgw_src_subnet_id", "tgw_dst_subnet_id"},
	"az_id":        {"tgw_src_az_id", "tgw_dst_az_id"},
	"pkt_srcaddr":  {"srcaddr"},
	"pkt_dstaddr":  {"dstaddr"},
}

// AdviceFor is advice for logs of which is known what other columns they have, and whether transit gateways alone have
// written them.
func AdviceFor(names []string, stats schema.Stats) *schema.Words {
	there, names := guessed(names, stats.Strange)
	switch {
	case there == nil:
		return schema.Wordsf("%s", adviceOn(names, stats))
	case len(names) > 0:
		return schema.Wordsf("%s; %s", there, adviceOn(names, stats))
	}
	return there
}

// guessed says which columns of the input may hold some of the fields, and returns the other fields.
func guessed(names, columns []string) (*schema.Words, []string) {
	var found []schema.Renaming
	var labels, others []string
	guesses := schema.Guesses(columns)
	for _, name := range names {
		i := slices.IndexFunc(guesses, func(g schema.Renaming) bool { return g.Field == name })
		if i < 0 {
			others = append(others, name)
			continue
		}
		found, labels = append(found, guesses[i]), append(labels, guesses[i].Column)
	}
	switch len(found) {
	case 0:
		return nil, names
	case 1:
		return schema.Wordsf("the input has a column %s: %s", labels[0], schema.RenameOption(found)), others
	}
	return schema.Wordsf("the input has the columns %s: %s", strings.Join(labels, " and "), schema.RenameOption(found)), others
}

func adviceOn(names []string, stats schema.Stats) string {
	transit := stats.OfTransitGateways()
	var without, near []string
	lost := false
	for _, name := range names {
		_, logged := schema.Logged().Lookup(name)
		if !transit || !logged || slices.Contains(schema.Version(gatewayVersion), name) {
			continue
		}
		without = append(without, name)
		near = append(near, instead[name]...)
		lost = lost || name == "action" || name == "reject_reason"
	}
	if without == nil {
		return advice(names, stats.Formats)
	}
	text := "transit gateways do not log it"
	if len(names) > 1 {
		text = "transit gateways do not log " + strings.Join(without, " and ")
	}
	if near != nil {
		text += "; near it is " + strings.Join(near, ", ")
	}
	if lost {
		text += "; what they lose is in `flowlog report tgw-drops`"
	}
	return text
}

// gatewayVersion is that of transit gateway flow logs.
const gatewayVersion = 6
