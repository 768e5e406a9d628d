package oracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bins of time that follow the clock of a zone, over two years, are those of the engine: by the clock that it has.
func TestCalendar(t *testing.T) { testCalendar(t, duckDB(t), duckTables) }
func TestTrinoCalendar(t *testing.T) {
	t.Parallel()
	e := trino(t)
	e.tables = e.tables[:1]
	testCalendar(t, e, trinoFlows)
}

func testCalendar(t *testing.T, e *engine, fill func(*testing.T, *bench)) {
	e.fill = func(*testing.T, *bench) {}
	b := setUp(t, e, 1)
	e.fill = fill
	b.logs = filepath.Join(b.dir, "years.log")
	if err := os.WriteFile(b.logs, []byte(twoYears()), 0o666); err != nil {
		t.Fatal(err)
	}
	b.parquet = filepath.Join(b.dir, "years.parquet")
	if _, err := b.run("parse", "-q", "-o", "parquet", "-O", b.parquet, b.logs); err != nil {
		t.Fatal(err)
	}
	b.fill(t, b)
	for _, zone := range []string{"Europe/Berlin", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kolkata", "America/Havana"} {
		widths := []string{"1h", "1d", "2h", "6h", "1w"}
		all := zone == "Europe/Berlin" || !e.slow
		if !all { // what differs from zone to zone is its offsets: an hour and a day have them all
			widths = widths[:2]
		}
		if zone == "Europe/Berlin" {
			widths = append(widths, "7m", "90m", "12h", "3d", "4w")
		}
		for _, every := range widths {
			if compared := b.check(t, "timeline", "--every", every, "--tz", zone, "--measures", "flows,bytes,bps,pps,first,distinct(srcport)"); compared != (every != "7m" || e.splits) {
				t.Errorf("--every %s --tz %s: compared is %t", every, zone, compared)
			}
		}
		if !b.check(t, "heatmap", "--tz", zone) {
			t.Errorf("--tz %s was not compared", zone)
		}
		if !all {
			continue
		}
		for _, changes := range [][]string{{"--sort", "bps", "--top", "5"}, {"--having", "pps > 0.0001", "--by", "time,srcport"}} {
			b.check(t, "timeline", append(changes, "--every", "1d", "--measures", "bps,pps,rejected", "--tz", zone)...)
		}
	}
	t.Logf("%d rows were compared", b.rows)
}

// twoYears is a log of a record every half an hour or so, and of many around each first of a quarter of an hour at which a
// clock might be set on Sundays and Fridays.
func twoYears() string {
	r := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("version protocol srcport bytes packets start end action log-status\n")
	record := func(start int64) {
		fmt.Fprintf(&b, "2 6 %d %d %d %d %d ACCEPT OK\n", r.IntN(3), r.IntN(1000), 1+r.IntN(5), start, start+r.Int64N(60))
	}
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := from; at.Before(from.AddDate(2, 0, 0)); at = at.Add(15 * time.Minute) {
		if at.Minute()%30 == 0 {
			record(at.Unix() + r.Int64N(1800))
		}
		if day := at.Weekday(); (day == time.Sunday || day == time.Friday || day == time.Saturday) && at.Hour()%3 == 0 {
			record(at.Unix() - 1)
			record(at.Unix())
		}
	}
	return b.String()
}
