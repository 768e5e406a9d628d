package dataset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"flowlog/parse/schema"
)

// Clock is the field whose time, in UTC, partitions and sorts records: the end of a flow. Since --since and --until use
// it too, a day of a report is a partition.
const Clock = "end"

// A Key is a partition key.
type Key struct {
	Name string
	From string        // the field that it is computed from
	Unit time.Duration // that the field's time is truncated to; 0 if the key is the field's value
	Form string        // layout of a truncated time
	Doc  string
}

// Keys is THE table of partition keys.
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

// folder returns the folder name of a value; "" is null.
func (k Key) folder(value string) string {
	if value == "" {
		return k.Name + "=" + schema.NullPartition
	}
	return k.Name + "=" + escape(value)
}

// unsafeBytes are escaped as %XX in folder names: those that Hive escapes, and those with a meaning for file systems,
// URLs or globs.
const unsafeBytes = "\"#%'*/:=?\\{}[]^<>|&+ \x7f"

// escape escapes a value as Hive does, so that any value is the name of one folder.
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
