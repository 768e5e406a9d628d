package parse

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"flowlog/parse/schema"
)

// A Format is a container of records.
type Format struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`

	detect func(head []byte, opt Options) bool // by the first bytes of the content
	read   func(*input, *content) error
}

// Formats is THE table of input formats, in the order in which they are tried. The last one accepts everything that looks
// like text.
func Formats() []Format {
	return []Format{
		{"parquet", "Apache Parquet with a flow log's columns, as AWS, flowlog, Athena, DuckDB, Spark and others write it", isParquet, readParquet},
		{"arrow", "Arrow IPC, stream or file (Feather), as flowlog, pyarrow and others write it", isArrow, readArrow},
		{"json", "a stream of JSON: an object of fields a record, as `flowlog parse -o ndjson` writes them, or records as text at any place, as CloudWatch Logs, Firehose and log shippers wrap them", isJSON, readJSON},
		{"csv", "values separated by commas, semicolons, tabs or bars, under a header of field names or beside a column of records", isCSV, readCSV},
		{"text", "records as AWS writes them to S3: fields separated by white space, with or without a header", isText, readText},
	}
}

// FormatNames lists the values of --input-format.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Codecs lists the compressions that are undone. They are recognised by content, before the format is.
func Codecs() []string {
	var names []string
	for _, c := range codecs {
		if c.open != nil {
			names = append(names, c.name)
		}
	}
	return names
}

func formatNamed(name string) (Format, error) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, schema.Unknown("input format", name, FormatNames(), "flowlog formats")
}

func formatOf(head []byte, opt Options) (Format, error) {
	if opt.Input != "" {
		return formatNamed(opt.Input)
	}
	if err := ownOutput(head); err != nil {
		return Format{}, err
	}
	for _, f := range Formats() {
		if f.detect(head, opt) && !magic(schema.PartialMagic)(head) { // which might pass for text
			return f, nil
		}
	}
	if magic(schema.PartialMagic)(head) {
		return Format{}, errPartial
	}
	if magic("\xff\xfe")(head) || magic("\xfe\xff")(head) {
		return Format{}, errors.New("this is UTF-16, as PowerShell's > writes it: convert it, as by iconv -f UTF-16 -t UTF-8")
	}
	return Format{}, errors.New("this is a binary file, not a flow log")
}

func magic(s string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(s)) }
}

func isParquet(head []byte, _ Options) bool { return magic("PAR1")(head) }

// isText rules out binary content: flow logs have no control characters but white space.
func isText(head []byte, _ Options) bool {
	for _, c := range head[:min(len(head), 512)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// content is the decompressed content of an object. Its first bytes, the head, have been read already.
type content struct {
	io.Closer
	head  []byte // headSize bytes or more, without a byte-order mark
	whole bool   // the head is all of it
	rest  io.Reader
	raw   io.ReaderAt // the object itself, if it can be read anywhere and is not compressed
	from  int64       // where the head begins there
}

// headSize is the number of bytes by which the format of an object is recognised.
const headSize = 64 << 10

// grow doubles the head, up to the end of the content.
func (c *content) grow() {
	have := len(c.head)
	c.head = append(c.head, make([]byte, max(have, headSize))...)
	c.fill(have)
}

// growLine grows the head until it holds the first line of text, or longestHeader bytes.
func (c *content) growLine() {
	if !isText(c.head, Options{}) || isJSON(c.head, Options{}) {
		return
	}
	for !c.whole && c.err() == nil && len(c.head) < longestHeader && bytes.IndexByte(c.head, '\n') < 0 {
		c.grow()
	}
}

// fill reads the head from byte have on, and returns its length.
func (c *content) fill(have int) int {
	n, err := io.ReadFull(c.rest, c.head[have:])
	c.head = c.head[:have+n]
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		c.whole = true
	} else if err != nil {
		c.rest = errReader{reason(err)}
	}
	return len(c.head)
}

// Reader reads the content from byte n of its head on.
func (c *content) Reader(n int) io.Reader {
	return io.MultiReader(bytes.NewReader(c.head[n:]), c.rest)
}

// err is the error that ended reading, nil if there is none so far.
func (c *content) err() error {
	if e, ok := c.rest.(errReader); ok {
		return e.error
	}
	return nil
}

type errReader struct{ error }

func (e errReader) Read([]byte) (int, error) { return 0, e.error }

// openContent decompresses raw, which it reads through in.
func openContent(in io.Reader, raw io.ReadCloser, opt Options) (*content, error) {
	first := make([]byte, 8)
	have, err := io.ReadFull(in, first)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, reason(err)
	}
	d, err := decompress(first[:have], io.MultiReader(bytes.NewReader(first[:have]), in), opt)
	if err != nil {
		return nil, err
	}
	c := &content{Closer: d, rest: d, head: make([]byte, headSize)}
	if _, compressed := d.(*codecReader); !compressed {
		if at, ok := raw.(io.ReaderAt); ok {
			c.raw = at
		}
	}
	have = c.fill(0)
	c.head = bytes.TrimPrefix(c.head, []byte("\xef\xbb\xbf"))
	c.from = int64(have - len(c.head))
	return c, nil
}

// A counter counts the bytes that are read, and ends when the scan does.
type counter struct {
	ctx context.Context
	r   io.Reader
	to  []*atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	for _, to := range c.to {
		to.Add(int64(n))
	}
	return n, err
}
