package parse

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"flowlog/parse/schema"
)

// headerBlock is the number of bytes of an object that are read at least for its header.
const headerBlock = 16 << 10

// Columns returns the names of the columns of the objects of src, in the order of the objects. An object that cannot be
// read has none. Of the objects that AWS delivered for one flow log it reads one, since a flow log cannot change its
// format. JSON has no header: an object that can be read again is read whole, for all members with values. What is read of
// stdin is read again by Scan.
func Columns(ctx context.Context, src Source, p *schema.Projection, opt Options) []string {
	var found []*[]string // by object
	var all sync.WaitGroup
	slots := make(chan struct{}, max(1, min(opt.Workers, MostWorkers()), 4*runtime.GOMAXPROCS(0))) // most of the time is waiting
	flowLogs := make(map[string]bool)
	for obj, err := range src.Objects(ctx) {
		if err != nil || !opt.Keys.Keep(obj.Name) {
			continue
		}
		if key, _ := ParseKey(obj.Name); key.FlowLogID != "" {
			if flowLogs[key.FlowLogID] {
				continue
			}
			flowLogs[key.FlowLogID] = true
		}
		names := new([]string)
		found = append(found, names)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			*names = columnsOf(ctx, obj, p, opt)
		})
	}
	all.Wait()
	var names []string
	seen := map[string]bool{"": true}
	for _, of := range found {
		for _, name := range *of {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// columnsOf returns the columns of one object.
func columnsOf(ctx context.Context, obj Object, p *schema.Projection, opt Options) []string {
	names, format, _ := headerOfObject(ctx, obj, p, opt) // what is wrong with it is said when it is scanned
	if format != "json" || obj.Size < 0 {
		return names
	}
	wide := *p
	wide.Extra, wide.Rest = true, true
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		seen[name] = true
	}
	var mu sync.Mutex
	// The error is said when it is scanned.
	_, _ = Scan(ctx, sole{obj}, &wide, Options{Workers: 1, LogFormat: opt.LogFormat, Input: opt.Input, Rename: opt.Rename}, func(b schema.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		for i, a := range b.Columns() {
			if name := b.ColumnName(i); a.NullN() < a.Len() && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
		return nil
	})
	return names
}

// sole is the Source of one object.
type sole struct{ Object }

func (o sole) Objects(context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) { yield(o.Object, nil) }
}

// headerOfObject reads an object up to its first block, which knows its layout, and returns its columns and its format.
func headerOfObject(ctx context.Context, obj Object, p *schema.Projection, opt Options) (names []string, format string, err error) {
	ctx, stop := context.WithCancelCause(context.WithValue(ctx, looking{}, true))
	defer stop(nil)
	opt.BlockSize, opt.Meter, opt.Ordered, opt.Rejects = headerBlock, new(Meter), false, nil
	opt.LogFormat = opt.fields(opt.LogFormat)
	s := &scan{opt: opt, projection: p, stop: stop, layouts: make(map[string]*layout)}
	in := &input{scan: s, object: &object{Object: obj}, ctx: ctx, queue: make(chan *block)}
	done := make(chan error, 1)
	go func() { done <- in.read() }()
	select {
	case err := <-done:
		if l := in.current.Load(); l != nil { // there is nothing below the header
			return l.names, in.format, nil
		}
		return nil, in.format, err
	case b := <-in.queue:
		stop(nil)
		if b.start.layout != nil {
			names = b.start.layout.names
		}
		b.free(s) // or the reader of a Parquet file, which waits for its blocks, never ends
		<-done
		return names, in.format, nil
	}
}
