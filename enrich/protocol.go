package enrich

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"

	"flowlog/parse/schema"
)

// ProtocolNames has the name of each protocol number, "" if it is not assigned.
type ProtocolNames [256]string

// protocols has IANA's keyword for each protocol number, and IANA's description where there is no keyword.
// Source: the registry "Assigned Internet Protocol Numbers", www.iana.org/assignments/protocol-numbers.
var protocols = ProtocolNames{
	0: "HOPOPT", 1: "ICMP", 2: "IGMP", 3: "GGP", 4: "IPv4", 5: "ST", 6: "TCP", 7: "CBT", 8: "EGP", 9: "IGP",
	10: "BBN-RCC-MON", 11: "NVP-II", 12: "PUP", 13: "ARGUS", 14: "EMCON", 15: "XNET", 16: "CHAOS", 17: "UDP",
	18: "MUX", 19: "DCN-MEAS", 20: "HMP", 21: "PRM", 22: "XNS-IDP", 23: "TRUNK-1", 24: "TRUNK-2",
	25: "LEAF-1", 26: "LEAF-2", 27: "RDP", 28: "IRTP", 29: "ISO-TP4", 30: "NETBLT", 31: "MFE-NSP",
	32: "MERIT-INP", 33: "DCCP", 34: "3PC", 35: "IDPR", 36: "XTP", 37: "DDP", 38: "IDPR-CMTP", 39: "TP++",
	40: "IL", 41: "IPv6", 42: "SDRP", 43: "IPv6-Route", 44: "IPv6-Frag", 45: "IDRP", 46: "RSVP", 47: "GRE",
	48: "DSR", 49: "BNA", 50: "ESP", 51: "AH", 52: "I-NLSP", 53: "SWIPE", 54: "NARP", 55: "Min-IPv4",
	56: "TLSP", 57: "SKIP", 58: "IPv6-ICMP", 59: "IPv6-NoNxt", 60: "IPv6-Opts",
	61: "any host internal protocol", 62: "CFTP", 63: "any local network", 64: "SAT-EXPAK", 65: "KRYPTOLAN",
	66: "RVD", 67: "IPPC", 68: "any distributed file system", 69: "SAT-MON", 70: "VISA", 71: "IPCV",
	72: "CPNX", 73: "CPHB", 74: "WSN", 75: "PVP", 76: "BR-SAT-MON", 77: "SUN-ND", 78: "WB-MON",
	79: "WB-EXPAK", 80: "ISO-IP", 81: "VMTP", 82: "SECURE-VMTP", 83: "VINES", 84: "IPTM", 85: "NSFNET-IGP",
	86: "DGP", 87: "TCF", 88: "EIGRP", 89: "OSPFIGP", 90: "Sprite-RPC", 91: "LARP", 92: "MTP", 93: "AX.25",
	94: "IPIP", 95: "MICP", 96: "SCC-SP", 97: "ETHERIP", 98: "ENCAP", 99: "any private encryption scheme",
	100: "GMTP", 101: "IFMP", 102: "PNNI", 103: "PIM", 104: "ARIS", 105: "SCPS", 106: "QNX", 107: "A/N",
	108: "IPComp", 109: "SNP", 110: "Compaq-Peer", 111: "IPX-in-IP", 112: "VRRP", 113: "PGM",
	114: "any 0-hop protocol", 115: "L2TP", 116: "DDX", 117: "IATP", 118: "STP", 119: "SRP", 120: "UTI",
	121: "SMP", 122: "SM", 123: "PTP", 124: "ISIS over IPv4", 125: "FIRE", 126: "CRTP", 127: "CRUDP",
	128: "SSCOPMCE", 129: "IPLT", 130: "SPS", 131: "PIPE", 132: "SCTP", 133: "FC", 134: "RSVP-E2E-IGNORE",
	135: "Mobility Header", 136: "UDPLite", 137: "MPLS-in-IP", 138: "manet", 139: "HIP", 140: "Shim6",
	141: "WESP", 142: "ROHC", 143: "Ethernet", 144: "AGGFRAG", 145: "NSH",
	253: "Use for experimentation and testing", 254: "Use for experimentation and testing", 255: "Reserved",
}

