package trino

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"flowlog/report/engine"
)

// A watch looks at what the driver and the server say to each other, to know the query: what it takes, which the driver
// tells now and then but not at the end, and its name, to end it when nobody waits for it any more. The driver may
// have done that itself, or not: that depends on where it is when its context ends.
type watch struct {
	next http.RoundTripper

	mu      sync.Mutex
	stats   engine.Stats
	server  *url.URL    // that the query was sent to, nil if it is not there or no more
	headers http.Header // that it was sent with
	cut     bool        // no page has said yet how the query ended
}

// smallPage is how many bytes of an answer are looked at: those at the beginning and the end of a query, which have
// no rows or few, are smaller.
const smallPage = 256 << 10

// finished is the state of a query all of whose rows were sent.
const finished = "FINISHED"

// endTime is how long it may take to end a query: about as long as flowlog waits after Ctrl-C.
const endTime = 2 * time.Second

// reset forgets the last query.
func (w *watch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats = engine.Stats{Scanned: -1, Cost: -1}
	w.server, w.headers, w.cut = nil, nil, true
}

// ended reports whether the last page said that the query is finished.
func (w *watch) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.cut
}

// RoundTrip is that of an http.RoundTripper.
func (w *watch) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := w.next.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(req.URL.Path, "/v1/statement") {
		return res, err
	}
	head, err := io.ReadAll(io.LimitReader(res.Body, smallPage))
	if err != nil {
		return nil, joinClose(err, res.Body)
	}
	body := res.Body
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), body), body}
	var page struct {
		ID      string
		NextURI string
		Stats   struct {
			State                                                 string
			ElapsedTimeMillis, PhysicalInputBytes, ProcessedBytes int64
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut = len(head) < smallPage; !w.cut || json.Unmarshal(head, &page) != nil {
		return res, nil // of a large page the driver sees whether it is whole
	}
	if w.stats.ID = page.ID; page.NextURI != "" && req.Method == http.MethodPost {
		w.server, w.headers = req.URL, req.Header.Clone()
	}
	w.stats.Elapsed = time.Duration(page.Stats.ElapsedTimeMillis) * time.Millisecond
	if w.stats.Scanned = page.Stats.PhysicalInputBytes; w.stats.Scanned == 0 { // of a table that has no files
		w.stats.Scanned = page.Stats.ProcessedBytes
	}
	if page.NextURI == "" {
		w.server = nil // it has ended
		w.cut = page.Stats.State != finished
	}
	return res, nil
}

// joinClose closes what could not be read.
func joinClose(err error, c io.Closer) error {
	_ = c.Close() // the error is that of reading it
	return err
}

// end ends the query on the server, if it runs. What comes of that nobody waits for: the server ends a query of itself
// when nobody asks for its rows, some minutes later.
func (w *watch) end() {
	w.mu.Lock()
	server, headers, id := w.server, w.headers, w.stats.ID
	w.server = nil
	w.mu.Unlock()
	if server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	to := *server
	to.Path = strings.Replace(to.Path, "/v1/statement", "/v1/query/"+url.PathEscape(id), 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, to.String(), nil)
	if err != nil {
		return
	}
	req.Header = headers
	req.Header.Del("Content-Type")
	if res, err := w.next.RoundTrip(req); err == nil {
		_ = res.Body.Close()
	}
}
