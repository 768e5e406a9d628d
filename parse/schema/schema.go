// Package schema defines the flow record: THE table of fields, the kinds of their values, and the columns of a batch of
// records. Every other package imports it; it imports none of ours.
//
//	Table → Project → Projection → Columns → Batch
package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
)

// Kind is the type of a field's values. It decides how text is parsed, the Arrow and Parquet type, and
// how values group, sort and print.
type Kind uint8

const (
	Int32 Kind = iota // whole number from 0 to Field.Max; arrow int32
	Int64             // whole number from 0; arrow int64
	Time              // whole Unix seconds; arrow int64
	Float             // arrow float64; only enriched fields have it
	Addr              // IPv4 or IPv6 address; arrow fixed_size_binary[16], IPv4 in its mapped form
	Text              // UTF-8; arrow dictionary<int32, utf8>
)

// kinds has the name and the Arrow type of each Kind.
var kinds = [...]struct {
	name  string
	arrow arrow.DataType
}{
	Int32: {"int32", arrow.PrimitiveTypes.Int32},
	Int64: {"int64", arrow.PrimitiveTypes.Int64},
	Time:  {"time", arrow.PrimitiveTypes.Int64},
	Float: {"float64", arrow.PrimitiveTypes.Float64},
	Addr:  {"address", &arrow.FixedSizeBinaryType{ByteWidth: 16}},
	Text:  {"text", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}},
}

func (k Kind) String() string        { return kinds[k].name }
func (k Kind) Arrow() arrow.DataType { return kinds[k].arrow }

// KindOf returns the kind of a column that is no field, by the type of its array.
func KindOf(t arrow.DataType) Kind {
	for _, k := range []Kind{Int32, Int64, Float, Addr} {
		if arrow.TypeEqual(t, k.Arrow()) {
			return k
		}
	}
	return Text
}

