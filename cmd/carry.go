package cmd

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"flowlog/parse/s3"
	"flowlog/parse/schema"
	"flowlog/report/render/dataset"
)

// A dataset that is made of another one knows what is in that: the objects that a commit of the one was made of are in
// the other as soon as all files of the commit are. So who feeds it from the logs next time reads only what is new.

// A unit is a commit of a dataset that is read. All its files together hold the records of its inputs.
type unit struct {
	inputs []dataset.Input
}

// A read dataset is one that candidates lie in.
type readDataset struct {
	name  string
	units map[string]*unit // by the names of files, relative to it
	open  map[string]bool  // files of a commit that is not complete
	whole bool             // an argument names it, not only some of its files
}

// unite finds the units of the candidates that are files of datasets.
func (r *filling) unite(ctx context.Context, all []candidate) ([]candidate, error) {
	r.units = make(map[*unit]int)
	sets := make(map[string]*readDataset)
	for i, c := range all {
		root, file := datasetOf(c.Name)
		if c.err != nil || file == "" {
			continue
		}
		set, known := sets[root]
		if !known {
			var err error
			if set, err = r.readDataset(ctx, root, c); err != nil {
				return nil, err
			}
			sets[root] = set
		}
		if set == nil {
			continue
		}
		if set.open[file] {
			all[i].err = fmt.Errorf("belongs to a commit of %s that is not complete: run the command again that writes it", set.name)
		}
		if set.whole {
			all[i].unit = set.units[file]
		}
	}
	return all, nil
}

// datasetOf returns the folder that a file is a partition's file of, and its name in there; "" if it is none.
func datasetOf(name string) (root, file string) {
	name, remote := strings.CutPrefix(filepath.ToSlash(name), "s3://")
	if is, _ := path.Match(schema.PartGlob, path.Base(name)); !is {
		return "", ""
	}
	root = path.Dir(name)
	for strings.Contains(path.Base(root), "=") {
		root = path.Dir(root)
	}
	file = strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
	if remote {
		root = "s3://" + root
	}
	return root, file
}

// readDataset reads what the manifest of a dataset says of its files; it is nil if there is none.
func (r *filling) readDataset(ctx context.Context, root string, c candidate) (*readDataset, error) {
	var store dataset.Store = dataset.NewDir(filepath.FromSlash(root))
	if c.remote != nil {
		folder, err := c.client.Folder(root)
		if err != nil {
			return nil, err
		}
		store = bucket{folder}
	}
	commits, open, err := dataset.Read(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", root, err)
	}
	if commits == nil && open == nil {
		return nil, nil
	}
	set := &readDataset{name: root, units: make(map[string]*unit), open: make(map[string]bool)}
	for _, commit := range commits {
		u := &unit{commit.Inputs}
		for _, p := range commit.Parts {
			set.units[p.Name] = u
		}
	}
	for _, p := range open {
		set.open[p.Name] = true
	}
	if set.whole = slices.ContainsFunc(r.con.written.named, func(arg string) bool { return sameFolder(arg, root) }); !set.whole {
		if !r.quiet {
			fmt.Fprintln(r.con.err, printable("flowlog: warning: some files of the dataset "+root+" are read: which objects their records are of is not noted; name the dataset to have it noted"))
		}
		return set, nil
	}
	if k := r.reader.opt.Keys; k.Timed() || len(k.Accounts)+len(k.Regions)+len(k.FlowLogs) > 0 {
		return nil, usageError{fmt.Errorf("--since, --until, --account, --region-filter and --flow-log choose objects, and %s is a dataset, whose files hold records of many: use --where", root)}
	}
	return set, nil
}

// datasets reads which of the arguments name datasets, and the commits of each.
func (r *reader) datasets(ctx context.Context) iter.Seq2[string, []dataset.Commit] {
	return func(yield func(string, []dataset.Commit) bool) {
		var client *s3.Client
		for _, src := range r.from.sources {
			if remote, ok := src.(*s3.Source); ok {
				client = remote.Client
			}
		}
		for _, arg := range r.from.args {
			var store dataset.Store = dataset.NewDir(arg)
			if strings.HasPrefix(arg, "s3://") {
				folder, err := client.Folder(arg)
				if err != nil { // a glob
					continue
				}
				store = bucket{folder}
			}
			commits, open, err := dataset.Read(ctx, store)
			if err == nil && len(commits)+len(open) > 0 && !yield(arg, append(commits, dataset.Commit{Parts: open})) {
				return
			}
		}
	}
}

// emptyDataset returns the first dataset of the arguments into which no commit has brought a file, "" if there is none.
func (r *reader) emptyDataset(ctx context.Context) string {
	for arg, commits := range r.datasets(ctx) {
		if !slices.ContainsFunc(commits, func(c dataset.Commit) bool { return len(c.Parts) > 0 }) {
			return arg
		}
	}
	return ""
}

// madeOf maps the objects that are in the datasets of the arguments to those datasets.
func (r *reader) madeOf(ctx context.Context) map[string]string {
	if len(r.from.args) < 2 {
		return nil
	}
	made := make(map[string]string)
	for arg, commits := range r.datasets(ctx) {
		for _, c := range commits {
			for _, in := range c.Inputs {
				made[in.Name] = arg
			}
		}
	}
	return made
}

// sameFolder reports whether an argument names a folder.
func sameFolder(arg, folder string) bool {
	if strings.HasPrefix(folder, "s3://") {
		return strings.TrimRight(arg, "/") == folder
	}
	a, err := os.Stat(arg)
	if err != nil {
		return false
	}
	b, err := os.Stat(folder)
	return err == nil && os.SameFile(a, b)
}

// unitThere reports whether all inputs of a unit are in the dataset already, or come in this run. It is an error if only
// some are, since their records cannot be told apart.
func (r *filling) unitThere(u *unit, seen map[string]bool, coming map[string]*unit) (bool, error) {
	var there, missing []string
	for _, in := range u.inputs {
		other := coming[in.Name]
		if _, done := r.data.Done(in.Name); done || seen[in.Name] || other != nil && other != u {
			there = append(there, in.Name)
		} else {
			missing = append(missing, in.Name)
		}
	}
	switch {
	case len(there) == 0:
		return false, nil
	case len(missing) == 0:
		return true, nil
	}
	return false, fmt.Errorf("holds records of %s that the dataset has already, such as %s, and of others, such as %s: it is not read, since some records would be there twice; read the others from where they came",
		count(int64(len(there)), "object"), there[0], missing[0])
}

// carried are the inputs of the units that are complete with these candidates.
func (r *filling) carried(group []candidate) []dataset.Input {
	in := make(map[*unit]int)
	for _, c := range group {
		if c.unit != nil {
			in[c.unit]++
		}
	}
	var inputs []dataset.Input
	for _, c := range group {
		if c.unit != nil && in[c.unit] == r.units[c.unit] {
			inputs = append(inputs, c.unit.inputs...)
			delete(in, c.unit)
		}
	}
	return inputs
}
