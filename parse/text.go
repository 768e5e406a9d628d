package parse

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"flowlog/parse/schema"
)

// readText reads records as AWS writes them to S3: a header line, or none, then a record a line.
func readText(in *input, c *content) error {
	start, skip, err := startOfText(in.projection, in.opt, c)
	if err == errNoLayout && drawn(c.head) || err == nil && start.layout != nil && underlined(c.head[skip:]) {
		err = &OwnError{"a table that was drawn for people", readLogs}
	}
	if err == errNoLayout {
		err = cmp.Or(notCSV(c.head, in.projection, in.opt), err)
	}
	if err != nil || start.layout == nil {
		return err
	}
	start.layout = in.intern(start.layout, in.object)
	in.current.Store(start.layout)
	in.noteInterfaces(c.head[skip:], start.layout)
	return in.lines(c, skip, start, (*worker).text)
}

// overlapSample is the number of records of an object that are searched for interfaces which another flow log logs too.
const overlapSample = 200

// noteInterfaces notes the interfaces of the first records, if the name of the object has the ID of its flow log.
func (in *input) noteInterfaces(head []byte, l *layout) {
	column := slices.Index(l.names, "interface_id")
	if in.key.FlowLogID == "" || column < 0 {
		return
	}
	var toks [][]byte
	last := ""
	for range overlapSample {
		line, rest, more := bytes.Cut(head, []byte("\n"))
		if toks = tokens(line, toks[:0]); len(toks) == len(l.names) {
			if eni := toks[column]; string(eni) != last && string(eni) != "-" {
				last = string(eni)
				in.logged(last, in.key.FlowLogID)
			}
		}
		if head = rest; !more {
			return
		}
	}
}

// longestHeader bounds the length of a header.
const longestHeader = 16 << 20

// startOfText finds the layout of the first record, and the number of bytes of the head above it. The layout is nil if
// there are only blank lines. It grows the head until a line decides.
func startOfText(p *schema.Projection, opt Options, c *content) (place, int, error) {
	for {
		at, skip, err := startOfLines(p, opt, c)
		if at.layout != nil || err != nil && !errors.Is(err, errNoLayout) || c.whole || c.err() != nil {
			return at, skip, err
		}
		if len(c.head) >= longestHeader {
			if bytes.IndexByte(c.head, '\n') < 0 {
				err = errors.New("the first line is longer than 16 MiB: this is not a flow log")
			}
			return at, skip, cmp.Or(err, errNoLayout)
		}
		c.grow()
	}
}

// startOfLines is startOfText for the lines of the head at hand.
func startOfLines(p *schema.Projection, opt Options, c *content) (place, int, error) {
	skip := blankLines(c.head)
	above := int64(bytes.Count(c.head[:skip], []byte("\n")))
	lines := firstLines(c.head[skip:], c.whole)
	for i, line := range lines {
		toks := tokens(line, nil)
		if len(toks) == 0 {
			skip += len(line) + 1
			continue
		}
		if l := headerOf(toks, p, opt); l != nil {
			return place{l, above + int64(i) + 1}, min(skip+len(line)+1, len(c.head)), nil
		}
		if string(bytes.TrimSpace(line)) == writeTest {
			return place{}, 0, nil
		}
		if l := layoutWithout(opt, lines[i:]); l != nil {
			return place{l, above + int64(i)}, skip, nil
		}
		return place{nil, above + int64(i)}, skip, cmp.Or(notHeader(toks, p, opt), noLayout(lines[i:]))
	}
	if err := c.err(); err != nil {
		return place{}, 0, err
	}
	if len(bytes.TrimSpace(c.head)) > 0 {
		return place{}, 0, errNoLayout
	}
	return place{}, 0, nil
}

// notHeader returns why a line that names some fields is not the header of a flow log; nil if it names none.
func notHeader(toks [][]byte, p *schema.Projection, opt Options) error {
	raw := make([]string, len(toks))
	for i, tok := range toks {
		raw[i] = string(tok)
	}
	names := opt.fields(raw)
	if slices.Contains(names, "") || !slices.ContainsFunc(names, p.Knows) {
		return nil
	}
	return opt.refused("text", names, p)
}

// writeTest is the content of the object aws-logs-write-test, which CloudWatch writes to test an export.
const writeTest = "Permission Check Successful"

func lineBoundary(data []byte, _ int) (int, int, bool) { return lastLine(data), 0, false }

