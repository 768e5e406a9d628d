package parse

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// A file that parse made of objects may lie beside them, and then its records count twice. So the metadata of such a file
// names the objects: by fingerprints, which do not disclose the names of files.

// maxMadeOf is the largest number of objects that a file is said to be made of: one of them that is read again is enough to
// tell.
const maxMadeOf = 1000

// fingerprint is a hash of an object's Identity.
func fingerprint(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return hex.EncodeToString(sum[:8])
}

// MadeOf is the value of schema.MadeOfKey for the metadata of a file that is made of the objects of the scan.
func (s Stats) MadeOf() string { return strings.Join(s.read, " ") }

// A Remake is an object that was made of others of the same input.
type Remake struct {
	Name string
	Of   string // one of the others
}

// remakes finds the objects whose metadata or Options.MadeOf names other objects of the input.
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

// remade returns a file that a found file was made of, if all such files are in the input and older: then the found file is
// left out, since all its records are in older files. Otherwise, and if only a header is read, it is "".
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
