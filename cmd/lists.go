package cmd

import (
	"fmt"
	"path/filepath"
	"slices"

	"flowlog/enrich/list"
	"flowlog/parse/disk"
	"flowlog/parse/schema"
	"flowlog/report/expr"
)

// lists is the files that conditions name. Each is read once for addresses and once for other values, though both ends of a
// flow and several conditions may ask for it.
type lists struct {
	read  map[listKey][]expr.Listed
	notes []string // what was skipped, a line each
}

// A listKey is a file, and what is read of it: addresses, texts of a line each, or words.
type listKey struct {
	name string
	kind schema.Kind
}

// within returns a reader of files whose names are relative to a folder.
func (l *lists) within(dir string) func(schema.Field, string) ([]expr.Listed, error) {
	return func(f schema.Field, name string) ([]expr.Listed, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return l.file(f, name)
	}
}

// file reads the values of a field from a file.
func (l *lists) file(f schema.Field, name string) ([]expr.Listed, error) {
	key := listKey{name, f.Kind}
	if f.Kind != schema.Addr && f.Kind != schema.Text {
		key.kind = schema.Int64 // for words of any kind
	}
	if values, ok := l.read[key]; ok {
		return values, nil
	}
	content, err := disk.Read(name, maxList)
	if err != nil {
		return nil, named(err)
	}
	var entries []list.Entry
	if f.Kind == schema.Addr {
		var read *list.List
		if read, err = list.Read(name, content); err == nil {
			entries = read.Entries
			l.note(read.Note(name))
		}
	} else {
		entries, err = list.Words(name, content, f.Kind == schema.Text)
	}
	if err != nil {
		return nil, err
	}
	values := make([]expr.Listed, len(entries))
	for i, e := range entries {
		values[i] = expr.Listed{Text: e.Value, Port: e.Port, Line: e.Line}
	}
	if l.read == nil {
		l.read = make(map[listKey][]expr.Listed)
	}
	l.read[key] = values
	return values, nil
}

// note keeps what is to be said of a file, once.
func (l *lists) note(text string) {
	if text != "" && !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// tell says what was skipped.
func (l *lists) tell(con *console) {
	for _, note := range l.notes {
		fmt.Fprintln(con.err, printable("flowlog: note: "+note))
	}
	l.notes = nil
}
