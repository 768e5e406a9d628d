package parse

import (
	"fmt"
	"strings"
	"testing"
)

// besideRecord is a record whose number of bytes is n.
func besideRecord(n int) string {
	return quoted(fmt.Sprintf("2 1 eni-1 10.0.0.1 10.0.0.2 1 443 6 1 %d 1710000000 1710000060 ACCEPT OK", n))
}

// Records in several members of one object count, copies in one event count once.
func TestRecordsInSeveralMembers(t *testing.T) {
	long := strings.Repeat(besideRecord(1)+",", 2000) + besideRecord(1)
	fields := func(n int) string { return fmt.Sprintf(`{"srcaddr":"10.0.0.1","dstaddr":"10.0.0.2","bytes":%d}`, n) }
	for _, c := range []struct {
		content   string
		records   int
		malformed int64
	}{
		{`{"a":{"message":1},"b":{"message":1},"c":{"message":1}}`, 3, 0},
		{`{"x":{"message":1}}` + "\n" + `{"x":{"message":1},"y":{"message":1}}`, 3, 0},
		{`{"eni-1":[1,1],"eni-2":[1]}`, 3, 0},
		{`{"eni-1":[LONG],"eni-2":[LONG],"eni-3":[1]}`, 2*2001 + 1, 0},
		{`{"eni-1":[1],"eni-2":[1]}{"eni-2":[1],"eni-1":[1]}`, 4, 0},
		{`{"eni-1":[LONG],"eni-2":[LONG]}{"eni-2":[1],"eni-1":[1]}`, 2*2001 + 2, 0},
		{`{"eni-1":[LONG],"other":{"text":2}}`, 2001, 1},
		{`{"r1":1,"r2":2}`, 2, 0},
		{`{"message":1}` + "\n" + `{"message":1,"more":2}`, 3, 0},
		{`{"logs":[1,2],"message":3}`, 3, 0},
		{`{"message":1,"copy":1}`, 1, 0},
		{`{"message":1,"event":{"original":1}}`, 1, 0},
		{`{"event":{"original":1},"log":[1]}`, 1, 0},
		{`{"a":[F],"b":[F]}`, 2, 0},
		{`{"a":F,"b":F}`, 2, 0},
		{`{"a":F}` + "\n" + `{"a":F,"b":F}`, 3, 0},
	} {
		content := strings.NewReplacer("1,", besideRecord(1)+",", "1]", besideRecord(1)+"]", "1}", besideRecord(1)+"}", "2,", besideRecord(2)+",",
			"2]", besideRecord(2)+"]", "2}", besideRecord(2)+"}", "3}", besideRecord(3)+"}", "LONG", long, "F", fields(1)).Replace(c.content)
		for _, opt := range []Options{{Workers: 1, BlockSize: 1}, {Workers: 8, BlockSize: 500}, {Workers: 8}} {
			_, stats := rowsOf(t, one(content), opt, "bytes")
			want(t, fmt.Sprintf("%s, blocks of %d", c.content, opt.BlockSize), fmt.Sprint(stats.Records, stats.Malformed, stats.Failed), fmt.Sprintf("%d %d []", c.records, c.malformed))
		}
	}
}
