package parse

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A file that cannot be read from its start on says so, and not that it is damaged.
func TestArrowFileWithoutStream(t *testing.T) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(4)
	content, _ := l.arrow()
	_, stats := rowsOf(t, one(arrowFile+"\x04\x00\x00\x00\xf2\xff\xff\xff"+content+"ARROW1"), Options{})
	want(t, "failed", stats.Failed, "[test.log: "+errNoStream.Error()+"]")
}

func FuzzArrow(f *testing.F) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(4)
	content, _ := l.arrow()
	f.Add([]byte(content), 10, byte(1))
	f.Add([]byte(arrowFile+content), 100, byte(0x80))
	f.Fuzz(func(t *testing.T, content []byte, at int, flip byte) {
		content = bytes.Clone(content)
		if len(content) > 0 {
			content[uint(at)%uint(len(content))] ^= flip
		}
		rowsOf(t, readerAtSource{"x", content}, Options{Workers: 2}, "srcaddr", "bytes", "end", "action")
	})
}