func lastLine(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

// blankLines is the length of the lines of white space at the start of data.
func blankLines(data []byte) int { return lastLine(data[:leadingBlank(data)]) }

// leadingBlank is the number of bytes of white space that data begins with. A few kilobytes of gzip can unpack to a gigabyte
// of them, which must not take longer than unpacking it.
func leadingBlank(data []byte) int {
	i := 0
	for ; len(data)-i >= 8; i += 8 {
		if other := ^blanks(data[i:i+8]) & 0xff; other != 0 {
			return i + bits.TrailingZeros64(other)
		}
		for period := 1; period <= 8 && i%runStep == 0; period++ {
			if n := leadingRun(data[i:], period); n > 0 {
				i += n - 8
				break
			}
		}
	}
	for i < len(data) && data[i] <= ' ' {
		i++
	}
	return i
}

// runStep is the number of bytes that leadingRun compares at a time: enough for the comparison to reach its full speed.
const runStep = 1 << 10

// leadingRun is the number of bytes, a multiple of runStep, for which the first period bytes of data are repeated. To compare
// data with itself takes a tenth of the time of looking at each byte.
func leadingRun(data []byte, period int) (n int) {
	for n+period+runStep <= len(data) && bytes.Equal(data[n:n+runStep], data[n+period:n+period+runStep]) {
		n += runStep
	}
	return n
}

// text decodes a block of lines.
func (w *worker) text(b *block, at place) place {
	if w.regular(b.data, at.layout) {
		return place{at.layout, at.line + int64(w.rows)}
	}
	w.reset()
	for data := b.data; len(data) > 0; {
		if n := blankLines(data); n > 0 {
			at.line += int64(bytes.Count(data[:n], []byte("\n")))
			data = data[n:]
			continue
		}
		end := bytes.IndexByte(data, '\n')
		line := data[:end]
		data = data[end+1:]
		at.line++
		w.tokens = tokens(line, w.tokens[:0])
		if len(w.tokens) == 0 {
			continue
		}
		if w.namesField(w.tokens[0]) {
			if l := headerOf(w.tokens, w.projection, w.opt); l != nil {
				at.layout = w.intern(l, b.object)
				b.current.Store(at.layout)
				continue
			}
		}
		if len(w.tokens) != len(at.layout.names) && at.layout.decoration(w.tokens) {
			continue
		}
		w.append(at, line, true)
	}
	return at
}

// append appends the record whose tokens are in w.tokens, or drops it.
func (w *worker) append(at place, line []byte, escaped bool) {
	if len(w.tokens) != len(at.layout.names) {
		w.drop(line, Problem{Line: at.line, Value: at.layout.miscounted(w.tokens), Fault: schema.WrongCount})
		return
	}
	b := w.bind(at.layout)
	w.touched = w.touched[:0]
	for i, tok := range w.tokens {
		c := b.cols[i]
		parse := (*schema.Column).Parse
		switch {
		case c != nil:
			if !w.pad(c) {
				w.drop(line, *tooWide(at))
				return
			}
			w.touched = append(w.touched, c)
			if escaped {
				parse = (*schema.Column).ParseEscaped
			}
		case b.unread[i] == nil:
			continue
		default:
			c, parse = b.unread[i], (*schema.Column).Check
			if escaped {
				parse = (*schema.Column).CheckEscaped
			}
		}
		if fault := parse(c, tok); fault != schema.Valid {
			w.drop(line, Problem{Line: at.line, Field: c.Name, Value: string(tok), Fault: fault})
			return
		}
	}
	if !w.row() {
		w.drop(line, *tooWide(at))
	}
}

// separators finds the white space of data, 64 bytes at a time: -1, then the position of each byte up to the blank. ok is
// false if two of them are neighbours, or if the first byte is one. ascii is true if all bytes are.
func separators(data []byte, out []int32) (seps []int32, ascii, ok bool) {
	if need := len(data)/2 + 128; cap(out) < need {
		out = make([]int32, 0, need)
	}
	buf := out[:cap(out)]
	buf[0] = -1
	n, before, high := separatorsOf(data, len(data)/64, 0, 1, buf[1:]) // as if a separator came before the first byte
	if n < 0 {
		return out, false, false
	}
	k := n + 1
	last := before != 0
	for i := len(data) &^ 63; i < len(data); i++ {
		sep := data[i] <= ' '
		if sep && last {
			return out, false, false
		}
		if last = sep; sep {
			buf[k] = int32(i)
			k++
		}
		high |= uint64(data[i] & 0x80)
	}
	return buf[:k], high == 0, true
}

// separatorsPortable is separatorsOf in plain Go, eight bytes at a time.
func separatorsPortable(data []byte, blocks, at int, before uint64, out []int32) (n int, last, high uint64) {
	for m := range blocks {
		p := (*[64]byte)(data[64*m:])
		seps := blanks(p[0:8]) | blanks(p[8:16])<<8 | blanks(p[16:24])<<16 | blanks(p[24:32])<<24 |
			blanks(p[32:40])<<32 | blanks(p[40:48])<<40 | blanks(p[48:56])<<48 | blanks(p[56:64])<<56
		if seps&(seps<<1|before) != 0 {
			return -1, before, high
		}
		for i := 0; i < 64; i += 8 {
			high |= binary.LittleEndian.Uint64(p[i:]) & 0x8080808080808080
		}
		before = seps >> 63
		// Writing some too many, which the next ones overwrite, is faster than asking each time.
		more := n + bits.OnesCount64(seps)
		for {
			to := (*[8]int32)(out[n:])
			for j := range to {
				to[j] = int32(at + bits.TrailingZeros64(seps))
				seps &= seps - 1
			}
			if n += 8; seps == 0 {
				break
			}
		}
		n = more
		at += 64
	}
	return n, before, high
}

// blanks returns a bit for each of eight bytes, set for white space.
func blanks(p []byte) uint64 {
	const low, high = 0x0101010101010101, 0x8080808080808080
	word := binary.LittleEndian.Uint64(p)
	seps := ^((word | high) - 0x21*low) & ^word & high
	return seps * 0x0002040810204081 >> 56
}
