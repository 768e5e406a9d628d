package parse

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"flowlog/parse/schema"
)

// isCSV recognises a header of field names with separators, a column of records below other names, or a record of values
// with separators. A single name is a header of CSV too, though it could be one of text: only CSV may have its values in
// quotes.
func isCSV(head []byte, opt Options) bool {
	line, rest, _ := bytes.Cut(head, []byte("\n"))
	if _, l := headlessCSV(line, opt); l != nil {
		return true
	}
	h := csvHeaderOf(line, opt)
	if h == nil {
		return false
	}
	if h.comma == '\t' && h.message < 0 && !h.needsTabs(line, rest) {
		return false // text reads tabs too, faster
	}
	if h.message >= 0 || h.known > 0 {
		return true
	}
	return len(h.cells) > 1 && (h.columnOfRecords(rest, opt) >= 0 || h.columnOfText() >= 0)
}

// A csvHeader is the first line of CSV.
type csvHeader struct {
	comma   rune
	cells   []string // as they are
	names   []string // of fields; "" for what cannot be one, and for what CloudWatch and data frames add
	added   []bool   // the column is one that CloudWatch or a data frame adds
	known   int      // how many are fields that AWS logs
	message int      // the column called message, or -1
}

// csvHeaderOf parses the first line, with the separator that yields the most cells; nil if it cannot be a header.
func csvHeaderOf(line []byte, opt Options) *csvHeader {
	h := &csvHeader{message: -1}
	for _, comma := range headerCommas(line) {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma = comma
		if cells, err := r.Read(); err == nil && len(cells) > len(h.cells) {
			h.comma, h.cells = comma, cells
		}
	}
	var raw []string
	for i, cell := range h.cells {
		cell = strings.TrimSpace(cell)
		_, renamed := opt.renamed(cell)
		added := !renamed && (cell == "" || strings.HasPrefix(cell, "@") || cell == "timestamp" || strings.HasPrefix(cell, "Unnamed: "))
		if !renamed && (cell == "@message" || cell == "message") {
			h.message, added = i, true
		}
		if added {
			cell = ""
		}
		raw, h.added = append(raw, strings.ReplaceAll(cell, " ", "_")), append(h.added, added)
	}
	h.names = opt.fields(raw)
	for _, name := range h.names {
		if _, ok := schema.LoggedField(name); ok {
			h.known++
		}
	}
	f := &seeker{opt: opt, projection: knownFields}
	for _, cell := range h.cells {
		if cell = strings.TrimSpace(cell); cell == "EVENTS" || strings.Contains(cell, " ") && f.isRecord([]byte(cell)) {
			return nil // text with tabs in it
		}
	}
	if len(h.cells) == 0 {
		return nil
	}
	return h
}

// headerCommas are the separators that a header may have. Bars at its start draw a table. Names separated by blanks are
// text unless they are in quotes.
func headerCommas(line []byte) []rune {
	commas := []rune{',', ';', '\t'}
	if !bytes.HasPrefix(line, []byte("|")) {
		commas = append(commas, '|')
	}
	if bytes.HasPrefix(line, []byte(`"`)) {
		commas = append(commas, ' ')
	}
	return commas
}

// needsTabs reports whether values separated by tabs have blanks, are empty or in quotes, which text does not have.
func (h *csvHeader) needsTabs(line, rest []byte) bool {
	for _, cell := range h.cells {
		if cell = strings.TrimSpace(cell); cell == "" || strings.ContainsAny(cell, " \"") {
			return true
		}
	}
	return bytes.IndexByte(line, '"') >= 0 || !bytes.Contains(line, []byte("\t\t")) && (bytes.Contains(rest, []byte("\t\t")) || bytes.Contains(rest, []byte("\t\n")))
}

// knownFields knows the fields that AWS logs.
var knownFields, _ = schema.Logged().Project()

// columnOfRecords returns the column that holds a record in one of the first lines below the header, or -1.
func (h *csvHeader) columnOfRecords(data []byte, opt Options) int {
	column := -1
	f := &seeker{opt: opt, projection: knownFields}
	lines := 0
	eachCSVLine(data, h.comma, func(_ []byte, cells []string, err error) bool {
		for i, cell := range cells {
			cell = strings.TrimSpace(cell)
			if err == nil && i < len(h.cells) && cell != "" && !metadata[strings.ToLower(h.cells[i])] && f.isRecord([]byte(cell)) {
				column = i
			}
		}
		lines++
		return column < 0 && lines < csvSample
	})
	return column
}

