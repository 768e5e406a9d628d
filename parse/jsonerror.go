package parse

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// failure is the error for a stream without records, nil if it may be empty.
func (f *seeker) failure() error {
	switch {
	case f.longest.path != nil && (f.messages || len(bytes.Fields(f.longest.text)) >= 8):
		return fmt.Errorf("%w (the longest text is: %s; `jq -r '%s'` unpacks it)", noLayout([][]byte{f.longest.text}), clip(string(f.longest.text)), jqPath(f.longest.path))
	case f.documents == 0 && !f.broken:
		return nil
	case f.documents == 0:
		return schema.Wordsf("this is not valid JSON from its first document on: the file is damaged, or it is of another format, which %s names", schema.Opt("input-format"))
	case f.empty || f.control > 0:
		return nil
	case f.refused != nil:
		return f.refused
	}
	return fmt.Errorf("these are no flow logs: no text in them is a record, and no object has the fields of one; their members are %s",
		seenNames(f.names))
}

func seenNames(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return clip(strings.Join(names, ", "))
}

// jqPath is a path in the syntax of the program jq.
func jqPath(path []string) string {
	var b strings.Builder
	for _, step := range path {
		switch {
		case step == "":
			if b.Len() == 0 {
				b.WriteByte('.')
			}
			b.WriteString("[]")
		case step == opaque:
			b.WriteString(" | fromjson | ")
		case schema.CanonicalName(step) != "" && !strings.Contains(step, "-"):
			b.WriteString("." + step)
		default:
			fmt.Fprintf(&b, ".[%q]", step)
		}
	}
	if b.Len() == 0 {
		return "."
	}
	return clip(b.String())
}

// unpacked decodes base64, compressed or not; nil if the text is not base64.
func unpacked(s []byte) ([]byte, error) {
	if len(s) < 12 || bytes.IndexByte(s, ' ') >= 0 {
		return nil, nil
	}
	data := make([]byte, base64.RawStdEncoding.DecodedLen(len(s))) // the longer one
	n, err := base64.StdEncoding.Decode(data, s)
	if err != nil {
		if n, err = base64.RawStdEncoding.Decode(data, s); err != nil {
			return nil, nil //nolint:nilerr // it is other text
		}
	}
	data = data[:n]
	if !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		if !utf8.Valid(data) {
			return nil, nil
		}
		return data, nil
	}
	r, err := openGzip(bytes.NewReader(data), Options{})
	if err != nil {
		return nil, named("gzip", err)
	}
	defer r.Close() //nolint:errcheck // it only reads memory
	data, err = io.ReadAll(io.LimitReader(r, longestPayload+1))
	if err != nil {
		return nil, named("gzip", err)
	}
	if len(data) > longestPayload {
		return nil, errors.New("gzip: it unpacks to more than 64 MiB")
	}
	return data, nil
}
