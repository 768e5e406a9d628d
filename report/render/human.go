package render

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"flowlog/report"
	"flowlog/report/render/cells"
)

// numberOf formats a count with its noun, in the singular or plural.
func numberOf(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return strconv.Itoa(n) + " " + thing
}

// human formats a value of a report for people: with units, separated thousands, and "-" for null. With Raw, numbers and
// times are as in the other formats.
func human(c report.Column, v any, opt Options) string {
	if isNull(v) {
		return "-"
	}
	switch v := v.(type) {
	case string:
		return printable(v)
	case netip.Addr:
		return v.String()
	case time.Time:
		if opt.Raw {
			return v.UTC().Format(time.RFC3339)
		}
		return v.In(opt.zone()).Format(instant)
	case int64:
		switch {
		case opt.Raw || c.Role != report.MeasureRole:
			return strconv.FormatInt(v, 10)
		case c.Unit == report.Bytes:
			return humanBytes(float64(v))
		case c.Unit == report.Count:
			return humanize.Comma(v)
		case c.Unit == report.Seconds:
			return (time.Duration(v) * time.Second).String()
		}
		return strconv.FormatInt(v, 10)
	case float64:
		switch {
		case opt.Raw:
			return string(cells.AppendFloat(nil, v))
		case c.Unit == report.Bytes:
			return humanBytes(v)
		case c.Unit == report.BitRate:
			return humanBits(v)
		case c.Unit == report.Share:
			return strconv.FormatFloat(100*v, 'f', 1, 64) + "%"
		case c.Unit == report.Money:
			return humanMoney(v)
		}
		return humanFloat(v)
	}
	return printable(fmt.Sprint(v))
}

// humanBytes formats a number of bytes with three digits and a binary unit.
func humanBytes(v float64) string {
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB"}
	unit := 0
	for ; math.Abs(v) >= 999.5 && unit < len(units)-1; unit++ { // 1000 would be a fourth digit
		v /= 1024
	}
	if unit == 0 {
		return humanFloat(v) + " B"
	}
	decimals := 2
	for abs := math.Abs(v); decimals > 0 && abs >= 10; abs /= 10 {
		decimals--
	}
	return strconv.FormatFloat(v, 'f', decimals, 64) + " " + units[unit]
}

// humanBits formats bits per second with three digits and a decimal unit.
func humanBits(v float64) string {
	units := [...]string{"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"}
	unit := 0
	for ; math.Abs(v) >= 999.5 && unit < len(units)-1; unit++ {
		v /= 1000
	}
	if math.Abs(v) >= 999.5 { // beyond the largest unit: no exponent
		return humanFloat(math.Round(v)) + " " + units[unit]
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + " " + units[unit]
}

// humanMoney formats an amount with two decimals, or with four if it is below a hundredth but not nothing.
func humanMoney(v float64) string {
	decimals := 2
	if v != 0 && math.Abs(v) < 0.01 {
		decimals = 4
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// humanFloat formats a number with at most two decimals, or with three significant digits if it is smaller.
func humanFloat(v float64) string {
	abs := math.Abs(v)
	switch {
	case abs == 0:
		return "0"
	case abs < 0.01:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case abs >= math.MaxInt64: // overflows an int64
		return strconv.FormatFloat(v, 'g', 4, 64)
	case abs >= 1e15: // a float64 has no two decimals left
		return humanize.Comma(int64(v))
	}
	s := strconv.FormatFloat(abs, 'f', 2, 64)
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s
	}
	s = humanize.Comma(n)
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		s += "." + fraction
	}
	if v < 0 {
		s = "-" + s
	}
	return s
}

// humanPercent formats a part of a total as a percentage, "" if the total is 0 or null.
func humanPercent(part, whole any) string {
	p, ok := number(part)
	w, ok2 := number(whole)
	if !ok || !ok2 || w == 0 {
		return ""
	}
	share := 100 * p / w
	if share > 0 && share < 0.05 {
		return "<0.1"
	}
	return strconv.FormatFloat(share, 'f', 1, 64)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, cells.Finite(v)
	}
	return 0, false
}
