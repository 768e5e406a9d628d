package parse

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// What parse writes of objects may lie beside them, and then counts with them. So its files say in their metadata what
// they were made of: by fingerprints, since names of files are nobody else's business.

// mostMadeOf is how many objects a file is told to be made of at most: one of them
// that is met again is enough.
const mostMadeOf = 1000

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
		if len(s.Stats.read) < mostMadeOf || made {
			print := fingerprint(o.identity)
			byPrint[print] = o
			if len(s.Stats.read) < mostMadeOf {
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
