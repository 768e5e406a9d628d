package inventory

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A File is one thing to read: JSON, or gzip of it.
type File struct {
	Name     string
	Modified time.Time // zero if unknown
	Open     func() (io.ReadCloser, error)
}

// version is the version of the documents that `flowlog inventory` writes.
const version = 1

// Read reads files of any kind in calls, in the order of their times, and returns what they say together. It holds no
// document in memory, and of elements that do not change just one. Errors name file, line and column.
func Read(files []File) (*Inventory, error) {
	s := newStore()
	type timed struct {
		File
		time   int64
		source TimeSource
	}
	var all []timed
	sources := make(map[TimeSource]int)
	for _, f := range files {
		at, source, err := timeOf(f)
		if err != nil {
			return nil, err
		}
		sources[source]++
		all = append(all, timed{f, at, source})
	}
	slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(a.time, b.time) })
	for _, f := range all {
		if err := s.read(f.File, f.time, f.source); err != nil {
			return nil, err
		}
	}
	return s.build(sources), nil
}

// open opens a file, and decompresses it if it is compressed.
func (f File) open() (io.Reader, io.ReadCloser, error) {
	in, err := f.Open()
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(in, 1<<16)
	head, _ := r.Peek(3)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			in.Close()
			return nil, nil, fmt.Errorf("%s: gzip: %w", f.Name, err)
		}
		return z, in, nil
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		_, _ = r.Discard(3) // they were peeked at
	}
	return r, in, nil
}

// timeOf returns the time of a file: what the document says, its name, or when it was written.
func timeOf(f File) (int64, TimeSource, error) {
	r, c, err := f.open()
	if err != nil {
		return 0, 0, err
	}
	defer c.Close()
	head := make([]byte, 4096)
	n, _ := io.ReadFull(r, head) // what is wrong is said when the file is read
	d := &document{scanner: newScanner(f.Name, bytes.NewReader(head[:n]))}
	_ = d.members(func(name string) error {
		if slices.Contains([]string{"flowlog", "version", "account", "region", "time"}, name) {
			return d.property(name)
		}
		return io.EOF
	}) // a fault of the document is returned when it is read
	if d.flowlog && d.time != 0 {
		return d.time, FromDocument, nil
	}
	if t, ok := nameTime(f.Name); ok {
		return t.Unix(), FromName, nil
	}
	return f.Modified.Unix(), FromModified, nil
}

// read reads all documents of a file.
func (s *store) read(f File, at int64, source TimeSource) error {
	r, c, err := f.open()
	if err != nil {
		return err
	}
	defer c.Close()
	in := newScanner(f.Name, r)
	for n := 0; ; n++ {
		switch in.peek() {
		case 0:
			if in.pos < len(in.buf) || in.err != io.EOF {
				return in.ended()
			}
			if n == 0 {
				return fmt.Errorf("%s:1: column 1: the file is empty: get the listing again", f.Name)
			}
			return nil
		case '[':
			return in.fault("the listing is an array: print it without --query, so that the document says which call it is of")
		}
		d := &document{scanner: in, store: s, time: at}
		if source == FromName {
			d.until = at
		}
		if err := d.read(); err != nil {
			return err
		}
	}
}

func (d *document) read() error {
	d.peek()
	start := d.place(d.pos)
	if err := d.members(d.member); err != nil {
		return err
	}
	for _, seen := range d.seen {
		d.store.streams[seen[0]].partial[seen[1]] = d.partial
	}
	if !d.known && !d.flowlog {
		what := "an empty object"
		if d.other != "" {
			what = fmt.Sprintf("an object with %q", d.other)
		}
		return fmt.Errorf("%s: this is %s, and no call that flowlog reads: those are %s", start, what, strings.Join(Calls(), ", "))
	}
	return nil
}

// member reads a member of a document.
func (d *document) member(name string) error {
	switch {
	case name == "flowlog" || d.flowlog && slices.Contains([]string{"version", "account", "region", "time"}, name):
		return d.property(name)
	case d.flowlog && name == "calls":
		if d.account == "" || d.region == "" || d.time == 0 {
			return d.fault("account, region and time stand in front of calls: the file is not as flowlog inventory writes it")
		}
		return d.members(func(call string) error {
			d.known, d.other = false, ""
			at := d.place(d.pos)
			err := d.members(d.member)
			if err == nil && !d.known && d.other != "" {
				err = fmt.Errorf("%s: flowlog knows no call %s: a newer version wrote the file, read it with that", at, call)
			}
			return err
		})
	case name == "configSnapshotId":
		d.snapshot = true
	case name == "NextToken" || name == "nextToken":
		raw, err := d.value()
		d.partial = len(raw) > 2 && string(raw) != "null"
		return err
	}
	if c := callOf(name); c != nil {
		d.known = true
		return d.list(c)
	}
	if d.other == "" {
		d.other = name
	}
	_, err := d.value()
	return err
}