// textColumns are the names that tools give to the column of the log text.
var textColumns = []string{"msg", "_msg", "_raw", "raw", "log", "line", "body", "text"}

// columnOfText returns the column that has one of these names, or -1.
func (h *csvHeader) columnOfText() int {
	return slices.IndexFunc(h.cells, func(cell string) bool { return slices.Contains(textColumns, strings.ToLower(strings.TrimSpace(cell))) })
}

// csvSample is the number of lines that are searched for records.
const csvSample = 1000

// fields returns the layout of CSV whose columns are fields, or the error if they are not those of a flow log.
func (h *csvHeader) fields(p *schema.Projection, opt Options) (*layout, error) {
	var names, strange []string
	for i, name := range h.names {
		if h.added[i] {
			continue
		}
		if names = append(names, name); name == "" || !p.Knows(name) {
			strange = append(strange, h.cells[i])
		}
	}
	err := opt.refused("csv", names, p)
	if err == nil {
		return &layout{names: h.names}, nil
	}
	if errors.Is(err, errReport) || len(strange) == 0 {
		return nil, err
	}
	hint := advice(names, strange)
	if h.known > 0 && opt.Input == "" {
		hint = schema.Wordsf("%s, or name the format with %s", hint, schema.Opt("input-format", "csv"))
	}
	return nil, schema.Wordsf("csv: the header, separated by %q, has %s, and these are not known: %s; it needs both addresses, or the interface and both times: %s",
		h.comma, h.count(), clip(strings.Join(strange, ", ")), hint)
}

// count says how many names of the header are those of fields.
func (h *csvHeader) count() string {
	switch h.known {
	case 0:
		return "no name of a field"
	case 1:
		return "1 name of a field"
	}
	return fmt.Sprintf("%d names of fields", h.known)
}

// named reports whether the cells are names of columns, with a separator that text does not have, rather than values. A
// column without a name may be called -.
func (h *csvHeader) named() bool {
	names := 0
	for _, cell := range h.cells {
		letters := strings.TrimFunc(strings.TrimSpace(cell), func(c rune) bool { return c == '_' || c == '-' || c == '@' })
		if letters == "" {
			continue
		}
		if first, _ := utf8.DecodeRuneInString(letters); !unicode.IsLetter(first) || strings.ContainsAny(letters, " \t:=") {
			return false
		}
		names++
	}
	return names > 0 && len(h.cells) > 1 && h.comma != '\t' && h.comma != ' '
}

// notCSV is the error for text without a layout whose first line is a header of CSV with other names than those of fields:
// it says which, since a layout of text would be the wrong advice. It is nil if the line is none.
func notCSV(head []byte, p *schema.Projection, opt Options) error {
	line, _, _ := bytes.Cut(head[blankLines(head):], []byte("\n"))
	h := csvHeaderOf(line, opt)
	if h == nil || !h.named() {
		return nil
	}
	_, err := h.fields(p, opt)
	return err
}

// readCSV reads separated values with a header, as flowlog, Athena and CloudWatch write them, or without. An empty
// cell and "-" are null. A column of messages holds whole records without a header, and the other columns are
// not looked at then.
func readCSV(in *input, c *content) error {
	line, _, found := bytes.Cut(c.head, []byte("\n"))
	if !found && c.err() != nil {
		return c.err()
	}
	if !found && !c.whole {
		return errors.New("csv: the first line is longer than 16 MiB")
	}
	if comma, l := headlessCSV(line, in.opt); l != nil {
		return in.cutCSV(c, 0, l, func(w *worker, b *block, at place) place { return w.csv(b, at, comma) })
	}
	h := csvHeaderOf(line, in.opt)
	if h == nil {
		return errors.New("csv: the first line does not name flow log fields")
	}
	skip := min(len(line)+1, len(c.head))
	if h.message < 0 {
		l, err := h.fields(in.projection, in.opt)
		if err == nil {
			comma := h.comma
			return in.cutCSV(c, skip, l, func(w *worker, b *block, at place) place { return w.csv(b, at, comma) })
		}
		if h.message = h.columnOfRecords(c.head[skip:], in.opt); h.message < 0 && h.known == 0 {
			h.message = h.columnOfText() // its first record may come late
		}
		if h.message < 0 {
			return err
		}
	}
	l, err := h.layoutOfMessages(in, c, skip)
	if err != nil {
		return err
	}
	message, comma := h.message, h.comma
	return in.cutCSV(c, skip, l, func(w *worker, b *block, at place) place { return w.csvMessages(b, at, comma, message) })
}