// MarshalText makes a Kind its name in JSON.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a Kind's name.
func (k *Kind) UnmarshalText(name []byte) error {
	for i, known := range kinds {
		if known.name == string(name) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("unknown kind %q", name)
}

// A Field is one column of a flow record: one that AWS logs, or one that an enricher adds.
type Field struct {
	Name    string   `json:"name"`             // AWS's name with _ for -, which is also the Athena and Parquet column
	Kind    Kind     `json:"kind"`             //
	Since   int      `json:"since,omitempty"`  // flow log version that introduced it; 0 if it is not a field of AWS's
	Max     int64    `json:"max,omitempty"`    // largest value of an Int32; 0 means 2^31-1
	Escaped bool     `json:"-"`                // text records hold it percent-encoded
	Digits  int      `json:"-"`                // length of an all-digit identifier, leading zeros included
	From    []string `json:"from,omitempty"`   // the fields that an enriched field is computed from; a row needs one of them
	Names   string   `json:"names,omitempty"`  // the field whose values this one names (protocol_name names protocol)
	InPlace bool     `json:"-"`                // tables for people show it in place of the field that it names
	Values  []string `json:"values,omitempty"` // the values of a text that AWS documents, in AWS's spelling
	Case    Case     `json:"-"`                // the case of a text's letters, where all values have the same
	Doc     string   `json:"doc"`              // one line
}

// Case is the case of the letters in the values of a text field.
type Case uint8

const (
	MixedCase    Case = iota
	Lower             // lower case
	Upper             // upper case
	LowerOrUpper      // each value is in lower or in upper case
)

// LogName is the field's name in flow log headers and in ${…} formats.
func (f Field) LogName() string { return strings.ReplaceAll(f.Name, "_", "-") }

// Table is a list of fields with distinct names.
type Table []Field

// Logged returns the fields that AWS logs: those of VPC flow logs in AWS's order, then those that only
// transit gateway flow logs have. The caller owns the result.
func Logged() Table { return slices.Clone(logged) }

// LoggedField returns the field of this name among those of Logged, without a copy of the table: readers ask it for each
// token of an event.
func LoggedField(name string) (Field, bool) { return logged.Named(name) }

// Delivered returns the fields that come from the name of the object that delivered a record, never from the record.
func Delivered() Table {
	return Table{{Name: "flow_log_id", Kind: Text, Doc: "Flow log that delivered the record, from the name of the object"}}
}

// Lookup finds a field by name, in either spelling (log-status, log_status) and any case, or by an alias: see FieldNamed.
func (t Table) Lookup(name string) (Field, bool) {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if f, ok := t.Named(name); ok {
		return f, true
	}
	if own := FieldNamed(name); own != name {
		return t.Named(own)
	}
	return Field{}, false
}

// Named finds a field by its exact name.
func (t Table) Named(name string) (Field, bool) {
	for i := range t { // by index: a Field has some 200 bytes
		if t[i].Name == name {
			return t[i], true
		}
	}
	return Field{}, false
}

// Names lists the fields' names, in order.
func (t Table) Names() []string {
	names := make([]string, len(t))
	for i, f := range t {
		names[i] = f.Name
	}
	return names
}

// transitVersion is the version whose records are those of transit gateways. The others are of VPCs.
const transitVersion = 6

// Versions returns the versions of flow logs, from the oldest: those that introduced a field.
func Versions() []int {
	var all []int
	for _, f := range logged {
		if !slices.Contains(all, f.Since) {
			all = append(all, f.Since)
		}
	}
	slices.Sort(all)
	return all
}

// VersionNames returns the names of versions as ParseFormat reads them: v2, v3 …
func VersionNames() []string {
	var names []string
	for _, v := range Versions() {
		names = append(names, "v"+strconv.Itoa(v))
	}
	return names
}

// VersionRange is the first and the last name of a version, with a text between them.
func VersionRange(between string) string {
	names := VersionNames()
	return names[0] + between + names[len(names)-1]
}

// Version returns the names of all fields of a flow log version, in the documented order: 2 is the default format, 6 the
// transit gateway format, and each other version has all VPC fields introduced up to it. It returns nil for a version
// that does not exist.
func Version(v int) []string {
	if v == transitVersion {
		return strings.Fields(transitGateway)
	}
	var names []string
	var newest bool
	for _, f := range logged {
		if f.Since == transitVersion {
			break // the rest of the table is transit gateway fields
		}
		newest = newest || f.Since == v
		if f.Since <= v {
			names = append(names, f.Name)
		}
	}
	if !newest {
		return nil
	}
	return names
}

// ParseFormat reads a flow log format: "${version} ${account-id} …" as AWS stores it, with $${…} as Terraform writes
// it, plain names with - or _, or a name of VersionNames. Names that are no fields are kept, since AWS adds
// fields. A field may occur twice, as in a header.
func ParseFormat(s string) ([]string, error) {
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' || r == '\r' })
	if len(words) == 1 && len(words[0]) > 1 && (words[0][0] == 'v' || words[0][0] == 'V') {
		if v, err := strconv.Atoi(words[0][1:]); err == nil {
			names := Version(v)
			if names == nil {
				versions := VersionNames()
				versions[slices.Index(Versions(), transitVersion)] += " (transit gateway)"
				return nil, fmt.Errorf("there is no flow log version %d: the versions are %s", v, Join(versions, "and"))
			}
			return names, nil
		}
	}
	var names []string
	for _, w := range words {
		name := strings.Trim(w, `"'`)
		name = strings.TrimLeft(name, "$")
		if rest, ok := strings.CutPrefix(name, "{"); ok {
			if name, ok = strings.CutSuffix(rest, "}"); !ok {
				return nil, fmt.Errorf("%q is not a field: the closing brace is missing", w)
			}
		}
		name = CanonicalName(name)
		if name == "" {
			return nil, fmt.Errorf("%q is not the name of a field", w)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("the format names no fields")
	}
	return names, nil
}

// CanonicalName returns a field's name in this table's spelling, or "" if s cannot be the name of a field:
// a letter, then letters, digits, - and _.
func CanonicalName(s string) string {
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= s[i] && s[i] <= '9' || s[i] == '-' || s[i] == '_'):
		default:
			return ""
		}
	}
	return strings.ReplaceAll(strings.ToLower(s), "-", "_")
}
