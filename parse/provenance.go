package parse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// What parse writes of objects may lie beside them, and then counts with them. So its files say in their metadata what
// they were made of: by fingerprints, since names of files are nobody else's business.

// maxMadeOf is how many objects a file is told to be made of at most: one of them
// that is met again is enough.
const maxMadeOf = 1000

// fingerprint stands for an object, by what Identity says of it.
func fingerprint(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}

// MadeOf is the text for schema.MadeOfKey in the metadata of what was made of the objects that a scan has read.
func (s Stats) MadeOf() string { return strings.Join(s.read, " ") }

// A Remake is an object that was made of others of the same input.
type Remake struct {
	Name string
	Of   string // one of the others
}

// remakes finds the objects whose metadata names others, and what Options.MadeOf has of them.
func (s *scan) remakes() {
	byPrint := make(map[string]*object)
	made := false
	for _, o := range s.objects {
		made = made || o.madeOf != ""
	}
	for _, o := range s.objects {
		if o.err != nil || o.identity == "" || o.Size < 0 { // standard input has no name of its own
			continue
		}
		if len(s.Stats.read) < maxMadeOf || made {
			print := fingerprint(o.identity)
			byPrint[print] = o
			if len(s.Stats.read) < maxMadeOf {
				s.Stats.read = append(s.Stats.read, print)
			}
		}
	}
	told := make(map[string]bool)
	for _, o := range s.objects {
		if made := s.opt.MadeOf[o.identity]; made != "" && o.err == nil && !told[made] {
			told[made] = true
			s.Remakes = append(s.Remakes, Remake{made, o.Name})
		}
		for _, print := range strings.Fields(o.madeOf) {
			if other := byPrint[print]; other != nil && other != o {
				s.Remakes = append(s.Remakes, Remake{o.Name, other.Name})
				break
			}
		}
	}
}

// filesOf lists the files of a source that are chosen, by their fingerprints.
func (s *scan) filesOf(ctx context.Context, src Source) map[string]Object {
	files := make(map[string]Object)
	for o, err := range src.Objects(ctx) {
		if err != nil || o.Size < 0 {
			continue
		}
		if key, ok := s.opt.Keys.Choose(o.Name, new(Unchosen)); ok {
			files[fingerprint(identityOf(o.Name, key))] = o
		}
	}
	return files
}

// remade returns one of the files that a found file was made of, if all of them are in the input and older than
// it: so what is left out is always there in an older file. Otherwise, and where only a header is looked at, it is "".
func (s *scan) remade(o *object, madeOf string) string {
	prints := strings.Fields(madeOf)
	made, err := time.Parse(time.RFC3339Nano, o.Version)
	if s.files == nil || !o.Found || err != nil || len(prints) == 0 || len(prints) >= maxMadeOf { // of more, some are not named
		return ""
	}
	for _, print := range prints {
		of, ok := s.files()[print]
		written, err := time.Parse(time.RFC3339Nano, of.Version)
		if !ok || err != nil || !written.Before(made) {
			return ""
		}
	}
	return s.files()[prints[0]].Name
}
