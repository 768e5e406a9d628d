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

// A watch is a transport that reads the driver's traffic for two facts: the final statistics of a query, of which the
// driver reports only intermediate ones, and the query's URL, to cancel it. Whether the driver cancels it itself depends
// on where it is when its context ends.
type watch struct {
	next http.RoundTripper

	mu      sync.Mutex
	stats   engine.Stats
	server  *url.URL    // of the running query; nil if none is running
	headers http.Header // of the query's request
	cut     bool        // no page with the final state was seen yet
}

// smallPage is the largest answer that is parsed, in bytes. The first and the last page of a query have few rows or none
// and are smaller.
const smallPage = 256 << 10

// finished is the state of a query that has sent all rows.
const finished = "FINISHED"

// endTime is the timeout for cancelling a query: about as long as flowlog waits after Ctrl-C.
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
		return res, nil // the driver checks that a large page is complete
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

// joinClose closes a body that could not be read.
func joinClose(err error, c io.Closer) error {
	_ = c.Close() // the error is that of reading it
	return err
}

// end cancels the query on the server if it is running. It does not wait for the answer: the server ends an abandoned
// query by itself some minutes later.
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