// layoutOfMessages grows the head until a message shows the layout of all.
func (h *csvHeader) layoutOfMessages(in *input, c *content, skip int) (*layout, error) {
	for {
		f := &seeker{opt: in.opt, projection: in.projection}
		eachCSVLine(c.head[skip:], h.comma, func(_ []byte, cells []string, err error) bool {
			if err == nil && len(cells) > h.message {
				if cell := strings.TrimSpace(cells[h.message]); cell != "" {
					f.isRecord([]byte(cell))
				}
			}
			return f.layout == nil
		})
		switch {
		case f.layout != nil:
			return f.layout, nil
		case !c.whole && c.err() == nil && len(c.head) < longestHeader:
			c.grow()
		case len(in.opt.LogFormat) > 0:
			return &layout{names: in.opt.LogFormat, fixed: true}, nil
		default:
			return nil, errNoLayout
		}
	}
}

func (in *input) cutCSV(c *content, skip int, l *layout, decode func(*worker, *block, place) place) error {
	start := place{in.intern(l, in.object), int64(min(skip, 1))} // above which the header is, if there is one
	in.current.Store(start.layout)
	return in.cut(c.Reader(skip), start, func(data []byte, _ int) (int, int, bool) { return lastCSVLine(data), 0, false }, decode)
}

// lastCSVLine returns the end of the last line that does not end within quotes.
func lastCSVLine(data []byte) int {
	end := lastLine(data)
	quotes := bytes.Count(data[:end], []byte(`"`))
	for end > 0 && quotes%2 != 0 {
		before := lastLine(data[:end-1])
		quotes -= bytes.Count(data[before:end], []byte(`"`))
		end = before
	}
	return end
}

// csv decodes a block of separated values.
func (w *worker) csv(b *block, at place, comma rune) place {
	return w.csvLines(b, at, comma, func(at place, line []byte, cells []string) place {
		w.tokens = w.tokens[:0]
		for _, cell := range cells {
			w.tokens = append(w.tokens, []byte(cell))
		}
		w.append(at, line, false)
		return at
	})
}

// csvMessages decodes a block of separated values, one of which holds the record.
func (w *worker) csvMessages(b *block, at place, comma rune, message int) place {
	return w.csvLines(b, at, comma, func(at place, line []byte, cells []string) place {
		if len(cells) <= message {
			w.drop(line, Problem{Line: at.line, Value: "there is no message", Fault: schema.NotCSV})
			return at
		}
		return w.message(b, at, []byte(cells[message]))
	})
}

func (w *worker) csvLines(b *block, at place, comma rune, record func(at place, line []byte, cells []string) place) place {
	eachCSVLine(b.data, comma, func(line []byte, cells []string, err error) bool {
		at.line++
		switch {
		case err == io.EOF: // empty lines, which may be a whole block
		case err != nil:
			w.drop(bytes.TrimRight(line, "\r\n"), Problem{Line: at.line, Value: err.Error(), Fault: schema.NotCSV})
		default:
			at = record(at, bytes.TrimRight(line, "\r\n"), cells)
		}
		at.line += max(int64(bytes.Count(line, []byte("\n")))-1, 0)
		return true
	})
	return at
}

// eachCSVLine calls yield with each line of data, quoted line ends included, and what it says, until it returns
// false. One line is read at a time, so that one that is broken does not take others with it; but empty ones, which are
// io.EOF, come all at once.
func eachCSVLine(data []byte, comma rune, yield func(line []byte, cells []string, err error) bool) {
	for len(data) > 0 {
		if empty := emptyLines(data); empty > 0 {
			if !yield(data[:empty], nil, io.EOF) {
				return
			}
			data = data[empty:]
			continue
		}
		end := firstCSVLine(data)
		r := csv.NewReader(bytes.NewReader(data[:end]))
		r.FieldsPerRecord, r.Comma = -1, comma
		cells, err := r.Read()
		if !yield(data[:end], cells, err) {
			return
		}
		data = data[end:]
	}
}

// emptyLines is the length of the lines without any character that data begins with.
func emptyLines(data []byte) int {
	for i := 0; ; {
		switch rest := data[i:]; {
		case bytes.HasPrefix(rest, []byte("\n\n\n\n\n\n\n\n")):
			i += max(8, leadingRun(rest, 1))
		case bytes.HasPrefix(rest, []byte("\n")):
			i++
		case bytes.HasPrefix(rest, []byte("\r\n")):
			i += max(2, leadingRun(rest, 2))
		default:
			return i
		}
	}
}

// firstCSVLine returns the end of the first line that does not end within quotes.
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
