package parse

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"flowlog/parse/schema"
)

// isCSV recognises a header of field names separated by commas. A lone name is one too, though it could as
// well be the header of text: in CSV alone a value may be in quotes.
func isCSV(head []byte, opt Options) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return csvHeader(line, opt) != nil
}

// insightsNames are the fields that CloudWatch Logs Insights discovers in flow logs under names of its own.
var insightsNames = map[string]string{
	"accountid": "account_id", "interfaceid": "interface_id", "logstatus": "log_status", "starttime": "start", "endtime": "end",
}

// csvHeader returns the names in a header line, or nil if it is not one: enough of the columns must be fields
// that AWS logs, or one must hold whole records, which is called "message" then. What CloudWatch adds,
// @timestamp and such, is called "".
func csvHeader(line []byte, opt Options) []string {
	cells, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err != nil {
		return nil
	}
	known, fields := 0, 0
	for i, cell := range cells {
		if cell == "@message" || cell == "message" {
			cells[i] = "message"
			known = len(cells)
			continue
		}
		if strings.HasPrefix(cell, "@") || cell == "timestamp" {
			cells[i] = ""
			continue
		}
		name := opt.field(cell)
		if name == "" {
			return nil
		}
		if insights, ok := insightsNames[name]; ok {
			name = insights
		}
		fields++
		if _, ok := schema.Logged().Lookup(name); ok {
			known++
		}
		cells[i] = name
	}
	if !enoughKnown(known, fields) {
		return nil
	}
	return cells
}

// readCSV reads comma-separated values with a header, as flowlog, Athena and CloudWatch write them. An empty
// cell and "-" are null. A column of messages holds whole records without a header, and the other columns are
// not looked at then.
func readCSV(in *input, c *content) error {
	line, _, found := bytes.Cut(c.head, []byte("\n"))
	if !found && c.err() != nil {
		return c.err()
	}
	names := csvHeader(line, in.opt)
	if names == nil {
		return errors.New("csv: the first line does not name flow log fields")
	}
	l := &layout{names: names}
	skip := min(len(line)+1, len(c.head))
	decode := (*worker).csv
	if message := slices.Index(names, "message"); message >= 0 {
		var lines [][]byte
		eachCSVLine(c.head[skip:], func(_ []byte, cells []string, err error) {
			if err == nil && len(cells) > message {
				lines = append(lines, []byte(cells[message]))
			}
		})
		var err error
		if l, err = layoutWithout(in.opt, lines); err != nil {
			return err
		}
		decode = func(w *worker, b *block, at place) place { return w.csvMessages(b, at, message) }
	}
	start := place{in.intern(l, in.object), 1}
	in.current.Store(start.layout)
	return in.cut(c.Reader(skip), start, lastCSVLine, decode)
}

// lastCSVLine finds the end of the last line that does not end within quotes.
func lastCSVLine(data []byte) int {
	for end := lastLine(data); end > 0; end = lastLine(data[:end-1]) {
		if bytes.Count(data[:end], []byte(`"`))%2 == 0 {
			return end
		}
	}
	return 0
}

// csv decodes a block of comma-separated values.
func (w *worker) csv(b *block, at place) place {
	return w.csvLines(b, at, func(at place, line []byte, cells []string) {
		w.tokens = w.tokens[:0]
		for _, cell := range cells {
			w.tokens = append(w.tokens, []byte(cell))
		}
		w.append(at, line, false)
	})
}

// csvMessages decodes a block of comma-separated values of which one holds the record.
func (w *worker) csvMessages(b *block, at place, message int) place {
	return w.csvLines(b, at, func(at place, line []byte, cells []string) {
		if len(cells) <= message {
			w.drop(line, Problem{Line: at.line, Value: "there is no message", Fault: schema.NotCSV})
			return
		}
		w.message(at, []byte(cells[message]))
	})
}

func (w *worker) csvLines(b *block, at place, record func(at place, line []byte, cells []string)) place {
	eachCSVLine(b.data, func(line []byte, cells []string, err error) {
		at.line++
		whole := bytes.TrimRight(line, "\r\n")
		switch {
		case err == io.EOF: // a blank line
		case err != nil:
			w.drop(whole, Problem{Line: at.line, Value: err.Error(), Fault: schema.NotCSV})
		default:
			record(at, whole, cells)
		}
		at.line += max(int64(bytes.Count(line, []byte("\n")))-1, 0)
	})
	return at
}

// eachCSVLine calls yield with each line of data, quoted line ends included, and what it says. One line is
// read at a time, so that one that is broken does not take others with it.
func eachCSVLine(data []byte, yield func(line []byte, cells []string, err error)) {
	for len(data) > 0 {
		end := firstCSVLine(data)
		r := csv.NewReader(bytes.NewReader(data[:end]))
		r.FieldsPerRecord = -1
		cells, err := r.Read()
		yield(data[:end], cells, err)
		data = data[end:]
	}
}

// firstCSVLine finds the end of the first line that does not end within quotes.
func firstCSVLine(data []byte) int {
	quoted := false
	for i, c := range data {
		if c == '"' {
			quoted = !quoted
		} else if c == '\n' && !quoted {
			return i + 1
		}
	}
	return len(data)
}
