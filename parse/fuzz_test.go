package parse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// However CSV is cut into blocks, the same records come of it.
func FuzzCSV(f *testing.F) {
	l := &law{rand.New(rand.NewPCG(1, 1)), nil}
	l.generate(6)
	for range 4 {
		f.Add(l.csv(), 40)
	}
	f.Add("srcaddr;bytes\r\n10.0.0.1;\"5\r\n\"\r\n\r\n10.0.0.2;6", 3)
	f.Add("\ufeffsrcaddr,bytes\n10.0.0.1,\"5\n10.0.0.2,6\n", 8)
	f.Add(strings.ReplaceAll(records, " ", ","), 16)
	f.Fuzz(func(t *testing.T, s string, size int) {
		opt := Options{Workers: 1, Input: "csv"}
		whole, wholeStats := rowsOf(t, one(s), opt)
		opt.BlockSize, opt.Workers = max(size, 1)%4096+1, 3
		cut, cutStats := rowsOf(t, one(s), opt)
		if fmt.Sprint(whole, wholeStats.Problems, wholeStats.Failed) != fmt.Sprint(cut, cutStats.Problems, cutStats.Failed) {
			t.Errorf("whole: %q %v %v\nblocks of %d: %q %v %v", whole, wholeStats.Problems, wholeStats.Failed, opt.BlockSize, cut, cutStats.Problems, cutStats.Failed)
		}
	})
}

// frames are the same text in frames of Zstandard of several kinds.
func frames(tb testing.TB, plain string) [][]byte {
	var all [][]byte
	for _, opt := range [][]zstd.EOption{
		{zstd.WithEncoderLevel(zstd.SpeedFastest)},
		{zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithSingleSegment(true)},
		{zstd.WithEncoderCRC(false)},
		{zstd.WithWindowSize(zstd.MinWindowSize), zstd.WithEncoderPadding(64)}, // the padding is a frame to skip
	} {
		w, err := zstd.NewWriter(nil, append(opt, zstd.WithEncoderConcurrency(1))...)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, w.EncodeAll([]byte(plain), nil))
	}
	half := len(plain) / 2
	return append(all, []byte(zst(plain[:half])+zst(plain[half:])))
}

// Any frames, damaged or not, are read without a panic, and alike by one worker and by several.
func FuzzZstd(f *testing.F) {
	for _, frame := range frames(f, header+strings.Repeat(records, 5)) {
		f.Add(frame, 0, byte(0))
		f.Add(frame, 20, byte(4))
	}
	f.Fuzz(func(t *testing.T, frame []byte, at int, flip byte) {
		frame = bytes.Clone(frame)
		if len(frame) > 0 {
			frame[uint(at)%uint(len(frame))] ^= flip
		}
		alone, stats := rowsOf(t, one(string(frame)), Options{Workers: 1, BlockSize: 64})
		several, severalStats := rowsOf(t, one(string(frame)), Options{Workers: 4, BlockSize: 64})
		if !slices.Equal(alone, several) || fmt.Sprint(stats.Failed) != fmt.Sprint(severalStats.Failed) {
			t.Errorf("1 worker:\n%q %v\n4 workers:\n%q %v", alone, stats.Failed, several, severalStats.Failed)
		}
	})
}

// A frame with a checksum gives all of its records, or an error.
func FuzzZstdChecksum(f *testing.F) {
	for i := range 8 {
		f.Add(header+records, 7*i, byte(1<<i))
		f.Add("srcaddr bytes\n"+strings.Repeat("10.0.0.1 5\n", 100), 4+i, byte(128>>i))
	}
	f.Fuzz(func(t *testing.T, plain string, at int, flip byte) {
		frame := []byte(zst(plain))
		const magic = 4 // what has another is no frame
		if len(frame) <= magic || flip == 0 {
			return
		}
		want, _ := rowsOf(t, one(string(frame)), Options{Workers: 1})
		frame[magic+uint(at)%uint(len(frame)-magic)] ^= flip
		got, stats := rowsOf(t, one(string(frame)), Options{Workers: 1})
		if len(stats.Failed) == 0 && !slices.Equal(got, want) {
			t.Errorf("changed without an error: got %q, want %q", got, want)
		}
	})
}

// The name of an object tells the same with either slash and below any folder, and no time without its span.
func FuzzParseKey(f *testing.F) {
	const file = "123456789012_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_20260514T0905Z_0a1b2c3d.log.gz"
	for _, name := range []string{
		file,
		"AWSLogs/123456789012/vpcflowlogs/eu-west-1/2026/05/14/09/" + file,
		"p/AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=us-gov-west-1/year=2026/month=05/day=14/hour=09/x.parquet",
		"date=2026-05-14/hour=09/account_id=123456789012/region=eu-west-1/part-000001-0001.parquet",
		"date=2026-05-14/hour=30/account_id=%2f/region=__HIVE_DEFAULT_PARTITION__/part-000001-0001.parquet",
		`logs\123456789012_vpcflowlogs__fl-_99999999T9999Z.log`,
		"\u202e\x00\n/../vpcflowlogs/2026/13/40",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		k, ok := ParseKey(name)
		switch other, otherOK := ParseKey(strings.ReplaceAll(name, "/", `\`)); {
		case other != k || otherOK != ok:
			t.Errorf("got %+v, and %+v with backslashes", k, other)
		case ok == (k == Key{}):
			t.Errorf("got %+v, %t", k, ok)
		case k.Time.IsZero() != (k.Span == 0), k.Span < 0, k.Time.Location() != time.UTC:
			t.Errorf("got a time of %v for %v", k.Time, k.Span)
		}
		if below, _ := ParseKey(path.Join("some", "folder") + "/" + name); below != k && !strings.HasPrefix(name, "aws-service=") {
			t.Errorf("got %+v, and %+v below a folder", k, below)
		}
		// what a name says is never why its own time leaves it out
		if !k.Time.IsZero() && !(KeyFilter{Since: k.Time, Until: k.Time.Add(k.Span)}).During(k) {
			t.Errorf("%+v is not chosen for its own time", k)
		}
	})
}
