package cmd

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"flowlog/parse"
)

// progressModes are the values of --progress.
var progressModes = []string{"auto", "plain", "none"}

// progressDelay is how long a scan lasts before it is worth a progress bar, and plainEvery how often a line
// is printed where there can be no bar.
const (
	progressDelay = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
	plainEvery    = 5 * time.Second
)

// progress shows the progress of a scan on w, until the function that it returns is called.
func progress(w io.Writer, mode string, meter *parse.Meter) (stop func()) {
	bar := mode == "auto" && terminal(w) && os.Getenv("TERM") != "dumb"
	if mode == "none" || mode == "auto" && !bar {
		return func() {}
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if bar {
			showBar(w, meter, quit)
		} else {
			showLines(w, meter, quit)
		}
	}()
	return func() { close(quit); <-done }
}

func showBar(w io.Writer, meter *parse.Meter, quit chan struct{}) {
	select {
	case <-quit:
		return
	case <-time.After(progressDelay):
	}
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true),
		progressbar.OptionFullWidth(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionClearOnFinish())
	for {
		if meter.Listed.Load() && meter.KnownBytes.Load() > 0 {
			bar.ChangeMax64(max(meter.KnownBytes.Load(), 1))
		}
		bar.Describe(objectsOf(meter))
		err := bar.Set64(meter.Bytes.Load())
		select {
		case <-quit:
			_ = bar.Clear() // the bar is an ornament: that it cannot be drawn is no error
			return
		case <-time.After(progressEvery):
		}
		if err != nil {
			return
		}
	}
}

func showLines(w io.Writer, meter *parse.Meter, quit chan struct{}) {
	for {
		select {
		case <-quit:
			return
		case <-time.After(plainEvery):
		}
		fmt.Fprintf(w, "flowlog: %s, %s of %s\n", objectsOf(meter), humanize.IBytes(uint64(meter.Bytes.Load())), humanize.IBytes(uint64(meter.KnownBytes.Load())))
	}
}

func objectsOf(meter *parse.Meter) string {
	more := ""
	if !meter.Listed.Load() {
		more = "+"
	}
	return fmt.Sprintf("%s of %s%s objects", humanize.Comma(meter.Objects.Load()), humanize.Comma(meter.KnownObjects.Load()), more)
}
