package enrich

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/gaissmai/bart"

	"flowlog/parse/disk"
	"flowlog/parse/schema"
)

// AWSRanges is the list of AWS's networks, https://ip-ranges.amazonaws.com/ip-ranges.json. Its lookups are safe for
// concurrent use.
type AWSRanges struct{ trie bart.Fast[awsRange] }

type awsRange struct{ service, region string }

// maxRanges is the largest file of ranges that is read, some thirty times the size of AWS's.
const maxRanges = 64 << 20

// OpenAWSRanges reads the file.
func OpenAWSRanges(path string) (*AWSRanges, error) {
	content, err := disk.Read(path, maxRanges)
	if err != nil {
		return nil, err
	}
	return readAWSRanges(path, content)
}

func readAWSRanges(file string, content []byte) (*AWSRanges, error) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	type prefix struct {
		IPPrefix   string `json:"ip_prefix"`
		IPv6Prefix string `json:"ipv6_prefix"`
		Service    string `json:"service"`
		Region     string `json:"region"`
	}
	var document struct {
		Prefixes   []prefix `json:"prefixes"`
		IPv6Prefix []prefix `json:"ipv6_prefixes"`
	}
	if err := json.Unmarshal(content, &document); err != nil {
		offset := len(content)
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		if errors.As(err, &syntax) {
			offset = int(syntax.Offset) - 1
		} else if errors.As(err, &kind) {
			offset = int(kind.Offset) - 1
		}
		return nil, fmt.Errorf("%s: this is not AWS's ip-ranges.json: %w", position(file, content, offset), err)
	}
	if len(document.Prefixes)+len(document.IPv6Prefix) == 0 {
		return nil, fmt.Errorf("%s:1: column 1: there are no prefixes in it: it should be AWS's ip-ranges.json", file)
	}
	r := new(AWSRanges)
	for _, p := range append(document.Prefixes, document.IPv6Prefix...) {
		text := p.IPPrefix + p.IPv6Prefix
		network, err := netip.ParsePrefix(text)
		if err != nil || p.Service == "" {
			at := max(bytes.Index(content, []byte(`"`+text+`"`)), 0)
			return nil, fmt.Errorf("%s: %q is not the prefix of a service: get ip-ranges.json again", position(file, content, at), text)
		}
		network = network.Masked()
		mine := awsRange{p.Service, p.Region}
		if other, ok := r.trie.Get(network); !ok || moreSpecific(mine.service, other.service) {
			r.trie.Insert(network, mine)
		}
	}
	return r, nil
}

// position formats an offset in a file as line and column.
func position(file string, content []byte, offset int) string {
	before := content[:min(max(offset, 0), len(content))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("%s:%d: column %d", file, line, len(before)-bytes.LastIndexByte(before, '\n'))
}

// moreSpecific reports whether service a describes a prefix more precisely than b. AWS lists every prefix under AMAZON
// too, and those of services that run on EC2 under EC2. Of others, the longer name is that of a part:
// CLOUDFRONT_ORIGIN_FACING.
func moreSpecific(a, b string) bool {
	rank := func(service string) int {
		switch service {
		case "AMAZON":
			return 2
		case "EC2":
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(b), len(a)), strings.Compare(a, b)) < 0
}

// Err is nil: lookups cannot fail, since OpenAWSRanges reads the whole file.
func (r *AWSRanges) Err() error { return nil }

// Note is always "".
func (r *AWSRanges) Note() string { return "" }

// Close does nothing.
func (r *AWSRanges) Close() error { return nil }

// find returns the range of the first address that is not null, by longest prefix match.
func (r *AWSRanges) find(in []arrow.Array, row int) awsRange {
	if a, ok := address(in, row); ok {
		found, _ := r.trie.Lookup(a)
		return found
	}
	return awsRange{}
}

// Lookups returns the lookups of all fields of the ranges. If only the fields are used, r may be nil.
func (r *AWSRanges) Lookups() []Lookup {
	var lookups []Lookup
	add := func(f schema.Field, find func(in []arrow.Array, row int) string) {
		f.Kind = schema.Text
		lookups = append(lookups, Lookup{Field: f, Append: func(out *schema.Column, in []arrow.Array, row int) { text(out, find(in, row)) }})
	}
	for _, side := range sides {
		logged := "pkt_" + side.prefix + "_aws_service"
		add(schema.Field{
			Name: side.prefix + "_aws_service", Case: schema.Upper, From: append([]string{logged}, side.addrs...),
			Doc: "AWS service that has " + side.addrDoc + ", such as S3; " + logged + " where that was logged",
		}, func(in []arrow.Array, row int) string {
			if service, ok := textValue(in[0], row); ok {
				return service
			}
			return r.find(in[1:], row).service
		})
		add(schema.Field{
			Name: side.prefix + "_aws_region", Case: schema.LowerOrUpper, From: side.addrs,
			Doc: "AWS region that has " + side.addrDoc + "; GLOBAL if no single one has it",
		}, func(in []arrow.Array, row int) string { return r.find(in, row).region })
	}
	return lookups
}

// awsFields lists the fields of the ranges.
var awsFields = sync.OnceValue(func() schema.Table {
	var t schema.Table
	for _, l := range (*AWSRanges)(nil).Lookups() {
		t = append(t, l.Field)
	}
	return slices.Clip(t)
})
