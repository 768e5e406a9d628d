package parse

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// Compressions without a reader are refused by their names. Those with one are listed, and find a fault in what is no more
// than their first bytes.
func TestCodecs(t *testing.T) {
	for _, c := range codecs {
		head := []byte(c.magic + "?")
		r, err := decompress(head, bytes.NewReader(head), Options{})
		if listed := slices.Contains(Codecs(), c.name); listed != (c.open != nil) {
			t.Errorf("%s: listed %v, and has a reader: %v", c.name, listed, c.open != nil)
		}
		if c.open == nil {
			if want := c.name + " compression is not supported: unpack it first"; err == nil || err.Error() != want {
				t.Errorf("%s: %v, want %s", c.name, err, want)
			}
			continue
		}
		if err == nil {
			_, err = io.ReadAll(r)
			err = errors.Join(err, r.Close())
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.name+": ") {
			t.Errorf("%s: reading its first bytes alone: %v", c.name, err)
		}
	}
}
