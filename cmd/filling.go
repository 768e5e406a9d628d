package cmd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"flowlog/parse"
	"flowlog/parse/s3"
	"flowlog/report/render/dataset"
)

// A candidate is an object that may be read.
type candidate struct {
	parse.Object
	input  dataset.Input
	key    parse.Key
	remote *s3.Planned // nil if it is a file
	client *s3.Client
	err    error
	unit   *unit // that it is a file of, nil if none
}

// filling is the work of bringing new objects into a dataset.
type filling struct {
	*reader
	*shape
	data  *dataset.Dataset
	plan  func(late []string) error // makes a shape that has these columns of the input too
	todo  []candidate
	units map[*unit]int // of datasets that are read, and how many of their files are still to come
	there int           // objects that are in it already

	files, commits int
	rows, bytes    int64
}

// run brings what is to be done into the dataset, and shows progress.
func (r *filling) run(ctx context.Context, commitSize int64) error {
	in, began := r.reader, time.Now()
	in.opt.Meter = new(parse.Meter)
	for _, c := range r.todo {
		in.opt.Meter.KnownObjects.Add(1)
		in.opt.Meter.KnownBytes.Add(max(c.Size, 0))
	}
	stop := progress(in.con.err, in.mode, in.opt.Meter)
	err := r.fill(ctx, commitSize)
	stop()
	in.stats.Seconds = time.Since(began).Seconds()
	return err
}

// list finds the objects that are not in the dataset yet, and puts them in the order of their time: so a commit has few
// partitions, each with large files.
func (r *filling) list(ctx context.Context) error {
	all, err := r.unite(ctx, slices.Collect(r.listed(ctx)))
	if err != nil {
		return err
	}
	seen := make(map[string]bool)
	coming := make(map[string]*unit) // what is carried over, and with which unit
	for _, c := range all {
		err := c.err
		if err == nil && c.remote == nil && c.Size < 0 {
			err = errors.New("is not a file, so that it cannot be told whether it was read before: --partition-by reads files")
		}
		if err == nil && (seen[c.input.Name] || coming[c.input.Name] != nil) {
			r.there++
			continue
		}
		if was, done := r.data.Done(c.input.Name); err == nil && done {
			r.there++
			if c.key.FlowLogID == "" && was != c.input { // what AWS delivers never changes
				err = errors.New("has changed since its records came into the dataset: it is not read again, since they would be there twice")
			} else {
				continue
			}
		}
		if err == nil && c.unit != nil {
			var there bool
			if there, err = r.unitThere(c.unit, seen, coming); there {
				r.there++
				continue
			}
		}
		if err != nil {
			r.stats.Failed = append(r.stats.Failed, parse.ObjectError{Object: c.Name, Err: err})
			continue
		}
		seen[c.input.Name] = true
		if c.unit != nil {
			r.units[c.unit]++
			for _, in := range c.unit.inputs {
				coming[in.Name] = c.unit
			}
		}
		r.todo = append(r.todo, c)
	}
	slices.SortStableFunc(r.todo, func(a, b candidate) int { return a.key.Time.Compare(b.key.Time) })
	return ctx.Err()
}

// listed lists the objects of the input, with what is wrong with each.
func (r *filling) listed(ctx context.Context) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		for c, err := range r.candidates(ctx) {
			if c.err = err; !yield(c) {
				return
			}
		}
	}
}

// candidates lists the objects of the input.
func (r *filling) candidates(ctx context.Context) iter.Seq2[candidate, error] {
	return func(yield func(candidate, error) bool) {
		for _, src := range r.from.sources {
			if remote, ok := src.(*s3.Source); ok {
				for o, err := range remote.Plan(ctx) {
					c := candidate{Object: o.Object, remote: &o, client: remote.Client}
					if !yield(c.named(o.Name), err) {
						return
					}
				}
				continue
			}
			for o, err := range src.Objects(ctx) {
				if err == nil && !r.chooses(o.Name) {
					continue
				}
				name := o.Name
				if abs, aerr := filepath.Abs(name); aerr == nil {
					name = abs
				}
				if c := (candidate{Object: o}); !yield(c.named(name), err) {
					return
				}
			}
		}
	}
}