// Protocols reads protocol names from a CSV file: IANA's own, or any with a number and a keyword in its first two
// columns, with or without a header. Numbers that the file lacks keep their built-in names. name is the file's, for
// errors.
func Protocols(r io.Reader, name string) (*ProtocolNames, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	names := protocols
	var lines [256]int // by number: the line that names it
	number, keyword, described := 0, 1, -1
	first := true
	for start, record := range csvRecords(string(text)) {
		in := csv.NewReader(strings.NewReader(record.text))
		in.TrimLeadingSpace = true
		in.LazyQuotes = record.cut
		row, err := in.Read()
		if err == io.EOF {
			continue // a blank line
		}
		if bad := new(csv.ParseError); errors.As(err, &bad) {
			return nil, fmt.Errorf("%s:%d: column %d: %w", name, start+bad.Line-1, bad.Column, bad.Err)
		}
		if first && isHeader(row) {
			number, keyword, described = protocolColumns(row)
			first = false
			continue
		}
		first = false
		if len(row) <= max(number, keyword) {
			return nil, fmt.Errorf("%s:%d: there is no column %d: each line needs a protocol number and a keyword", name, start, max(number, keyword)+1)
		}
		from, to, ok := protocolRange(row[number])
		if !ok {
			return nil, fmt.Errorf("%s:%d: column %d: %q is not a protocol number, 0 to 255, or a range such as 146-252", name, start, number+1, row[number])
		}
		word := cleanKeyword(row[keyword])
		if word == "" && described >= 0 && described < len(row) {
			word = cleanKeyword(row[described])
		}
		if !utf8.ValidString(word) {
			return nil, fmt.Errorf("%s:%d: column %d: %q is not UTF-8 text", name, start, keyword+1, word)
		}
		for n := from; n <= to; n++ {
			if lines[n] > 0 && word != "" && names[n] != word {
				return nil, fmt.Errorf("%s:%d: protocol %d is %q here but %q on line %d", name, start, n, word, names[n], lines[n])
			}
			lines[n] = start
			if word != "" {
				names[n] = word
			}
		}
	}
	if lines == [256]int{} {
		return nil, fmt.Errorf("%s: there are no protocols in it: it should be IANA's protocol-numbers-1.csv, or lines such as 6,TCP", name)
	}
	return &names, nil
}

// A csvRecord is the text of one row, which may have several lines.
type csvRecord struct {
	text string
	cut  bool // it ends inside a quoted cell
}

// csvRecords yields the rows of a CSV file with the number of their first line. Cells of IANA's file span several
// lines, and copies processed by line-based tools lack the ends of such cells. So a line that begins with a protocol
// number ends an open quote, which otherwise would swallow the rows up to the next quote.
func csvRecords(text string) iter.Seq2[int, csvRecord] {
	return func(yield func(int, csvRecord) bool) {
		var row strings.Builder
		start, n, open := 1, 0, false
		for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
			n++
			cell, _, comma := strings.Cut(line, ",")
			_, _, numbered := protocolRange(cell)
			if row.Len() > 0 && (!open || comma && numbered) {
				if !yield(start, csvRecord{row.String(), open}) {
					return
				}
				row.Reset()
				start, open = n, false
			}
			row.WriteString(line)
			open = open != (strings.Count(line, `"`)%2 == 1)
		}
		if row.Len() > 0 {
			yield(start, csvRecord{row.String(), false})
		}
	}
}

// isHeader reports whether the first row has titles: it does not begin with a digit.
func isHeader(row []string) bool {
	return row[0] == "" || row[0][0] < '0' || row[0][0] > '9'
}

// protocolColumns finds the columns by IANA's titles, or else by position.
func protocolColumns(header []string) (number, keyword, described int) {
	places := map[string]int{"decimal": 0, "keyword": 1}
	for i, title := range header {
		places[strings.ToLower(strings.TrimSpace(title))] = i
	}
	number, keyword, described = places["decimal"], places["keyword"], -1
	if i, ok := places["protocol"]; ok && i != number && i != keyword {
		described = i
	}
	return number, keyword, described
}

func protocolRange(s string) (from, to int, ok bool) {
	lo, hi, isRange := strings.Cut(s, "-")
	if !isRange {
		hi = lo
	}
	a, err1 := strconv.ParseUint(strings.TrimSpace(lo), 10, 8)
	b, err2 := strconv.ParseUint(strings.TrimSpace(hi), 10, 8)
	return int(a), int(b), err1 == nil && err2 == nil && a <= b
}

// cleanKeyword removes line breaks and IANA's remark that a protocol is deprecated.
func cleanKeyword(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "(deprecated)", "")), " ")
}

var protocolField = schema.Field{
	Name: "protocol_name", Kind: schema.Text, From: []string{"protocol"}, Names: "protocol", InPlace: true,
	Doc: "IANA's keyword for the protocol, such as TCP",
}

// unassigned is the name of protocols that have none.
const unassigned = "Unassigned"

func protocolLookup(names *ProtocolNames) Lookup {
	field := protocolField
	field.Values = append(nonEmpty(names[:]), unassigned)
	slices.Sort(field.Values)
	field.Values = slices.Compact(field.Values)
	return Lookup{Field: field, Append: func(out *schema.Column, in []arrow.Array, row int) {
		n, ok := integer(in, row)
		switch {
		case !ok || n < 0 || n > 255:
			out.Null()
		case names[n] == "":
			out.Text(unassigned)
		default:
			out.Text(names[n])
		}
	}}
}
