package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"flowlog/parse/disk"
	"flowlog/report/check"
)

// A baseline is a file of findings that are known.
type baseline struct {
	path   string
	exists bool
	known  map[string]knownFinding // by ID
}

type knownFinding struct {
	ID   string `json:"id"`
	Rule string `json:"rule"`
	What string `json:"what"` // for people: nothing reads it
}

// baselineVersion is the version of the file's form and of the IDs of findings.
const baselineVersion = 1

// maxBaseline is the largest baseline that is read. Rules list a hundred findings each at most.
const maxBaseline = 64 << 20

// readBaseline reads the file, if there is one.
func readBaseline(path string) (*baseline, error) {
	b := &baseline{path: path, known: make(map[string]knownFinding)}
	text, err := disk.Read(path, maxBaseline)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w", named(err))
	}
	b.exists = true
	var file struct {
		Version  int            `json:"version"`
		Findings []knownFinding `json:"findings"`
	}
	switch err := json.Unmarshal(text, &file); {
	case err != nil:
		return nil, fmt.Errorf("--baseline: %s is none: %w; --update-baseline with another name writes one", path, err)
	case file.Version != baselineVersion:
		return nil, fmt.Errorf("--baseline: %s is none of version %d, which this flowlog writes", path, baselineVersion)
	}
	for _, k := range file.Findings {
		b.known[k.ID] = k
	}
	return b, nil
}

// has reports whether a finding is known.
func (b *baseline) has(id string) bool {
	_, ok := b.known[id]
	return ok
}

// write writes the findings of a run, and the known findings of rules that the run did not check. It returns their number.
func (b *baseline) write(con *console, verdicts []check.Verdict) (int, error) {
	checked := make(map[string]bool)
	var known []knownFinding
	for _, v := range verdicts {
		checked[v.Name] = v.Skipped == ""
		for _, s := range v.Seen {
			known = append(known, knownFinding{s.ID, v.Name, s.What})
		}
	}
	for _, k := range b.known {
		if !checked[k.Rule] {
			known = append(known, k)
		}
	}
	slices.SortFunc(known, func(x, y knownFinding) int {
		if c := strings.Compare(x.What, y.What); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	var text bytes.Buffer // a finding a line, so that a change of the file reads well
	fmt.Fprintf(&text, "{\"version\":%d,\"findings\":[", baselineVersion)
	for i, k := range known {
		if i > 0 {
			text.WriteByte(',')
		}
		line, err := json.Marshal(k)
		if err != nil {
			return 0, err
		}
		text.WriteByte('\n')
		text.Write(line)
	}
	text.WriteString("\n]}\n")
	file, err := con.create(b.path)
	if err != nil {
		return 0, err
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return 0, errors.Join(err, file.discard())
	}
	return len(known), file.commit()
}
