package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"flowlog/parse/schema"
)

// Format 1 of the manifest was JSON files, which break readers that list every folder. It can be read, and opening a
// dataset for writing converts it.
const (
	legacySettings  = "dataset.json"
	legacyCommits   = "commits/"
	legacyPublished = "published"
	legacyLock      = "lock"
)

func isLegacy(name string) bool {
	return name == legacySettings || name == legacyPublished || name == legacyLock || strings.HasPrefix(name, legacyCommits)
}

// legacySettingsText is the text of dataset.json.
type legacySettingsText struct {
	Format      int      `json:"format"`
	PartitionBy []string `json:"partition_by"`
	Columns     []string `json:"columns"`
	Where       string   `json:"where"`
}

// settings converts to the current format. --fields and --enrich are derived from the columns: all logged fields mean
// that --fields was not given. Kinds are those of the known columns.
func (t legacySettingsText) settings(known []Column) Settings {
	s := Settings{Format: format, PartitionBy: t.PartitionBy, Where: t.Where}
	read := slices.Concat(schema.Logged(), schema.Delivered())
	kinds := make(map[string]schema.Kind)
	for _, c := range slices.Concat(Columns(read), known) {
		kinds[c.Name] = c.Kind
	}
	all := !slices.ContainsFunc(schema.Version(5), func(name string) bool {
		return !slices.Contains(t.Columns, name) && !slices.Contains(t.PartitionBy, name)
	})
	if !all {
		s.Fields = t.Columns
	}
	for _, name := range t.Columns {
		kind, ok := kinds[name]
		if !ok {
			kind = schema.Text
		}
		_, logged := read.Named(name)
		s.Columns = append(s.Columns, Column{Name: name, Kind: kind, Enriched: !logged && all})
		s.Enrich = s.Enrich || !logged && all
	}
	return s
}

// loadLegacy reads a manifest of format 1 from the files of these names, nil if there is none.
func loadLegacy(ctx context.Context, store Store, names []string, known []Column) (*manifest, error) {
	if !slices.Contains(names, legacySettings) {
		return nil, nil
	}
	var text legacySettingsText
	if err := legacyDocument(ctx, store, legacySettings, &text); err != nil {
		return nil, err
	}
	if text.Format > 1 {
		return nil, fmt.Errorf("%s/%s is of format %d, which a later flowlog wrote; this one knows %d", schema.ManifestFolder, legacySettings, text.Format, format)
	}
	m := &manifest{settings: text.settings(known), legacy: true}
	var commits []string
	for _, name := range names {
		if isLegacy(name) {
			m.stale = append(m.stale, name)
		}
		if strings.HasPrefix(name, legacyCommits) {
			commits = append(commits, name)
		}
	}
	if err := m.read(ctx, store, commits, legacyDocument); err != nil {
		return nil, err
	}
	content, err := store.Read(ctx, path.Join(schema.ManifestFolder, legacyPublished))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return m, nil
	case err != nil:
		return nil, err
	}
	if m.published, err = strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64); err != nil {
		return nil, fmt.Errorf("%s/%s: %q is not the number of a commit", schema.ManifestFolder, legacyPublished, content)
	}
	return m, nil
}

func legacyDocument(ctx context.Context, store Store, name string, v any) error {
	content, err := store.Read(ctx, path.Join(schema.ManifestFolder, name))
	if err == nil {
		err = json.Unmarshal(content, v)
	}
	if err != nil {
		err = fmt.Errorf("%s/%s: %w", schema.ManifestFolder, name, err)
	}
	return err
}
