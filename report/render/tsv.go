package render

import (
	"io"
	"strconv"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// tsvReports writes a header and the rows with tabs between the columns. In texts a backslash is \\ and unprintable
// characters are escaped, so that each row is a line and each value a column. A null is empty.
func tsvReports(w io.Writer, doc Document, _ Options) error {
	return separated(w, "tsv", '\t', doc, func(dst []byte, _ *schema.Field, s string) []byte {
		if formula(s) {
			dst = append(dst, '\'')
		}
		for i := 0; i < len(s); i++ {
			if s[i] == '\\' {
				dst = append(appendPrintable(dst, s[:i]), `\\`...)
				s, i = s[i+1:], -1
			}
		}
		return appendPrintable(dst, s)
	})
}

// tsvRecords writes a header and the records with tabs between the columns. The result is itself a flow log: null is "-",
// and blanks and unprintable characters are percent-encoded, as in AWS's tag values.
func tsvRecords(w io.Writer, fields schema.Table, _ Options) (RecordWriter, error) {
	return separatedRecords(w, fields, '\t', "-", appendWord)
}

// appendWord percent-encodes white space and unprintable characters, and the percent sign if readers decode the field. A
// text that would be read as null is encoded too.
func appendWord(dst []byte, f *schema.Field, s string) []byte {
	if s == "" {
		return append(dst, '-')
	}
	if s == "-" && f.Escaped {
		return append(dst, "%2D"...)
	}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		if r == ' ' || r == '%' && f.Escaped || !strconv.IsPrint(r) || r == utf8.RuneError && size == 1 {
			for _, c := range []byte(s[i : i+size]) {
				dst = append(dst, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
			}
		} else {
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return dst
}
