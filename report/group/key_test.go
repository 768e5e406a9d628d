package group

import (
	"math/rand/v2"
	"testing"
	"time"

	"flowlog/parse/schema"
	"flowlog/report"
	"flowlog/report/calendar"
)

// Bins and hours of times are what they are of each alone, in whatever order these come, however far apart they are, and
// in zones whose time is not ahead by whole minutes.
func TestTimesByTheMinute(t *testing.T) {
	monrovia, err := time.LoadLocation("Africa/Monrovia") // until 1972 44 minutes and 30 seconds behind
	if err != nil {
		t.Skip("there is no database of time zones here: ", err)
	}
	const year = 365 * 24 * 3600
	start, _ := schema.Logged().Lookup("start")
	for _, zone := range []*time.Location{time.UTC, monrovia, time.FixedZone("", -5400)} {
		for _, k := range []report.Key{
			{Field: "start", Every: time.Minute, Zone: zone}, {Field: "start", Every: time.Hour, Zone: zone},
			{Field: "start", Every: 7 * calendar.Day, Zone: zone}, {Field: "start", Every: 90 * time.Second, Zone: zone}, {Field: "start", Hour: true, Zone: zone},
		} {
			r := rand.New(rand.NewPCG(1, 1))
			coder := coderOf(k, start)
			for _, span := range []int64{7200, year / 2, 30 * year, 1 << 61} {
				if span < year {
					coder = coderOf(k, start) // the others begin with those that are near
				}
				col := schema.NewColumn(start)
				var seconds []any
				for range 2000 {
					seconds = append(seconds, 20*year*r.Int64N(2)+r.Int64N(span)-span/2)
					if r.IntN(9) == 0 {
						seconds[len(seconds)-1] = nil
					}
					col.Append(seconds[len(seconds)-1])
				}
				rows, out := make([]int32, len(seconds)), make([]uint32, len(seconds))
				for i := range rows {
					rows[i] = int32(i)
				}
				coder.Encode(col.Array(), rows, out)
				for i, second := range seconds {
					var expected any
					if s, ok := second.(int64); ok {
						if expected = int64(time.Unix(s, 0).In(zone).Hour()); !k.Hour {
							expected = k.Bins().Begin(s)
						}
					}
					if got := coder.Value(out[i]); got != expected {
						t.Fatalf("%v in %v: second %v: got %v, want %v", k, zone, second, got, expected)
					}
				}
			}
		}
	}
}
