package inventory

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
)

// A TimeSource is where the time of a snapshot comes from.
type TimeSource uint8

const (
	FromDocument TimeSource = iota // a member of the document
	FromName                       // the name of the file
	FromModified                   // when the file was written
)

func (s TimeSource) String() string {
	return [...]string{"the documents", "the names of files", "when files were written"}[s]
}

// nameTimes finds times in names of files: 2026-11-28T160000Z, 20261128T160000Z, 2026-11-28_16-00-00, 2026-11-28T16:00Z. A
// date alone is no time of a snapshot.
var nameTimes = regexp.MustCompile(`(\d{4})-?(\d\d)-?(\d\d)[T_](\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?Z?`)

// nameTime returns the last time in the name of a file, which is UTC. A history of AWS Config has two, when it begins and when it ends.
func nameTime(name string) (time.Time, bool) {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	all := nameTimes.FindAllStringSubmatch(name, -1)
	for i := len(all) - 1; i >= 0; i-- {
		m := all[i]
		if m[6] == "" {
			m[6] = "00"
		}
		t, err := time.Parse("20060102150405", strings.Join(m[1:], ""))
		if err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// A stamp is a time in JSON, in Unix seconds: RFC 3339, or a number of seconds or milliseconds. 0 is none.
type stamp int64

func (s *stamp) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			*s = stamp(t.Unix())
			return nil
		}
	}
	var n float64
	if _, err := fmt.Sscanf(text, "%g", &n); err != nil {
		return fmt.Errorf("%q is not a time: RFC 3339 is, such as 2026-11-28T16:00:00Z", text)
	}
	if n > 1e11 { // seconds until the year 5138
		n /= 1000
	}
	*s = stamp(n)
	return nil
}