// named fills in what tells whether an object was read before.
func (c candidate) named(name string) candidate {
	c.key, _ = parse.ParseKey(name)
	c.input = dataset.Input{Name: parse.Identity(name, c.key), Size: c.Size, Version: c.Version}
	return c
}

// fill reads the objects, commit by commit.
func (r *filling) fill(ctx context.Context, commitSize int64) error {
	most := r.reader.opt.MaxErrors
	for rest := r.todo; len(rest) > 0; {
		n, bytes := 0, int64(0)
		for n < len(rest) && (n == 0 || bytes < commitSize) {
			bytes += max(rest[n].Size, 0)
			n++
		}
		group := slices.Clone(rest[:n])
		rest = rest[n:]
		for len(group) > 0 {
			failed, err := r.commit(ctx, group)
			if late := errLate(nil); errors.As(err, &late) {
				if err := r.plan(late); err != nil {
					return err
				}
				continue // again, with these columns
			}
			if err != nil {
				return err
			}
			if most > 0 && r.stats.Malformed+r.stats.MalformedValues > most {
				return &parse.TooManyErrors{Most: most}
			}
			if len(failed) == 0 {
				break
			}
			// some of their records may have come: again, without these
			group = slices.DeleteFunc(group, func(c candidate) bool { return failed[c.Name] })
		}
	}
	return nil
}

// errLate is the error of a commit that lacks columns which the input has: they were not known before.
type errLate []string

func (e errLate) Error() string { return "the input has further columns: " + strings.Join(e, ", ") }

// commit reads objects and commits their records. If some could not be read to the end there is no commit, and it
// returns their names.
func (r *filling) commit(ctx context.Context, group []candidate) (failed map[string]bool, err error) {
	w, err := r.data.Begin(ctx, r.shape.opt)
	if err != nil {
		return nil, err
	}
	ahead, stop := context.WithCancel(ctx)
	defer stop()
	meter := r.reader.opt.Meter
	var inputs []dataset.Input
	for _, c := range group { // which Scan is going to add
		inputs = append(inputs, c.input)
		meter.KnownObjects.Add(-1)
		meter.KnownBytes.Add(-max(c.Size, 0))
	}
	inputs = append(inputs, r.carried(group)...)
	read, emit := r.reader.fill(r.read, r.emit(w))
	stats, err := parse.Scan(ctx, chosen{ahead, group}, read, r.reader.opt, emit)
	if err == nil && len(stats.Failed) > 0 {
		failed = make(map[string]bool)
		for i, f := range stats.Failed {
			failed[f.Object] = true
			stats.Failed[i].Records = 0 // none of them counts
		}
		r.stats.Failed = append(r.stats.Failed, stats.Failed...)
		return failed, w.Discard()
	}
	if late := w.Late(); err == nil && len(late) > 0 {
		return nil, errors.Join(w.Discard(), errLate(late))
	}
	r.stats.Merge(stats)
	if err != nil {
		return nil, errors.Join(err, w.Discard())
	}
	parts, err := w.Commit(ctx, inputs)
	if err != nil {
		return nil, err
	}
	for _, c := range group {
		if c.unit != nil {
			r.units[c.unit]--
		}
	}
	r.commits++
	r.files += len(parts)
	for _, p := range parts {
		r.rows += p.Rows
		r.bytes += p.Size
	}
	return nil, nil
}

// chosen is the Source of objects that were listed before.
type chosen struct {
	ahead context.Context // of what is fetched before it is opened
	group []candidate
}

func (s chosen) Objects(context.Context) iter.Seq2[parse.Object, error] {
	return func(yield func(parse.Object, error) bool) {
		add := make(map[*s3.Client]func(s3.Planned) parse.Object)
		for _, c := range s.group {
			o := c.Object
			if c.remote != nil {
				if add[c.client] == nil {
					add[c.client] = c.client.Ahead(s.ahead)
				}
				o = add[c.client](*c.remote)
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// summary is the line about what was written.
func (r *filling) summary(to string) string {
	line := fmt.Sprintf("flowlog: wrote %s, %s, %s, to %s", count(int64(r.files), "file"), count(r.rows, "record"), humanize.IBytes(uint64(r.bytes)), to)
	if r.there > 0 {
		line += fmt.Sprintf("; %s there already", count(int64(r.there), "object"))
	}
	return line
}
