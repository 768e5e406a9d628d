package dataset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// Clock is the field by whose time records are dealt out and sorted: when a flow ended, not when it began, since
// --since and --until go by that too, so that a day asked for is a partition. It is in UTC.
const Clock = "end"

// A Key is what a dataset can be partitioned by.
type Key struct {
	Name string
	From string        // the field that it is made from
	Unit time.Duration // of the field's time that it cuts off; 0 if its value is the field's
	Form string        // of a time
	Doc  string
}

// Keys is THE table of them.
var Keys = []Key{
	{Name: "date", From: Clock, Unit: 24 * time.Hour, Form: time.DateOnly, Doc: "day in which the record ends, in UTC: date=2026-05-14"},
	{Name: "hour", From: Clock, Unit: time.Hour, Form: "15", Doc: "hour in which the record ends, of a date: hour=09"},
	{Name: "account_id", From: "account_id", Doc: "account: account_id=123456789012"},
	{Name: "region", From: "region", Doc: "region: region=us-east-1"},
}

// KeyNames lists the keys.
func KeyNames() []string {
	names := make([]string, len(Keys))
	for i, k := range Keys {
		names[i] = k.Name
	}
	return names
}

// ParseKeys finds keys by their names.
func ParseKeys(names []string) ([]Key, error) {
	var keys []Key
	for _, name := range names {
		i := slices.IndexFunc(Keys, func(k Key) bool { return k.Name == name })
		if i < 0 {
			return nil, schema.Unknown("partition", name, KeyNames(), "flowlog help partitions")
		}
		if slices.ContainsFunc(keys, func(k Key) bool { return k.Name == name }) {
			return nil, fmt.Errorf("%s is named twice", name)
		}
		keys = append(keys, Keys[i])
	}
	if slices.Contains(names, "hour") && !slices.Contains(names, "date") {
		return nil, fmt.Errorf("hour is that of a date, and would mix the days: say date,hour")
	}
	return keys, nil
}

// folder is the folder of a value, "" being null.
func (k Key) folder(value string) string {
	if value == "" {
		return k.Name + "=" + schema.NullPartition
	}
	return k.Name + "=" + escape(value)
}

// unsafeBytes are those that Hive writes as %XX in the names of folders, and those that file systems, URLs and
// globs read in a way of their own.
const unsafeBytes = "\"#%'*/:=?\\{}[]^<>|&+ \x7f"

// escape writes a value as Hive does, so that it is the name of one folder whatever it is.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c >= 0x80 || strings.IndexByte(unsafeBytes, c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