// property reads what flowlog inventory says of a document.
func (d *document) property(name string) error {
	at := d.pos
	raw, err := d.value()
	if err != nil {
		return err
	}
	var n int
	switch name {
	case "version":
		if err := json.Unmarshal(raw, &n); err != nil || n != version {
			d.pos = min(at, d.pos)
			return d.fault("version %s of an inventory: this flowlog reads %d, take a newer one", raw, version)
		}
		return nil
	case "time":
		var t stamp
		err = json.Unmarshal(raw, &t)
		d.time = int64(t)
	case "account":
		err = json.Unmarshal(raw, &d.account)
	case "region":
		err = json.Unmarshal(raw, &d.region)
	default:
		var what string
		err = json.Unmarshal(raw, &what)
		if d.flowlog = what == "inventory"; err == nil && !d.flowlog {
			d.pos = min(at, d.pos)
			return d.fault("%q is no kind of document of flowlog's: inventory is", what)
		}
	}
	if err != nil {
		return d.at(raw, err)
	}
	return nil
}

// list reads the elements of a call.
//
// Long because its steps share where the listing stands: the stream, the snapshot, the element before.
func (d *document) list(c *call) error {
	if c.decode == nil {
		if d.peek() != '[' {
			_, err := d.value()
			return err
		}
		return d.elements(func() error {
			_, err := d.value()
			return err
		})
	}
	if c.member == "items" {
		return d.objects(c)
	}
	stream, snapshot := int32(-1), int32(0)
	begin := func(account, region string) {
		stream = d.store.stream(c.member, account, region)
		snapshot = d.store.snapshot(stream, d.time)
		d.seen = append(d.seen, [2]int32{stream, snapshot})
	}
	if d.account != "" {
		begin(d.account, d.region)
	}
	var before *element
	expected := func() *element { // listings are mostly in the same order
		switch {
		case before != nil:
			return before.next
		case stream >= 0:
			return d.store.streams[stream].begin
		}
		return nil
	}
	return d.elements(func() error {
		e := expected()
		known := false
		var raw []byte
		if e != nil && d.skip(e.raw) {
			raw, known = e.raw, e.run.last >= snapshot-1
			e.see(snapshot)
		} else {
			var err error
			if raw, err = d.value(); err != nil {
				return err
			}
			if stream < 0 {
				var account, region string
				if c.scope != nil {
					account, region = c.scope(raw)
				}
				begin(account, region)
			}
			e, known = d.store.element(stream, snapshot, raw)
		}
		if before != nil {
			before.next = e
		} else {
			d.store.streams[stream].begin = e
		}
		before = e
		if known {
			return nil
		}
		states, err := c.decode(d, raw)
		if err != nil {
			return d.at(raw, err)
		}
		if e.states == nil {
			e.states = states
		}
		if e.raw == nil {
			d.store.keep(e, raw)
		}
		return nil
	})
}

// objects reads the items of Kubernetes, which do not say of which cluster they are: a list is of the cluster with which it
// shares a pod, a service or a node.
func (d *document) objects(c *call) error {
	var all []*element
	err := d.elements(func() error {
		raw, err := d.value()
		if err != nil {
			return err
		}
		e, known := d.store.object(raw)
		if !known {
			if e.states, err = c.decode(d, raw); err != nil {
				return d.at(raw, err)
			}
		}
		if len(e.states) > 0 {
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	clusters := make(map[string]int32) // by kind
	key := func(e *element) (kind, id string) {
		kind = e.states[0].about.kind
		return kind, kind + " " + e.states[0].about.id
	}
	for _, e := range all {
		kind, id := key(e)
		if stream, ok := d.store.clusters[id]; ok {
			clusters[kind] = stream
		}
	}
	for _, e := range all {
		kind, id := key(e)
		stream, ok := clusters[kind]
		if !ok {
			stream = d.store.stream(kind, "", fmt.Sprint(len(d.store.streams)))
			clusters[kind] = stream
		}
		d.store.clusters[id] = stream
		snapshot := d.store.snapshot(stream, d.time)
		if e.stream < 0 {
			e.stream, e.run = stream, run{snapshot, snapshot}
		}
		e.see(snapshot)
	}
	return nil
}
