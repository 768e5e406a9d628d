package schema

import (
	"bytes"
	"time"
)

// latestSeconds is the first value that is not read as Unix seconds but as milliseconds or finer: the year 5138. As
// milliseconds it is March 1973, before any flow log.
const latestSeconds = 100_000_000_000

// LatestTime is the largest value of a Time.
const LatestTime = latestSeconds - 1

// DeliveryMargin is how far the end of a record may lie outside the time that its object's name or folder says. AWS
// documents that there is no such record, but delivers on a best-effort basis. Ten minutes are its longest aggregation
// interval and its usual delay of delivery, so no record is lost, whichever of these times the name was made from.
const DeliveryMargin = 10 * time.Minute

// Seconds returns the Unix seconds of a time that may be in milliseconds, microseconds or nanoseconds, as in many
// exports: a number beyond the year 5138 is in the next finer unit.
func Seconds(v int64) int64 {
	for v >= latestSeconds {
		v /= 1000
	}
	return v
}

// SecondsBetween returns Seconds of the smallest and largest of a set of times. It is false if the two may be in
// different units, so that the order of numbers is not the order of seconds.
func SecondsBetween(low, high int64) (from, to int64, ok bool) {
	from, to = low, high
	for from >= latestSeconds {
		from, to = from/1000, to/1000
	}
	return from, to, 0 <= from && to < latestSeconds
}

// ParseTime reads Unix seconds (see Seconds), whole or with a fraction, or a time as ISO 8601 and databases write it:
// 2026-05-14T09:00:00Z, "2026-05-14 09:00:00.000 UTC", with an offset, without one for UTC, or a date alone. The result
// is in seconds; fractions are dropped.
func ParseTime(tok []byte) (int64, Fault) {
	v, fault := ParseInt(tok)
	if fault == Valid {
		return Seconds(v), Valid
	}
	if len(tok) >= len("2006-01-02") && tok[4] == '-' {
		return parseISO(tok)
	}
	if whole, part, ok := bytes.Cut(tok, []byte(".")); ok && len(part) > 0 && len(bytes.TrimLeft(part, "0123456789")) == 0 {
		if v, fault := ParseInt(whole); fault == Valid {
			return Seconds(v), Valid
		}
	}
	return 0, fault
}

// parseISO reads a time that begins with a date.
func parseISO(tok []byte) (int64, Fault) {
	date, clock := tok[:10], tok[10:]
	year, ok1 := number(date[:4])
	month, ok2 := number(date[5:7])
	day, ok3 := number(date[8:])
	if !ok1 || !ok2 || !ok3 || date[7] != '-' || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, NotNumber
	}
	v := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix()
	if len(clock) > 0 {
		seconds, ok := parseClock(clock)
		if !ok {
			return 0, NotNumber
		}
		v += seconds
	}
	if v < 0 {
		return 0, OutOfRange
	}
	return v, Valid
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// parseClock reads the time of day after a date: a T or a blank, hours and minutes, optional seconds with an optional
// fraction, and an optional offset from UTC. It returns the seconds since midnight in UTC.
func parseClock(s []byte) (int64, bool) {
	if len(s) < len("T15:04") || s[0] != 'T' && s[0] != 't' && s[0] != ' ' || s[3] != ':' {
		return 0, false
	}
	hour, ok1 := number(s[1:3])
	minute, ok2 := number(s[4:6])
	second, ok3 := 0, true
	if s = s[6:]; len(s) >= 3 && s[0] == ':' {
		second, ok3 = number(s[1:3])
		s = s[3:]
		if len(s) > 1 && (s[0] == '.' || s[0] == ',') {
			fraction := len(s[1:]) - len(bytes.TrimLeft(s[1:], "0123456789"))
			ok3 = ok3 && fraction > 0
			s = s[1+fraction:]
		}
	}
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	offset, ok := parseOffset(bytes.TrimPrefix(s, []byte(" ")))
	return int64(hour)*3600 + int64(minute)*60 + int64(second) - offset, ok
}

// parseOffset reads an offset from UTC, in seconds: nothing, Z, UTC, +02, +0200 or +02:00.
func parseOffset(s []byte) (int64, bool) {
	switch string(s) {
	case "", "Z", "z", "UTC", "GMT":
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, ok := number(s[1:3])
	minutes := 0
	if rest := bytes.TrimPrefix(s[3:], []byte(":")); ok && len(s) > 3 {
		minutes, ok = number(rest)
		ok = ok && len(rest) == 2
	}
	if !ok || hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := int64(hours)*3600 + int64(minutes)*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// number reads a number of up to eight digits.
func number(s []byte) (int, bool) {
	v, ok := eightDigits(s)
	return int(v), ok && len(s) > 0 && len(s) <= 8
}
